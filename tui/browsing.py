"""From the list of sessions into one of them, and back to the list: until the list itself is left."""

from __future__ import annotations

import os
import signal
from contextlib import nullcontext
from pathlib import Path

import click

from core.config import load_config
from core.controls import SessionControls
from core.journal.lease import holder
from core.journal.viewers import Presence
from core.source import SessionSource
from tui.session_rows import Chosen, SessionHome
from tui.watching import choose, watch

FILM_SPEED = 10.0


def browse_on_screen(home: Path) -> None:
    """Show the list; a session that was left by `q` leads back to it, with the cursor where it was."""
    sessions, select, notice = SessionHome(home), None, ""
    while (chosen := choose(sessions, select, notice)) is not None:
        select, notice = chosen.folder.name, ""
        try:
            if not _open(chosen):
                return
        except Exception as error:
            from tui.cli import explain

            notice = explain(error)[0]
        finally:
            for number in (signal.SIGHUP, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)


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
            config=load_config(),
            mode="replay" if film else "attached",
            folder=folder,
            speed=FILM_SPEED if film else None,
            presence=presence,
            back=True,
        )
    return outcome == "quit"
