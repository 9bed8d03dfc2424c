"""The apps around the screens: themes, line filters, the source that is followed, and how it ends. No session logic."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal

from textual import work
from textual.app import ReturnType
from textual.binding import BindingType
from textual.filter import LineFilter

from core.clock import Clock, SystemClock, monotonic
from core.events import Event
from core.folds.view import Changes, SessionView
from core.protocols import Controls, Source
from tui.actions import Action, bindings
from tui.driver import ResilientDriver
from tui.faults import BreakableApp
from tui.messages import LeaveRequested
from tui.safe import one_line
from tui.sanitize import SanitizeFilter
from tui.screens.help import HelpScreen
from tui.screens.palette import ActionCommands
from tui.screens.sessions import SessionRow, SessionsScreen
from tui.screens.watch import WatchScreen
from tui.theming import DEFAULT_THEME, Loaded, apply_themes, load_themes, role_variables, watch_themes

Mode = Literal["live", "attached", "replay"]
Leaving = Literal["quit", "detached", "lost", "broken"]

SLICE = 32
"""Events applied between two looks at the clock."""
SLICE_S = 0.03
"""Longest stretch for which applying events may keep the loop."""


class ThemedApp(BreakableApp[ReturnType]):
    """What every app of ours has: themes that reload, the user's keys, the last barrier against foreign text."""

    CSS_PATH = "app.tcss"
    PAUSE_GC_ON_SCROLL = True
    COMMANDS = {ActionCommands}
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("global")]

    def __init__(
        self,
        *,
        theme: str | None = None,
        theme_folder: Path | None = None,
        keymap: Mapping[str, str] | None = None,
        fault_log: Path | None = None,
    ) -> None:
        super().__init__(driver_class=ResilientDriver if os.name == "posix" else None, fault_log=fault_log)
        self._wanted_theme, self._theme_folder = theme or DEFAULT_THEME, theme_folder
        self._keymap_overrides = dict(keymap or {})
        self.animation_level = "none"

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), SanitizeFilter()]

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return role_variables(self.current_theme)

    def on_mount(self) -> None:
        self._show_themes(load_themes(self._theme_folder))
        self.theme = self._wanted_theme if self._wanted_theme in self.available_themes else DEFAULT_THEME
        self.set_keymap(self._keymap_overrides)
        if self._theme_folder is not None and self._theme_folder.is_dir():
            self._watch_theme_folder(self._theme_folder)

    @work(name="themes", exit_on_error=False)
    async def _watch_theme_folder(self, folder: Path) -> None:
        await watch_themes(folder, self._show_themes)

    def _show_themes(self, loaded: Loaded) -> None:
        apply_themes(self, loaded)
        if loaded.failed:
            self.notify("\n".join(loaded.failed), severity="warning", markup=False, timeout=15)

    def keys_of(self, action: Action) -> tuple[str, ...]:
        """The keys of an action, the user's own where there are some."""
        own = self._keymap_overrides.get(action.id)
        return action.keys if own is None else tuple(own.split(","))

    def action_help(self) -> None:
        self.push_screen(HelpScreen(self.keys_of))

    def action_palette(self) -> None:
        self.action_command_palette()

    def action_theme(self) -> None:
        """The next theme of ours, by name."""
        ours = sorted(theme.name for theme in load_themes(self._theme_folder).themes)
        self.theme = ours[(ours.index(self.theme) + 1) % len(ours)] if self.theme in ours else ours[0]

    def on_terminal_lost(self, reason: str) -> None:
        """The terminal is gone (the driver says why); nothing is left to draw on."""
        self.exit()


class LongwatchApp(ThemedApp[Leaving]):
    """Shows one session: live, attached to, or replayed. `run()` returns how it was left.

    `keymap` holds the keys that differ from the registry, by action id (`load_keymap(...).overrides()`).
    `background` is called in a thread after the first paint (the runner). `trouble` says in a sentence what keeps the
    runner from working, or None; `gone` says that nobody runs the session any more, or None. `start_at` (a seq) and
    `speed` are for a replay. `on_quit` is told how it was left. After `broken`, `fault_sentence` says why.
    """

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
        on_quit: Callable[[Leaving], object] | None = None,
        clock: Clock | None = None,
        fault_log: Path | None = None,
    ) -> None:
        super().__init__(theme=theme, theme_folder=theme_folder, keymap=keymap, fault_log=fault_log)
        self._source, self._mode, self._background, self._on_quit = source, mode, background, on_quit
        self.title = one_line(title) or "Longwatch"
        self.view = SessionView()
        self.watch_screen = WatchScreen(
            self.view,
            source,
            controls,
            replay=mode == "replay",
            start_at=start_at,
            speed=speed,
            clock=clock or SystemClock(),
            trouble=trouble or (lambda: None),
            gone=gone or (lambda: None),
        )

    @property
    def return_value(self) -> Leaving | None:
        """How the screen was left; an error of its own comes before everything."""
        return super().return_value if self.fault is None else "broken"

    def on_mount(self) -> None:
        self.push_screen(self.watch_screen)
        self.call_after_refresh(self._start)

    def _start(self) -> None:
        """After the first paint: the runner, the log, the reply in flight."""
        if self._background is not None:
            self.run_worker(self._background, thread=True, name="runner", exit_on_error=False)
        self._follow()
        if self._mode != "replay":
            self._stream()

    @work(name="follow", exit_on_error=False)
    async def _follow(self) -> None:
        try:
            async for batch in self._source.batches():
                await self._apply(batch)
                if not batch:
                    self.watch_screen.caught_up()
        except Exception as fault:
            self.notify(f"The log can't be read on: {one_line(str(fault))}", severity="error", markup=False, timeout=60)
        self.watch_screen.caught_up()

    async def _apply(self, batch: Sequence[Event]) -> None:
        """Take in events in slices short enough that keys and drawing go on between them."""
        changes, since = Changes.NONE, monotonic()
        for index, event in enumerate(batch, start=1):
            changes |= self.view.apply(event)
            if event.kind.startswith("command."):
                self.watch_screen.note_command(event)
            if index % SLICE == 0 and monotonic() - since > SLICE_S:
                self.watch_screen.view_changed(changes)
                await asyncio.sleep(0)
                changes, since = Changes.NONE, monotonic()
        if changes:
            self.watch_screen.view_changed(changes)

    @work(name="stream", exit_on_error=False)
    async def _stream(self) -> None:
        async for deltas in self._source.live():
            self.watch_screen.stream(deltas)

    def leave(self, how: Leaving) -> None:
        """End the screen; the agent goes on."""
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

    async def on_unmount(self) -> None:
        await self._source.close()


class SessionsApp(ThemedApp[str]):
    """The list of sessions; `run()` returns the id of the one that was chosen, or None.

    `report` gives the report of a session; it is called in a thread and may raise, with a sentence.
    """

    def __init__(
        self,
        rows: Sequence[SessionRow],
        *,
        report: Callable[[str], str] = lambda id: "",
        theme: str | None = None,
        theme_folder: Path | None = None,
        keymap: Mapping[str, str] | None = None,
        fault_log: Path | None = None,
    ) -> None:
        super().__init__(theme=theme, theme_folder=theme_folder, keymap=keymap, fault_log=fault_log)
        self._rows, self._report = rows, report

    def on_mount(self) -> None:
        self.push_screen(SessionsScreen(self._rows, self._report), self.exit)
