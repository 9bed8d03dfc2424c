"""Whether anything comes of it: calls in a row that failed or said what was known, and requests that do not succeed."""

from __future__ import annotations

from typing import NamedTuple

from core.events import CheckpointMade, Event, GuidanceDelivered, HeadMoved, RetryWaiting, ToolFinished, ToolStarted
from core.folds.fold import Handler, Series
from core.folds.totals import digest


class Streak(NamedTuple):
    """So many in a row, since event `seq` at `since_us`."""

    times: int = 0
    seq: int = 0
    since_us: int = 0
    error: str = ""

    def longer(self, event: Event, error: str = "") -> Streak:
        seq, since_us = (self.seq, self.since_us) if self.times else (event.seq, event.at_us)
        return Streak(self.times + 1, seq, since_us, error)


class Progress:
    """`vain`: calls since the last file that changed and the last result that was new; `retries`: of one request."""

    def __init__(self) -> None:
        self.vain: Series[Streak] = Series(Streak())
        self.retries: Series[Streak] = Series(Streak())
        self._calls: dict[str, str] = {}
        self._seen: set[str] = set()

    def handlers(self) -> dict[str, Handler]:
        return {
            "tool.started": self._started,
            "tool.finished": self._finished,
            "checkpoint.made": self._checkpoint,
            "guidance.delivered": self._guided,
            "head.moved": self._moved,
            "retry.waiting": self._waiting,
            **dict.fromkeys(("model.responded", "model.switched", "session.continued"), self._answered),
        }

    def _started(self, event: Event) -> None:
        if isinstance(event.body, ToolStarted) and event.key:
            self._calls[event.key] = digest(event.body.name, event.body.arguments)

    def _finished(self, event: Event) -> None:
        body, call = event.body, self._calls.pop(event.key or "", "")
        if not isinstance(body, ToolFinished):
            return
        if body.files:
            self._seen.clear()
        result = f"{call}:{body.fingerprint[:12]}"
        vain = not body.files and (not body.ok or result in self._seen)
        self._seen.add(result)
        if vain:
            self.vain.append(event.seq, self.vain.last.longer(event))
        else:
            self._came_on(event)

    def _came_on(self, event: Event) -> None:
        if self.vain.last.times:
            self.vain.append(event.seq, Streak())

    def _checkpoint(self, event: Event) -> None:
        if isinstance(event.body, CheckpointMade) and event.body.changed:
            self._seen.clear()
            self._came_on(event)

    def _guided(self, event: Event) -> None:
        if isinstance(event.body, GuidanceDelivered) and event.body.source == "user":
            self._came_on(event)

    def _moved(self, event: Event) -> None:
        if isinstance(event.body, HeadMoved):
            self._came_on(event)
            self._answered(event)

    def _waiting(self, event: Event) -> None:
        if isinstance(event.body, RetryWaiting):
            self.retries.append(event.seq, self.retries.last.longer(event, event.body.error))

    def _answered(self, event: Event) -> None:
        if self.retries.last.times:
            self.retries.append(event.seq, Streak())
