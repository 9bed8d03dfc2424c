"""The names of a branch, in the index from which a digest takes the best: grown with each event, counted anew after a
move of HEAD by reading the log once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core.events import Event, GuidanceDelivered, ModelResponded, SessionOpened, ToolFinished, ToolStarted
from core.folds.branches import Branches, Span
from core.request.archive import PIECES, Archive
from core.request.names import NameIndex, name_tokens, name_weight, names_in

KINDS = PIECES | {"tool.started"}
ARGUMENT_CHARS, REPLY_CHARS, RESULT_CHARS = 6_000, 20_000, 60_000
"""How far names are looked for in a call's arguments, in a reply and in a result."""


class _Index:
    """The index, and the names in the arguments of the calls that have not finished."""

    def __init__(self) -> None:
        self.names: NameIndex[str] = new_index()
        self._called: dict[str, tuple[str, ...]] = {}

    def take(self, event: Event) -> None:
        seq, key = event.seq, event.key or ""
        match event.body:
            case SessionOpened(task=text) | GuidanceDelivered(text=text):
                self.names.seen(names_in(text[:RESULT_CHARS]), seq)
            case ModelResponded(content=content):
                words = "\n".join(str(block["text"]) for block in content if block.get("text"))
                self.names.seen(names_in(words[:REPLY_CHARS]), seq)
            case ToolStarted(arguments=arguments) if key:
                self._called[key] = names_in("\n".join(strings_in(arguments))[:ARGUMENT_CHARS])
            case ToolFinished(content=text):
                self.names.used(self._called.pop(key, ()), seq)
                self.names.seen(names_in(text[:RESULT_CHARS]), seq)


class BranchNames:
    """Feed it every event of `KINDS`; a mention costs the same at any length."""

    def __init__(self, branches: Branches, archive: Archive) -> None:
        self._branches = branches
        self._archive = archive
        self._index = _Index()
        self._moves = self._last = 0

    def take(self, event: Event) -> None:
        self._last = event.seq
        if len(self._branches.moves) == self._moves:
            self._index.take(event)

    def index(self) -> NameIndex[str]:
        """The names of the current branch; after a move of HEAD this reads all that was said on it."""
        moves = len(self._branches.moves)
        if moves != self._moves:
            self._index, self._moves = _Index(), moves
            spans = [Span(first, min(last, self._last)) for first, last in self._branches.spans()]
            for event in self._archive(spans, KINDS):
                self._index.take(event)
        return self._index.names


def new_index() -> NameIndex[str]:
    """An index of names as texts have them."""
    return NameIndex(name_tokens, name_weight)


def strings_in(value: Any) -> Iterator[str]:
    """Every string in a call's arguments."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from strings_in(item)
