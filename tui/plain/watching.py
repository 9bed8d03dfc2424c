"""Between the command line and the plain mode: descriptors, signals, and the loop that it runs in."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.clock import SystemClock
from core.folds.view import SessionView
from core.journal.seen import SeenMark
from core.protocols import Controls, Source
from core.tools.vitals import Pulses
from tui.attention import Sight
from tui.parting import part
from tui.plain.film import PlainFilm
from tui.plain.input import TypedLines
from tui.plain.mode import PlainMode
from tui.plain.output import LineWriter, has_colour
from tui.plain.talk import Leaving, Talk
from tui.runner_watch import RunnerWatch
from tui.terminal import hear_endings, unheard

if TYPE_CHECKING:
    from tui.elsewhere import Elsewhere

STDIN, STDOUT = 0, 1


def watch_plainly(
    source: Source,
    controls: Controls,
    folder: Path,
    *,
    driven: bool = False,
    start: Callable[[], object] | None = None,
    trouble: Callable[[], str | None] = lambda: None,
    fell: Callable[[], str] = lambda: "",
    elsewhere: Elsewhere | None = None,
) -> Leaving:
    """Tell a session by lines until it is left; how. `driven`: its runner, begun by `start`, is in this process."""
    clock = elsewhere.clock if elsewhere else SystemClock()
    sight = Sight(SeenMark(folder, clock))

    def talk(writer: LineWriter, typed: TypedLines) -> Talk:
        return PlainMode(
            source,
            controls,
            writer,
            typed,
            clock=clock,
            driving=driven,
            start=start,
            trouble=trouble,
            gone=elsewhere.gone if elsewhere else RunnerWatch(folder, held=not driven, fell=fell),
            ring=writer.ring,
            sight=sight,
            feel=Pulses(folder).feel,
        )

    try:
        how, view = asyncio.run(_talk(talk, driven))
    finally:
        sight.keep()
    if how != "lost" and view.last_seq:
        part(view, folder, now_us=clock.now_us(), driven=driven, elsewhere=elsewhere)
    return how


def replay_plainly(source: Source, *, start_at: int | None, speed: float | None) -> Leaving:
    """Tell a recording by lines: as a film on a terminal, at once into a pipe or a file."""

    def talk(writer: LineWriter, typed: TypedLines) -> Talk:
        return PlainFilm(source, writer, typed, paced=os.isatty(STDOUT), start_at=start_at, speed=speed)

    return asyncio.run(_talk(talk, False))[0]


async def _talk(make: Callable[[LineWriter, TypedLines], Talk], driven: bool) -> tuple[Leaving, SessionView]:
    """How it was left, and what was known then."""
    loop = asyncio.get_running_loop()

    def soon(function: Callable[..., object], *args: Any) -> None:
        with suppress(RuntimeError):  # Late, when the loop is over.
            loop.call_soon_threadsafe(function, *args)

    writer = LineWriter(
        STDOUT,
        colour=has_colour(STDOUT, os.environ),
        encoding=sys.stdout.encoding or "utf-8",
        lost=lambda: soon(talk.leave, "lost"),
    )
    typed = TypedLines(STDIN)
    talk = make(writer, typed)
    _obey_signals(talk, soon, driven)
    typed.start()
    try:
        return await talk.run(), talk.view
    finally:
        typed.stop()
        _end_signals(driven)
        writer.close()


def _obey_signals(talk: Talk, soon: Callable[..., None], driven: bool) -> None:
    """What keys and hang-ups mean. A runner in this process is neither stopped nor ended by the terminal."""
    hear_endings(
        hang_up=lambda *_: soon(talk.leave, "lost"),
        terminated=lambda *_: soon(talk.leave, "detached"),
    )
    signal.signal(signal.SIGINT, lambda *_: soon(talk.interrupt))
    signal.signal(signal.SIGQUIT, lambda *_: soon(talk.leave, "quit"))
    if driven:
        signal.signal(signal.SIGTSTP, lambda *_: soon(talk.interrupt))
        signal.signal(signal.SIGTTIN, signal.SIG_IGN)  # A handler would be called without end.


def _end_signals(driven: bool) -> None:
    """Until this process has left the terminal what ends it means nothing; its children get no handler, no deafness."""
    ends = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
    for number in (*ends, *([signal.SIGTSTP] if driven else [])):
        signal.signal(number, unheard)
    if driven:
        signal.signal(signal.SIGTTIN, signal.SIG_DFL)
