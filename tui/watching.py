"""Between the command line and the app: what the app needs from the configuration, and how its end is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from core.clock import SystemClock
from core.config import Config, config_path, load_config
from core.journal.margin import MarginFile
from core.journal.seen import SeenMark
from core.journal.viewers import Present
from core.protocols import Controls, Source
from tui.abilities import Fork, ReadOnly, abilities, films
from tui.attention import Sight
from tui.commands.chosen import margin_of
from tui.parting import part
from tui.say import say
from tui.session_time import SessionTime
from tui.terminal import hear_endings
from tui.undisturbed import undisturbed

if TYPE_CHECKING:
    from tui.app import LongwatchApp, Mode
    from tui.elsewhere import Elsewhere
    from tui.job_control import Aside
    from tui.session_rows import Chosen, SessionHome
    from tui.themed_app import ThemedApp

SCREEN_LOG = "screen.log"
"""In the session's folder: what broke the screen, if anything did."""


class Viewing(msgspec.Struct, frozen=True, kw_only=True):
    """How a session is looked at."""

    mode: Mode = "live"
    folder: Path | None = None
    """The session's, where there is one that may be written to."""
    start: Callable[[], object] | None = None
    """Begins the runner, in a thread."""
    aside: Aside | None = None
    """With a runner in this process the way to its launcher, which Ctrl+Z stops in place of it."""
    trouble: Callable[[], str | None] | None = None
    """Says in a sentence what keeps the runner from working, or None."""
    fell: Callable[[], str] = lambda: ""
    """Says what ended the runner in this process, if anything did."""
    presence: Present | None = None
    """Its place among the viewers."""
    elsewhere: Elsewhere | None = None
    """What a session on another machine has in place of what is looked up in its folder, which holds a copy then."""
    start_at: int | None = None
    """Where a film begins, a seq."""
    speed: float | None = None
    """How fast a film plays."""
    fork: Fork | None = None
    """How a film is branched off from."""
    card: Sequence[str] = ()
    """What a file says of itself."""
    margin: MarginFile | None = None
    """Where notes are kept, if not with the session."""
    notice: str = ""
    """A sentence to begin with."""
    mouse: bool = True
    back: bool = False
    """Quitting leads back to a list, and leaves nothing at the prompt."""


def watch(source: Source, controls: Controls | None, config: Config, viewing: Viewing) -> str:
    """Show the screen until it is left; how: `quit`, `detached`, `lost`, or `broken`, which stderr is told."""
    elsewhere, folder, film = viewing.elsewhere, viewing.folder, viewing.mode == "replay"
    clock = SessionTime(elsewhere.clock if elsewhere else SystemClock())
    sight = Sight(SeenMark(folder, clock) if folder and not film else None)
    app = _app(source, controls, config, viewing, clock, sight)
    clock.view = app.view
    _leave_on_signals(app)
    result = _run(app, mouse=viewing.mouse and config.screen.mouse)
    sight.keep()
    if result == "lost" and viewing.presence is not None:
        viewing.presence.lose()
    if app.fault is not None:
        _tell(app, "" if film else "The agent goes on.")
    to_prompt = result != "lost" and not (viewing.back and result == "quit")
    if to_prompt and app.watch_screen.is_read and app.view.last_seq:
        part(app.view, folder, now_us=clock.now_us(), driven=viewing.mode == "live", elsewhere=elsewhere)
    return result or "quit"


def _app(
    source: Source, controls: Controls | None, config: Config, viewing: Viewing, clock: SessionTime, sight: Sight
) -> LongwatchApp:
    with undisturbed():
        from tui.app import LongwatchApp

    folder, mode = viewing.folder, viewing.mode
    able = viewing.elsewhere.abilities(mode) if viewing.elsewhere else None
    return LongwatchApp(
        source,
        controls or ReadOnly(),
        mode=mode,
        start_at=viewing.start_at,
        speed=viewing.speed,
        background=viewing.start,
        trouble=viewing.trouble,
        clock=clock,
        notify=config.notify,
        screen=config.screen,
        sight=sight,
        fault_log=folder / SCREEN_LOG if folder else None,
        aside=viewing.aside,
        presence=viewing.presence,
        **(abilities(folder, controls, config, mode, viewing.fork, viewing.fell) if able is None else able),
        films=films(folder),
        notice=viewing.notice,
        card=viewing.card,
        margin=viewing.margin or (margin_of(folder) if folder else None),
        **_looks(config),
    )


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


def _leave_on_signals(app: ThemedApp[Any]) -> None:
    hear_endings(
        hang_up=lambda *_: app.call_later(app.on_terminal_lost, "hangup"),
        terminated=lambda *_: app.call_later(app.on_terminated),
    )


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
