"""The branches of a session in words and lines, for the screen, the shell and the plain mode alike. No widgets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.folds.branch_deeds import Comparison, Deeds, deeds, outcome
from core.folds.branch_tree import Branch, branches_of
from core.folds.branches import Span
from core.folds.view import SessionView
from core.folds.words import one_line
from tui.panes import figures

NAMED = 3
"""Files that are named."""
SHOWN = 12
"""Entries of a side of a comparison."""
_TEXT = 160


@dataclass(frozen=True, slots=True)
class Told:
    """A branch with what was done on it; `depth` is how many branches it hangs below."""

    branch: Branch
    deeds: Deeds
    outcome: str
    depth: int

    @property
    def figures(self) -> str:
        """`12 calls · $0.41 · paused, operator`."""
        return " · ".join((figures.plural(self.deeds.calls, "call"), money(self.deeds), self.outcome))

    @property
    def about(self) -> str:
        """Where it began, what it changed, what was said last."""
        from_where = f"from #{self.branch.fork:,} of {self.branch.parent}" if self.branch.parent else "from the start"
        said = f"“{self.deeds.words}”" if self.deeds.words else ""
        return " · ".join(part for part in (from_where, files_words(self.deeds.files), said) if part)


def told(view: SessionView, at: int | None = None) -> list[Told]:
    """The branches as of `at`, each below the one that it hangs on."""
    found = branches_of(view.branches, view.state.head, view.last_seq, at)
    return [
        Told(branch, deeds(view, branch.own), outcome(view, branch), depth) for branch, depth in _in_tree(found, 0, 0)
    ]


def _in_tree(found: Sequence[Branch], parent: int, depth: int) -> Iterator[tuple[Branch, int]]:
    for branch in found:
        if branch.parent == parent:
            yield branch, depth
            yield from _in_tree(found, branch.number, depth + 1)


def left_words(view: SessionView, node: int) -> str:
    """What the current branch came to since a node: `6 turns, 18 calls, $0.0700`."""
    last = view.last_seq
    spans = [Span(max(first, node + 1), min(end, last)) for first, end in view.branches.spans() if end > node]
    done = deeds(view, spans)
    return ", ".join((figures.plural(done.turns, "turn"), figures.plural(done.calls, "call"), money(done)))


def money(done: Deeds) -> str:
    """What it cost; `≥` where prices of some replies are unknown."""
    if done.unpriced and not done.usd:
        return "cost unknown"
    return ("≥ " if done.unpriced else "") + figures.usd(done.usd)


def files_words(files: Sequence[str]) -> str:
    """`3 files: a.py, b.py, c.py`."""
    if not files:
        return "no file"
    more = f" and {len(files) - NAMED:,} more" if len(files) > NAMED else ""
    return f"{figures.plural(len(files), 'file')}: {', '.join(files[:NAMED])}{more}"


def lines_of(rows: Sequence[Told]) -> Iterator[str]:
    """For a terminal that knows only lines: two for each branch."""
    for row in rows:
        here = "" if row.branch.left else "  (current)"
        indent = "  " * row.depth
        yield f"{indent}{row.branch.number}  {one_line(row.branch.title, _TEXT)}{here}  {row.figures}"
        yield f"{indent}   {one_line(row.about, 2 * _TEXT)}"


def comparison_lines(view: SessionView, found: Comparison) -> Iterator[tuple[str, bool]]:
    """The two sides of a comparison as lines, each with whether it is a title."""
    yield f"Both are the same up to #{found.fork:,}", True
    for side, branch in enumerate(found.sides):
        done = found.deeds[side]
        facts = (figures.plural(done.turns, "turn"), figures.plural(done.calls, "call"), f"{done.failed:,} failed")
        yield "", False
        yield f"{branch.number}  {branch.title}", True
        yield ", ".join((*facts, money(done), outcome(view, branch))), False
        yield files_words(done.files), False
        items, more = found.items(view, side, SHOWN)
        for item in items:
            yield f"#{item.seq:<6} {item.speaker:<7}{one_line(item.text, _TEXT)}", False
        if more:
            yield f"and up to {more:,} more entries", False
