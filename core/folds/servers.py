"""How the servers are whose tools the session uses, as of any event."""

from __future__ import annotations

from core.events import Event, ServerChanged, ToolsOffered
from core.folds.fold import Handler, Series


class Servers:
    """`offered` is what stands in every request; None before the first one, or where there are no servers."""

    def __init__(self) -> None:
        self.offered: ToolsOffered | None = None
        self._down: Series[tuple[ServerChanged, ...]] = Series(())

    def handlers(self) -> dict[str, Handler]:
        return {"tools.offered": self._offers, "server.changed": self._changed}

    def down(self, seq: int | None = None) -> tuple[ServerChanged, ...]:
        """Those that don't work as of event `seq` (None: now), each with why."""
        return self._down.at(seq)

    def _offers(self, event: Event) -> None:
        if isinstance(event.body, ToolsOffered):
            self.offered = event.body

    def _changed(self, event: Event) -> None:
        body = event.body
        if isinstance(body, ServerChanged):
            others = tuple(it for it in self._down.last if it.server != body.server)
            self._down.append(event.seq, (*others, body) if body.state == "down" else others)
