"""`notes`: what people wrote in the margin of a session or a film; sent to others and merged with theirs."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from core.clock import iso
from core.journal.errors import JournalError
from core.journal.margin import Margin, MarginFile, read_margin
from core.journal.reader import Reader
from tui.commands.chosen import margin_of, readable
from tui.panes import figures
from tui.safe import one_line
from tui.say import say, say_json


@click.command()
@click.argument("session", required=False)
@click.option("--at", type=click.IntRange(min=1), metavar="SEQ", help="Where --add writes; the end, unless given.")
@click.option("--add", metavar="TEXT", help="Write a note.")
@click.option("--remove", metavar="ID", help="Take one away, by its id or a unique start of it.")
@click.option("--merge", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Take in those of a FILE.")
@click.option("--export", type=click.Path(path_type=Path, dir_okay=False), help="Write all of them to a FILE.")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def notes(
    home: Path,
    session: str | None,
    at: int | None,
    add: str | None,
    remove: str | None,
    merge: Path | None,
    export: Path | None,
    as_json: bool,
) -> int:
    """List, write, send and merge notes on a session, or on a film (a FILE, beside which they are kept).

    They lie beside the journal, not in it. --export takes along which changes are marked as reviewed; of two versions
    of a note the later one holds, however often and in whatever order files are merged.
    """
    with _margin(home, session) as (folder, margin):
        if merge is not None:
            count = margin.merge(read_margin(merge))
            say(f"{figures.plural(count, 'note')} {'is' if count == 1 else 'are'} new or changed.")
        if add is not None:
            margin.write(_event(folder, at), add.strip() or _empty())
        if remove is not None:
            _remove(margin, remove)
        if export is not None:
            margin.save(_clean(folder, margin.read()), export)
            say(f"{export}: {figures.plural(len(margin.read().standing()), 'note')}", err=True)
        elif as_json:
            rows = [{"id": id, **msgspec.to_builtins(note)} for id, note in margin.read().standing()]
            say_json(json.dumps(rows, indent=2))
        elif add is None and remove is None and merge is None:
            for line in _lines(margin):
                say(line)
    return 0


def _clean(folder: Path, margin: Margin) -> Margin:
    from core.publish.secrecy import without_secrets

    return msgspec.convert(without_secrets(folder)(msgspec.to_builtins(margin)), Margin)


@contextlib.contextmanager
def _margin(home: Path, session: str | None) -> Iterator[tuple[Path, MarginFile]]:
    film = Path(session).expanduser() if session else None
    if film is not None and film.is_file():
        from tui.commands.films import opened

        with opened(str(film)) as (folder, _):
            yield folder, margin_of(folder, film)
    else:
        folder = readable(home, session).folder
        yield folder, margin_of(folder)


def _event(folder: Path, at: int | None) -> int:
    with Reader(folder) as reader:
        last = reader.last_seq()
    if at is not None and at > last:
        raise JournalError(f"There is no event #{at:,}; the session has {last:,}.")
    return at or max(1, last)


def _empty() -> str:
    raise click.UsageError("A note needs a text; --remove takes one away.")


def _remove(margin: MarginFile, text: str) -> None:
    found = [(id, note) for id, note in margin.read().standing() if text and id.startswith(text.lower())]
    if len(found) != 1:
        raise click.UsageError(f"There is no note {text!r}, or more than one begins so; `notes` lists them.")
    margin.write(found[0][1].seq, "", found[0][0])


def _lines(margin: MarginFile) -> Iterator[str]:
    found = margin.read().standing()
    if not found:
        yield "No notes yet: A writes one on the screen, --add from here."
    for id, note in found:
        who = f"{one_line(note.by)}, " if note.by else ""
        yield f"#{note.seq:<7} {one_line(note.text)}  ({who}{iso(note.at_us)[:16]}, {id})"
