"""The receipts of guidance: queued, taken back or delivered, and what the agent did of it as far as the log shows.

Whether words were heeded can't be known from outside. What can be seen is which of the next calls speak of what the
guidance speaks of; where none does although it has names, it was *apparently* ignored, and no more is claimed.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from core.events import (
    Event,
    GuidanceDelivered,
    GuidanceQueued,
    ModelRequested,
    ModelResponded,
    ToolFinished,
    ToolStarted,
)
from core.folds.branches import Branches
from core.folds.fold import Handler, Series
from core.folds.mentions import Subject, subject
from core.folds.standing import attempt_of

PATIENCE = 5
"""Replies within which guidance shows in what the agent does, if it ever does."""


class Receipt(Struct, frozen=True):
    """What became of one guidance. `seq`: where it was queued; `request` and `asked`: the first request with it in it.

    `answered` is the first reply that speaks of it; `calls` (keys) and `files` are of the `replies` that were looked
    at. `over`: no more are; `overtaken`: because other guidance came. `named`: it has names that a call could share.
    `lost`: it was delivered on a branch that is abandoned now.
    """

    id: str
    seq: int
    at_us: int
    text: str
    standing: bool = False
    named: bool = False
    retracted: int | None = None
    delivered: int | None = None
    request: int | None = None
    asked: int | None = None
    answered: int | None = None
    calls: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    replies: int = 0
    over: bool = False
    overtaken: bool = False
    lost: bool = False

    @property
    def fate(self) -> str:
        """queued, retracted, abandoned, delivered, acted on, answered, apparently ignored or unclear."""
        if self.delivered is None:
            return "queued" if self.retracted is None else "retracted"
        if self.lost:
            return "abandoned"
        if self.calls or self.answered is not None:
            return "acted on" if self.calls else "answered"
        if not self.over:
            return "delivered"
        return "apparently ignored" if self.named and not self.overtaken else "unclear"

    @property
    def sentence(self) -> str:
        """The same in full: `delivered with request 12; acted on by 3 calls: core/a.py`."""
        if self.delivered is None:
            return "goes with the next request" if self.retracted is None else "taken back before it was delivered"
        if self.request is None:
            return "goes with the next request" if not self.lost else "on a branch that was abandoned"
        return f"delivered with request {self.request}{_WHAT_CAME[self.fate](self)}"

    @property
    def outcome(self) -> str:
        """The same with what came of it first, for a line that may be cut: `acted on by 3 calls · request 12`."""
        if self.request is None:
            return self.sentence
        return f"{_WHAT_CAME[self.fate](self).lstrip(';, ')} · request {self.request}"


_WHAT_CAME: dict[str, Any] = {
    "abandoned": lambda receipt: ", on a branch that was abandoned",
    "acted on": lambda receipt: f"; acted on by {_count(len(receipt.calls), 'call')}{_files(receipt.files)}",
    "answered": lambda receipt: f"; answered in words at #{receipt.answered}",
    "delivered": lambda receipt: f"; nothing to see of it yet, {_count(receipt.replies, 'reply')} since",
    "apparently ignored": lambda receipt: (
        f"; apparently ignored: no call of the {_count(receipt.replies, 'reply')} after it speaks of what it names"
    ),
    "unclear": lambda receipt: "; whether it was heeded can't be seen from the calls",
}


class Guidance:
    """A receipt for each guidance of the user, as of any event. Only the latest is watched, for a few replies."""

    def __init__(self, branches: Branches) -> None:
        self._branches = branches
        self._receipts: dict[str, Series[Receipt]] = {}
        self._watched: dict[str, Subject] = {}
        self._acting: dict[str, list[str]] = {}
        """The guidance that a running call acts on, by the call's key."""
        self._deliveries: dict[int, str] = {}
        self._delivered_at: list[int] = []
        self._told_until: dict[int, int] = {}
        """The last event as of which a delivery is told of, where the same guidance was delivered again."""

    def handlers(self) -> dict[str, Handler]:
        return {
            "guidance.queued": self._queued,
            "guidance.retracted": self._retracted,
            "guidance.delivered": self._delivered,
            "model.requested": self._requested,
            "model.responded": self._responded,
            "tool.started": self._started,
            "tool.finished": self._finished,
            "session.finished": self._ended,
            "head.moved": self._moved,
        }

    def receipts(self, at: int | None = None) -> list[Receipt]:
        """Of every guidance that had been queued by event `at`, oldest first."""
        found = (series.at(at) for series in self._receipts.values())
        return [self._placed(receipt, at) for receipt in found if receipt.seq]

    def get(self, id: str, at: int | None = None) -> Receipt | None:
        """The receipt of one guidance; None while it had not been queued."""
        series = self._receipts.get(id)
        return self._placed(series.at(at), at) if series and series.at(at).seq else None

    def delivered_at(self, seq: int, at: int | None = None) -> Receipt | None:
        """The receipt of what event `seq` delivered, as of event `at`; None where that was no guidance of the user."""
        id, until = self._deliveries.get(seq), self._told_until.get(seq)
        if id is None:
            return None
        return self._receipts[id].at(until if at is None else at if until is None else min(at, until))

    def latest_deliveries(self, most: int, at: int | None = None) -> list[int]:
        """The events of the latest deliveries up to event `at`: only of those the fate may still change."""
        end = len(self._delivered_at) if at is None else bisect_right(self._delivered_at, at)
        return self._delivered_at[max(0, end - most) : end]

    def _placed(self, receipt: Receipt, at: int | None) -> Receipt:
        lost = receipt.delivered is not None and not self._branches.visible(receipt.delivered, at)
        return replace(receipt, lost=True) if lost else receipt

    def _change(self, event: Event, id: str, **fields: Any) -> None:
        series = self._receipts[id]
        series.append(event.seq, replace(series.last, **fields))

    def _new(self, event: Event, id: str, text: str, standing: bool) -> None:
        series = self._receipts[id] = Series(Receipt(id, 0, 0, ""))
        receipt = Receipt(id, event.seq, event.at_us, text, standing, named=subject(text).named)
        series.append(event.seq, receipt)

    def _queued(self, event: Event) -> None:
        if isinstance(event.body, GuidanceQueued) and event.key and event.key not in self._receipts:
            self._new(event, event.key, event.body.text, event.body.standing)

    def _retracted(self, event: Event) -> None:
        if event.key in self._receipts:
            self._change(event, event.key, retracted=event.seq)

    def _delivered(self, event: Event) -> None:
        body = event.body
        if not isinstance(body, GuidanceDelivered) or body.source != "user":
            return
        self._overtake(event)
        id = event.key or self._repeated(body) or f"#{event.seq}"
        if id not in self._receipts:
            self._new(event, id, body.text, body.standing)
        if (before := self._receipts[id].last.delivered) is not None:
            self._told_until[before] = event.seq - 1
        self._deliveries[event.seq] = id
        self._delivered_at.append(event.seq)
        fresh = Receipt(id, 0, 0, "")
        progress = ("request", "asked", "answered", "calls", "files", "replies", "over", "overtaken")
        self._change(event, id, delivered=event.seq, **{name: getattr(fresh, name) for name in progress})
        self._watched[id] = subject(body.text)

    def _repeated(self, body: GuidanceDelivered) -> str | None:
        """The standing guidance that a rewind took away and that is said again."""
        same = (id for id, series in self._receipts.items() if series.last.standing and series.last.text == body.text)
        return next(same, None) if body.standing else None

    def _overtake(self, event: Event) -> None:
        for id in [id for id in self._watched if self._receipts[id].last.replies]:
            self._close(event, id, overtaken=True)

    def _close(self, event: Event, id: str, overtaken: bool = False) -> None:
        self._change(event, id, over=True, overtaken=overtaken)
        del self._watched[id]

    def _requested(self, event: Event) -> None:
        if not isinstance(event.body, ModelRequested) or event.body.purpose != "main":
            return
        number, _ = attempt_of(event.key) or (0, 0)
        for id in list(self._watched):
            receipt = self._receipts[id].last
            if receipt.request is None:
                self._change(event, id, request=number, asked=event.seq)
            elif receipt.replies >= PATIENCE:
                self._close(event, id)

    def _responded(self, event: Event) -> None:
        if not self._watched or not isinstance(event.body, ModelResponded):
            return
        blocks = event.body.content
        said = "\n".join(str(block.get("text", "")) for block in blocks if block.get("type") == "text")
        for id, about in self._watched.items():
            receipt = self._receipts[id].last
            speaks = receipt.answered is None and about.in_text(said)
            answered = event.seq if speaks else receipt.answered
            self._change(event, id, replies=receipt.replies + 1, answered=answered)

    def _started(self, event: Event) -> None:
        body, key = event.body, event.key
        if not isinstance(body, ToolStarted) or key is None:
            return
        acting = [id for id, about in self._watched.items() if about.in_arguments(body.arguments)]
        for id in acting:
            self._change(event, id, calls=(*self._receipts[id].last.calls, key))
        if acting:
            self._acting[key] = acting

    def _finished(self, event: Event) -> None:
        ids = self._acting.pop(event.key or "", [])
        if isinstance(event.body, ToolFinished) and event.body.files:
            for id in ids:
                paths = dict.fromkeys((*self._receipts[id].last.files, *(change.path for change in event.body.files)))
                self._change(event, id, files=tuple(paths))

    def _ended(self, event: Event) -> None:
        for id in [id for id in self._watched if self._receipts[id].last.replies]:
            self._close(event, id)

    def _moved(self, event: Event) -> None:
        """What was said on an abandoned branch is not watched any more."""
        gone = [id for id in self._watched if not self._branches.visible(self._receipts[id].last.delivered or 0)]
        for id in gone:
            del self._watched[id]


def _count(count: int, noun: str) -> str:
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"


def _files(files: tuple[str, ...]) -> str:
    if not files:
        return ""
    more = f" and {_count(len(files) - 1, 'more file')}" if len(files) > 1 else ""
    return f" that changed {files[0]}{more}"
