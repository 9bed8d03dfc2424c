"""What the guards said: each signal with its answer and, of a nudge, whether the next calls were other ones."""

from __future__ import annotations

from collections import Counter

from msgspec import Struct, field

from core.events import Event, GuardAnswered, GuardRaised, ToolFinished, ToolStarted
from core.folds.branches import Column, Span
from core.folds.fold import Handler
from core.folds.guards.seen import seen

JUDGED_AFTER = 3
"""Calls after a nudge by which its effect is judged."""
TOLD = ("nudge", "reassess")
"""Rungs on which the agent is told."""


class Signal(Struct):
    """A signal `id`. `answered`: the event that said it is fine, `right`: the one that said it was right; `judged`: the
    one by which it was known whether it `worked`, that is, whether none of the next calls was more of the same."""

    id: str
    seq: int
    at_us: int
    raised: GuardRaised
    answered: int | None = None
    right: int | None = None
    judged: int | None = None
    worked: bool = False

    def fine(self, at: int | None = None) -> bool:
        """Whether the user had said so as of event `at`."""
        return self.answered is not None and (at is None or self.answered <= at)


class _Trial(Struct):
    signal: Signal
    marks: frozenset[str]
    left: int = JUDGED_AFTER


class GuardLog(Struct):
    """Signals in their order, on every branch: what was said on an abandoned one was said."""

    signals: Column[Signal] = field(default_factory=Column)
    by_id: dict[str, Signal] = field(default_factory=dict)
    _open: dict[str, Event] = field(default_factory=dict)
    _trials: list[_Trial] = field(default_factory=list)

    def handlers(self) -> dict[str, Handler]:
        return {
            "guard.raised": self._raised,
            "guard.answered": self._answered,
            "tool.started": self._started,
            "tool.finished": self._finished,
        }

    def until(self, at: int | None = None) -> list[Signal]:
        """Those that were raised by event `at`."""
        return self.signals.within([Span(0, 2**62 if at is None else at)])

    def latest(self, at: int | None = None) -> Signal | None:
        """The last one that was raised by event `at`."""
        return self.signals.last([Span(0, 2**62 if at is None else at)])

    def counts(self) -> dict[str, object]:
        """For the report: how many by guard and by rung, how many were fine, and what came of nudges."""
        signals = self.until()
        judged = [signal for signal in signals if signal.judged is not None]
        return {
            "raised": len(signals),
            "by_guard": dict(sorted(Counter(signal.raised.guard for signal in signals).items())),
            "by_rung": dict(Counter(signal.raised.rung for signal in signals)),
            "said_to_be_fine": sum(signal.answered is not None for signal in signals),
            "said_to_be_right": sum(signal.right is not None for signal in signals),
            "nudges_judged": len(judged),
            "nudges_that_worked": sum(signal.worked for signal in judged),
        }

    def _raised(self, event: Event) -> None:
        body = event.body
        if not isinstance(body, GuardRaised) or not event.key:
            return
        signal = Signal(event.key, event.seq, event.at_us, body)
        self.signals.append(event.seq, signal)
        self.by_id[signal.id] = signal
        if body.rung in TOLD and body.marks:
            self._trials.append(_Trial(signal, frozenset(body.marks)))

    def _answered(self, event: Event) -> None:
        signal = self.by_id.get((event.key or "").removesuffix("!"))
        if isinstance(event.body, GuardAnswered) and signal is not None:
            if event.body.right:
                signal.right = event.seq
            else:
                signal.answered = event.seq

    def _started(self, event: Event) -> None:
        if self._trials and event.key:
            self._open[event.key] = event

    def _finished(self, event: Event) -> None:
        began, body = self._open.pop(event.key or "", None), event.body
        if began is None or not isinstance(began.body, ToolStarted) or not isinstance(body, ToolFinished):
            return
        signatures = seen(began.seq, began.body, event.seq, event.at_us, body, "").signatures
        for trial in self._trials:
            self._judge(trial, event.seq, not trial.marks.isdisjoint(signatures))
        self._trials = [trial for trial in self._trials if trial.signal.judged is None]

    @staticmethod
    def _judge(trial: _Trial, seq: int, same: bool) -> None:
        trial.left -= 1
        if same or not trial.left:
            trial.signal.judged, trial.signal.worked = seq, not same
