"""The palette: every action by its name, run as if its key had been pressed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui.actions import ACTIONS, Action, KeyedApp, display


class ActionCommands(Provider):
    """The actions that the screen underneath, or the app, can do."""

    async def discover(self) -> Hits:
        for action, run in self._possible():
            yield DiscoveryHit(self._title(action), run, help=action.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for action, run in self._possible():
            score = matcher.match(f"{action.label} {action.help}")
            if score > 0:
                yield Hit(score, matcher.highlight(self._title(action)), run, help=action.help)

    def _possible(self) -> Iterator[tuple[Action, Callable[[], Awaitable[object]]]]:
        for action in ACTIONS:
            for owner in (self.screen, self.app):
                if hasattr(owner, f"action_{action.method}"):
                    yield action, partial(owner.run_action, action.method)
                    break

    def _title(self, action: Action) -> str:
        """The name, and the key, which may be the user's own."""
        keys = self.app.keys_of(action) if isinstance(self.app, KeyedApp) else action.keys
        return f"{action.label[0].upper()}{action.label[1:]}" + (f"   {display(keys[0])}" if keys else "")
