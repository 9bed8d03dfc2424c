"""Transcripts of Claude Code: one JSON object a line, as kept in its projects folder or printed as a stream.

A reply is spread over rows, one a block, which share the message's id and its usage; results of its calls may stand
between them. So a reply is held until something shows that it is over. Rows of subagents are marked `isSidechain`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from core.importers import calls
from core.importers.records import (
    Answered,
    Compacted,
    Edited,
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
from core.importers.rows import Tally, Unreadable, dollars, fields, items, number, text_of, time_us, words
from core.models.usage import usage_of

TOOL: Final = "Claude Code"
_TICKING: Final = frozenset(("progress", "stream_event", "rate_limit_event"))
"""Rows that tell again, or beforehand, what other rows say."""
_NOT_SAID: Final = (
    "<local-command-",
    "<command-name>",
    "<command-message>",
    "<system-reminder>",
    "<task-notification>",
)
_SYNTHETIC: Final = "<synthetic>"


@dataclass(slots=True)
class _Open:
    """A reply that may go on, and the results of its calls that came meanwhile."""

    reply: Replied
    results: list[Record] = field(default_factory=list)


@dataclass(slots=True)
class _Lane:
    """One conversation: the main one, or that of the subagent `name`. `asked`: arguments of calls without a result."""

    name: str = ""
    open: _Open | None = None
    last: str = ""
    last_us: int | None = None
    asked: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    boundary: Compacted | None = None


class ClaudeCode:
    """Reads rows in the order of the file; each session of the file on its own."""

    def __init__(self, tally: Tally, *, flat: bool = False) -> None:
        """`flat`: the file is a subagent's own, whose rows are the conversation."""
        self._tally, self._flat = tally, flat
        self._lanes: dict[tuple[str, str], _Lane] = {}
        self._current = self._workspace = ""
        self._seen: set[int] = set()
        self._before: list[tuple[int, dict[str, Any]]] = []
        """Rows at the beginning that name no session: they belong to the first one."""

    def read(self, rows: Iterable[tuple[int, dict[str, Any]] | Unreadable]) -> Iterator[Record]:
        """The records of all rows."""
        for row in rows:
            if isinstance(row, Unreadable):
                yield Kept(what=row.why, row=row.row, fields={"text": row.text})
            elif not self._again(row[1]):
                yield from self._row(*row)
        for (session, _), lane in list(self._lanes.items()):
            yield from self._enter(session)
            yield from _settled(lane)

    def _again(self, row: dict[str, Any]) -> bool:
        """Whether this very row was read before: resumed sessions copy their past."""
        if not isinstance(uuid := row.get("uuid"), str):
            return False
        mark = hash((uuid, row.get("sessionId") if isinstance(row.get("sessionId"), str) else ""))
        if mark in self._seen:
            self._tally.leave_out("row that stands twice")
            return True
        self._seen.add(mark)
        return False

    def _row(self, at: int, row: dict[str, Any]) -> Iterator[Record]:
        kind = words(row.get("type"))
        if kind in _TICKING:
            self._tally.leave_out(kind)
            return
        session = words(row.get("sessionId")) or words(row.get("session_id")) or self._current
        if not session:
            if kind not in ("user", "assistant"):
                self._before.append((at, row))
                return
            session = "session"
        yield from self._enter(session, row)
        lane_name = "" if self._flat else _lane_of(row)
        lane = self._lanes.setdefault((session, lane_name), _Lane(lane_name))
        if lane_name and (main := self._lanes.get((session, ""))):
            yield from _settled(main)
        elif not lane_name:
            for side in [one for (owner, name), one in self._lanes.items() if name and owner == session]:
                yield from _settled(side)
        for record in self._records(at, kind, row, lane):
            record.lane = lane_name
            if record.at_us is None:
                record.at_us = lane.last_us
            yield record
        lane.last_us = time_us(row.get("timestamp")) or lane.last_us

    def _enter(self, session: str, row: dict[str, Any] | None = None) -> Iterator[Record]:
        if session == self._current:
            return
        self._current, row = session, row or {}
        self._workspace = words(row.get("cwd")) or self._workspace
        yield Session(
            key=session,
            tool=TOOL,
            version=words(row.get("version")) or words(row.get("claude_code_version")),
            workspace=words(row.get("cwd")),
            model=words(row.get("model")),
            provider="anthropic",
            at_us=time_us(row.get("timestamp")),
        )
        before, self._before = self._before, []
        for at, early in before:
            yield from self._row(at, early)

    def _records(self, at: int, kind: str, row: dict[str, Any], lane: _Lane) -> Iterator[Record]:
        at_us = time_us(row.get("timestamp"))
        self._workspace = words(row.get("cwd")) or self._workspace
        if kind == "assistant" and isinstance(row.get("message"), dict):
            yield from self._assistant(row, lane, at_us)
        elif kind == "user" and isinstance(row.get("message"), dict):
            yield from self._user(at, row, lane, at_us)
        elif kind in ("summary", "custom-title", "ai-title"):
            title = words(row.get("summary")) or words(row.get("customTitle")) or words(row.get("aiTitle"))
            yield Renamed(name=title, at_us=at_us) if title else Kept(what=kind, row=at, fields=row, at_us=at_us)
        elif kind == "system" and row.get("subtype") == "compact_boundary":
            yield from _settled(lane)
            told = fields(row.get("compactMetadata")) or fields(row.get("compact_metadata"))
            lane.boundary = Compacted(
                trigger=words(told.get("trigger")),
                before=number(told.get("preTokens", told.get("pre_tokens"))),
                after=number(told.get("postTokens", told.get("post_tokens"))),
                at_us=at_us,
            )
        elif kind == "result" and ("total_cost_usd" in row or "num_turns" in row):
            yield from _settled(lane)
            yield _result(row, at_us)
        elif kind == "system" and row.get("subtype") == "init":
            self._tally.leave_out("system init")
        else:
            yield Kept(what=_named(kind, row), row=at, fields=row, at_us=at_us)

    # What the model said

    def _assistant(self, row: dict[str, Any], lane: _Lane, at_us: int | None) -> Iterator[Record]:
        message = row["message"]
        content = [block for block in items(message.get("content")) if isinstance(block, dict)]
        if isinstance(message.get("content"), str):
            content = [{"type": "text", "text": message["content"]}]
        if message.get("model") == _SYNTHETIC or row.get("isApiErrorMessage") is True:
            yield from _settled(lane)
            yield Failed(error="api", message=text_of(content)[:2_000], at_us=at_us)
            return
        id = words(message.get("id")) or words(row.get("requestId")) or words(row.get("uuid"))
        if lane.open is not None and lane.open.reply.id == id and id:
            _grow(lane.open.reply, message, content)
        else:
            yield from _settled(lane)
            lane.open = _Open(_reply(id, message, content, row, at_us, lane))
            lane.last = id
        for block in content:
            if block.get("type") == "tool_use" and isinstance(block.get("id"), str):
                lane.asked[block["id"]] = (words(block.get("name")), fields(block.get("input")))

    # What it was sent

    def _user(self, at: int, row: dict[str, Any], lane: _Lane, at_us: int | None) -> Iterator[Record]:
        content = row["message"].get("content")
        blocks = [block for block in items(content) if isinstance(block, dict)]
        results = [block for block in blocks if block.get("type") == "tool_result"]
        for block in results:
            yield from self._result(block, row, lane, at_us, alone=len(results) == 1)
        text = text_of([block for block in blocks if block.get("type") != "tool_result"] if blocks else content)
        if not text.strip():
            return
        yield from _settled(lane)
        if row.get("isCompactSummary") is True:
            told, lane.boundary = lane.boundary or Compacted(at_us=at_us), None
            told.summary = text
            yield told
        else:
            notice = row.get("isMeta") is True or text.startswith(_NOT_SAID)
            yield Said(text=text, source="notice" if notice else "user", at_us=at_us)

    def _result(
        self, block: dict[str, Any], row: dict[str, Any], lane: _Lane, at_us: int | None, *, alone: bool
    ) -> Iterator[Record]:
        use_id = words(block.get("tool_use_id"))
        name, arguments = lane.asked.pop(use_id, ("", {}))
        extra = row.get("toolUseResult", row.get("tool_use_result")) if alone else None
        ok = block.get("is_error") is not True
        edits, diff = _edits(name, arguments, extra, self._workspace) if ok else ((), "")
        answered = Answered(
            use_id=use_id,
            text=text_of(block.get("content")),
            ok=ok,
            at_us=at_us,
            ms=number(fields(extra).get("durationMs")) or number(fields(extra).get("totalDurationMs")),
            exit_code=_exit_code(block, ok=ok) if name == "Bash" else None,
            edits=edits,
            diff=diff,
        )
        found: list[Record] = [answered]
        if name == "TodoWrite" and ok and (steps := calls.steps_of(arguments.get("todos"))):
            found.append(Planned(steps=steps, at_us=at_us))
        if lane.open is not None:
            lane.open.results += found
        else:
            yield from found


def _lane_of(row: dict[str, Any]) -> str:
    """Whose conversation a row belongs to: empty for the main one."""
    if row.get("isSidechain") is True:
        return words(row.get("agentId")) or "subagent"
    return words(row.get("parent_tool_use_id"))


def _settled(lane: _Lane) -> Iterator[Record]:
    """The reply that was held, now that it is over, and what came to its calls."""
    if lane.open is not None:
        held, lane.open = lane.open, None
        for record in (held.reply, *held.results):
            record.lane = lane.name
            yield record


def _reply(
    id: str, message: dict[str, Any], content: list[dict[str, Any]], row: dict[str, Any], at_us: int | None, lane: _Lane
) -> Replied:
    raw = fields(message.get("usage"))
    return Replied(
        id=id,
        model=words(message.get("model")),
        content=content,
        stop=words(message.get("stop_reason")),
        usage=usage_of(raw),
        raw_usage={name: value for name, value in raw.items() if name in ("service_tier", "server_tool_use", "speed")},
        cost=dollars(row.get("costUSD")),
        ms=number(row.get("durationMs")),
        at_us=at_us,
        asked_us=lane.last_us,
        rest=bool(id) and lane.last == id,
    )


def _grow(reply: Replied, message: dict[str, Any], content: list[dict[str, Any]]) -> None:
    """Another row of the same reply: more blocks, and usage that is as complete or more so."""
    reply.content = [*reply.content, *content]
    reply.stop = words(message.get("stop_reason")) or reply.stop
    usage = usage_of(fields(message.get("usage")))
    if usage is not None and (reply.usage is None or usage.output >= reply.usage.output):
        reply.usage = usage


def _edits(name: str, arguments: dict[str, Any], extra: Any, workspace: str) -> tuple[tuple[Edited, ...], str]:
    """What a call changed, from the patch beside its result, else from its arguments."""
    if name not in ("Edit", "MultiEdit", "Write", "NotebookEdit"):
        return (), ""
    told = fields(extra)
    path = words(told.get("filePath")) or words(arguments.get("file_path")) or words(arguments.get("notebook_path"))
    path = calls.place_in(path, workspace)
    new = told.get("type") == "create"
    if patch := items(told.get("structuredPatch")):
        edited, diff = calls.hunks_of(path, patch, new=new)
        return (edited,), diff
    if name == "Write":
        return ((calls.created(path, words(arguments.get("content"))) if new else Edited(path=path)),), ""
    if isinstance(old := arguments.get("old_string"), str):
        edited, diff = calls.replaced(path, old, words(arguments.get("new_string")))
        return (edited,), diff
    return (Edited(path=path),), ""


def _exit_code(block: dict[str, Any], *, ok: bool) -> int | None:
    """Claude Code tells it only of a command that failed: `Exit code 2` on the first line."""
    if ok:
        return None
    head, _, code = text_of(block.get("content")).split("\n", 1)[0].rpartition(" ")
    return int(code) if head.lower() == "exit code" and code.isdigit() and len(code) < 5 else None


def _result(row: dict[str, Any], at_us: int | None) -> Ended:
    failed = row.get("is_error") is True
    return Ended(
        state="failed" if failed else "finished",
        reason="request" if failed else "done",
        detail=words(row.get("subtype")),
        at_us=at_us,
    )


def _named(kind: str, row: dict[str, Any]) -> str:
    subtype = words(row.get("subtype"))
    return " ".join(filter(None, (kind or "row without a type", subtype)))[:80]
