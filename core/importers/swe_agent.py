"""Trajectories of mini-swe-agent (`messages` of a chat) and of SWE-agent (`trajectory` of steps): one document each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from core.events import Usage
from core.importers import calls
from core.importers.openai_chat import chat_usage
from core.importers.records import Answered, Ended, Kept, Record, Replied, Said, Session
from core.importers.rows import Tally, dollars, fields, items, text_of, time_us, tokens, words

MINI: Final = "mini-swe-agent"
SWE: Final = "SWE-agent"
CHAT: Final = "a chat"
_Action = tuple[str, str, dict[str, Any]]
_BLOCK = re.compile(r"```(?:bash|sh|mswea_bash_command)\s*\n(.*?)\n```", re.DOTALL)
_RETURN_CODE = re.compile(r"<returncode>\s*(-?\d{1,5})\s*</returncode>")
_NAMELESS: Final = ("", "main", "swe_main")
"""Environments that are the same for every task; the file is named for it then."""
_LIMITS: Final = ("limit", "exceeded", "exit_cost", "exit_context", "exit_total")


def read_mini(document: dict[str, Any], tally: Tally) -> Iterator[Record]:
    """The records of a trajectory of mini-swe-agent."""
    info = fields(document.get("info"))
    config, stats = fields(info.get("config")), fields(info.get("model_stats"))
    total = dollars(stats.get("instance_cost")) if not _priced(document) else None
    model = words(fields(config.get("model")).get("model_name"))
    yield Session(
        key=words(document.get("instance_id")) or "session",
        tool=MINI,
        version=words(info.get("mini_version")),
        workspace=words(fields(config.get("environment")).get("cwd")),
        model=model,
        name=words(document.get("instance_id")),
        at_us=_first_time(document),
        whole=bool(total),
    )
    yield from _Chat(model, tally).read(items(document.get("messages")))
    yield _ended(words(info.get("exit_status")), info.get("submission"), total or None, None)


def read_chat(messages: list[Any], tally: Tally) -> Iterator[Record]:
    """The records of messages of a chat with nothing around them, as earlier versions of both tools wrote them."""
    yield Session(key="session", tool=CHAT)
    yield from _Chat("", tally).read(messages)
    yield _ended("", None, None, None)


def _priced(document: dict[str, Any]) -> bool:
    """Whether replies tell their own cost; one of nothing says that it was not known."""
    costs = (dollars(fields(fields(one).get("extra")).get("cost")) for one in items(document.get("messages")))
    return any(cost not in (None, "0") for cost in costs)


def _first_time(document: dict[str, Any]) -> int | None:
    """The first time that any message tells; the messages before it were sent at once."""
    times = (time_us(fields(fields(one).get("extra")).get("timestamp")) for one in items(document.get("messages")))
    return next(filter(None, times), None)


class _Chat:
    """Messages in turn: a reply, then one observation for each of its actions, in their order."""

    def __init__(self, model: str, tally: Tally) -> None:
        self._model, self._tally = model, tally
        self._waiting: list[str] = []
        self._calls = 0

    def read(self, messages: list[Any]) -> Iterator[Record]:
        """The records of all messages."""
        for at, message in enumerate(messages, 1):
            self._tally.rows += 1
            yield from (
                self._message(at, message)
                if isinstance(message, dict)
                else iter([Kept(what="no message", row=at, fields={"value": message})])
            )

    def _message(self, at: int, message: dict[str, Any]) -> Iterator[Record]:
        extra = fields(message.get("extra"))
        at_us = time_us(extra.get("timestamp")) or time_us(message.get("timestamp"))
        match words(message.get("role")):
            case "system":
                self._tally.leave_out("system prompt")
            case "assistant":
                yield self._reply(message, extra, at_us)
            case "user" | "tool" if self._waiting:
                yield self._observation(message, extra, at_us)
            case "user":
                yield Said(text=text_of(message.get("content")), source="user" if at <= 2 else "notice", at_us=at_us)
            case "exit":
                self._tally.leave_out("exit")
            case other:
                yield Kept(what=f"message of {other or 'nobody'}", row=at, fields=message, at_us=at_us)

    def _reply(self, message: dict[str, Any], extra: dict[str, Any], at_us: int | None) -> Replied:
        text = text_of(message.get("content"))
        response = fields(extra.get("response"))
        thinking = words(message.get("reasoning_content"))
        content: list[dict[str, Any]] = [{"type": "thinking", "thinking": thinking}] if thinking else []
        content += [{"type": "text", "text": text}] if text else []
        self._waiting = []
        for id, name, arguments in self._actions(message, extra, text):
            self._waiting.append(id)
            content.append({"type": "tool_use", "id": id, "name": name, "input": arguments})
        cost = dollars(extra.get("cost"))
        return Replied(
            id=words(response.get("id")),
            model=words(response.get("model")) or self._model,
            content=content,
            usage=chat_usage(fields(response.get("usage"))),
            cost=cost if cost != "0" else None,
            at_us=at_us,
        )

    def _actions(self, message: dict[str, Any], extra: dict[str, Any], text: str) -> Iterator[_Action]:
        asked = [call for call in items(message.get("tool_calls")) if isinstance(call, dict)]
        if asked:
            for call in asked:
                function = fields(call.get("function"))
                yield words(call.get("id")) or self._id(), words(function.get("name"), "bash"), _arguments(function)
            return
        actions = [words(fields(action).get("command")) for action in items(extra.get("actions"))]
        for command in filter(None, actions or _BLOCK.findall(text)[:1]):
            yield self._id(), "bash", {"command": command}

    def _id(self) -> str:
        self._calls += 1
        return f"call-{self._calls}"

    def _observation(self, message: dict[str, Any], extra: dict[str, Any], at_us: int | None) -> Answered:
        text = text_of(message.get("content"))
        id = words(message.get("tool_call_id"))
        id = id if id in self._waiting else self._waiting[0]
        self._waiting.remove(id)
        found = _RETURN_CODE.search(text[:500])
        code = extra.get("returncode", int(found[1]) if found else None)
        code = code if isinstance(code, int) and not isinstance(code, bool) and -(2**31) < code < 2**31 else None
        text = words(extra.get("raw_output")) or text
        return Answered(use_id=id, text=text, ok=code in (0, None), exit_code=code, at_us=at_us)


def _arguments(function: dict[str, Any]) -> dict[str, Any]:
    return calls.arguments_of(function.get("arguments"))


# SWE-agent


def read_swe(document: dict[str, Any], tally: Tally) -> Iterator[Record]:
    """The records of a trajectory of SWE-agent; it tells no times, and tokens and cost of the whole alone."""
    info = fields(document.get("info"))
    history = [one for one in items(document.get("history")) if isinstance(one, dict)]
    stats = fields(info.get("model_stats"))
    name = "" if (environment := words(document.get("environment"))) in _NAMELESS else environment
    sent, output = tokens(stats.get("tokens_sent")), tokens(stats.get("tokens_received"))
    usage = Usage(fresh=sent, output=output) if sent is not None and output is not None else None
    cost = dollars(stats.get("instance_cost"))
    version = words(info.get("swe_agent_version"))
    whole = cost is not None or usage is not None
    yield Session(key="session", tool=SWE, version=version, name=name, model=_model(document), whole=whole)
    task = next((one for one in history if one.get("role") == "user" and not one.get("is_demo")), None)
    yield Said(text=text_of(task.get("content")) if task else "(the trajectory tells no task)")
    for at, step in enumerate(items(document.get("trajectory")), 1):
        tally.rows += 1
        if isinstance(step, dict):
            yield from _step(at, step)
        else:
            yield Kept(what="no step", row=at, fields={"value": step})
    yield _ended(words(info.get("exit_status")), info.get("submission"), cost, usage)


_MODEL = re.compile(r'"model"\s*:\s*\{[^{}]{0,400}?"name"\s*:\s*"([^"]{1,200})"')


def _model(document: dict[str, Any]) -> str:
    """It is told only within the configuration for replaying it, which is JSON in a text."""
    found = _MODEL.search(str(document.get("replay_config"))[:200_000])
    return found[1] if found else ""


def _step(at: int, step: dict[str, Any]) -> Iterator[Record]:
    action, thought = words(step.get("action")).strip(), words(step.get("thought")) or words(step.get("response"))
    id = f"step-{at}"
    content: list[dict[str, Any]] = [{"type": "text", "text": thought}] if thought else []
    if action:
        content.append({"type": "tool_use", "id": id, "name": "run", "input": {"command": action}})
    yield Replied(content=content)
    seconds = step.get("execution_time")
    if action:
        known = isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 <= seconds < 1e9
        ms = round(seconds * 1_000) if known and seconds is not None else None
        yield Answered(use_id=id, text=text_of(step.get("observation")), ms=ms)
    elif step.get("observation"):
        yield Said(text=text_of(step.get("observation")), source="notice")


def _ended(status: str, submission: Any, cost: str | None, usage: Usage | None) -> Ended:
    lowered = status.lower()
    patch = submission.count("\n") if isinstance(submission, str) else 0
    detail = status + (f", a patch of {patch:,} lines" if patch else "")
    if lowered.startswith("submitted"):
        return Ended(state="finished", reason="done", detail=detail, cost=cost, usage=usage)
    if any(word in lowered for word in _LIMITS):
        return Ended(state="stopped", reason="turn_limit", detail=detail, cost=cost, usage=usage)
    if not status:
        return Ended(state="stopped", reason="imported", detail="how it ended is not told", cost=cost, usage=usage)
    return Ended(state="failed", reason="request", detail=detail, cost=cost, usage=usage)
