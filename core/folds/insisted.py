"""How often a claim to be done was answered with what is open, since the user last spoke."""

from __future__ import annotations

from core.events import Event, GuidanceDelivered
from core.folds.fold import Handler


class Insisted:
    """`rounds` since the user said something, `total` in the session."""

    def __init__(self) -> None:
        self.rounds = self.total = 0

    def handlers(self) -> dict[str, Handler]:
        return {"guidance.delivered": self._guided}

    def _guided(self, event: Event) -> None:
        body = event.body
        if not isinstance(body, GuidanceDelivered):
            return
        if (event.key or "").startswith("goal:"):
            self.rounds, self.total = self.rounds + 1, self.total + 1
        elif body.source == "user":
            self.rounds = 0
