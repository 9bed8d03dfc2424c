"""The same again: equal calls with equal results, in a row or nearly so, and cycles of them."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator

from core.folds.guards.finding import MOST_EVIDENCE, Finding
from core.folds.guards.seen import Seen

PERIODS = range(1, 7)
MEMORY = 64
"""Calls that are kept; a cycle is followed as far as its counters reach, the events that prove it from here."""
NEAR = 14
"""Calls among which equal ones count although others stand between them."""
NEAR_TIMES = 5
"""As often must a call be among them to be more than looking again."""


class Repetition:
    """Counts, for each period, how many calls in a row are equal to the one a period before."""

    def __init__(self) -> None:
        self._calls: deque[Seen] = deque(maxlen=MEMORY)
        self._matched = dict.fromkeys(PERIODS, 0)
        self._near: deque[tuple[str, str]] = deque()
        self._counts: Counter[str] = Counter()
        self._answers: dict[str, str] = {}

    def reset(self) -> None:
        """What comes is compared with nothing before."""
        self._calls.clear()
        self._matched = dict.fromkeys(PERIODS, 0)
        self.forget_near()

    def forget_near(self) -> None:
        """Looking again has a reason now: a file changed, or what was known has left the context."""
        self._near.clear()
        self._counts.clear()
        self._answers.clear()

    def observe(self, call: Seen) -> Iterator[Finding]:
        """Take in the next call; what is to be said of it."""
        for period in PERIODS:
            before = self._calls[-period] if len(self._calls) >= period else None
            self._matched[period] = self._matched[period] + 1 if before and before.answered == call.answered else 0
        self._calls.append(call)
        self._remember(call)
        times = self._matched[1] + 1
        if times > 1:
            yield self._repeated(call, max(times, self._counts[call.answered]))
        elif self._counts[call.answered] >= NEAR_TIMES:
            yield self._repeated(call, self._counts[call.answered])
        elif cycle := next((k for k in PERIODS if k > 1 and self._matched[k] >= k), None):
            yield self._cycle(call, cycle)

    def _remember(self, call: Seen) -> None:
        """What is asked again and answered otherwise shows that something goes on, as a changed file does."""
        if call.files or self._answers.get(call.asked, call.answered) != call.answered:
            self.forget_near()
        self._near.append((call.asked, call.answered))
        self._counts[call.answered] += 1
        self._answers[call.asked] = call.answered
        if len(self._near) > NEAR:
            asked, answered = self._near.popleft()
            self._counts[answered] -= 1
            if not self._counts[answered]:
                del self._counts[answered]
                self._answers.pop(asked, None)

    def _repeated(self, call: Seen, times: int) -> Finding:
        same = [other.seq for other in self._calls if other.answered == call.answered][-min(times, MOST_EVIDENCE) :]
        text = f"`{call.line}` was called {times} times and gave the same result each time"
        return Finding("repetition", call.asked, times, text, tuple(same), (call.asked,))

    def _cycle(self, call: Seen, period: int) -> Finding:
        times = self._matched[period] // period + 1
        round_ = list(self._calls)[-period:]
        names = ", ".join(dict.fromkeys(other.line for other in round_))
        evidence = tuple(other.seq for other in list(self._calls)[-min(MOST_EVIDENCE, period * times) :])
        text = f"the same {period} calls with the same results came {times} times one after the other: {names}"
        marks = tuple(dict.fromkeys(other.asked for other in round_))
        return Finding("cycle", "+".join(sorted(marks)), times, text, evidence, marks)
