"""Between the command line and the app: what the app needs from the configuration, and how its end is told."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.clock import SystemClock, monotonic
from core.config import Config, config_path, load_config
from core.events import SessionOpened
from core.folds.file_states import Handwork
from core.journal.lease import TRUSTED_S, holder, unresponsive
from core.journal.margin import MarginFile
from core.journal.reserve import free_bytes
from core.journal.seen import SeenMark
from core.journal.viewers import Present
from core.notify.attendance import Attendance
from core.protocols import Controls, ModelOffer, Preview, RestorePreview, Source
from tui.attention import Sight
from tui.commands.chosen import margin_of
from tui.parting import part
from tui.say import say
from tui.session_time import SessionTime
from tui.undisturbed import undisturbed

if TYPE_CHECKING:
    from core.tools.vitals import Pulse, Pulses
    from tui.elsewhere import Elsewhere
    from tui.job_control import Aside
    from tui.session_rows import Chosen, SessionHome
    from tui.themed_app import ThemedApp

SCREEN_LOG = "screen.log"
"""In the session's folder: what broke the screen, if anything did."""
LOOK_EVERY_S = 0.4
"""Shortest time between two looks at who runs a session."""


class ReadOnly:
    """Controls of a file that can only be read."""

    available = False

    async def send(self, verb: str, args: dict[str, Any] | None = None, head: int | None = None) -> str:
        raise RuntimeError("An exported file can only be read.")

    async def preview_compression(self, instruction: str = "", evict: int | None = None) -> Preview:
        raise RuntimeError(
            "An exported file can only be read: nothing of it is ever sent, so nothing can be compressed."
        )

    async def preview_restore(self, tree: str, known: Handwork) -> RestorePreview:
        raise RuntimeError("An exported file can only be read: there is no workspace to restore.")

    async def model_offers(self, opened: SessionOpened, present: str, sent: int) -> list[ModelOffer]:
        return []

    async def said_before(self) -> list[str]:
        return []


class RunnerWatch:
    """Called often, says in words that the runner of a session is gone; None while it lives.

    It must have been seen once (`held`), and missed twice: its last words may still be on their way.
    """

    def __init__(self, folder: Path, *, held: bool, every_s: float = LOOK_EVERY_S) -> None:
        self._folder, self._held, self._every_s = folder, held, every_s
        self._looked_s = float("-inf")
        self._missed = 0

    def __call__(self) -> str | None:
        if monotonic() - self._looked_s >= self._every_s:
            self._looked_s = monotonic()
            living = holder(self._folder) is not None
            self._held = self._held or living
            self._missed = 0 if living or not self._held else self._missed + 1
        return f"its runner is gone; longwatch resume {self._folder.name[:10]} goes on" if self._missed > 1 else None


class LifeWatch:
    """Called often, says in words that the runner of a session is there and gives no sign of life; else None."""

    def __init__(self, folder: Path, *, every_s: float = LOOK_EVERY_S) -> None:
        self._folder, self._every_s = folder, every_s
        self._looked_s = float("-inf")
        self._hung: int | None = None

    def __call__(self) -> str | None:
        if monotonic() - self._looked_s >= self._every_s:
            self._looked_s, self._hung = monotonic(), unresponsive(self._folder)
        if self._hung is None:
            return None
        return f"process {self._hung} has given no sign of life for {TRUSTED_S:.0f} s and more: stopped, or hung"


def watch(
    source: Source,
    controls: Controls | None,
    *,
    config: Config,
    mode: str = "live",
    title: str = "",
    folder: Path | None = None,
    start: Callable[[], object] | None = None,
    trouble: Callable[[], str | None] | None = None,
    start_at: int | None = None,
    speed: float | None = None,
    mouse: bool = True,
    aside: Aside | None = None,
    presence: Present | None = None,
    elsewhere: Elsewhere | None = None,
    notice: str = "",
    back: bool = False,
    card: Sequence[str] = (),
    margin: MarginFile | None = None,
    fork: Fork | None = None,
) -> str:
    """Show the screen until it is left; how: `quit`, `detached`, `lost`, or `broken`, which stderr is told.

    `start` begins the runner; with one in this process `aside` is the way to its launcher, which Ctrl+Z stops instead.
    `folder` is the session's, where there is one that may be written to; `presence` its place among the viewers.
    `notice` is a sentence to begin with, `card` what a file says of itself, `margin` where notes are kept.
    `fork`: how a film is branched off from. `back`: quitting leads back to a list, and leaves nothing at the prompt.
    `elsewhere`: what a session on another machine has in place of what is looked up in its folder, which holds a copy
    then.
    """
    with undisturbed():
        from tui.app import LongwatchApp

    watched = folder is not None and mode != "replay"
    clock = SessionTime(elsewhere.clock if elsewhere else SystemClock())
    sight = Sight(SeenMark(folder, clock) if folder and watched else None)
    app = LongwatchApp(
        source,
        controls or ReadOnly(),
        mode=mode,  # type: ignore[arg-type]
        title=title,
        start_at=start_at,
        speed=speed,
        background=start,
        trouble=trouble,
        clock=clock,
        notify=config.notify,
        screen=config.screen,
        sight=sight,
        fault_log=folder / SCREEN_LOG if folder else None,
        aside=aside,
        presence=presence,
        **(elsewhere.abilities(mode) if elsewhere else _abilities(folder, controls, config, mode, fork)),
        films=_films(folder),
        notice=notice,
        card=card,
        margin=margin or (margin_of(folder) if folder else None),
        **_looks(config),
    )
    clock.view = app.view
    _leave_on_signals(app)
    result = _run(app, mouse=mouse and config.screen.mouse)
    sight.keep()
    if result == "lost" and presence is not None:
        presence.lose()
    if app.fault is not None:
        _tell(app, "" if mode == "replay" else "The agent goes on.")
    if result != "lost" and not (back and result == "quit") and app.watch_screen.is_read and app.view.last_seq:
        part(app.view, folder, driven=mode == "live", elsewhere=elsewhere.way_back if elsewhere else None)
    return result or "quit"


def choose(home: SessionHome, select: str | None = None, notice: str = "") -> Chosen | None:
    """Show the list of sessions until something is opened (what, and how) or it is left (None). Needs a terminal."""
    from tui.sessions_app import SessionsApp

    config = load_config()
    app = SessionsApp(home, select=select, notice=notice, **_looks(config))
    _leave_on_signals(app)
    chosen: Chosen | None = _run(app, mouse=config.screen.mouse)
    if app.fault is not None:
        _tell(app, "")
    home.keep()
    return chosen


def _abilities(
    folder: Path | None, controls: Controls | None, config: Config, mode: str, fork: Fork | None
) -> dict[str, Any]:
    """What is known of a session of this machine beside its log, and can be done with it; of a film, how to `fork`."""
    if folder is None:
        return {"fork": fork}
    found: dict[str, Any] = {"fork": _forking(folder)}
    if mode != "replay":
        found |= {
            "gone": RunnerWatch(folder, held=mode == "attached"),
            "still": LifeWatch(folder) if mode == "attached" else None,
            "attendance": Attendance(folder),
            "feel": _feeling(folder),
            "free": lambda: free_bytes(folder),
            "go_on": _going_on(folder, config),
            "hand_over": _handing_over(folder, controls, config) if controls else None,
        }
    return found


def _feeling(folder: Path) -> Callable[[str], Awaitable[Pulse | None]]:
    """How a running command is: looked at off the loop, and imported late, for nothing of it is in the first paint."""
    pulses: list[Pulses] = []

    async def feel(call: str) -> Pulse | None:
        if not pulses:
            from core.tools.vitals import Pulses

            pulses.append(Pulses(folder))
        return await asyncio.to_thread(pulses[0].feel, call)

    return feel


def _handing_over(folder: Path, controls: Controls, config: Config) -> Callable[[], Awaitable[str]]:
    """Imported only when it is wanted: it stands on the whole agent."""

    async def move() -> str:
        from core.handover import hand_over

        return await hand_over(folder, controls, config)

    return move


def _going_on(folder: Path, config: Config) -> Callable[[], Awaitable[str]]:
    """The same for a session that nobody runs any more."""

    async def run() -> str:
        from core.handover import go_on

        return await go_on(folder, config)

    return run


Fork = Callable[[int, str], Awaitable[str]]
"""Makes a new session that goes on from an event, called so; says in a sentence what was made."""


def _forking(folder: Path) -> Fork:
    """The same for a fork of the session."""
    return forking(folder.parent.parent, folder)


def forking(home: Path, folder: Path, *, foreign: bool = False) -> Fork:
    """How a session, or a film that came as a file, is branched off from into a new session of that home."""

    async def make(seq: int, name: str) -> str:
        from core.forking import Wish, fork

        return (await fork(home, folder, Wish(seq, name, foreign=foreign))).sentence

    return make


def _films(folder: Path | None) -> Callable[[str], tuple[Source, Controls] | None]:
    """Sessions that live beside that one, to be looked at."""

    def open_(session: str) -> tuple[Source, Controls] | None:
        there = folder.parent / session if folder is not None and session.isalnum() else None
        if there is None or not there.is_dir():
            return None
        from core.source import SessionSource

        return SessionSource(there), ReadOnly()

    return open_


def _leave_on_signals(app: ThemedApp[Any]) -> None:
    signal.signal(signal.SIGHUP, lambda *_: app.call_later(app.on_terminal_lost, "hangup"))
    signal.signal(signal.SIGTERM, lambda *_: app.call_later(app.on_terminated))


def _looks(config: Config) -> dict[str, Any]:
    """Theme, line and keys of the user; what is wrong with the keys goes to stderr."""
    from tui.keymap import load_keymap

    keymap = load_keymap(config.screen.keymap)
    for problem in keymap.problems:
        say(f"longwatch: {problem}", err=True)
    return {
        "theme": config.screen.theme,
        "thrifty": config.screen.thrifty,
        "theme_folder": config_path().parent / "themes",
        "keymap": keymap.overrides(),
    }


def _run(app: ThemedApp[Any], *, mouse: bool) -> Any:
    """Run the app; an error that Textual lets through counts as one of the screen's own."""
    from tui.faults import logged_aside

    try:
        with logged_aside(app.fault_log):
            return app.run(mouse=mouse)
    except Exception as error:
        app.broke(error)
        return app.return_value


def _tell(app: ThemedApp[Any], consequence: str) -> None:
    say(f"longwatch: {app.fault_sentence} {consequence}".rstrip(), err=True)
