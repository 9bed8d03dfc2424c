"""From the list of sessions into one of them, and back to the list: until the list itself is left."""

from __future__ import annotations

import os
import signal
from contextlib import nullcontext
from pathlib import Path

import click

from core.boxes.ssh import Box, box_named
from core.clock import SystemClock
from core.config import load_config
from core.controls import SessionControls
from core.journal.errors import JournalError
from core.journal.lease import holder
from core.journal.viewers import Presence
from core.source import SessionSource
from tui.box_rows import Boxes
from tui.session_rows import Chosen, SessionHome
from tui.watching import Viewing, choose, watch

FILM_SPEED = 10.0


def browse_on_screen(home: Path) -> None:
    """Show the list; a session that was left by `q` leads back to it, with the cursor where it was."""
    boxes, notice = _boxes()
    sessions, select = SessionHome(home, boxes=Boxes(boxes, SystemClock())), None
    while (chosen := choose(sessions, select, notice)) is not None:
        select, notice = chosen.id, ""
        try:
            if not (_open_there(home, chosen) if chosen.box else _open(chosen)):
                return
        except Exception as error:
            from tui.cli import explain

            notice = explain(error)[0]
        finally:
            for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT, signal.SIGTSTP):
                signal.signal(number, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _boxes() -> tuple[list[Box], str]:
    """The machines of the configuration that the list shows, and what is wrong with the names of others."""
    config, boxes, wrong = load_config(), [], ""
    for name, said in config.boxes.items():
        if not said.listed:
            continue
        try:
            boxes.append(box_named(name, config))
        except JournalError as error:
            wrong = str(error)
    return boxes, wrong


def _open_there(home: Path, chosen: Chosen) -> bool:
    """The same for a session on another machine. Raises JournalError where it can't be reached any more."""
    from tui.commands.boxes import open_from_list

    return open_from_list(home, chosen.box, chosen.folder.name, chosen.opening, FILM_SPEED) == "quit"


def _open(chosen: Chosen) -> bool:
    """Show a session until it is left; whether the list is to be shown again."""
    folder = chosen.folder
    if chosen.opening == "resume" and holder(folder) is None:
        from tui.commands.run import resume

        click.get_current_context().invoke(resume, session=folder.name, back=True)
        return True
    film = chosen.opening == "replay"
    with nullcontext() if film else Presence(folder, os.environ) as presence:
        outcome = watch(
            SessionSource(folder),
            SessionControls(folder, viewer=presence.viewer if presence else None),
            load_config(),
            Viewing(
                mode="replay" if film else "attached",
                folder=folder,
                speed=FILM_SPEED if film else None,
                presence=presence,
                back=True,
            ),
        )
    return outcome == "quit"
