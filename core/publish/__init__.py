"""A session for people elsewhere: as a page, as Markdown, as a report with charts; and what of it would leave."""
