"""The branches of a session as people count them: where each began, and where it ended.

HEAD moves and comes back: a branch is every stretch of the log that went on where the one before it on that branch
ended. They are numbered in the order in which they began, so a number stays what it is while the session goes on.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise

from msgspec import Struct, field

from core.folds.branches import Branches, Span


class Branch(Struct):
    """`fork` is the node of branch `parent` after which it goes its own way; 0 for the first one.

    `own`: the stretches of the log that are its own. `tip` is its last node, `left` the move that went away from there
    last; 0: HEAD is on it.
    """

    number: int
    fork: int
    parent: int
    tip: int
    own: list[Span] = field(default_factory=list)
    left: int = 0
    name: str = ""

    @property
    def began(self) -> int:
        """The event with which it begins."""
        return self.own[0].first

    @property
    def ended(self) -> int:
        """The last event on it, as of which every pane shows it."""
        return self.own[-1].last

    @property
    def title(self) -> str:
        """Its name, or what it is called without one."""
        return self.name or ("first branch" if self.number == 1 else f"branch {self.number}")


def branches_of(branches: Branches, head: int | None, last_seq: int, at: int | None = None) -> list[Branch]:
    """All of them as of event `at` (None: now), in the order in which they began."""
    until = last_seq if at is None else at
    jumps = [jump for jump in branches.jumps if jump.seq <= until]
    later = branches.jumps[len(jumps)].origin if len(jumps) < len(branches.jumps) else head
    starts = [1, *(jump.seq for jump in jumps), until + 1]
    targets = [0, *(jump.to for jump in jumps)]
    tips = [*(jump.origin for jump in jumps), later or 1]
    found: list[Branch] = []
    owners: list[Branch] = []
    for index, (first, after) in enumerate(pairwise(starts)):
        to = targets[index]
        owner = next((one for one in found if one.tip == to), None)
        if owner is None:
            parent = owners[bisect_right(starts, to, hi=len(owners)) - 1].number if owners else 0
            owner = Branch(len(found) + 1, to, parent, to)
            found.append(owner)
        owner.own.append(Span(first, after - 1))
        owner.tip = tips[index]
        owner.left = jumps[index].seq if index < len(jumps) else 0
        owners.append(owner)
    for seq, number, name in branches.named:
        if seq <= until and number <= len(found):
            found[number - 1].name = name
    return found


def branch_named(found: list[Branch], text: str) -> Branch | None:
    """The branch that people call so: by its number, or by its name."""
    text = text.strip().lstrip("#")
    if text.isdigit():
        return found[int(text) - 1] if 1 <= int(text) <= len(found) else None
    return next((one for one in found if text and one.title == text), None)
