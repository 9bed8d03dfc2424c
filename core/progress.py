"""How far a long piece of work is: whoever reads a log in parts says so, and a command may listen.

It is said to the listener of the context, so that nothing between the two has to pass it on; where nobody listens, it
costs a look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[int, int], object]
"""Told what is done, of how much. May be called from any thread, and again from the start for the next pass."""

_listener: ContextVar[Listener | None] = ContextVar("progress", default=None)


@contextmanager
def heard(listener: Listener) -> Iterator[None]:
    """What is said in this context, and in the tasks and threads that it begins, goes to `listener`."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def tell(done: int, of: Callable[[], int]) -> None:
    """So much is done; `of` how much is asked for only when somebody listens."""
    listener = _listener.get()
    if listener is not None:
        listener(done, of())
