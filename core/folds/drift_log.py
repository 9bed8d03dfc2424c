"""How far from its task a session seemed to be, as of any event: what was measured while it ran."""

from __future__ import annotations

from core.events import DriftMeasured, Event
from core.folds.fold import Handler, Series


class DriftLog:
    """`series`: the last measurement; None before the first."""

    def __init__(self) -> None:
        self.series: Series[DriftMeasured | None] = Series(None)

    def handlers(self) -> dict[str, Handler]:
        return {"drift.measured": self._measured}

    def share(self, at: int | None = None) -> float | None:
        """The number as a share of its threshold; None where nothing was measured."""
        last = self.series.at(at)
        return last.score / last.threshold if last is not None and last.threshold > 0 else None

    def _measured(self, event: Event) -> None:
        if isinstance(event.body, DriftMeasured):
            self.series.append(event.seq, event.body)
