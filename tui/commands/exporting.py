"""`export`: a session as a file for elsewhere, and what of it would leave."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import click

from core.clock import SystemClock, iso
from core.journal.catalogue import Summary
from core.journal.margin import Margin, unsigned
from core.version import app_version
from tui.commands.chosen import margin_of, readable
from tui.progress import Progress
from tui.say import say

FORMATS = ("session", "jsonl", "md", "html", "asciicast")
DOCUMENTS = ("md", "html")
SUFFIXES = {".jsonl": "jsonl", ".md": "md", ".html": "html", ".htm": "html", ".cast": "asciicast"}
Redact = Callable[[Any], Any]


@click.command()
@click.argument("session")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True), required=False)
@click.option("--format", "form", type=click.Choice(FORMATS), help="Default: by the file's name.")
@click.option("--redact", "covered", is_flag=True, help="Take out paths, names, hosts and mail addresses too.")
@click.option("--files", is_flag=True, help="session: take the snapshots of the workspace's files along.")
@click.option("--notes/--no-notes", default=True, help="md, html: with the notes in the margin, or without.")
@click.option("--preview", is_flag=True, help="List what would leave, and write nothing.")
@click.option("--size", default="100x30", show_default=True, help="asciicast: columns x rows.")
@click.option("--speed", type=click.FloatRange(min=1, max=100_000), default=60.0, show_default=True, help="asciicast.")
@click.pass_obj
def export(
    home: Path,
    session: str,
    file: Path | None,
    form: str | None,
    covered: bool,
    files: bool,
    notes: bool,
    preview: bool,
    size: str,
    speed: float,
) -> int:
    """Write a session to a FILE (`-`: standard output).

    `session` packs all of it into one .longwatch file (with --files also every state of the workspace's files, so that
    `diff` and `fork` work on it elsewhere), `jsonl` is one event a line, `md` a document, `html` one page
    with a scrubber and search that needs no network, `asciicast` the replay's own screen for asciinema players. Secrets
    that are known here, and what looks like one, are taken out of every form. The notes in the margin go along in `md`
    and `html`; to those who get a .longwatch file `longwatch notes --export` sends them.
    """
    summary = readable(home, session)
    margin = margin_of(summary.folder).read() if notes else None
    redact = redaction(summary.folder, covered)
    if files and covered:
        raise click.UsageError("--redact leaves files out: they tell where and who in their own ways. Drop --files.")
    if preview:
        from core.publish.inventory import take_stock

        with Progress("preview"):
            stock = take_stock(summary.folder, redact, files=files, margin=margin)
        for line in stock.lines():
            say(line)
        return 0
    if file is None:
        raise click.UsageError("Say into which FILE, or `-` for standard output; --preview lists what would leave.")
    form = form or SUFFIXES.get(file.suffix.lower(), "session")
    if files and form != "session":
        raise click.UsageError(f"Only a .longwatch file holds files; {form} does not.")
    with _target(file) as aside, Progress(f"export to {form}"):
        if form in DOCUMENTS:
            _write_document(form, summary, aside, redact, margin if not covered or margin is None else unsigned(margin))
        else:
            _write(form, summary, aside, redact, covered=covered, files=files, size=_size(size), speed=speed)
    if str(file) != "-":
        say(f"{file} ({file.stat().st_size:,} bytes)", err=True)
    return 0


def _write(
    form: str,
    summary: Summary,
    aside: Path,
    redact: Redact,
    *,
    covered: bool,
    files: bool,
    size: tuple[int, int],
    speed: float,
) -> None:
    from core.journal.export import export_jsonl, export_session
    from core.journal.reader import Reader

    if form == "session":
        export_session(summary.folder, aside, redact, about=_about(covered, files), files=files)
    elif form == "jsonl":
        with Reader(summary.folder) as reader, _private(aside) as out:
            export_jsonl(reader, out, redact=redact)
    else:
        from tui.asciicast import record

        with _private(aside) as out:
            record(summary.folder, out, size=size, speed=speed, redact=redact, title=redact(summary.name))


def _write_document(form: str, summary: Summary, aside: Path, redact: Redact, margin: Margin | None) -> None:
    from core.publish.film import read_film, redacted
    from core.publish.markdown import session_markdown
    from core.publish.web import session_page
    from tui.report_text import report_rows

    film = redacted(read_film(summary.folder, margin), redact)
    rows = report_rows(film.fields)
    text = session_page(film, rows) if form == "html" else session_markdown(film, rows)
    with _private(aside) as out:
        out.write(text.encode("utf-8", "replace"))


def redaction(folder: Path, covered: bool) -> Redact:
    from core.publish.secrecy import without_secrets

    secrets = without_secrets(folder)
    if not covered:
        return secrets
    from core.journal.reader import Reader
    from core.publish.redaction import Cover, home_of

    cover = Cover(secrets, home_of(Path.home()))
    with Reader(folder) as reader:
        cover.learn(reader.events())
    return cover


def _about(covered: bool, files: bool) -> dict[str, Any]:
    """What the file says of itself; nothing of who made it where names are to be left out."""
    about: dict[str, Any] = {"at": iso(SystemClock().now_us()), "version": app_version(), "files": False}
    about["redacted"] = ["secrets", *(["paths", "names", "hosts"] if covered else [])]
    about["left_out"] = ["the workspace as it is now"] if files else ["snapshots of files", "the workspace"]
    if not covered:
        about["by"] = f"{getpass.getuser()}@{socket.gethostname()}"
    return about


@contextlib.contextmanager
def _target(file: Path) -> Iterator[Path]:
    """A file to write aside, which takes its place when all went well, or goes to standard output."""
    if str(file) == "-":
        if sys.stdout.isatty():
            raise click.UsageError("Standard output is a terminal; pipe it somewhere, or name a FILE.")
        with tempfile.TemporaryDirectory(prefix="longwatch-") as folder:
            aside = Path(folder) / "export"
            yield aside
            with aside.open("rb") as made:
                shutil.copyfileobj(made, sys.stdout.buffer)
        return
    aside = file.with_name(f".{file.name}.new")
    try:
        yield aside
        aside.replace(file)
    except OSError as error:
        raise click.UsageError(f"{file} can't be written: {error.strerror}.") from error
    finally:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)


def _private(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _size(text: str) -> tuple[int, int]:
    columns, _, rows = text.partition("x")
    if not (columns.isdigit() and rows.isdigit() and 40 <= int(columns) <= 400 and 12 <= int(rows) <= 120):
        raise click.UsageError(f"--size {text!r} can't be used; write columns x rows, from 40x12 to 400x120.")
    return int(columns), int(rows)
