"""What was used last is kept, and under a key what was put there last."""

from __future__ import annotations

import gc
import weakref

from tui.widgets.recent import Recent


class Thing:
    """Something of which one can tell whether it is still there."""


def test_what_was_not_used_for_longest_makes_room():
    kept = Recent(2)
    kept.set("a", 1)
    kept.set("b", 2)
    assert kept.get("a") == 1
    kept.set("c", 3)
    assert (kept.get("a"), kept.get("b"), kept.get("c")) == (1, None, 3)


def test_a_value_replaces_the_one_before_it():
    kept = Recent(2)
    kept.set("a", 1)
    kept.set("a", 2)
    assert kept.get("a") == 2


def test_what_is_dropped_is_let_go_at_once_and_not_by_a_collection():
    kept, things = Recent(2), [Thing() for _ in range(5)]
    alive = [weakref.ref(thing) for thing in things]
    gc.disable()
    try:
        for number in range(5):
            kept.set(number, things[number])
        del things
        assert [ref() is None for ref in alive] == [True] * 3 + [False] * 2
        kept.discard(3)
        kept.clear()
        assert not any(ref() for ref in alive)
    finally:
        gc.enable()
