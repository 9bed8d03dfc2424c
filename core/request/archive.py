"""What was said and is no longer sent: kept in the log alone, and read there again when a decision needs its words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from core.events import Event
from core.folds.branches import Span
from core.folds.fold import Handler

Archive = Callable[[Sequence[Span], Collection[str]], Iterator[Event]]
"""The events of these kinds within the spans, oldest first. Knows each event before the folds that ask for it do."""

PIECES = frozenset({"session.opened", "guidance.delivered", "model.responded", "tool.finished"})
"""Kinds whose words stand in a request."""
CHANGES = frozenset({"context.compressed", "context.restored", "model.switched"})
"""Kinds after which other pieces are sent, or the same ones otherwise."""
_ASKED_FOR = PIECES | CHANGES | {"tool.started", "checkpoint.made"}


class Remembered:
    """A fold that is an archive, where there is no log to read: it keeps what it is shown. Goes before its readers."""

    def __init__(self) -> None:
        self._events: dict[int, Event] = {}

    def handlers(self) -> dict[str, Handler]:
        return dict.fromkeys(_ASKED_FOR, self._keep)

    def read(self, spans: Sequence[Span], kinds: Collection[str]) -> Iterator[Event]:
        """See `Archive`."""
        for first, last in spans:
            found = [self._events.get(first)] if first == last else list(self._events.values())
            yield from (event for event in found if event and first <= event.seq <= last and event.kind in kinds)

    def _keep(self, event: Event) -> None:
        self._events[event.seq] = event


def single(seqs: Collection[int]) -> list[Span]:
    """Spans that hold just these events."""
    return [Span(seq, seq) for seq in sorted(seqs)]
