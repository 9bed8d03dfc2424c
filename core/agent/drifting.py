"""Measuring drift while a session runs: the meter is fed with each call, and what it says is written down."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

from core.agent.desk import Desk
from core.config import GuardSettings
from core.events import (
    Draft,
    DriftMeasured,
    Event,
    GuidanceDelivered,
    HeadMoved,
    ModelResponded,
    SessionOpened,
    ToolFinished,
    ToolStarted,
)
from core.folds.guards.drift import WINDOW, Called, DriftMeter, Reading
from core.request.branch_names import ARGUMENT_CHARS, REPLY_CHARS, RESULT_CHARS, strings_in
from core.request.names import names_in

WARM = 2_000
"""Events before the present one that a new runner reads first, to know what is usual."""
STEPS, MOST = 4, 12
"""It is written down when it has changed by a part in so many of the threshold; no higher than so many of them."""


class DriftWatch:
    """`recall(after)` gives the events of the log after one; `threshold` is where a sum counts as drift."""

    def __init__(self, desk: Desk, recall: Callable[[int], Sequence[Event]], threshold: float) -> None:
        self._desk = desk
        self._recall = recall
        self._threshold = threshold
        self._meter: DriftMeter[str] = DriftMeter()
        self._said: list[str] = []
        self._shown: list[str] = []
        self._calls: deque[int] = deque(maxlen=WINDOW)
        self._reading, self._subject, self._told = Reading(0.0), "", 0
        self._new: list[Event] = []
        self._unsubscribe: Callable[[], None] = lambda: None

    async def begin(self) -> None:
        """Learn what is usual here from the latest events."""
        last = self._desk.facts.state.last_seq
        before = await asyncio.to_thread(self._recall, max(0, last - WARM))
        await asyncio.to_thread(self._take, before)
        self._told = self._height
        self._unsubscribe = self._desk.journal.subscribe(self._new.extend)

    def close(self) -> None:
        self._unsubscribe()

    async def after_step(self) -> None:
        """Take in what has come, and write the number down where it has changed."""
        new, self._new[:] = list(self._new), []
        if new:
            await asyncio.to_thread(self._take, new)
        if self._height != self._told:
            self._told = self._height
            body = DriftMeasured(
                score=round(self._reading.score, 2),
                threshold=self._threshold,
                subject=self._subject,
                reasons=list(self._reading.reasons),
                evidence=list(self._calls),
            )
            await self._desk.append(Draft(body, actor="system"))

    @property
    def _height(self) -> int:
        return min(MOST, int(self._reading.score / self._threshold * STEPS))

    def _take(self, events: Sequence[Event]) -> None:
        for event in events:
            self._observe(event)

    def _observe(self, event: Event) -> None:
        match event.body:
            case SessionOpened(task=text) | GuidanceDelivered(text=text, source="user"):
                self._afresh(event.seq, names_in(text[:RESULT_CHARS]))
            case HeadMoved():
                self._afresh(event.seq, ())
            case ModelResponded(content=content):
                words = "\n".join(str(block["text"]) for block in content if block.get("text"))
                self._said += names_in(words[:REPLY_CHARS])
            case ToolStarted(name=name, arguments=arguments):
                used = names_in("\n".join(strings_in(arguments))[:ARGUMENT_CHARS])
                self._calls.append(event.seq)
                self._reading = self._meter.observe(Called(name, used, self._said, self._shown))
                self._said, self._shown = [], []
            case ToolFinished(content=text):
                self._shown += names_in(text[:RESULT_CHARS])

    def _afresh(self, seq: int, names: Sequence[str]) -> None:
        self._meter.told(names)
        self._reading, self._subject = Reading(0.0), str(seq)


def drift_watch(
    desk: Desk, recall: Callable[[int], Sequence[Event]], settings: GuardSettings, stack: AsyncExitStack
) -> DriftWatch | None:
    """Where the configuration wants it measured; it ends with the stack."""
    if not settings.measure_drift:
        return None
    watch = DriftWatch(desk, recall, settings.drift_threshold)
    stack.callback(watch.close)
    return watch
