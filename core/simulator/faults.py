"""Faults as data: what goes wrong, at which request, how often. `parse_fault` reads them from short strings."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """What goes wrong. The comment names the meaning of the fault's value and its default."""

    RATE_LIMIT = "429"  # seconds in retry-after; 1
    OVERLOADED = "529"
    SERVER = "500"
    BAD_REQUEST = "400"  # the message
    UNAUTHORIZED = "401"
    BAD_GATEWAY = "502"  # an HTML page of a proxy
    PORTAL = "portal"  # a redirect to where one logs in to a network
    PERMANENT = "permanent-500"  # the message of an error that will never pass, with status 500
    FOREIGN = "foreign"  # another vendor's envelope, status 503; the message
    PLAIN = "plain"  # plain text, status 500; the text
    DROP = "drop"  # the socket closes before any header
    CUT = "cut"  # a clean end of the stream after so many events; 5
    RESET = "reset"  # the connection breaks after so many events; 5
    STALL = "stall"  # silence after 5 events, for so many seconds; for ever
    ERROR_EVENT = "error-event"  # an overloaded error after so many events; 5
    SLOW = "slow"  # so many times slower; 10
    NO_START = "no-message-start"
    CLOSE = "close"  # the reply announces Connection: close
    HANG_UP = "hang-up"  # the socket closes after the reply, unannounced
    CUT_ARGUMENTS = "cut-arguments"  # the last tool's arguments end half way, stop_reason max_tokens
    UNKNOWN_TOOL = "unknown-tool"  # the first tool call names this tool; no_such_tool
    EVICT = "evict"  # the cache has forgotten every prompt before its time
    COMPACTION = "compaction"  # the server compacts a prompt of so many tokens before it replies; 180000


_FAULT = re.compile(r"(?P<where>\d+|\*|/.+?/):(?P<kind>[a-z0-9-]+?)(?:=(?P<value>.*?))?(?:x(?P<times>\d+|\*))?")


@dataclass(frozen=True, slots=True)
class Fault:
    """`kind` from request number `at` on (counted from 1, all when None) whose newest text matches `pattern`.

    `times` None means always.
    """

    kind: FaultKind
    at: int | None = None
    times: int | None = 1
    value: str = ""
    pattern: str = ""

    def number(self, default: float) -> float:
        """The value as a number."""
        return float(self.value) if self.value else default

    def matches(self, request: int, text: str) -> bool:
        return (self.at is None or request >= self.at) and re.search(self.pattern, text) is not None


class Faults:
    """The faults that are still to come; each request takes the first that matches it."""

    def __init__(self, faults: Iterable[Fault | str] = ()) -> None:
        self._left: list[list[Fault | int | None]] = []
        self.add(faults)

    def add(self, faults: Iterable[Fault | str]) -> None:
        """More to come, after those that there are. Raises ValueError when one can't be read."""
        for fault in faults:
            parsed = parse_fault(fault) if isinstance(fault, str) else fault
            self._left.append([parsed, parsed.times])

    def take(self, request: int, text: str) -> Fault | None:
        """The fault of this request, used up by one."""
        for entry in self._left:
            fault, times = entry
            if isinstance(fault, Fault) and times != 0 and fault.matches(request, text):
                entry[1] = times - 1 if isinstance(times, int) else None
                return fault
        return None


def parse_fault(text: str) -> Fault:
    """Read `WHERE:KIND[=VALUE][xTIMES]`, e.g. `3:529x2`, `5:stall=120`, `/AUDIT/:429=30`, `*:closex*`.

    WHERE is a request number, `*` or a pattern between slashes. Raises ValueError with one plain sentence.
    """
    match = _FAULT.fullmatch(text)
    if match is None or match["kind"] not in list(FaultKind):
        raise ValueError(
            f"{text!r} is not a fault; write WHERE:KIND[=VALUE][xTIMES] with a KIND of {', '.join(FaultKind)}."
        )
    where, times = match["where"], match["times"] or "1"
    fault = Fault(
        kind=FaultKind(match["kind"]),
        at=int(where) if where.isdigit() else None,
        times=None if times == "*" else int(times),
        value=match["value"] or "",
        pattern=where[1:-1] if where.startswith("/") else "",
    )
    _check_value(fault, text)
    return fault


_NUMERIC = {
    FaultKind.RATE_LIMIT,
    FaultKind.CUT,
    FaultKind.RESET,
    FaultKind.STALL,
    FaultKind.ERROR_EVENT,
    FaultKind.SLOW,
    FaultKind.COMPACTION,
}


def _check_value(fault: Fault, text: str) -> None:
    if fault.kind in _NUMERIC and fault.value:
        try:
            float(fault.value)
        except ValueError:
            raise ValueError(f"The value of the fault {text!r} has to be a number.") from None
