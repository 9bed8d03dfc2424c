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
    states: list[str] = field(default_factory=list)
    """Each once, in the order in which they were reached."""
    back: bool = False
    """Whether the last change led to an earlier state."""
    returns: int = 0
    evidence: deque[int] = field(default_factory=lambda: deque(maxlen=MOST_EVIDENCE))


class Oscillation:
    """Counts how often each file turned round to a state that it had left. One that reaches a new state starts afresh.

    Several changes taken back one after the other are one turn, for that is how one gives up an attempt.
    """

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
        if before not in file.states:
            file.states.append(before)
        if after not in file.states:
            file.states.append(after)
            file.returns, file.back = 0, False
            file.evidence.clear()
        else:
            back = file.states.index(after) < file.states.index(before)
            file.returns += back != file.back
            file.back = back
        del file.states[:-STATES]
        file.evidence.append(call.seq)
        if not file.returns:
            return None
        text = f"{change.path} came back {file.returns} times to what it was before"
        marks = tuple(state_name(change.path, state) for state in file.states if state)
        return Finding("oscillation", change.path, file.returns, text, tuple(file.evidence), marks)
