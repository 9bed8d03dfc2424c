"""What every app of ours has: themes that reload, the user's keys, the last barrier against foreign text."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from textual import work
from textual._path import CSSPathType
from textual.app import App, ReturnType
from textual.binding import BindingType
from textual.filter import LineFilter, NoColor
from textual.theme import Theme

from core.config import Config, config_path
from tui.actions import Action, bindings
from tui.clipboard import copy_sequence
from tui.driver import ResilientDriver
from tui.faults import BreakableApp
from tui.job_control import Aside, Here
from tui.line_speed import Thrift
from tui.safe import one_line
from tui.sanitize import SanitizeFilter
from tui.screens.palette import ActionCommands
from tui.style_cache import let_closed_widgets_go
from tui.terminal import in_browser
from tui.theme_choice import fitting_theme, has_colours
from tui.theming import Loaded, apply_themes, load_themes, role_variables, watch_themes


class ThemedApp(BreakableApp[ReturnType]):
    """`thrifty` says whether less is sent to the terminal: always, never, or where its line is found to be slow."""

    CSS_PATH: ClassVar[CSSPathType | None] = "app.tcss"
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
        thrifty: Thrift = "auto",
        aside: Aside | None = None,
    ) -> None:
        let_closed_widgets_go()
        self._sanitize = SanitizeFilter()  # one for good: strips keep what each filter made of them
        super().__init__(
            driver_class=ResilientDriver if os.name == "posix" and not in_browser() else None, fault_log=fault_log
        )
        self.line.thrift = thrifty
        self._aside = aside or Here()
        self._wanted_theme, self._theme_folder, self._themes = theme, theme_folder, Loaded()
        self._keymap_overrides = dict(keymap or {})
        self.animation_level = "none"
        self._begin_with(fitting_theme(os.environ))

    def _begin_with(self, fitting: str) -> None:
        """Wear the theme before anything is styled: to change it after that styles everything anew."""
        self._themes = load_themes(self._theme_folder, only={self._wanted_theme or fitting, fitting})
        apply_themes(self, self._themes)
        self.set_reactive(App.theme, self._chosen(fitting))
        self.stylesheet.set_variables(self.get_css_variables())
        self._styled_for: Theme | None = self.current_theme

    def _chosen(self, fitting: str) -> str:
        return self._wanted_theme if self._wanted_theme in self.available_themes else fitting

    def refresh_css(self, animate: bool = True) -> None:
        """As Textual does it, but for the first time, when it asks for the theme that everything wears already."""
        begun_with, self._styled_for = self._styled_for, None
        if begun_with is self.current_theme:
            for screen in self.screen_stack:
                screen._css_update_count = self._css_update_count
        else:
            super().refresh_css(animate=animate)

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), self._sanitize]

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return role_variables(self.current_theme)

    def on_mount(self) -> None:
        environ = {} if self.is_headless else os.environ
        self.no_color = not has_colours(environ)
        if self.no_color:
            self._filters.append(NoColor())
        self.call_after_refresh(self._hear_stops)
        self.after_first_picture(self._load_themes)
        fitting, wanted = fitting_theme(environ), self._wanted_theme
        self.theme = self._chosen(fitting)
        if wanted and wanted != self.theme:
            self.notify(f"There is no theme {one_line(wanted)!r}; this is {fitting}.", severity="warning", markup=False)
        self.set_keymap(self._keymap_overrides)
        if self._theme_folder is not None:
            self._watch_configuration(config_path())
            if self._theme_folder.is_dir():
                self._watch_theme_folder(self._theme_folder)

    @work(name="configuration", exit_on_error=False)
    async def _watch_configuration(self, file: Path) -> None:
        from tui.config_watch import SAID, watch_config

        def changed(config: Config) -> None:
            if (theme := config.screen.theme) and theme in self.available_themes:
                self.theme = theme
            self.line.thrift = config.screen.thrifty
            self._keymap_overrides = dict(config.screen.keymap)
            self.set_keymap(self._keymap_overrides)
            self.configured(config)
            self.notify(SAID, markup=False)

        def broken(sentence: str) -> None:
            self.notify(one_line(f"The configuration was edited. {sentence}"), severity="warning", markup=False)

        await watch_config(file, changed, broken)

    def configured(self, config: Config) -> None:
        """The configuration was edited."""

    @work(name="themes", exit_on_error=False)
    async def _watch_theme_folder(self, folder: Path) -> None:
        await watch_themes(folder, self._load_themes)

    def after_first_picture(self, act: Callable[[], object]) -> None:
        """Call this once something is drawn."""
        self.call_after_refresh(act)

    def _load_themes(self) -> None:
        """All of them; before, there is only the one that is worn."""
        self._themes = load_themes(self._theme_folder, self._themes)
        apply_themes(self, self._themes)
        if self._themes.failed:
            self.notify("\n".join(self._themes.failed), severity="warning", markup=False, timeout=15)

    def keys_of(self, action: Action) -> tuple[str, ...]:
        """The keys of an action, the user's own where there are some."""
        own = self._keymap_overrides.get(action.id)
        return action.keys if own is None else tuple(own.split(","))

    def copy_to_clipboard(self, text: str) -> None:
        """The clipboard of whoever sits at the terminal, also over SSH and, where tmux lets it through, in tmux."""
        self._clipboard = text
        if self._driver is not None:
            self._driver.write(copy_sequence(text, os.environ))

    def action_help(self) -> None:
        from tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(self.keys_of))

    def action_palette(self) -> None:
        self.action_command_palette()

    def action_theme(self) -> None:
        """The next theme of ours, by name."""
        ours = sorted(theme.name for theme in self._themes.themes)
        self.theme = ours[(ours.index(self.theme) + 1) % len(ours)] if self.theme in ours else ours[0]

    def _hear_stops(self) -> None:
        if isinstance(self._driver, ResilientDriver):
            self._driver.stop_here(self.action_suspend)

    def action_suspend(self) -> None:
        """Put the screen away until the shell brings its job back; a runner in this process goes on."""
        if isinstance(self._driver, ResilientDriver) and not self._driver.away:
            self._step_aside(self._driver)

    @work(name="aside", exit_on_error=False)
    async def _step_aside(self, driver: ResilientDriver) -> None:
        driver.put_away()
        if await self._aside.until_returned():
            driver.bring_back()
            self.forget_terminal()
        else:
            self.on_terminal_lost("hangup")

    def on_terminal_lost(self, reason: str) -> None:
        """The terminal is gone (the driver says why); nothing is left to draw on."""
        self.exit()

    def on_terminated(self) -> None:
        """Somebody asks this process to end; the terminal is still there."""
        self.exit()
