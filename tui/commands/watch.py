"""`attach`, `replay`, and the list of sessions: the screen over a session whose runner is elsewhere, or nowhere."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.config import load_config
from core.controls import SessionControls
from core.journal.catalogue import session_folders
from core.journal.lease import holder
from core.journal.viewers import Presence
from core.source import SessionSource
from tui.commands.chosen import is_film, margin_of, named_elsewhere, readable
from tui.say import say
from tui.terminal import has_terminal, is_dumb, shown_plainly

if TYPE_CHECKING:
    from tui.app import Mode


@click.command()
@click.argument("session", required=False)
@click.option("--plain", is_flag=True, help="Lines and typed commands in place of the screen.")
@click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal.")
@click.pass_obj
def attach(home: Path, session: str | None, plain: bool, no_mouse: bool) -> int:
    """Watch and steer a session that runs in another process, or as BOX:SESSION on another machine, by ssh.

    From another machine only events come: the screen is drawn here, and a copy of the log is kept.
    """
    plain = shown_plainly(plain, "`longwatch events --follow` prints what happens")
    if (far := named_elsewhere(home, session)) is not None:
        from tui.commands.boxes import attach_box

        return attach_box(home, *far, plain=plain, mouse=not no_mouse)
    summary = readable(home, session)
    folder = summary.folder
    if holder(folder) is None:
        short, whole = summary.id[:10], (summary.parent or summary.id)[:10]
        raise click.UsageError(
            f"No runner holds session {short}; `longwatch resume {whole}` goes on with it, `replay` shows it."
        )
    from core.version import version_notice

    return show(folder, "attached", mouse=not no_mouse, plain=plain, notice=version_notice(folder))


@click.command()
@click.argument("session", default="")
@click.option("--at", "start_at", type=click.IntRange(min=1), help="Start at this event.")
@click.option("--speed", type=click.FloatRange(min=0.1, max=10_000), default=10.0, show_default=True)
@click.option("--plain", is_flag=True, help="Lines and typed commands in place of the screen.")
@click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal.")
@click.pass_obj
def replay(home: Path, session: str, start_at: int | None, speed: float, plain: bool, no_mouse: bool) -> int:
    """Show a session like a film, also BOX:SESSION of another machine.

    Or a FILE: a .longwatch export, another tool's transcript (`-`: either, on standard input).

    A file shows a card first: who made it, when, what it holds. Nothing in it is run, and nothing of it is kept.
    """
    how: dict[str, Any] = {"start_at": start_at, "speed": speed, "mouse": not no_mouse}
    instead = "`longwatch events` prints what happened"
    if is_film(session):
        from tui.commands.films import opened

        with opened(session) as (folder, card):
            how["plain"] = shown_plainly(plain, instead)
            how["film"] = None if session == "-" else Path(session).expanduser()
            how["home"] = home
            if how["plain"]:
                for line in card:
                    say(line)
            return show(folder, "replay", controls=False, card=card, **how)
    how["plain"] = shown_plainly(plain, instead)
    if (far := named_elsewhere(home, session)) is not None:
        from tui.commands.boxes import replay_box

        return replay_box(home, *far, **how)
    return show(readable(home, session).folder, "replay", **how)


def show(
    folder: Path,
    mode: Mode,
    *,
    start_at: int | None = None,
    speed: float | None = None,
    mouse: bool = True,
    controls: bool = True,
    plain: bool = False,
    notice: str = "",
    card: Sequence[str] = (),
    film: Path | None = None,
    home: Path | None = None,
) -> int:
    """The screen over a session folder, or its lines; 0 when it is left.

    For a film that came as a file: `film` is that, and `home` where a session goes that branches off from it.
    """
    if plain and mode == "replay":
        from tui.plain.watching import replay_plainly

        replay_plainly(SessionSource(folder), start_at=start_at, speed=speed)
        return 0
    with Presence(folder, os.environ) if controls and mode != "replay" else nullcontext() as presence:
        steering = SessionControls(folder, viewer=presence.viewer if presence else None) if controls else None
        if plain and steering is not None:
            from tui.plain.watching import watch_plainly
            from tui.runner_watch import LifeWatch

            if notice:
                say(f"longwatch: {notice}", err=True)
            watch_plainly(SessionSource(folder), steering, folder, trouble=LifeWatch(folder))
            return 0
        from tui.abilities import forking
        from tui.watching import Viewing, watch

        watch(
            SessionSource(folder),
            steering,
            load_config(),
            Viewing(
                mode=mode,
                folder=folder if controls else None,
                start_at=start_at,
                speed=speed,
                mouse=mouse,
                presence=presence,
                notice=notice,
                card=card,
                margin=None if film is None else margin_of(folder, film),
                fork=None if home is None else forking(home, folder, foreign=True),
            ),
        )
    return 0


def browse(home: Path) -> int:
    """The list of sessions (lines where no screen is possible), and what is opened from it, until it is left."""
    from tui.commands.sessions import ls

    if not session_folders(home) or not has_terminal() or is_dumb():
        return int(click.get_current_context().invoke(ls))
    from tui.browsing import browse_on_screen

    browse_on_screen(home)
    return 0
