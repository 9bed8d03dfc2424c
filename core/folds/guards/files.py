"""A file that goes back and forth: its content comes back to what it was before."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from core.events import FileChange
from core.folds.guards.finding import MOST_EVIDENCE, Finding
from core.folds.guards.seen import Seen, state_name

STATES = 16
"""Earlier states of a file that are remembered."""
FILES = 64
"""Files whose states are remembered: those that changed last."""


@dataclass(slots=True)
class _File:
    states: deque[str] = field(default_factory=lambda: deque(maxlen=STATES))
    returns: int = 0
    evidence: deque[int] = field(default_factory=lambda: deque(maxlen=MOST_EVIDENCE))


class Oscillation:
    """Counts how often each file came back to a state that it had left. One that reaches a new state starts afresh."""

    def __init__(self) -> None:
        self._files: dict[str, _File] = {}

    def reset(self) -> None:
        self._files.clear()

    def observe(self, call: Seen) -> Iterator[Finding]:
        for change in call.files:
            if change.before != change.after and (found := self._change(call, change)) is not None:
                yield found

    def _change(self, call: Seen, change: FileChange) -> Finding | None:
        before, after = change.before or "", change.after or ""
        file = self._files.pop(change.path, None) or _File()
        self._files[change.path] = file
        if len(self._files) > FILES:
            del self._files[next(iter(self._files))]
        if not file.states or file.states[-1] != before:
            file.states.append(before)
        if after not in file.states:
            file.returns = 0
            file.evidence.clear()
        else:
            file.returns += 1
        file.states.append(after)
        file.evidence.append(call.seq)
        if not file.returns:
            return None
        text = f"{change.path} came back {file.returns} times to what it was before"
        marks = tuple(state_name(change.path, state) for state in dict.fromkeys(file.states) if state)
        return Finding("oscillation", change.path, file.returns, text, tuple(file.evidence), marks)
