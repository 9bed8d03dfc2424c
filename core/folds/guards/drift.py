"""How far the work of the latest calls has gone from what was done before in the session: a number, and what makes it.

Cheap signals alone, by the names (paths, identifiers, numbers) in calls, results and words: whether they were used
before, stood in the user's words, were ever seen. They are compared with the session's own past, weighed, and summed
up for as long as they point the same way (a CUSUM). Weights and threshold are fitted by tests/bench/drift.py on one
half of real sessions, with the calls of another session spliced in.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Collection, Hashable, Sequence
from typing import Generic, NamedTuple, TypeVar

N = TypeVar("N", bound=Hashable)

WINDOW = 10
"""The latest calls that are compared with all before them."""
WARM_UP = 20
"""Calls after the user's words in which nothing is judged: what they want is new then."""
RECENT = 25
MOST_NAMES = 24_000
"""Names that are remembered; beyond it those go that were mentioned once."""
CLIP, SLACK = 2.0, 0.0
"""The most that one call adds to the sum, and what is taken off it each time."""
THRESHOLD = 17.5
SIGNALS = ("unknown", "own", "recent", "goal", "stretch", "familiar", "new", "shown", "said", "words", "tool")
RISING = frozenset({"unknown", "new", "said", "tool"})
"""Signals that are higher where the work drifts; the others are lower."""
PRIOR = (0.3, 0.4, 0.35, 0.15, 0.35, 1.2, 0.5, 0.2, 0.4, 0.3, 1.6)
"""What is taken for each before there is any past: about the mean of real sessions."""
WEIGHTS: dict[str, tuple[float, float]] = {
    "unknown": (0.271, 0.196),
    "own": (-1.514, -1.409),
    "recent": (-0.052, -0.154),
    "goal": (-12.665, -0.972),
    "stretch": (-0.041, -0.123),
    "familiar": (-0.858, -0.067),
    "new": (0.43, 3.82),
    "shown": (-0.083, -0.44),
    "said": (2.697, 0.857),
    "words": (-0.444, -0.195),
    "tool": (0.174, 0.032),
}
"""For each signal: of its mean in the window, and of how far that is from its past."""
BIAS = 2.624
WORDS = {
    "unknown": "names that nothing had mentioned",
    "own": "names that no call had used before",
    "recent": "names that no recent call had used",
    "goal": "none of the names in your words",
    "stretch": "names that no call since your words had used",
    "familiar": "names that are seldom mentioned here",
    "new": "results full of new names",
    "shown": "results without the names that it works with",
    "said": "its words full of new names",
    "words": "its words without the names that it works with",
    "tool": "other tools than usual",
}


class Called(NamedTuple, Generic[N]):
    """One call: its tool, the names in its arguments, in the words before it, and in what was shown before it."""

    tool: str
    used: Sequence[N]
    said: Sequence[N]
    shown: Sequence[N]


class Reading(NamedTuple):
    """The sum so far, and the signals that make it now, the strongest first."""

    score: float
    reasons: tuple[str, ...] = ()


class DriftMeter(Generic[N]):
    """Bounded; each call costs its names."""

    def __init__(self) -> None:
        self._seen: Counter[N] = Counter()
        self._used: Counter[N] = Counter()
        self._last: dict[N, int] = {}
        self._goal: set[N] = set()
        self._stretch: set[N] = set()
        self._tools: Counter[str] = Counter()
        self._calls = self._since = 0
        self._window: deque[tuple[float | None, ...]] = deque(maxlen=WINDOW)
        self._sums, self._counts = [0.0] * len(SIGNALS), [0] * len(SIGNALS)
        self.score = 0.0

    def told(self, names: Collection[N]) -> None:
        """The user said what is wanted: from here on it is judged by that too, and anew."""
        self._goal.update(names)
        self._stretch.clear()
        self._window.clear()
        self._since, self.score = 0, 0.0

    def observe(self, call: Called[N]) -> Reading:
        values = self.values(call)
        self._since += 1
        if not (call.used or call.said or call.shown):
            return Reading(self.score)
        if self._since < WARM_UP:
            self.score = 0.0
            return Reading(0.0)
        parts = {
            name: WEIGHTS[name][0] * mean + WEIGHTS[name][1] * off
            for name, (mean, off) in zip(SIGNALS, values, strict=True)
            if name in WEIGHTS
        }
        evidence = BIAS + sum(parts.values())
        self.score = max(0.0, self.score + max(-CLIP, min(CLIP, evidence)) - SLACK)
        usual = {name: WEIGHTS[name][0] * self._past(place) for place, name in enumerate(SIGNALS) if name in WEIGHTS}
        above = sorted(parts, key=lambda name: usual[name] - parts[name])
        return Reading(self.score, tuple(WORDS[name] for name in above[:3] if parts[name] > usual[name]))

    def values(self, call: Called[N]) -> list[tuple[float, float]]:
        """For each signal its mean in the window, this call in it, and how far that is from its past."""
        if len(self._window) == WINDOW:
            for place, value in enumerate(self._window[0]):
                if value is not None:
                    self._sums[place] += value
                    self._counts[place] += 1
        self._window.append(self._signals(call))
        found = []
        for place in range(len(SIGNALS)):
            values = [row[place] for row in self._window if row[place] is not None]
            past = self._past(place)
            mean = (sum(values) + past) / (len(values) + 1)  # type: ignore[arg-type]
            found.append((mean, mean - past))
        return found

    def _past(self, place: int) -> float:
        return (self._sums[place] + PRIOR[place]) / (self._counts[place] + 1)

    def _signals(self, call: Called[N]) -> tuple[float | None, ...]:
        """Each is None where the call tells nothing of it."""
        seen, used, now = self._seen, self._used, self._calls
        met = [*call.said, *call.shown]
        new, shown = _share(met, lambda name: name not in seen and name not in used), _share(met, used.__contains__)
        said = _share(call.said, lambda name: name not in seen and name not in used)
        words = _share(call.said, used.__contains__)
        seen.update(met)
        mine = call.used
        signals = (
            _share(mine, lambda name: name not in seen and name not in used),
            _share(mine, used.__contains__),
            _share(mine, lambda name: name in used and now - self._last[name] < RECENT),
            _share(mine, self._goal.__contains__),
            _share(mine, self._stretch.__contains__),
            sum(math.log1p(used[name] + seen[name]) for name in mine) / len(mine) if mine else None,
            new,
            shown,
            said,
            words,
            -math.log((self._tools[call.tool] + 0.5) / (now + 6)),
        )
        used.update(mine)
        self._last.update(dict.fromkeys(mine, now))
        self._stretch.update(mine)
        self._tools[call.tool] += 1
        self._calls += 1
        if len(seen) > MOST_NAMES:
            self._seen = Counter({name: times for name, times in seen.items() if times > 1 or name in used})
        return signals


def _share(names, holds) -> float | None:  # type: ignore[no-untyped-def]
    return sum(map(bool, map(holds, names))) / len(names) if names else None
