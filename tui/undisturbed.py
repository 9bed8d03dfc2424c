"""Opening a screen, and reading a long log, makes up to millions of objects that stay; a collector that looks through
them again and again would hold up keys for a second each time, and find nothing. What is made later is looked through
when nobody waits for anything."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from core.clock import monotonic

CALM_S: Final = 2.0
"""So long after the last key nobody waits."""
_YOUNG = 10_000
"""New objects after which the collector looks at these: as many as a whole screen drawn anew leaves for a moment."""
_MANY, _MOST = 2, 20
"""Collections of such after which all are looked through: in a calm moment, and whether it is calm or not."""
_SHARE: Final = 0.01


@contextmanager
def undisturbed() -> Iterator[None]:
    """No collection within; afterwards what was made is looked at no more, and the collector goes on as it did."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()


def be_patient() -> None:
    """Leave it to a `Tidier` to look through everything, unless it comes to very much."""
    gc.set_threshold(_YOUNG, gc.get_threshold()[1], _MOST)


class Tidier:
    """Looks through everything in calm moments, if much was made since the last time, for a hundredth of the time.

    A look takes some ten milliseconds in a young session, and longer in an old one.
    """

    def __init__(self) -> None:
        self._not_before_s = 0.0

    def tidy(self) -> None:
        """Look through everything, unless it is too early for that."""
        began = monotonic()
        if gc.isenabled() and gc.get_count()[2] >= _MANY and began >= self._not_before_s:
            gc.collect()
            ended = monotonic()
            self._not_before_s = ended + (ended - began) / _SHARE
