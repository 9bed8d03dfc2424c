"""`attach`, `replay`, and the list of sessions: the screen over a session whose runner is elsewhere, or nowhere."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from core.config import load_config
from core.journal.catalogue import list_sessions, summarize
from core.journal.lease import holder
from core.session import SessionControls, SessionSource
from tui.commands.chosen import readable
from tui.terminal import need_terminal

ENDED = ("finished", "stopped", "failed")


@click.command()
@click.argument("session", required=False)
@click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal.")
@click.pass_obj
def attach(home: Path, session: str | None, no_mouse: bool) -> int:
    """Watch and steer a session that runs in another process."""
    need_terminal("`longwatch events --follow` prints what happens")
    folder = readable(home, session).folder
    if holder(folder) is None:
        short = folder.name[:10]
        raise click.UsageError(
            f"No runner holds session {short}; `longwatch resume {short}` goes on with it, `replay` shows it."
        )
    return show(folder, "attached", mouse=not no_mouse)


@click.command()
@click.argument("session")
@click.option("--at", "start_at", type=click.IntRange(min=1), help="Start at this event.")
@click.option("--speed", type=click.FloatRange(min=0.1, max=10_000), default=10.0, show_default=True)
@click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal.")
@click.pass_obj
def replay(home: Path, session: str, start_at: int | None, speed: float, no_mouse: bool) -> int:
    """Show a session, or a .longwatch FILE, like a film."""
    need_terminal("`longwatch events` prints what happened")
    file = Path(session).expanduser()
    if file.suffix == ".longwatch" or file.is_file():
        from core.journal.export import open_export

        with open_export(file) as folder:
            return show(folder, "replay", start_at=start_at, speed=speed, mouse=not no_mouse, controls=False)
    folder = readable(home, session).folder
    return show(folder, "replay", start_at=start_at, speed=speed, mouse=not no_mouse)


def show(
    folder: Path,
    mode: str,
    *,
    start_at: int | None = None,
    speed: float | None = None,
    mouse: bool = True,
    controls: bool = True,
) -> int:
    """The screen over a session folder; 0 when it is left."""
    from tui.watching import watch

    watch(
        SessionSource(folder),
        SessionControls(folder) if controls else None,
        config=load_config(),
        mode=mode,
        folder=folder if controls else None,
        start_at=start_at,
        speed=speed,
        mouse=mouse,
    )
    return 0


def browse(home: Path) -> int:
    """The list of sessions (lines without a terminal), and the chosen one: replayed if it has ended, else attached."""
    from tui.commands.sessions import ls

    if not list_sessions(home) or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return int(click.get_current_context().invoke(ls))
    from tui.watching import choose

    chosen = choose(home)
    if chosen is None:
        return 0
    return show(chosen, "replay" if summarize(chosen).state in ENDED else "attached")
