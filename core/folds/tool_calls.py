"""The tool calls: one row each, running or finished, on every branch (work done on an abandoned one was done)."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any

from core.events import Event, FileChange, ToolFinished, ToolStarted
from core.folds.fold import Handler
from core.folds.words import target


@dataclass(slots=True)
class Call:
    """A row. `finished_seq` is None while the call runs; times in microseconds of journal time."""

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
    size: int = 0
    exit_code: int | None = None
    recovered: bool = False
    files: list[FileChange] = field(default_factory=list)

    def status(self, at: int | None) -> str:
        """`running`, `ok` or `failed` as of event `at` (None: now)."""
        if self.finished_seq is None or (at is not None and at < self.finished_seq):
            return "running"
        return "ok" if self.ok else "failed"


class ToolCalls:
    """Rows in the order of their start; `count(at)` of them had started by then."""

    def __init__(self) -> None:
        self.rows: list[Call] = []
        self._seqs: list[int] = []
        self._by_key: dict[str, Call] = {}

    def handlers(self) -> dict[str, Handler]:
        return {"tool.started": self._started, "tool.finished": self._finished}

    def get(self, key: str | None) -> Call | None:
        return self._by_key.get(key) if key else None

    def count(self, at: int | None = None) -> int:
        return len(self.rows) if at is None else bisect_right(self._seqs, at)

    def _started(self, event: Event) -> None:
        body = event.body
        if not isinstance(body, ToolStarted) or event.key is None or event.key in self._by_key:
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
        self._seqs.append(event.seq)
        self._by_key[event.key] = call

    def _finished(self, event: Event) -> None:
        body, call = event.body, self._by_key.get(event.key or "")
        if not isinstance(body, ToolFinished) or call is None:
            return
        call.finished_seq, call.finished_us = event.seq, event.at_us
        call.ok, call.ms, call.size, call.exit_code = body.ok, body.ms, body.size, body.exit_code
        call.recovered, call.files = body.recovered, body.files
