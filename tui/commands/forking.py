"""`fork`: a new session from a point of another, with the files of that moment in a folder of their own."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import click

from core.forking import Wish
from core.forking import fork as fork_of
from tui.commands.chosen import readable
from tui.progress import Progress
from tui.say import say, say_json


@contextlib.contextmanager
def _source(home: Path, session: str | None) -> Iterator[tuple[Path, bool]]:
    """The folder of a session, or of a film, and whether it is one."""
    film = Path(session).expanduser() if session else None
    if film is None or not film.is_file():
        yield readable(home, session).folder, False
        return
    from tui.commands.films import opened

    with opened(str(film)) as (folder, _):
        yield folder, True


@click.command()
@click.argument("session", required=False)
@click.option("--at", type=int, metavar="SEQ", help="Go on from this event; the end, unless it is given.")
@click.option("--name", default="", help="What the new session is called.")
@click.option("--into", type=click.Path(path_type=Path), metavar="DIR", help="The new folder of its files.")
@click.option("--copy", is_flag=True, help="A plain copy of the files, also where a git worktree is possible.")
@click.option("--json", "as_json", is_flag=True, help="What was made, as JSON.")
@click.pass_obj
def fork(
    home: Path, session: str | None, at: int | None, name: str, into: Path | None, copy: bool, as_json: bool
) -> int:
    """Go on from a point of a session in a new one: same conversation up to there, the files of that moment.

    The original stays as it is, its files too, also while it runs; what it cost until then is not counted again. A
    reply or a call that was under way at SEQ is left out. The new session stands until `longwatch resume`.

    SESSION may be a .longwatch FILE that holds its files: what it allowed, and where its model was, counts for nothing.
    """
    with Progress("fork"), _source(home, session) as (folder, foreign):
        made = asyncio.run(fork_of(home, folder, Wish(at, name, into, plain=copy, foreign=foreign)))
    if as_json:
        fields = {"session": made.folder.name, "name": made.name, "at": made.upto}
        say_json(json.dumps(fields | {"workspace": str(made.workspace), "files": made.how}))
    else:
        say(made.sentence)
    return 0
