"""From events to spans: pure, and no word of what was said, asked or read is in them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from core.events import (
    Event,
    ModelFailed,
    ModelRequested,
    ModelResponded,
    ModelSwitched,
    RunnerAttached,
    ToolFinished,
    ToolStarted,
)

Value = str | int | float | list[str]


@dataclass(frozen=True, slots=True)
class Span:
    """One span. Times in microseconds since the epoch; ids in hexadecimal; `error` is a short word, empty where all was
    well. `client`: it waits for a server."""

    name: str
    trace: str
    id: str
    parent: str
    start_us: int
    end_us: int
    attributes: dict[str, Value]
    error: str = ""
    client: bool = False


@dataclass(slots=True)
class _Open:
    """A span that has begun."""

    start_us: int
    attributes: dict[str, Value] = field(default_factory=dict)


class Spans:
    """Feed it the events of a session in order, from the start of a runner; `take` gives what has ended since.

    `profile` is the provider that it was opened with.

    A runner is one span (`invoke_agent`); each request (`chat`) and each call of a tool (`execute_tool`) is below it.
    The ids follow from the session's id and the keys of its events, so that nothing has to be kept to name a parent.
    """

    def __init__(self, session: str, profile: str) -> None:
        self._session, self._profile = session, profile
        self._runner: tuple[str, _Open] | None = None
        self._open: dict[str, _Open] = {}
        self._done: list[Span] = []

    def apply_all(self, events: Iterable[Event]) -> None:
        for event in events:
            self._apply(event)

    def take(self) -> list[Span]:
        """The spans that have ended since the last time."""
        done, self._done = self._done, []
        return done

    def _apply(self, event: Event) -> None:
        match event.body:
            case ModelSwitched() as body if body.profile:
                self._profile = body.profile
            case RunnerAttached() as body:
                attributes = self._attributes("invoke_agent") | {"gen_ai.agent.name": "longwatch"}
                self._runner = f"runner{body.epoch}", _Open(event.at_us, attributes)
            case ModelRequested() as body:
                self._open[event.key or ""] = _Open(event.at_us, self._request(body))
            case ModelResponded() as body:
                self._end(event, f"chat {body.model}", self._reply(body), client=True)
            case ModelFailed() as body:
                self._end(event, "chat", {"error.type": body.error}, error=body.error, client=True)
            case ToolStarted() as body:
                named = {"gen_ai.tool.name": body.name, "gen_ai.tool.call.id": body.use_id}
                self._open[event.key or ""] = _Open(event.at_us, self._attributes("execute_tool") | named)
            case ToolFinished() as body:
                failed = "" if body.ok else "tool_error"
                more: dict[str, Value] = {"error.type": failed} if failed else {}
                self._end(event, f"execute_tool {body.name}", more, error=failed)
            case _ if event.kind == "runner.detached" and self._runner is not None:
                key, begun = self._runner
                self._done.append(self._span(key, "invoke_agent longwatch", begun, event.at_us, "", parent=""))
                self._runner = None

    def _end(self, event: Event, name: str, more: dict[str, Value], error: str = "", client: bool = False) -> None:
        begun = self._open.pop(event.key or "", None)
        if begun is not None:
            model = begun.attributes.get("gen_ai.request.model", "")
            begun.attributes |= more
            parent = self._id(self._runner[0]) if self._runner else ""
            title = f"{name} {model}" if name == "chat" else name
            self._done.append(self._span(event.key or "", title, begun, event.at_us, error, parent, client))

    def _span(
        self, key: str, name: str, begun: _Open, end_us: int, error: str, parent: str, client: bool = False
    ) -> Span:
        trace = hashlib.sha256(self._session.encode()).hexdigest()[:32]
        return Span(name, trace, self._id(key), parent, begun.start_us, end_us, begun.attributes, error, client)

    def _id(self, key: str) -> str:
        return hashlib.sha256(f"{self._session} {key}".encode()).hexdigest()[:16]

    def _attributes(self, operation: str) -> dict[str, Value]:
        return {"gen_ai.operation.name": operation, "gen_ai.conversation.id": self._session}

    def _request(self, body: ModelRequested) -> dict[str, Value]:
        return self._attributes("chat") | {
            "gen_ai.provider.name": self._profile,
            "gen_ai.request.model": body.model,
            "gen_ai.request.max_tokens": body.max_tokens,
            "longwatch.purpose": body.purpose,
        }

    def _reply(self, body: ModelResponded) -> dict[str, Value]:
        usage = body.usage
        priced: dict[str, Value] = {} if body.price.cost is None else {"longwatch.cost.usd": float(body.price.cost)}
        return priced | {
            "gen_ai.response.model": body.model,
            "gen_ai.response.id": body.message_id,
            "gen_ai.response.finish_reasons": [body.stop_reason],
            "gen_ai.usage.input_tokens": usage.sent,
            "gen_ai.usage.output_tokens": usage.output,
            "gen_ai.usage.cache_read.input_tokens": usage.cache_read,
            "gen_ai.usage.cache_creation.input_tokens": usage.cache_write,
        }
