"""Records of any tool written as a session of ours: requests, replies, calls, edits, compressions, in our events.

What a transcript does not tell is left unknown: a price that nobody knows is None, a session without times has none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from core.events import (
    IMPORTED,
    ContextCompressed,
    Draft,
    GuidanceDelivered,
    ImportKept,
    ModelConsulted,
    ModelFailed,
    ModelResponded,
    ModelSwitched,
    Outlook,
    PlanChanged,
    Price,
    SessionFinished,
    SessionOpened,
    SessionRenamed,
    ToolFinished,
    ToolStarted,
    Usage,
)
from core.ids import name_from
from core.importers.calls import arguments_of, effect_of
from core.importers.pieces import brief, capped, change_of, request_of, size_of, took_ms, typed_block
from core.importers.pricing import PriceBook
from core.importers.records import (
    Answered,
    Compacted,
    Ended,
    Failed,
    Kept,
    Planned,
    Record,
    Renamed,
    Replied,
    Said,
    Session,
)
from core.importers.rows import fields, words
from core.journal.bulk import BulkWriter
from core.journal.writer import Journal

SIDE: Final = "subagent"
"""The purpose of requests that are no part of the conversation."""
_HELD: Final = 400
"""Records that are held until the task and the model are known."""
_EARLY: Final = 1_000
_MINUTES_5: Final = 300
_HOUR: Final = 3_600
_BYTES_PER_TOKEN: Final = 4
_DISORDER_US: Final = 1_000_000


@dataclass(slots=True)
class Count:
    """What became of the records of one session. `early`: rows whose time lies before that of the row before."""

    replies: int = 0
    calls: int = 0
    kept: dict[str, int] = field(default_factory=dict)
    uncounted: int = 0
    early: int = 0


@dataclass(slots=True)
class _Asked:
    """A call without a result: its key, name, and when it began."""

    key: str
    name: str
    at_us: int


class Scribe:
    """Writes one session. `take` every record, then `close`. `redact` takes secrets out of tool output."""

    def __init__(
        self, writer: BulkWriter, id: str, told: Session, file: str, prices: PriceBook, redact: Callable[[str], str]
    ) -> None:
        self.count = Count()
        self.name = told.name
        self._writer, self._id, self._told, self._file = writer, id, told, file
        self._prices, self._redact = prices, redact
        self._held: list[Record] | None = []
        self._model = told.model
        self._timed, self._last_us, self._early_us = False, 0, 0
        self._number = self._messages = 0
        self._asked: dict[str, _Asked] = {}
        self._early: dict[str, Answered] = {}
        self._sizes = dict.fromkeys(("pinned", "digest", "text", "results"), 0)
        self._sent = 0
        self._ttl_s = _MINUTES_5
        self._side = ""
        self._end: Ended | None = None
        self._last_key, self._calls_of_last = "", 0

    @property
    def silent(self) -> bool:
        """Whether nothing was said or done in it."""
        held = any(isinstance(record, Said | Replied) for record in self._held or ())
        return not held and not self.count.replies and not self.count.calls

    def take(self, record: Record) -> None:
        """Write a record, or hold it until it is known how the session began."""
        if self._held is None:
            self._write(record)
            return
        self._held.append(record)
        replied = isinstance(record, Replied) and not record.lane and record.model
        if replied or len(self._held) >= _HELD:
            self._open()

    def close(self, detail: str) -> None:
        """Write what is still open and how it ended; `detail` says what was read."""
        if self._held is not None:
            self._open()
        for asked in list(self._asked.values()):
            text = "[The transcript holds no result of this call.]"
            self._finished(asked, Answered(use_id="", text=text, ok=False), recovered=True)
        for late in self._early.values():
            self._keep(Kept(what="result without a call", fields={"text": late.text}))
        end = self._end or Ended(state="stopped", reason="imported", detail="the transcript tells no end")
        self._total(end)
        text = ". ".join(filter(None, (end.detail.strip().rstrip("."), detail)))
        reason = end.reason if end.state == "finished" else "imported"
        self._add(SessionFinished(state=end.state, reason=reason, detail=text), end.at_us)
        self._writer.seal()

    # The beginning

    def _open(self) -> None:
        held, self._held = self._held or [], None
        task = next((one for one in held if isinstance(one, Said) and one.source == "user" and not one.lane), None)
        title = next((one.name for one in held if isinstance(one, Renamed)), "")
        reply = next((one for one in held if isinstance(one, Replied) and not one.lane and one.model), None)
        self._model = self._model or (reply.model if reply else "")
        at_us = self._told.at_us or next((one.at_us for one in held if one.at_us), None)
        self._timed, self._last_us = at_us is not None, at_us or 0
        text = self._told.task or (task.text if task else "(the transcript tells no task)")
        self.name = self.name or title or name_from(text)
        self._sizes["pinned"] = size_of(text)
        self._add(
            SessionOpened(
                session=self._id,
                name=self.name[:80],
                task=text,
                workspace=self._told.workspace,
                model=self._model,
                endpoint="",
                profile=IMPORTED,
                app_version=self._told.version,
                origin=self._origin(),
            ),
            at_us,
            actor="user",
        )
        for record in held:
            if record is not task and not (isinstance(record, Renamed) and record.name == title):
                self._write(record)

    def _origin(self) -> dict[str, Any]:
        told = self._told
        return {"tool": told.tool, "version": told.version, "session": told.key, "file": self._file}

    def _write(self, record: Record) -> None:
        if isinstance(record, Replied):
            record.content = list(map(typed_block, record.content))
        try:
            self._writings[type(record)](self, record)
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            what = f"{type(record).__name__.lower()} that can't be written"
            self._keep(Kept(what=what, fields={"text": str(error)[:500]}))

    def _add(
        self, body: Any, at_us: int | None = None, key: str | None = None, actor: str = "agent", **more: Any
    ) -> None:
        if at_us is not None and self._timed:
            if at_us < self._last_us - _DISORDER_US and at_us != self._early_us:
                self.count.early, self._early_us = self.count.early + 1, at_us
            self._last_us = max(self._last_us, at_us)
        self._writer.append(Draft(body, key=key, actor=actor), self._last_us, **more)

    # Words

    def _said(self, record: Said) -> None:
        if record.lane:
            self._keep(Kept(what="words to a subagent", fields={"text": record.text}, at_us=record.at_us))
            return
        self._messages += 1
        self._sizes["text"] += size_of(record.text)
        self._add(GuidanceDelivered(text=record.text, source=record.source), record.at_us, actor="user")

    def _replied(self, record: Replied) -> None:
        if record.lane:
            self._consulted(record)
            return
        if record.rest and self._last_key and all(block.get("type") == "tool_use" for block in record.content):
            self._started(record, self._last_key, self._calls_of_last)
            return
        if record.model and record.model != self._model:
            self._add(ModelSwitched(model=record.model), record.asked_us or record.at_us)
            self._model = record.model
        key = self._request("main", record)
        usage, price = self._billed(record)
        self._sent = usage.sent or self._sent
        self._messages += 1
        self._sizes["text"] += sum(size_of(words(block.get("text"))) for block in record.content)
        self._add(
            ModelResponded(
                message_id=record.id,
                model=record.model or self._model,
                content=record.content,
                stop_reason=record.stop,
                usage=usage,
                price=price,
                raw_usage=record.raw_usage,
                ms=took_ms(record),
            ),
            record.at_us,
            key,
        )
        self.count.replies += 1
        self._started(record, key, 0)

    def _consulted(self, record: Replied) -> None:
        """A subagent's reply: what it said and cost, beside the conversation; its calls are calls like others."""
        key = self._request(SIDE, record)
        usage, price = self._billed(record)
        text = "\n".join(words(block.get("text")) for block in record.content if block.get("type") == "text")
        body = ModelConsulted(
            model=record.model or self._model,
            text=text,
            stop_reason=record.stop,
            usage=usage,
            price=price,
            ms=took_ms(record),
            detail=record.lane,
        )
        self._add(body, record.at_us, key)
        self._started(record, key, 0)

    def _request(self, purpose: str, record: Replied) -> str:
        self._number += 1
        main = purpose == "main"
        key = f"{'r' if main else purpose}{self._number}.1"
        parts = {name: size // _BYTES_PER_TOKEN for name, size in self._sizes.items() if size} if main else {}
        model = record.model or self._model
        body = request_of(
            model,
            purpose,
            messages=self._messages if main else 0,
            parts=parts,
            window=record.window or self._prices.window(self._told.provider, model),
            outlook=self._outlook(record) if main else None,
        )
        self._add(body, record.asked_us, key)
        return key

    def _outlook(self, record: Replied) -> Outlook:
        """Whose cache lives how long is known of one provider alone; elsewhere misses can't be judged."""
        if record.usage is None or not self._prices.explicit_cache(self._told.provider, record.model or self._model):
            return Outlook()
        self._ttl_s = _HOUR if record.usage.cache_write_1h else self._ttl_s if record.usage.cache_read else _MINUTES_5
        return Outlook(ttl_s=self._ttl_s, readable=self._sent)

    def _billed(self, record: Replied) -> tuple[Usage, Price]:
        self.count.uncounted += record.usage is None and not record.rest and not self._told.whole
        usage = record.usage or Usage()
        if record.rest:
            return Usage(), Price(cost="0", source="counted before")
        if self._told.whole:
            return usage, Price(cost="0", source="told of the whole session, at its end")
        price = self._prices.price(self._told.provider, record.model or self._model, record.usage, self._last_us)
        if record.cost is not None:
            return usage, Price(cost=record.cost, source=f"told by {self._told.tool}", row=price.row)
        return usage, price

    # Calls

    def _started(self, record: Replied, key: str, first: int) -> None:
        index = first
        for block in record.content:
            if block.get("type") != "tool_use":
                continue
            use_id, name = words(block.get("id")), words(block.get("name"), "tool")
            arguments = arguments_of(fields(block.get("input")))
            call = f"{key}.{index}"
            body = ToolStarted(name=name, use_id=use_id, arguments=arguments, effect=effect_of(name, arguments))
            self._add(body, record.at_us, call)
            self.count.calls += 1
            index += 1
            asked = _Asked(call, name, self._last_us)
            if (early := self._early.pop(use_id, None)) is not None:
                self._finished(asked, early)
            else:
                if (before := self._asked.pop(use_id, None)) is not None:
                    self._asked[f"{use_id} of {before.key}"] = before
                self._asked[use_id] = asked
        if not record.lane:
            self._last_key, self._calls_of_last = key, index

    def _answered(self, record: Answered) -> None:
        asked = self._asked.pop(record.use_id, None)
        if asked is not None:
            self._finished(asked, record)
        elif len(self._early) < _EARLY:
            self._early[record.use_id] = record
        else:
            self._keep(Kept(what="result without a call", fields={"text": record.text}, at_us=record.at_us))

    def _finished(self, asked: _Asked, record: Answered, *, recovered: bool = False) -> None:
        text = self._redact(record.text)
        whole = f"{text}\n\n{record.diff}" if record.diff and record.diff not in text else text
        shown, blob = capped(whole)
        side = asked.key.startswith(SIDE)
        if not side:
            self._sizes["results"] += size_of(text)
        at_us = record.at_us
        lasted = max(0, (at_us - asked.at_us) // 1_000) if at_us and self._timed else 0
        body = ToolFinished(
            name=asked.name,
            use_id=record.use_id,
            ok=record.ok,
            content=shown,
            ms=lasted if record.ms is None else record.ms,
            blob=Journal.hash_of(blob) if blob is not None else None,
            size=size_of(text),
            exit_code=record.exit_code,
            files=[change_of(edit) for edit in record.edits],
            fingerprint=hashlib.sha256(text.encode("utf-8", "replace")).hexdigest(),
            recovered=recovered,
        )
        self._add(body, at_us, asked.key, blobs=[blob] if blob is not None else [])

    # What surrounds the conversation

    def _compacted(self, record: Compacted) -> None:
        if record.lane:
            self._keep(Kept(what="compaction of a subagent", fields={"text": record.summary}, at_us=record.at_us))
            return
        after = record.after if record.after is not None else size_of(record.summary) // _BYTES_PER_TOKEN
        body = ContextCompressed(
            policy=self._told.tool,
            reason=record.trigger or "not told",
            digest=record.summary,
            keep_from=None,
            tokens_before=record.before if record.before is not None else self._sent,
            tokens_after=after,
        )
        self._add(body, record.at_us, actor="user" if record.trigger == "manual" else "agent")
        self._sizes |= {"text": 0, "results": 0, "digest": size_of(record.summary)}
        self._messages, self._sent = 1, 0

    def _planned(self, record: Planned) -> None:
        if record.lane:
            return
        self._add(PlanChanged(steps=record.steps, reason=self._told.tool), record.at_us)

    def _failed(self, record: Failed) -> None:
        key = self._request("main" if not record.lane else SIDE, Replied(at_us=record.at_us, asked_us=record.at_us))
        body = ModelFailed(error=record.error[:80], message=record.message, status=record.status)
        self._add(body, record.at_us, key)

    def _renamed(self, record: Renamed) -> None:
        if record.name and record.name != self.name:
            self.name = record.name[:80]
            self._add(SessionRenamed(name=self.name), record.at_us)

    def _kept(self, record: Kept) -> None:
        self._keep(record)

    def _keep(self, record: Kept) -> None:
        self.count.kept[record.what] = self.count.kept.get(record.what, 0) + 1
        body = ImportKept(what=record.what[:80], row=record.row, fields=brief(record.fields))
        try:
            self._add(body, record.at_us)
        except (ValueError, TypeError, OverflowError, RecursionError):
            self._add(ImportKept(what=record.what[:80], row=record.row), record.at_us)

    def _ended(self, record: Ended) -> None:
        self._end = record

    def _total(self, end: Ended) -> None:
        """What the transcript tells of the whole alone: one charge at the end."""
        if end.cost is None and end.usage is None:
            return
        self._number += 1
        key = f"total{self._number}.1"
        source = f"told by {self._told.tool} for the whole session"
        self._add(request_of(self._model, "total"), end.at_us, key)
        usage, price = end.usage or Usage(), Price(cost=end.cost, source=source)
        self._add(ModelConsulted(model=self._model, text="", stop_reason="", usage=usage, price=price), end.at_us, key)

    _writings: dict[type[Record], Callable[..., None]] = {
        Said: _said,
        Replied: _replied,
        Answered: _answered,
        Compacted: _compacted,
        Planned: _planned,
        Failed: _failed,
        Renamed: _renamed,
        Kept: _kept,
        Ended: _ended,
    }
