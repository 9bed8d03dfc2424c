"""`report`: what a session came to, for people and for programs."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import click

from core.publish.film import Film, read_film, redacted, report_fields
from core.publish.secrecy import without_secrets
from tui.commands.chosen import readable
from tui.progress import Progress
from tui.report_text import as_text, report_rows
from tui.say import say, say_json


@click.command()
@click.argument("session", required=False)
@click.option("--format", "form", type=click.Choice(["text", "md", "html", "json"]), default="text")
@click.option("--with", "other", metavar="S", help="md, html: beside that session.")
@click.pass_obj
def report(home: Path, session: str | None, form: str, other: str | None) -> int:
    """Print the report of a session: duration, calls, repetition, tokens, cost, interventions.

    `md` and `html` tell its story too: the moments, plan, chapters, files and tests; `html` has charts. No known secret
    is in any.
    """
    if other is not None and form not in ("md", "html"):
        raise click.UsageError("Only --format md and --format html show a session beside another one.")
    folder = readable(home, session).folder
    redact = without_secrets(folder)
    with Progress("report"):
        if form in ("md", "html"):
            beside = redacted(read_film(readable(home, other).folder), redact) if other else None
            text = _document(form, redacted(read_film(folder), redact), beside)
        else:
            fields = redact(report_fields(folder))
    if form == "json":
        say_json(json.dumps(fields, indent=2))
    elif form == "text":
        say(as_text(fields, shutil.get_terminal_size().columns if sys.stdout.isatty() else None))
    else:
        say(text)
    return 0


def _document(form: str, film: Film, other: Film | None) -> str:
    from core.publish.figures import side_by_side
    from core.publish.markdown import report_markdown
    from core.publish.web import report_page

    rows = report_rows(film.fields)
    against = (other, report_rows(other.fields)) if other else None
    if form == "html":
        return report_page(film, rows, against)
    if against is None:
        return report_markdown(film, rows)
    pairs = [
        (name, f"{value} ⇄ {beside}" if value != beside else value)
        for name, value, beside in side_by_side(rows, against[1])
    ]
    return report_markdown(film, pairs)
