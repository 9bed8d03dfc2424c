"""The tool calls: one row each, running or finished, on every branch (work done on an abandoned one was done).

Whatever a pane asks, now or as of an event, is a bisection: kinds of calls are kept on shelves, in the order in which
it became known that a call belongs there.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from itertools import islice
from typing import Any, overload

import msgspec

from core.events import Event, FileChange, ToolFinished, ToolStarted
from core.folds.fold import SEQ, Handler
from core.folds.known import Known
from core.folds.pages import Pages
from core.folds.words import target

SLOW_MS = 10_000
"""A call that took this long counts as a slow one."""


class Call(msgspec.Struct):
    """A row. `finished_seq` is None while the call runs; times in microseconds of journal time.

    `repeats` is the number of the first call that asked the same and got the same answer, if there was one.
    """

    number: int
    key: str
    seq: int
    name: str
    target: str
    effect: str
    started_us: int
    arguments: dict[str, Any]
    finished_seq: int | None = None
    finished_us: int | None = None
    ok: bool = True
    ms: int = 0
    timed: bool = True
    """Whether it is known how long it took: a transcript of another tool may not tell."""
    size: int = 0
    exit_code: int | None = None
    recovered: bool = False
    files: list[FileChange] = msgspec.field(default_factory=list)
    repeats: int | None = None

    def status(self, at: int | None) -> str:
        """`running`, `ok` or `failed` as of event `at` (None: now)."""
        if self.finished_seq is None or (at is not None and at < self.finished_seq):
            return "running"
        return "ok" if self.ok else "failed"

    def repeated(self, at: int | None) -> int | None:
        """`repeats`, as far as it was known as of `at`."""
        return None if self.status(at) == "running" else self.repeats


class Picked(Sequence[Call]):
    """Calls by their numbers, in the order of those."""

    def __init__(self, rows: Sequence[Call], numbers: array[int]) -> None:
        self._rows, self.numbers = rows, numbers

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, index: int) -> Call: ...
    @overload
    def __getitem__(self, index: slice) -> list[Call]: ...
    def __getitem__(self, index: int | slice) -> Call | list[Call]:
        if isinstance(index, slice):
            return [self._rows[number - 1] for number in self.numbers[index]]
        return self._rows[self.numbers[index] - 1]


class Shelf:
    """Calls that have something in common, in the order in which that became known: append-only."""

    def __init__(self, rows: Sequence[Call] = ()) -> None:
        self._rows, self._numbers, self._seqs = rows, array(SEQ), array(SEQ)

    @property
    def calls(self) -> Picked:
        """All of them so far, and those to come."""
        return Picked(self._rows, self._numbers)

    def add(self, seq: int, call: Call) -> None:
        """From event `seq` on the call belongs here."""
        self._seqs.append(seq)
        self._numbers.append(call.number)

    def count(self, at: int | None = None) -> int:
        """How many belonged here as of `at`: the first ones of `calls`."""
        return len(self._seqs) if at is None else bisect_right(self._seqs, at)


class ToolCalls:
    """Rows in the order of their start; `count(at)` of them had started by then.

    `shelves` holds those that failed (`errors`), changed files (`edits`), ran a command (`commands`), took long
    (`slow`) or repeated an earlier one (`repeats`); `named` those of each tool.
    """

    def __init__(self) -> None:
        self.rows: Pages[Call] = Pages()
        self._all = Shelf(self.rows)
        self.shelves = {"all": self._all, **{kind: Shelf(self.rows) for kind in KINDS}}
        self.named: dict[str, Shelf] = {}
        self._numbers = Known()
        self._open: dict[str, Call] = {}
        self._oldest_open = array(SEQ)
        """For each row, the first row that still ran when it began."""
        self._answered = Known()

    def handlers(self) -> dict[str, Handler]:
        return {"tool.started": self._started, "tool.finished": self._finished}

    def shelf(self, name: str) -> Shelf:
        """The calls of a tool."""
        return self.named.get(name) or Shelf(self.rows)

    def get(self, key: str | None) -> Call | None:
        if key is None or (number := self._numbers.get(key)) is None:
            return None
        call = self._open.get(key) or self.rows[number - 1]
        return call if call.key == key else None

    def commanding(self) -> Call | None:
        """The command that runs now: commands run one after the other, so it began last."""
        return next((call for call in reversed(self._open.values()) if call.effect == "command"), None)

    def count(self, at: int | None = None) -> int:
        return self._all.count(at)

    def running(self, at: int | None = None) -> Sequence[Call]:
        """The calls that run as of `at`, oldest first; costs as much as began since the oldest of them did."""
        if at is None:
            return list(self._open.values())
        count = self.count(at)
        first = self._oldest_open[count - 1] if count else 0
        began = islice(self.rows.since(first), count - first)
        return [call for call in began if call.status(at) == "running"]

    def _started(self, event: Event) -> None:
        body = event.body
        if not isinstance(body, ToolStarted) or event.key is None or self._numbers.get(event.key):
            return
        call = Call(
            number=len(self.rows) + 1,
            key=event.key,
            seq=event.seq,
            name=body.name,
            target=target(body.arguments),
            effect=body.effect,
            started_us=event.at_us,
            arguments=body.arguments,
        )
        self.rows.append(call)
        self._numbers.setdefault(event.key, call.number)
        self._open[event.key] = call
        self._oldest_open.append(next(iter(self._open.values())).number - 1)
        self._all.add(event.seq, call)
        if call.name not in self.named:
            self.named[call.name] = Shelf(self.rows)
        self.named[call.name].add(event.seq, call)
        if call.effect == "command":
            self.shelves["commands"].add(event.seq, call)

    def _finished(self, event: Event) -> None:
        body, call = event.body, self._open.pop(event.key or "", None)
        if not isinstance(body, ToolFinished) or call is None:
            return
        call.finished_seq, call.finished_us = event.seq, event.at_us
        call.timed = bool(body.ms) or event.at_us > call.started_us
        call.ok, call.ms, call.size, call.exit_code = body.ok, body.ms, body.size, body.exit_code
        call.recovered, call.files = body.recovered, body.files
        first = self._answered.setdefault(_likeness(call, body), call.number)
        call.repeats = first if first != call.number else None
        self.rows[call.number - 1] = call
        for kind, belongs in KINDS.items():
            if belongs(call):
                self.shelves[kind].add(event.seq, call)


KINDS = {
    "errors": lambda call: not call.ok,
    "edits": lambda call: bool(call.files),
    "commands": lambda call: False,  # known when it starts
    "slow": lambda call: call.ms >= SLOW_MS,
    "repeats": lambda call: call.repeats is not None,
}
"""What makes a finished call one of a kind."""


def _likeness(call: Call, body: ToolFinished) -> str:
    """Equal for two calls that asked the same and got the same answer."""
    asked = msgspec.json.encode(call.arguments, order="deterministic").decode()
    answered = body.fingerprint or f"{body.ok}:{body.content}"
    return f"{call.name}\0{asked}\0{answered}"
