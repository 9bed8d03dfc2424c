"""Rollouts of Codex: one JSON object a line, `{timestamp, type, payload}`; the first versions wrote bare items.

Items of a reply follow each other; a `token_count` says that it is over and what it used. Results of its calls may
stand before that, so they are held meanwhile.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from core.events import Usage
from core.ids import name_from
from core.importers import calls
from core.importers.records import Answered, Compacted, Failed, Kept, Planned, Record, Renamed, Replied, Said, Session
from core.importers.rows import Tally, Unreadable, fields, number, text_of, time_us, tokens, words

TOOL: Final = "Codex"
_REPEATED: Final = frozenset(
    (
        *("agent_message", "user_message", "agent_reasoning", "agent_reasoning_raw_content", "item_completed"),
        *("agent_reasoning_section_break", "exec_command_begin", "exec_command_output_delta", "patch_apply_begin"),
        *("mcp_tool_call_begin", "mcp_tool_call_end", "web_search_begin", "web_search_end", "context_compacted"),
        *("task_started", "turn_started", "plan_update", "turn_diff", "raw_response_item", "thread_name_updated"),
        *("task_complete", "turn_complete", "item_started", "view_image_tool_call", "agent_message_content_delta"),
    )
)
"""Messages of its screen, which say again what the items say."""
_NOTICES: Final = (
    "<environment_context",
    "<user_instructions",
    "# AGENTS.md",
    "<permissions",
    "<turn_aborted",
    "<skill",
)
_REQUEST: Final = "## My request for Codex:"
"""Behind what an editor says of its open files."""
_CALLS: Final = frozenset(("function_call", "custom_tool_call", "local_shell_call", "web_search_call"))
_OUTPUTS: Final = frozenset(("function_call_output", "custom_tool_call_output", "tool_search_output"))
_BARE: Final = frozenset(("message", "reasoning", "web_search_call", *_CALLS, *_OUTPUTS))


class Codex:
    """Reads rows in the order of the file."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._model = self._workspace = self._session = ""
        self._named = False
        self._window: int | None = None
        self._open: Replied | None = None
        self._results: list[Record] = []
        self._names: dict[str, tuple[str, dict[str, Any]]] = {}
        self._ended: dict[str, dict[str, Any]] = {}
        """What the screen was told of commands that ended, until their output comes."""
        self._total = -1
        self._last_us: int | None = None

    def read(self, rows: Iterable[tuple[int, dict[str, Any]] | Unreadable]) -> Iterator[Record]:
        """The records of all rows."""
        for row in rows:
            if isinstance(row, Unreadable):
                yield Kept(what=row.why, row=row.row, fields={"text": row.text})
                continue
            for record in self._row(*row):
                record.at_us = record.at_us or self._last_us
                yield record
        yield from self._settled()

    def _row(self, at: int, row: dict[str, Any]) -> Iterator[Record]:
        at_us = time_us(row.get("timestamp")) or self._last_us
        kind, payload = words(row.get("type")), row.get("payload")
        if not isinstance(payload, dict):
            kind, payload = (
                ("response_item", row) if kind in _BARE else ("session_meta" if _is_head(row) else kind, row)
            )
        reading = _READINGS.get(kind)
        if not self._session and kind != "session_meta":
            yield from self._meta(0, {}, at_us)
        if reading is None:
            if row.get("record_type") == "state":
                self._tally.leave_out("state")
            else:
                yield Kept(what=kind or "row without a type", row=at, fields=row, at_us=at_us)
        else:
            yield from reading(self, at, payload, at_us)
        self._last_us = at_us

    def _meta(self, at: int, payload: dict[str, Any], at_us: int | None) -> Iterator[Record]:
        session = words(payload.get("id")) or words(payload.get("session_id")) or "session"
        if session == self._session:
            return
        yield from self._settled()
        self._session, self._workspace, self._named = session, words(payload.get("cwd")), False
        yield Session(
            key=session,
            tool=TOOL,
            version=words(payload.get("cli_version")),
            workspace=self._workspace,
            model=words(payload.get("model")),
            provider=words(payload.get("model_provider")) or "openai",
            at_us=time_us(payload.get("timestamp")) or at_us,
        )

    def _context(self, at: int, payload: dict[str, Any], at_us: int | None) -> Iterator[Record]:
        self._model = words(payload.get("model")) or self._model
        self._workspace = words(payload.get("cwd")) or self._workspace
        self._tally.leave_out("turn_context")
        return iter(())

    def _compacted(self, at: int, payload: dict[str, Any], at_us: int | None) -> Iterator[Record]:
        yield from self._settled()
        yield Compacted(summary=words(payload.get("message")), at_us=at_us)

    # Items: what was said, called and answered

    def _item(self, at: int, item: dict[str, Any], at_us: int | None) -> Iterator[Record]:
        kind = words(item.get("type"))
        if kind == "message" and item.get("role") != "assistant":
            yield from self._said(item, at_us)
        elif kind in ("message", "reasoning", *_CALLS):
            if self._results and self._open is not None:
                yield from self._settled()
            self._add(kind, item, at_us)
        elif kind in _OUTPUTS:
            self._results += self._answered(item, at_us)
            if self._open is None:
                yield from self._settled()
        else:
            yield Kept(what=f"item {kind}".strip(), row=at, fields=item, at_us=at_us)

    def _said(self, item: dict[str, Any], at_us: int | None) -> Iterator[Record]:
        yield from self._settled()
        if text := text_of(item.get("content")).strip():
            notice = item.get("role") != "user" or text.startswith(_NOTICES)
            if not notice and _REQUEST in text and not self._named:
                self._named = True
                yield Renamed(name=name_from(text.partition(_REQUEST)[2]), at_us=at_us)
            yield Said(text=text, source="notice" if notice else "user", at_us=at_us)

    def _add(self, kind: str, item: dict[str, Any], at_us: int | None) -> None:
        if self._open is None:
            self._open = Replied(model=self._model, window=self._window, asked_us=self._last_us)
        reply = self._open
        reply.at_us = at_us
        if kind == "message":
            reply.content = [*reply.content, {"type": "text", "text": text_of(item.get("content"))}]
        elif kind == "reasoning":
            if text := text_of(item.get("summary")) or text_of(item.get("content")):
                reply.content = [*reply.content, {"type": "thinking", "thinking": text}]
        else:
            self._call(kind, item, reply)

    def _call(self, kind: str, item: dict[str, Any], reply: Replied) -> None:
        id = words(item.get("call_id")) or words(item.get("id")) or f"call-{len(self._names) + 1}"
        name, asked = words(item.get("name")) or kind.removesuffix("_call"), item.get("arguments", item.get("input"))
        if kind in ("local_shell_call", "web_search_call"):
            asked = fields(item.get("action"))
        arguments = calls.arguments_of(asked)
        self._names[id] = (name, arguments)
        reply.content = [*reply.content, {"type": "tool_use", "id": id, "name": name, "input": arguments}]
        if kind == "web_search_call":
            self._results.append(Answered(use_id=id, text="", ok=item.get("status") != "failed", at_us=reply.at_us))

    def _answered(self, item: dict[str, Any], at_us: int | None) -> Iterator[Record]:
        id = words(item.get("call_id"))
        name, arguments = self._names.pop(id, ("", {}))
        told = _told(item.get("output"))
        ended = self._ended.pop(id, {})
        code = told.code if told.code is not None else _code(ended)
        ok = told.ok and not code
        patch = _patch_in(name, arguments)
        answered = Answered(
            use_id=id,
            text=told.text,
            ok=ok,
            exit_code=code,
            ms=told.ms if told.ms is not None else _duration_ms(ended.get("duration")),
            edits=calls.patched(patch, self._workspace) if patch and ok else (),
            diff=patch if ok else "",
            at_us=at_us,
        )
        yield answered
        if name == "update_plan" and (steps := calls.steps_of(arguments.get("plan"))):
            yield Planned(steps=steps, at_us=at_us)

    # Messages of the screen

    def _message(self, at: int, payload: dict[str, Any], at_us: int | None) -> Iterator[Record]:
        kind = words(payload.get("type"))
        if kind == "token_count":
            yield from self._counted(payload, at_us)
        elif kind in ("exec_command_end", "patch_apply_end"):
            self._tally.leave_out(kind)
            if len(self._ended) < _MOST_ENDED:
                self._ended[words(payload.get("call_id"))] = payload
        elif kind in _REPEATED:
            self._tally.leave_out(kind)
        elif kind in ("error", "stream_error"):
            yield from self._settled()
            yield Failed(error="api", message=words(payload.get("message"))[:2_000], at_us=at_us)
        elif kind == "turn_aborted":
            yield from self._settled()
            yield Said(
                text=f"Turn aborted: {words(payload.get('reason'), 'no reason told')}", source="notice", at_us=at_us
            )
        else:
            yield Kept(what=f"message {kind}".strip(), row=at, fields=payload, at_us=at_us)

    def _counted(self, payload: dict[str, Any], at_us: int | None) -> Iterator[Record]:
        info = fields(payload.get("info"))
        self._window = number(info.get("model_context_window")) or self._window
        total = number(fields(info.get("total_token_usage")).get("total_tokens"))
        if not info or (total is not None and total == self._total):
            self._tally.leave_out("token_count")
            return
        self._total = -1 if total is None else total
        usage = _usage(fields(info.get("last_token_usage")))
        if self._open is not None:
            self._open.usage, self._open.window = usage, self._window
            yield from self._settled()
        else:
            self._tally.leave_out("token_count")

    def _settled(self) -> Iterator[Record]:
        held, self._open = self._open, None
        results, self._results = self._results, []
        if held is not None and held.content:
            yield held
        yield from results


_MOST_ENDED: Final = 1_000
_READINGS: Final[dict[str, Callable[[Codex, int, dict[str, Any], int | None], Iterator[Record]]]] = {
    "session_meta": Codex._meta,
    "turn_context": Codex._context,
    "response_item": Codex._item,
    "event_msg": Codex._message,
    "compacted": Codex._compacted,
}


def _is_head(row: dict[str, Any]) -> bool:
    return isinstance(row.get("id"), str) and "timestamp" in row and "type" not in row


def _usage(raw: dict[str, Any]) -> Usage | None:
    """Tokens as they are told here: the input with its cached part in it."""
    sent, output = tokens(raw.get("input_tokens")), tokens(raw.get("output_tokens"))
    if sent is None or output is None:
        return None
    cached = min(sent, tokens(raw.get("cached_input_tokens")) or 0)
    return Usage(fresh=sent - cached, cache_read=cached, output=output)


class _Told:
    """What an output says: its text, whether the call worked, exit code and duration where they are told."""

    def __init__(self, text: str, ok: bool = True, code: int | None = None, ms: int | None = None) -> None:
        self.text, self.ok, self.code, self.ms = text, ok, code, ms


_CODE = re.compile(r"^(?:Exit code:|Process exited with code) (\d{1,5})$", re.MULTILINE)
_WALL = re.compile(r"^Wall time: (\d{1,9}(?:\.\d{1,9})?) seconds$", re.MULTILINE)
_HEAD: Final = 600


def _told(output: Any) -> _Told:
    """An output is a text with a few lines before it, a JSON text with `output` and `metadata`, or an object."""
    if isinstance(output, dict):
        return _Told(text_of(output.get("content", output.get("output"))), output.get("success") is not False)
    if not isinstance(output, str):
        return _Told(text_of(output))
    if output.startswith("{"):
        try:
            inner = json.loads(output)
        except (ValueError, RecursionError):
            inner = None
        if isinstance(inner, dict) and isinstance(inner.get("output"), str):
            told = fields(inner.get("metadata"))
            return _Told(inner["output"], True, number(told.get("exit_code")), _ms(told.get("duration_seconds")))
    head, sep, _rest = output[:_HEAD].partition("Output:\n")
    if not sep:
        return _Told(output)
    code, wall = _CODE.search(head), _WALL.search(head)
    text = output[len(head) + len(sep) :] if code or wall else output
    return _Told(text, True, int(code[1]) if code else None, _ms(float(wall[1])) if wall else None)


def _ms(seconds: Any) -> int | None:
    known = isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 <= seconds < 1e9
    return round(seconds * 1_000) if known else None


def _duration_ms(value: Any) -> int | None:
    told = fields(value)
    secs, nanos = number(told.get("secs")), number(told.get("nanos"))
    return None if secs is None else secs * 1_000 + (nanos or 0) // 1_000_000


def _code(ended: dict[str, Any]) -> int | None:
    if ended.get("success") is False:
        return number(ended.get("exit_code")) or 1
    return number(ended.get("exit_code"))


def _patch_in(name: str, arguments: dict[str, Any]) -> str:
    """The patch that a call applies: its own argument, or one inside a shell command."""
    for text in (arguments.get("input"), arguments.get("text"), arguments.get("command")):
        if isinstance(text, str) and (name == "apply_patch" or "apply_patch" in text[:200]):
            start = text.find("*** Begin Patch")
            if start >= 0:
                end = text.find("*** End Patch", start)
                return text[start:] if end < 0 else text[start : end + len("*** End Patch")]
    return ""
