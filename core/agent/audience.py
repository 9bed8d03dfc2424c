"""Who looks at a session, as its runner sees it: that a screen was lost, and who comes after it, goes into the log."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from core.clock import monotonic
from core.events import Draft, ScreenCame, ScreenLost
from core.journal.viewers import Viewer, present, swept

LOOK_EVERY_S = 1.0


class Audience:
    """The viewers of the session in `folder`. Those of before the first look are none of this runner's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._there: dict[str, Viewer] | None = None
        self._unseen = False
        self._looked_s = float("-inf")

    @property
    def due(self) -> bool:
        """Whether it is time to look again."""
        return monotonic() - self._looked_s >= LOOK_EVERY_S

    def look(self) -> list[Draft]:
        """What has changed since the last look. Blocks for a few file operations; never raises."""
        self._looked_s = monotonic()
        lost, there = swept(self._folder), present(self._folder)
        before, self._there = self._there, {viewer.id: viewer for viewer in there}
        return [] if before is None else self._told(lost, there, before)

    def _told(self, lost: list[Viewer], there: list[Viewer], before: Mapping[str, Viewer]) -> list[Draft]:
        """Once somebody was lost and nobody else looked, whoever looks again is told, too."""
        stayed = sum(one.id in before for one in there)
        bodies: list[ScreenLost | ScreenCame] = [ScreenLost(viewer=one.id, who=one.who, others=stayed) for one in lost]
        unseen = not stayed and (self._unseen or bool(lost))
        if there and unseen:
            bodies.append(ScreenCame(viewer=there[0].id, who=there[0].who))
        self._unseen = unseen and not there
        return [Draft(body, actor="system") for body in bodies]
