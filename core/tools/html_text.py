"""A web page as readable text; runs as a script of its own, because a hostile page can keep a parser busy for hours.

Standard input: the page as UTF-8. Standard output: its title on the first line, then the text.
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser

_SKIPPED = """
script style noscript template svg canvas iframe object select button
"""
SKIPPED = frozenset(_SKIPPED.split())
_BLOCKS = """
address article aside blockquote body br dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 h4
h5 h6 header hr li main nav ol p pre section summary table tbody thead title tr ul
"""
BLOCKS = frozenset(_BLOCKS.split())


class Reader(HTMLParser):
    """Collects text: headings as `#`, items as `-`, cells by `|`, links as `[text](address)`, `pre` as it is."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self._parts: list[str] = []
        self._skipping: list[str] = []
        self._links: list[str] = []
        self._pre = 0
        self._in_title = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in SKIPPED:
            self._skipping.append(tag)
        if self._skipping:
            return
        given = dict(attributes)
        if tag in BLOCKS:
            self._parts.append("\n" if tag in ("br", "tr", "li", "dt", "dd") else "\n\n")
        if re.fullmatch("h[1-6]", tag):
            self._parts.append("#" * int(tag[1]) + " ")
        elif tag == "li":
            self._parts.append("- ")
        elif tag in ("td", "th"):
            self._parts.append(" | ")
        elif tag == "img" and given.get("alt"):
            self._parts.append(f"[image: {given['alt']}]")
        elif tag == "a":
            self._links.append(given.get("href") or "")
            self._parts.append("[" if self._linked() else "")
        self._pre += tag == "pre"
        self._in_title = self._in_title or tag == "title"

    def handle_endtag(self, tag: str) -> None:
        if self._skipping:
            if tag in self._skipping:
                del self._skipping[self._skipping.index(tag) :]
            return
        if tag == "a" and self._links:
            linked = self._linked()
            self._parts.append(f"]({self._links.pop()})" if linked else self._links.pop() * 0)
        elif tag in BLOCKS and tag not in ("li", "tr", "br"):
            self._parts.append("\n\n")
        self._pre = max(0, self._pre - (tag == "pre"))
        self._in_title = self._in_title and tag != "title"

    def handle_data(self, data: str) -> None:
        if self._skipping:
            return
        if self._in_title:
            self.title += data
        else:
            self._parts.append(data if self._pre else re.sub(r"\s+", " ", data))

    def text(self) -> str:
        """Everything read so far, with at most one empty line between paragraphs."""
        text = re.sub(r"[ \t]+\n", "\n", "".join(self._parts))
        return re.sub(r"\n{3,}", "\n\n", text).strip()

    def _linked(self) -> bool:
        return bool(self._links and self._links[-1] and not self._links[-1].startswith(("#", "javascript:")))


def main() -> None:
    reader = Reader()
    reader.feed(sys.stdin.buffer.read().decode("utf-8", "replace"))
    reader.close()
    title = " ".join(reader.title.split())
    sys.stdout.buffer.write(f"{title}\n{reader.text()}".encode())


if __name__ == "__main__":
    main()
