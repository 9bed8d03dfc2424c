"""How a session stands: the words and records in which its state is told."""

from __future__ import annotations

import re
from typing import Any, Final

from msgspec import Struct

REASONS = (
    *("working", "operator", "done", "retry", "rewound", "forked", "crashed"),
    *("budget", "turn_limit", "context", "refusal", "disk"),
    *("auth", "billing", "config", "history", "request", "malformed", "outage", "approval", "question"),
    *("guard", "scheduled"),
    "imported",
)
"""The words of a state's reason, as the report prints them."""

DEFERRED = frozenset(
    {"pause", "continue", "compress", "undo", "rewind", "switch", "revert", "evict", "hand-over", "stop"}
)
"""Commands whose effect comes at the next safe point; each is closed by a `command.done`."""


class Status(Struct, frozen=True):
    """State, the short reason, a sentence of detail; `until_us` while waiting for a retry."""

    state: str = "running"
    reason: str = "working"
    detail: str = ""
    until_us: int | None = None


class Order(Struct, frozen=True):
    """An accepted command whose effect has not come yet."""

    id: str
    verb: str
    args: dict[str, Any]
    seq: int


class Failure(Struct, frozen=True):
    """The last attempt of the open request failed like this.

    `waited_s`: what its retries waited so far; `compressions`: how many were made for its sake. The next
    attempt goes out at `until_us`, which was said at `since_us`.
    """

    error: str
    message: str
    retry_after_s: float | None
    attempt: int
    waited_s: float = 0.0
    since_us: int = 0
    until_us: int | None = None
    compressions: int = 0


_ATTEMPT: Final = re.compile(r"r([0-9]{1,9})\.([0-9]{1,9})")


def attempt_of(key: str | None) -> tuple[int, int] | None:
    """The numbers of a request and of its attempt; None for a key that no runner wrote: a log may be anybody's."""
    found = _ATTEMPT.fullmatch(key or "")
    return (int(found[1]), int(found[2])) if found else None
