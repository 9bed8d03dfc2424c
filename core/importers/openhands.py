"""Events of OpenHands: those of its SDK (`kind`), and those of before (`action` and `observation`).

They come as a list in a document, as rows, or as one file an event in a folder.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final

from core.importers import calls
from core.importers.openai_chat import chat_usage
from core.importers.records import (
    Answered,
    Compacted,
    Edited,
    Ended,
    Failed,
    Kept,
    Planned,
    Record,
    Replied,
    Said,
    Session,
)
from core.importers.rows import Tally, Unreadable, dollars, fields, items, number, text_of, time_us, words

TOOL: Final = "OpenHands"
_NO_CALLS: Final = frozenset(
    ("system", "message", "change_agent_state", "recall", "null", "condensation", "loop_recovery")
)
_STATES: Final = frozenset(("agent_state_changed", "null", "recall", "think"))


class OpenHands:
    """Reads events in their order; several actions of one reply are one reply."""

    def __init__(self, tally: Tally, workspace: str = "") -> None:
        self._tally, self._workspace = tally, workspace
        self._open: Replied | None = None
        self._results: list[Record] = []
        self._asked: dict[str, tuple[str, dict[str, Any]]] = {}
        self._spent = Decimal(0)
        self._last_us: int | None = None
        self._state: tuple[str, str] | None = None
        self._totals: dict[str, Any] = {}
        self._priced = False

    def read(self, rows: Iterable[tuple[int, dict[str, Any]] | Unreadable]) -> Iterator[Record]:
        """The records of all events."""
        began = False
        for row in rows:
            if isinstance(row, Unreadable):
                yield Kept(what=row.why, row=row.row, fields={"text": row.text})
                continue
            at, event = row
            at_us = time_us(event.get("timestamp")) or self._last_us
            if not began:
                began = True
                yield Session(key="session", tool=TOOL, workspace=self._workspace, at_us=at_us)
            for record in self._sdk(at, event, at_us) if "kind" in event else self._legacy(at, event, at_us):
                record.at_us = record.at_us or at_us
                yield record
            self._last_us = at_us
        yield from self._settled()
        if self._state or self._totals:
            yield self._ended()

    # Events of the SDK

    def _sdk(self, at: int, event: dict[str, Any], at_us: int | None) -> Iterator[Record]:
        match event.get("kind"):
            case "SystemPromptEvent" | "TokenEvent" | "StreamingDeltaEvent":
                self._tally.leave_out(str(event["kind"]))
            case "MessageEvent":
                yield from self._message(event, at_us)
            case "ActionEvent":
                yield from self._action(event, at_us)
            case "ObservationEvent" | "AgentErrorEvent" | "UserRejectObservation":
                yield from self._observation(event, at_us)
            case "Condensation":
                yield from self._settled()
                yield Compacted(trigger="condensation", summary=words(event.get("summary")), at_us=at_us)
            case "ConversationErrorEvent":
                yield from self._settled()
                yield Failed(error=words(event.get("code"), "api"), message=words(event.get("detail")), at_us=at_us)
            case "ConversationStateUpdateEvent":
                self._update(event)
            case kind:
                yield Kept(what=words(kind, "event without a kind"), row=at, fields=event, at_us=at_us)

    def _message(self, event: dict[str, Any], at_us: int | None) -> Iterator[Record]:
        message = fields(event.get("llm_message"))
        text = text_of(message.get("content"))
        yield from self._settled()
        if event.get("source") == "agent":
            thinking = words(message.get("reasoning_content"))
            yield self._reply(words(event.get("llm_response_id")), _blocks(thinking, text), at_us)
        elif text:
            yield Said(text=text, source="user" if event.get("source") == "user" else "notice", at_us=at_us)

    def _action(self, event: dict[str, Any], at_us: int | None) -> Iterator[Record]:
        response = words(event.get("llm_response_id"))
        if self._open is not None and (self._open.id != response or not response):
            yield from self._settled()
        if self._open is None:
            thinking = words(event.get("reasoning_content")) or _thinking(event)
            self._open = self._reply(response, _blocks(thinking, text_of(event.get("thought"))), at_us)
        call, action = fields(event.get("tool_call")), fields(event.get("action"))
        told = call.get("arguments", fields(call.get("function")).get("arguments"))
        arguments = calls.arguments_of(
            told if told else {name: value for name, value in action.items() if name != "kind"}
        )
        self._call(words(event.get("tool_call_id")) or words(event.get("id")), words(event.get("tool_name")), arguments)

    def _observation(self, event: dict[str, Any], at_us: int | None) -> Iterator[Record]:
        told = fields(event.get("observation"))
        code = told.get("exit_code", fields(told.get("metadata")).get("exit_code"))
        text = text_of(told.get("content")) or text_of(told.get("output")) or words(event.get("error"))
        text = text or words(event.get("rejection_reason"))
        bad = told.get("is_error") is True or bool(told.get("error")) or event.get("kind") != "ObservationEvent"
        yield from self._answered(words(event.get("tool_call_id")), text, code, told, at_us, bad=bad)

    def _update(self, event: dict[str, Any]) -> None:
        """The conversation's own figures: of the whole, told anew with each change."""
        self._tally.leave_out("ConversationStateUpdateEvent")
        value = fields(event.get("value"))
        stats = value if event.get("key") == "stats" else fields(value.get("stats"))
        for metrics in fields(stats.get("usage_to_metrics")).values():
            self._totals = fields(metrics) or self._totals
            break
        if event.get("key") == "execution_status" and isinstance(event.get("value"), str):
            self._state = (event["value"], "")

    # Events of before

    def _legacy(self, at: int, event: dict[str, Any], at_us: int | None) -> Iterator[Record]:
        if isinstance(event.get("observation"), str):
            yield from self._observed(at, event, at_us)
        elif isinstance(event.get("action"), str):
            yield from self._acted(at, event, at_us)
        else:
            yield Kept(what="event that is neither action nor observation", row=at, fields=event, at_us=at_us)

    def _acted(self, at: int, event: dict[str, Any], at_us: int | None) -> Iterator[Record]:
        action, given = event["action"], fields(event.get("args"))
        if action == "message" or (action == "finish" and event.get("source") == "agent"):
            yield from self._spoken(action, event, given, at_us)
        elif action == "condensation":
            yield from self._settled()
            yield Compacted(trigger="condensation", summary=words(given.get("summary")), at_us=at_us)
        elif action in _NO_CALLS:
            self._tally.leave_out(action)
        else:
            yield from self._ran(at, event, given, at_us)

    def _spoken(self, action: str, event: dict[str, Any], given: dict[str, Any], at_us: int | None) -> Iterator[Record]:
        text = words(given.get("content")) or words(given.get("final_thought")) or words(event.get("message"))
        yield from self._settled()
        if event.get("source") == "user":
            yield Said(text=text, at_us=at_us)
            return
        self._open = self._told(event, text, at_us)
        yield from self._settled()
        if action == "finish":
            self._state = ("finished", "")

    def _ran(self, at: int, event: dict[str, Any], given: dict[str, Any], at_us: int | None) -> Iterator[Record]:
        told = fields(event.get("tool_call_metadata"))
        response = words(fields(told.get("model_response")).get("id"))
        if self._open is not None and (self._open.id != response or not response):
            yield from self._settled()
        if self._open is None:
            self._open = self._told(event, words(given.get("thought")), at_us)
        arguments = {name: value for name, value in given.items() if name not in _INNER and value not in (None, "")}
        name = words(told.get("function_name")) or event["action"]
        self._call(_legacy_id(event.get("id"), at), name, calls.arguments_of(arguments))

    def _observed(self, at: int, event: dict[str, Any], at_us: int | None) -> Iterator[Record]:
        extras, kind = fields(event.get("extras")), event["observation"]
        if kind == "agent_state_changed":
            self._state = (words(extras.get("agent_state")), words(extras.get("reason")))
        if kind in _STATES:
            self._tally.leave_out(kind)
            return
        cause = _legacy_id(event.get("cause"), at)
        if cause not in self._asked and "cause" not in event and self._asked:
            cause = next(reversed(self._asked))
        if cause not in self._asked:
            yield Said(text=text_of(event.get("content")), source="notice", at_us=at_us)
            return
        code = extras.get("exit_code", fields(extras.get("metadata")).get("exit_code"))
        bad = kind == "error" or event.get("success") is False
        yield from self._answered(cause, text_of(event.get("content")), code, extras, at_us, bad=bad)

    def _told(self, event: dict[str, Any], text: str, at_us: int | None) -> Replied:
        """A reply with what an event of before tells of it: the model's response, and what was spent until then."""
        response = fields(fields(event.get("tool_call_metadata")).get("model_response"))
        reply = self._reply(words(response.get("id")), _blocks("", text), at_us)
        reply.model, reply.usage = words(response.get("model")), chat_usage(fields(response.get("usage")))
        spent = dollars(fields(event.get("llm_metrics")).get("accumulated_cost"))
        if spent is not None and Decimal(spent) >= self._spent:
            reply.cost, self._spent = str(Decimal(spent) - self._spent), Decimal(spent)
            self._priced = True
        return reply

    # Both

    def _reply(self, id: str, content: list[dict[str, Any]], at_us: int | None) -> Replied:
        return Replied(id=id, content=content, at_us=at_us, asked_us=self._last_us)

    def _call(self, id: str, name: str, arguments: dict[str, Any]) -> None:
        self._asked[id] = (name, arguments)
        assert self._open is not None
        block = {"type": "tool_use", "id": id, "name": name or "tool", "input": arguments}
        self._open.content = [*self._open.content, block]

    def _answered(
        self, id: str, text: str, code: Any, told: dict[str, Any], at_us: int | None, *, bad: bool
    ) -> Iterator[Record]:
        name, arguments = self._asked.pop(id, ("", {}))
        exit_code = number(code)
        ok = not bad and not exit_code
        edits, diff = self._edits(name, arguments, told) if ok else ((), "")
        found: list[Record] = [
            Answered(use_id=id, text=text, ok=ok, exit_code=exit_code, edits=edits, diff=diff, at_us=at_us)
        ]
        if name == "task_tracker" and (steps := calls.steps_of(arguments.get("task_list"))):
            found.append(Planned(steps=steps, at_us=at_us))
        if self._open is not None:
            self._results += found
        else:
            yield from found

    def _edits(self, name: str, arguments: dict[str, Any], told: dict[str, Any]) -> tuple[tuple[Edited, ...], str]:
        if calls.effect_of(name, arguments) != "write":
            return (), ""
        path = calls.place_in(words(arguments.get("path")) or words(told.get("path")), self._workspace)
        old, new = (
            words(told.get("old_content")) or arguments.get("old"),
            words(told.get("new_content")) or arguments.get("new"),
        )
        if isinstance(old, str) and isinstance(new, str):
            edited, diff = calls.replaced(path, old, new)
            return (edited,), diff
        if arguments.get("command") == "create" and isinstance(content := arguments.get("content"), str):
            return (calls.created(path, content),), ""
        return (Edited(path=path),), words(told.get("diff"))

    def _settled(self) -> Iterator[Record]:
        held, self._open = self._open, None
        results, self._results = self._results, []
        if held is not None and held.content:
            yield held
        yield from results

    def _ended(self) -> Ended:
        state, detail = self._state or ("", "")
        kind, reason = _ENDS.get(state.lower(), ("stopped", "imported"))
        tokens = fields(self._totals.get("accumulated_token_usage"))
        usage = chat_usage(_chat_names(tokens)) if not self._priced else None
        cost = dollars(self._totals.get("accumulated_cost")) if not self._priced else None
        return Ended(state=kind, reason=reason, detail=detail or state, usage=usage, cost=cost)  # type: ignore[arg-type]


_INNER: Final = frozenset(
    ("thought", "keep_prompt", "is_confirmed", "confirmation_state", "security_risk", "blocking", "hidden")
)
_ENDS: Final = {
    "finished": ("finished", "done"),
    "error": ("failed", "request"),
    "rejected": ("stopped", "refusal"),
    "stopped": ("stopped", "operator"),
    "stuck": ("failed", "request"),
}


def _chat_names(tokens: dict[str, Any]) -> dict[str, Any]:
    return tokens | {
        "cache_read_input_tokens": tokens.get("cache_read_tokens"),
        "cache_creation_input_tokens": tokens.get("cache_write_tokens"),
    }


def _legacy_id(value: Any, at: int) -> str:
    return f"event-{value}" if isinstance(value, int | str) else f"row-{at}"


def _blocks(thinking: str, text: str) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = [{"type": "thinking", "thinking": thinking}] if thinking else []
    return [*blocks, {"type": "text", "text": text}] if text else blocks


def _thinking(event: dict[str, Any]) -> str:
    return text_of([block for block in items(event.get("thinking_blocks")) if isinstance(block, dict)])
