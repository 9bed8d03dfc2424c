"""The app around the screen of a session: the source that is followed, and how it ends. No session logic."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from textual import events, work
from textual._path import CSSPathType

from core.clock import Clock, SystemClock, monotonic
from core.config import Config, NotifySettings, ScreenSettings
from core.journal.margin import MarginFile
from core.journal.viewers import Present
from core.notify.attendance import Attendance
from core.protocols import Controls, Source
from tui import lookout
from tui.attention import Sight
from tui.driver import ResilientDriver
from tui.following import Following
from tui.job_control import Aside
from tui.line_speed import Thrift
from tui.messages import LeaveRequested
from tui.needs_you import NeedsYou
from tui.safe import one_line
from tui.screens.watch import WatchScreen
from tui.themed_app import ThemedApp
from tui.undisturbed import CALM_S, Tidier, be_patient, undisturbed

if TYPE_CHECKING:
    from core.tools.vitals import Pulse

Mode = Literal["live", "attached", "replay"]
Leaving = Literal["quit", "detached", "lost", "broken"]


class LongwatchApp(ThemedApp[Leaving]):
    """Shows one session: live, attached to, or replayed. `run()` returns how it was left.

    `keymap` holds the keys that differ from the registry, by action id (`load_keymap(...).overrides()`).
    `background` is called in a thread after the first paint (the runner). `trouble` says in a sentence what keeps the
    runner from working, or None; `gone` says that nobody runs the session any more, `still` that whoever does gives no
    sign of life, or None. `start_at` (a seq) and `speed` are for a replay, `card` is what stands before a film that
    came as a file. `feel` says how the command of a call is. `on_quit` is told how it was left. After `broken`,
    `fault_sentence` says why.
    """

    CSS_PATH: ClassVar[CSSPathType | None] = ["app.tcss", "screens/watch.tcss"]
    """That of its screen too: read later, all others would be parsed once more."""

    def __init__(
        self,
        source: Source,
        controls: Controls,
        *,
        mode: Mode = "live",
        title: str = "",
        theme: str | None = None,
        theme_folder: Path | None = None,
        keymap: Mapping[str, str] | None = None,
        start_at: int | None = None,
        speed: float | None = None,
        background: Callable[[], object] | None = None,
        trouble: Callable[[], str | None] | None = None,
        gone: Callable[[], str | None] | None = None,
        still: Callable[[], str | None] | None = None,
        on_quit: Callable[[Leaving], object] | None = None,
        clock: Clock | None = None,
        notify: NotifySettings | None = None,
        attendance: Attendance | None = None,
        sight: Sight | None = None,
        fault_log: Path | None = None,
        aside: Aside | None = None,
        presence: Present | None = None,
        feel: Callable[[str], Awaitable[Pulse | None]] | None = None,
        free: Callable[[], int | None] | None = None,
        screen: ScreenSettings | None = None,
        hand_over: Callable[[], Awaitable[str]] | None = None,
        go_on: Callable[[], Awaitable[str]] | None = None,
        fork: Callable[[int, str], Awaitable[str]] | None = None,
        films: Callable[[str], tuple[Source, Controls] | None] = lambda session: None,
        notice: str = "",
        card: Sequence[str] = (),
        margin: MarginFile | None = None,
        thrifty: Thrift = "auto",
    ) -> None:
        super().__init__(
            theme=theme, theme_folder=theme_folder, keymap=keymap, fault_log=fault_log, thrifty=thrifty, aside=aside
        )
        clock = clock or SystemClock()
        self._opening, self._tidier = ExitStack(), Tidier()
        self._stirred_s = 0.0
        self._notice = notice
        self._begun, self._left = False, None  # type: bool, Leaving | None
        self._card, self._looks = card, (gone, still, presence, free, feel)
        self._source, self._mode, self._background, self._on_quit = source, mode, background, on_quit
        self.title = one_line(title) or "Longwatch"
        self.view = source.restored()
        self._needs_you = NeedsYou(notify or NotifySettings(), self, attendance, clock, os.environ, self.view)
        self.watch_screen = WatchScreen(
            self.view,
            source,
            controls,
            replay=mode == "replay",
            start_at=start_at,
            speed=speed,
            clock=clock,
            trouble=trouble or (lambda: None),
            screen=screen,
            go_on=go_on,
            driven=background is not None,
            sight=sight,
            hand_over=hand_over,
            fork=fork,
            films=films,
            margin=margin,
        )

    @property
    def return_value(self) -> Leaving | None:
        """How the screen was left; an error of its own comes before everything."""
        return super().return_value if self.fault is None else "broken"

    def on_load(self) -> None:
        self._opening.enter_context(undisturbed())

    def on_mount(self) -> None:
        self.push_screen(self.watch_screen)
        self.watch_screen.after_first_picture(self._opening.close)
        if self._card:
            self._show_card()
        self.call_after_refresh(self._start)
        self._needs_you.begin()
        self.set_interval(1.0, self._tick)
        be_patient()
        self.set_interval(1.0, self._tidy)

    def _tick(self) -> None:
        self._needs_you.tick()
        if slept_us := self._needs_you.attention.slept():
            self.watch_screen.woke(slept_us)

    def after_first_picture(self, act: Callable[[], object]) -> None:
        self.watch_screen.after_first_picture(act)

    def configured(self, config: Config) -> None:
        self.watch_screen.settings = config.screen

    def stirred(self) -> None:
        """Somebody acts: nothing that can wait gets in the way."""
        self._stirred_s = monotonic()

    def _tidy(self) -> None:
        if monotonic() - self._stirred_s >= CALM_S:
            self._tidier.tidy()

    def _show_card(self) -> None:
        from tui.screens.card import CardScreen

        self.push_screen(CardScreen(self._card))

    def _start(self) -> None:
        """After the first layout: the log, the reply in flight; after the first picture the runner."""
        self._begun = True
        if self._left is not None:
            self.leave(self._left)
            return
        if self._notice:
            self.say_problem(self._notice)
        if self._background is not None:
            self.watch_screen.after_first_picture(self._begin_background)
        self._follow()
        if self._mode != "replay":
            self._stream()
        gone, still, presence, free, feel = self._looks
        for look in lookout.looks(self.watch_screen, gone=gone, still=still, presence=presence, free=free, feel=feel):
            self.run_worker(look, exit_on_error=False)

    def _begin_background(self) -> None:
        if self._background is not None:
            self.run_worker(self._background, thread=True, name="runner", exit_on_error=False)

    @work(name="follow", exit_on_error=False)
    async def _follow(self) -> None:
        try:
            await Following(self._source, self.view, self.watch_screen).follow()
        except Exception as fault:
            self.notify(f"The log can't be read on: {one_line(str(fault))}", severity="error", markup=False, timeout=60)
        self.watch_screen.caught_up()

    async def run_action(self, action: Any, *args: Any, **options: Any) -> bool:
        """What needs all of the log waits until it is read, and says so."""
        if isinstance(action, str) and self.screen is self.watch_screen and self.watch_screen.too_early(action):
            self.not_opened()
            return True
        return await super().run_action(action, *args, **options)

    @work(name="stream", exit_on_error=False)
    async def _stream(self) -> None:
        async for deltas in self._source.live():
            self.watch_screen.stream(deltas)

    def leave(self, how: Leaving) -> None:
        """End the screen, once it is there to be taken down; the agent goes on."""
        if not self._begun:
            self._left = how
            return
        if self._on_quit is not None:
            self._on_quit(how)
        self.exit(how)

    def broke(self, error: Exception) -> None:
        first = self.fault is None
        super().broke(error)
        if first and self._on_quit is not None:
            self._on_quit("broken")

    async def action_quit(self) -> None:
        self.leave("quit")

    def on_leave_requested(self, message: LeaveRequested) -> None:
        self.leave(message.how)

    def on_terminal_lost(self, reason: str) -> None:
        self.leave("lost")

    def on_terminated(self) -> None:
        self.leave("detached")

    async def on_event(self, event: events.Event) -> None:
        """Keys, clicks and focus are signs of the user, whoever handles them."""
        if isinstance(event, events.AppFocus | events.AppBlur):
            self._focused(isinstance(event, events.AppFocus))
        elif (
            isinstance(event, events.Key | events.MouseDown | events.MouseScrollUp | events.MouseScrollDown)
            and not event.is_forwarded
        ):
            self.stirred()
            self.watch_screen.acted(self._needs_you.acted(), surely=self._needs_you.attention.tells_focus)
        await super().on_event(event)

    def _focused(self, focused: bool) -> None:
        away_us = self._needs_you.focused(focused)
        if focused:
            self.watch_screen.came_back(away_us)
        else:
            self.watch_screen.went_away()

    @property
    def bytes_sent(self) -> int:
        """What the terminal got of this screen so far."""
        return self._driver.sent if isinstance(self._driver, ResilientDriver) else 0

    def title_terminal(self, text: str | None) -> None:
        if isinstance(self._driver, ResilientDriver):
            self._driver.set_title(text)

    def call_user(self, work: Coroutine[Any, Any, None]) -> None:
        self.run_worker(work, name="call", exit_on_error=False)

    def say_problem(self, text: str) -> None:
        self.notify(text, severity="warning", markup=False, timeout=30)

    async def on_unmount(self) -> None:
        self._opening.close()
        self._needs_you.end()
        await self._source.keep(self.view)
        await self._source.close()
