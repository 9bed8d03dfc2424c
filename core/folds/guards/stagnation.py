"""Nothing comes of it: no file in a new state, no step of the plan further, and hardly a result that was not known."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from core.folds.guards.finding import MOST_EVIDENCE, Finding
from core.folds.guards.seen import Seen, state_of

WINDOW = 20
NEW_SHARE = 0.3
"""The share of the last `WINDOW` calls that has to be new for the work to be looking around."""
KNOWN = 4_096
"""Results and states of files that are remembered: the latest."""


class Stagnation:
    """Counts calls since something came of one."""

    def __init__(self) -> None:
        self._known: dict[str, None] = {}
        self._new: deque[bool] = deque(maxlen=WINDOW)
        self._vain: deque[int] = deque(maxlen=MOST_EVIDENCE)
        self._times = 0

    def reset(self) -> None:
        """Something came of it, or the past counts no more: what is known is looked at afresh."""
        self._known.clear()
        self.came_on()

    def came_on(self) -> None:
        self._new.clear()
        self._vain.clear()
        self._times = 0

    def observe(self, call: Seen) -> Iterator[Finding]:
        states = [state_of(change) for change in call.files if change.before != change.after]
        new = [self._is_new(state) for state in states]
        if any(new):
            self.came_on()
            return
        self._new.append(self._is_new(call.answered))
        if len(self._new) < WINDOW or sum(self._new) >= NEW_SHARE * WINDOW:
            self._times = 0
            self._vain.clear()
        self._times += 1
        self._vain.append(call.seq)
        if self._times > 1:
            text = f"nothing new came of the last {self._times} calls: no file changed, and they gave what was known"
            yield Finding("stagnation", "session", self._times, text, tuple(self._vain))

    def _is_new(self, state: str) -> bool:
        new = state not in self._known
        self._known.pop(state, None)
        self._known[state] = None
        if len(self._known) > KNOWN:
            del self._known[next(iter(self._known))]
        return new
