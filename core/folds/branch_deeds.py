"""What was done on a branch, how it stood at its end, and two branches side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice

from core.folds.branch_tree import Branch
from core.folds.branches import Span, parting
from core.folds.conversation import Item
from core.folds.view import SessionView
from core.folds.words import one_line

_WORDS_BACK = 60
"""Entries from the end of a branch among which its last words are looked for."""
_TEXT = 200
_TELLING = frozenset({"task", "guidance", "text", "call"})
"""Kinds of entries that tell what was done."""


@dataclass(frozen=True, slots=True)
class Deeds:
    """What was done in some stretches of the log. `usd` is what is known of it, beside `unpriced` replies."""

    turns: int
    calls: int
    failed: int
    usd: Decimal
    unpriced: int
    files: tuple[str, ...]
    words: str


def deeds(view: SessionView, spans: list[Span]) -> Deeds:
    """Costs as much as there are changed files in the spans, else a bisection for each of them."""
    bills = [(view.costs.total.at(span.first - 1), view.costs.total.at(span.last)) for span in spans]
    every, errors = view.tool_calls.shelves["all"], view.tool_calls.shelves["errors"]
    return Deeds(
        turns=sum(after.replies - before.replies for before, after in bills),
        calls=sum(every.count(span.last) - every.count(span.first - 1) for span in spans),
        failed=sum(errors.count(span.last) - errors.count(span.first - 1) for span in spans),
        usd=sum((after.usd - before.usd for before, after in bills), Decimal(0)),
        unpriced=sum(after.unpriced - before.unpriced for before, after in bills),
        files=tuple(dict.fromkeys(_files(view, spans))),
        words=_last_words(view, spans),
    )


def _files(view: SessionView, spans: list[Span]) -> Iterator[str]:
    edits = view.tool_calls.shelves["edits"]
    for span in spans:
        for call in edits.calls[edits.count(span.first - 1) : edits.count(span.last)]:
            yield from (change.path for change in call.files)


def _last_words(view: SessionView, spans: list[Span]) -> str:
    """What the agent said last there."""
    items = view.conversation.column.window(spans)
    last = range(len(items) - 1, max(-1, len(items) - 1 - _WORDS_BACK), -1)
    return next((one_line(items[at].text, _TEXT) for at in last if items[at].kind == "text"), "")


def outcome(view: SessionView, branch: Branch) -> str:
    """How the session stood when the branch was left last, or stands now."""
    status = view.state.status.at(branch.ended if not branch.left else branch.left - 1)
    return (
        status.state if status.reason in ("working", "done") else f"{status.state}, {status.reason.replace('_', ' ')}"
    )


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two branches from node `fork` on, which is the last that both have."""

    fork: int
    sides: tuple[Branch, Branch]
    spans: tuple[list[Span], list[Span]]
    deeds: tuple[Deeds, Deeds]
    trees: tuple[str | None, str | None]

    def items(self, view: SessionView, side: int, most: int) -> tuple[list[Item], int]:
        """What people and the agent said and did on a side, at most so many entries, and how many are left out."""
        window = view.conversation.column.window(self.spans[side])
        found = list(islice((item for item in window if item.kind in _TELLING), most))
        read = window.position(view.conversation.column.index(found[-1].seq) or 0) if len(found) == most else None
        return found, 0 if read is None else len(window) - read - 1


def compared(view: SessionView, one: Branch, other: Branch) -> Comparison:
    """Put two branches side by side."""
    paths = [view.branches.path_to(branch.tip) for branch in (one, other)]
    fork = parting(*paths)
    spans = tuple([_after(span, fork) for span in path if span.last > fork] for path in paths)
    trees = tuple(view.file_states.known(branch.left or None) for branch in (one, other))
    done = tuple(deeds(view, side) for side in spans)
    return Comparison(fork, (one, other), (spans[0], spans[1]), (done[0], done[1]), (trees[0], trees[1]))


def _after(span: Span, node: int) -> Span:
    return Span(max(span.first, node + 1), span.last)
