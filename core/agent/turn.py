"""One turn of the model: the request is written down, sent, and its outcome written down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from core.agent.desk import Desk
from core.clock import Clock
from core.events import Draft, ModelFailed, ModelRequested, ModelResponded, Price, Usage
from core.folds.guards.talk import Chant
from core.folds.guards.watch import CHANTING
from core.journal.live import LiveText
from core.models.assembly import Delta, Reply, unique_ids
from core.models.errors import ModelError
from core.models.usage import usage_of
from core.request.projection import Head, Request

COUNTS = frozenset(
    (
        "input_tokens",
        "output_tokens",
        "cache_read_input_tokens",
        "cache_creation_input_tokens",
        "cache_creation",
    )
)
"""The vendor's fields that `Usage` is read from."""


class Model(Protocol):
    """The wire, as a turn needs it."""

    async def stream(self, body: list[bytes], on_delta: Callable[[Delta], None]) -> Reply: ...

    def has_new_key(self) -> bool:
        """Whether there is another key now than the last request went out with."""
        ...


Pricing = Callable[[str, Usage | None, int, dict[str, Any]], Price]
"""The cost of a reply, from model, usage, journal time and the vendor's raw usage."""


class Chanting(Exception):
    """The reply in flight repeats itself; `chars` of it had come."""

    def __init__(self, chars: int) -> None:
        super().__init__(chars)
        self.chars = chars


CUT = "The reply repeated itself and was cut."


class Turns:
    """Sends the requests of the conversation. `last` is the latest one that was answered, with its head."""

    def __init__(self, desk: Desk, wire: Model, clock: Clock, price: Pricing, prompt_version: str) -> None:
        self._desk = desk
        self._wire = wire
        self._clock = clock
        self._price = price
        self._prompt_version = prompt_version
        self._kept: set[str] = set()
        self._said = ("", "")
        self.last: tuple[Head, Request] | None = None

    async def take(self, head: Head, window: int | None, limit_reason: str = "", *, chants: bool = False) -> None:
        """Send the branch as it is; the reply or the failure is in the log when this returns.

        `chants`: cut a reply that repeats itself.
        """
        key = self._next_key()
        request = self._desk.facts.projection.request(head)
        await self._announce(key, head, request, window, limit_reason)
        live = LiveText(self._desk.folder, key)
        try:
            reply = await self._wire.stream(request.chunks, _listener(live, Chant() if chants else None))
        except ModelError as error:
            await self._fail(key, head.model, error)
        except Chanting as chant:
            await self._desk.append(Draft(ModelFailed(error=CHANTING, message=CUT, partial=chant.chars), key=key))
        except asyncio.CancelledError:
            body = ModelFailed(error="interrupted", message="cut by the user")
            await self._desk.append(Draft(body, key=key, actor="user"))
            raise
        else:
            await self._record(key, head.model, reply)
            self.last = head, request
        finally:
            live.discard()

    def has_new_key(self) -> bool:
        """Whether a request that was refused for its key would go out with another one now."""
        return self._wire.has_new_key()

    def _next_key(self) -> str:
        """A retry is another attempt of the same request."""
        state = self._desk.facts.state
        if state.failure is not None:
            return f"r{state.request}.{state.attempt + 1}"
        return f"r{state.request + 1}.1"

    async def _announce(self, key: str, head: Head, request: Request, window: int | None, limit_reason: str) -> None:
        """Intent before act: the request is in the log before it goes out."""
        hash_of, sections = self._desk.journal.hash_of, (head.system.encode(), head.tools_json())
        names = system, tools = hash_of(sections[0]), hash_of(sections[1])
        body = ModelRequested(
            model=head.model,
            system="" if system == self._said[0] else system,
            tools="" if tools == self._said[1] else tools,
            body=request.digest,
            body_bytes=request.size,
            messages=request.messages,
            marks=request.marks,
            max_tokens=head.max_tokens,
            prompt_version=self._prompt_version,
            parts=request.parts,
            window=window,
            limit_reason=limit_reason,
            outlook=self._desk.thrift.outlook(request),
        )
        new = [data for name, data in zip(names, sections, strict=True) if name not in self._kept]
        await self._desk.append(Draft(body, key=key), blobs=new)
        self._kept.update(names)
        self._said = names

    async def _fail(self, key: str, model: str, error: ModelError) -> None:
        usage = usage_of(error.raw_usage)
        now_us = self._clock.now_us()
        body = ModelFailed(
            error=str(error.error_class),
            message=error.message,
            status=error.status,
            retry_after_s=error.retry_after_s,
            request_id=error.request_id,
            partial=error.partial_chars,
            usage=usage,
            price=self._price(model, usage, now_us, error.raw_usage) if usage else None,
        )
        await self._desk.append(Draft(body, key=key))

    async def _record(self, key: str, model: str, reply: Reply) -> None:
        now_us, usage = self._clock.now_us(), reply.usage or Usage()
        price = self._price(model, reply.usage, now_us, reply.raw_usage)
        body = ModelResponded(
            message_id=reply.message_id,
            model=reply.model or model,
            content=self._content(key, reply),
            stop_reason=reply.stop_reason,
            usage=usage,
            price=price,
            raw_usage=unsaid(reply.raw_usage, usage),
            first_token_ms=reply.first_token_ms,
            ms=reply.ms,
            request_id=reply.request_id,
        )
        await self._desk.append(Draft(body, key=key))

    def _content(self, key: str, reply: Reply) -> list[dict[str, Any]]:
        """The blocks with tool_use ids that no earlier reply used: vendors' ids repeat, the protocol forbids it."""
        blocks = unique_ids(reply.content, key, self._desk.facts.use_ids)
        return blocks or [{"type": "text", "text": "(empty reply)"}]


def unsaid(raw: dict[str, Any], usage: Usage) -> dict[str, Any]:
    """What a vendor's report of usage holds beyond the counts that `usage` was made of: tiers, bills, its own fields.

    All of it when those counts alone would not give the same usage.
    """
    counts = {name: value for name, value in raw.items() if name in COUNTS}
    return raw if usage_of(counts) != usage else {name: value for name, value in raw.items() if name not in counts}


def _listener(live: LiveText, chant: Chant | None) -> Callable[[Delta], None]:
    """Shows each piece of a reply, and raises Chanting as soon as they repeat themselves."""
    chars = 0

    def hear(delta: Delta) -> None:
        nonlocal chars
        live.add(delta.kind, delta.index, delta.text)
        chars += len(delta.text)
        if chant is not None and delta.kind in ("text", "thinking") and chant.add(delta.text):
            raise Chanting(chars)

    return hear
