"""What the totals counted, as of any event: repetition, corrections, interventions. They alone define them."""

from __future__ import annotations

from typing import NamedTuple

from core.events import Event
from core.folds.fold import Handler, Series
from core.folds.totals import Totals


class Tally(NamedTuple):
    """`calls` that were started, `repeats` of them with tool and arguments seen before, `vain` ones that also got the
    same result with no file changed since; `corrections` by guards, `interventions` by people."""

    calls: int = 0
    repeats: int = 0
    vain: int = 0
    corrections: int = 0
    interventions: int = 0

    @property
    def repetition(self) -> float | None:
        """Repeats as a share of all calls; None without calls."""
        return self.repeats / self.calls if self.calls else None


class Tallies:
    """Reads the totals after they took in an event: it must come behind them."""

    def __init__(self, totals: Totals) -> None:
        self._totals = totals
        self.series: Series[Tally] = Series(Tally())
        self.stall_us: Series[int] = Series(0)
        """The longest time in which nothing was heard of the session while it ran."""

    def handlers(self) -> dict[str, Handler]:
        return dict.fromkeys(("tool.started", "tool.finished", "guidance.delivered", "command.accepted"), self._note)

    def observe(self, event: Event) -> None:
        """Called for each event, since silence may end with any."""
        if self._totals.stall_us > self.stall_us.last:
            self.stall_us.append(event.seq, self._totals.stall_us)

    def at(self, at: int | None = None) -> Tally:
        return self.series.at(at)

    def _note(self, event: Event) -> None:
        totals = self._totals
        tally = Tally(totals.tool_calls, totals.repeats, totals.no_progress, totals.corrections, totals.interventions)
        if tally != self.series.last:
            self.series.append(event.seq, tally)
