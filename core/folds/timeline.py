"""The session at a glance: the moments that one jumps to."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from msgspec import Struct

from core.events import Event, ToolFinished
from core.folds.fold import Handler
from core.folds.pages import Pages


class Mark(Struct, frozen=True):
    """A moment worth jumping to. `kind`: error, edit, compression, checkpoint, rewind, guard, human, bookmark, end."""

    seq: int
    at_us: int
    kind: str
    text: str = ""


KINDS = ("error", "edit", "compression", "checkpoint", "rewind", "guard", "human", "bookmark", "end")
"""Of marks."""
PROBE = "probe"
"""How the keys begin of requests that only ask whether a model which is down answers again."""
_KINDS = {
    "model.failed": "error",
    "context.compressed": "compression",
    "checkpoint.made": "checkpoint",
    "head.moved": "rewind",
    "command.accepted": "human",
    "bookmark.added": "bookmark",
    "guard.raised": "guard",
    "session.finished": "end",
}


def probes(event: Event) -> bool:
    """Whether it is about such a request: that it got no answer is no news."""
    return (event.key or "").startswith(PROBE)


class Timeline:
    """Marks by kind, and the time of every event, for seeking by time."""

    def __init__(self) -> None:
        self.marks: Pages[Mark] = Pages()
        self._seqs: dict[str, array[int]] = {}
        self.times = array("q")

    def handlers(self) -> dict[str, Handler]:
        return {**dict.fromkeys(_KINDS, self._mark), "tool.finished": self._tool}

    def observe(self, event: Event) -> None:
        """Keep the time of event `seq` at index `seq - 1`, never running backwards."""
        last = self.times[-1] if self.times else event.at_us
        self.times.append(max(last, event.at_us))

    def skip_to(self, seq: int) -> None:
        """Leave out the events up to `seq`: as far as anybody knows, they came with the last one that is known."""
        if self.times and (left_out := seq - 1 - len(self.times)) > 0:
            self.times.extend(array("q", (self.times[-1],)) * left_out)

    def at_us(self, seq: int) -> int:
        """When event `seq` happened (the clock's jumps back left out); 0 for an empty session."""
        if not self.times:
            return 0
        return self.times[min(max(seq, 1), len(self.times)) - 1]

    def seq_at(self, at_us: int) -> int:
        """The last event at or before that time, at least 1."""
        return max(1, bisect_right(self.times, at_us))

    def next(self, kind: str, seq: int) -> int | None:
        """The first mark of that kind after `seq`."""
        seqs = self._seqs.get(kind, array("q"))
        index = bisect_right(seqs, seq)
        return seqs[index] if index < len(seqs) else None

    def previous(self, kind: str, seq: int) -> int | None:
        """The last mark of that kind before `seq`."""
        seqs = self._seqs.get(kind, array("q"))
        index = bisect_left(seqs, seq) - 1
        return seqs[index] if index >= 0 else None

    def count(self, kinds: Iterable[str]) -> int:
        """How many marks of these kinds there are."""
        return sum(len(self._seqs.get(kind, ())) for kind in kinds)

    def _mark(self, event: Event, kind: str | None = None) -> None:
        kind = kind or _KINDS[event.kind]
        if probes(event):
            return
        text = getattr(event.body, "text", "") or getattr(event.body, "verb", "") or getattr(event.body, "label", "")
        self.marks.append(Mark(event.seq, event.at_us, kind, text))
        self._seqs.setdefault(kind, array("q")).append(event.seq)

    def _tool(self, event: Event) -> None:
        if isinstance(event.body, ToolFinished):
            if not event.body.ok:
                self._mark(event, "error")
            if event.body.files:
                self._mark(event, "edit")
