"""Opening a screen, and reading a long log, makes up to millions of objects that stay; a collector that looks through
them again and again would hold up keys for a second each time, and find nothing."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


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
