"""Failing in the same way again and again: by what went wrong, or by arguments that the tool does not take."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from core.folds.guards.finding import MOST_EVIDENCE, Finding
from core.folds.guards.seen import Seen

FORGOTTEN_AFTER = 40
"""Calls after which a failure that has not come back is another matter when it does."""
KEPT = 32
"""Different failures that are remembered: the latest."""


@dataclass(slots=True)
class _Failing:
    tool: str
    command: bool
    times: int = 0
    last: int = 0
    evidence: deque[int] = field(default_factory=lambda: deque(maxlen=MOST_EVIDENCE))
    asked: set[str] = field(default_factory=set)


class SameFailure:
    """Attempts that fail in the same way, whatever was asked."""

    def __init__(self) -> None:
        self._failing: dict[str, _Failing] = {}
        self._calls = 0

    def reset(self) -> None:
        self._failing.clear()

    def observe(self, call: Seen) -> Iterator[Finding]:
        self._calls += 1
        if not call.invalid:
            self._came_on(call)
        if not call.failed or call.invalid:
            return
        failing = self._failing.pop(call.failed, None)
        if failing is None or self._calls - failing.last > FORGOTTEN_AFTER:
            failing = _Failing(call.name, call.effect == "command")
        self._failing[call.failed] = failing
        if len(self._failing) > KEPT:
            del self._failing[next(iter(self._failing))]
        failing.times, failing.last = failing.times + 1, self._calls
        failing.evidence.append(call.seq)
        failing.asked.add(call.asked)
        if failing.times > 1:
            text = f"{failing.times} attempts failed in the same way, the last one: `{call.line}`"
            yield Finding("failure", call.failed, failing.times, text, tuple(failing.evidence), (call.failed,))

    def _came_on(self, call: Seen) -> None:
        """What was asked before and has another outcome now is past that failure; so is a tool but for commands that
        succeeds, for a command says nothing of others."""
        over = [
            failed
            for failed, failing in self._failing.items()
            if failed != call.failed
            and (call.asked in failing.asked or (not call.failed and not failing.command and failing.tool == call.name))
        ]
        for failed in over:
            del self._failing[failed]


class InvalidArguments:
    """Calls of one tool in a row that were refused before they ran, because their arguments are none that it takes."""

    def __init__(self) -> None:
        self._refused: dict[str, list[int]] = {}

    def reset(self) -> None:
        self._refused.clear()

    def observe(self, call: Seen) -> Iterator[Finding]:
        if not call.invalid:
            self._refused.pop(call.name, None)
            return
        refused = self._refused.setdefault(call.name, [])
        refused.append(call.seq)
        if len(refused) > 1:
            text = f"{len(refused)} calls of {call.name} in a row had arguments that it does not take"
            yield Finding("arguments", call.name, len(refused), text, tuple(refused[-MOST_EVIDENCE:]), (call.failed,))
