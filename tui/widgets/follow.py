"""Follow the tail, or hold still: a small state machine without a screen.

What a person reads never moves. A list either follows its end, or is held at the item that is at the top of the view;
what arrives meanwhile is counted, not shown. Only scrolling, a key or a click changes the state; focus, resizing and
arriving items never do.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace


class Following(Struct, frozen=True):
    """The view shows the end, and moves with it."""


class Held(Struct, frozen=True):
    """The view stays with line `offset` of `item` at its top; `unseen` items arrived since."""

    item: int
    offset: int = 0
    unseen: int = 0


Follow: TypeAlias = Following | Held

FOLLOWING = Following()


def scrolled(state: Follow, item: int, offset: int, *, at_end: bool) -> Follow:
    """A person scrolled: `item` and `offset` are now at the top; at the end means following again."""
    if at_end:
        return FOLLOWING
    return Held(item, offset, state.unseen if isinstance(state, Held) else 0)


def appended(state: Follow, count: int) -> Follow:
    """`count` items arrived at the end."""
    return replace(state, unseen=state.unseen + count) if isinstance(state, Held) else state


def replaced(state: Follow, before: int, length: int) -> Follow:
    """Where there were `before` items there are `length` now: a held item beyond them gives way to the last one."""
    if not isinstance(state, Held) or length == 0:
        return FOLLOWING
    item, offset = (state.item, state.offset) if state.item < length else (length - 1, 0)
    return Held(item, offset, max(0, state.unseen + length - before))


def chip(state: Follow, key: str = "End") -> str:
    """The note for a held view: `↓ 12 new · End`; empty while following."""
    if not isinstance(state, Held):
        return ""
    return f"↓ {state.unseen:,} new · {key}" if state.unseen else f"held · {key}"
