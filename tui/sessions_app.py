"""The app around the list of sessions; what is opened from it is shown by an app of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tui.line_speed import Thrift
from tui.screens.sessions import SessionsScreen
from tui.session_rows import Chosen, SessionHome
from tui.themed_app import ThemedApp


class SessionsApp(ThemedApp[Chosen]):
    """The list of the sessions of a home; `run()` returns what was opened and how, or None.

    `select` is the id of the session to begin at, `notice` a sentence to begin with.
    """

    def __init__(
        self,
        home: SessionHome,
        *,
        select: str | None = None,
        notice: str = "",
        theme: str | None = None,
        theme_folder: Path | None = None,
        keymap: Mapping[str, str] | None = None,
        fault_log: Path | None = None,
        thrifty: Thrift = "auto",
    ) -> None:
        super().__init__(theme=theme, theme_folder=theme_folder, keymap=keymap, fault_log=fault_log, thrifty=thrifty)
        self._list = SessionsScreen(home, select, notice)

    def on_mount(self) -> None:
        self.push_screen(self._list, self.exit)
