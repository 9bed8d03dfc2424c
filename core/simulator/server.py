"""The simulated model server: speaks the Anthropic Messages wire on loopback and bills like a vendor."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from core.clock import Clock
from core.simulator.cache import Billed, CacheRules, PromptCache
from core.simulator.errors import ApiError, invalid
from core.simulator.faults import Fault, FaultKind, Faults
from core.simulator.invoice import Invoice, PriceList
from core.simulator.listener import TRANSPORT, Listener
from core.simulator.playback import Pace, Player
from core.simulator.policies.base import Policy, Reply, message_texts
from core.simulator.policies.sides import purpose_of, with_sides
from core.simulator.prompt import Prompt, PromptReader
from core.simulator.refusals import refusal
from core.simulator.validation import check_fields, check_history, check_size
from core.simulator.wire import Delivery

COMPACTED = 180_000
"""Tokens that a server-side compaction reads, where its fault does not say."""

_EVENT_STREAM = "text/event-stream; charset=utf-8"


class SimulatedServer:
    """Plays `policy` over HTTP while its context is open; `base_url` is then where.

    `speed` 1 is a human-watchable pace, 0 or infinity no delay at all; every wait goes through `clock`.
    `api_key` and `models` restrict who may ask for what; `context_limit` is in tokens; with `prices` each reply says
    what it cost; `remembered` is what the cache of an earlier process held. `requests` counts calls of /v1/messages,
    `invoices` holds the bill of each that was answered, `warnings` what a vendor would quietly mend.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        clock: Clock,
        speed: float = 1.0,
        faults: Faults | None = None,
        rules: CacheRules | None = None,
        api_key: str | None = None,
        models: Sequence[str] = (),
        context_limit: int = 1_000_000,
        prices: PriceList | None = None,
        port: int = 0,
        remembered: Iterable[tuple[int, int, int]] = (),
    ) -> None:
        self.base_url = ""
        self.requests = 0
        self.invoices: list[Invoice] = []
        self.warnings: Counter[str] = Counter()
        self._policy = with_sides(policy)
        self._clock = clock
        self._pace = Pace(speed)
        self._faults = faults or Faults()
        self._cache = PromptCache(rules or CacheRules(), clock)
        self._cache.restore(remembered)
        self._reader = PromptReader()
        self._api_key = api_key
        self._models = tuple(models)
        self._context_limit = context_limit
        self._prices = prices
        self._listener = Listener(self._application(), port)

    async def __aenter__(self) -> SimulatedServer:
        self.base_url = await self._listener.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._listener.stop()

    def remembered(self) -> list[tuple[int, int, int]]:
        """What the cache holds, for a server in another process that goes on in this one's place."""
        return self._cache.entries()

    def expect_key(self, key: str) -> None:
        """From now on only this key is good."""
        self._api_key = key

    def _application(self) -> Starlette:
        routes = [
            Route("/v1/messages", self._messages, methods=["POST"]),
            Route("/v1/messages/count_tokens", self._count_tokens, methods=["POST"]),
            Route("/v1/models", self._list_models, methods=["GET"]),
            Route("/v1/models/{model:path}", self._one_model, methods=["GET"]),
        ]
        handlers: dict[Any, Callable[[Request, Any], Any]] = {ApiError: _refuse, HTTPException: _refuse_path}
        return Starlette(routes=routes, exception_handlers=handlers)

    async def _messages(self, request: Request) -> Response:
        self._authorize(request)
        self.requests += 1
        number = self.requests
        prompt = self._reader.read(await request.body())
        fault = self._faults.take(number, _newest_text(prompt))
        connection: asyncio.Transport = request.scope[TRANSPORT]
        refused = refusal(fault, connection.abort, _request_id(number))
        if refused is not None:
            return refused
        delivery = self._deliver(prompt, request, number, fault)
        headers = {"request-id": _request_id(number)}
        if fault and fault.kind is FaultKind.CLOSE:
            headers["connection"] = "close"
        player = Player(self._clock, self._pace, connection.abort)
        if not prompt.fields.get("stream"):
            await player.think(delivery.reply.delay_s, delivery.output_tokens)
            return _json(delivery.message(), headers=headers)
        chunks = player.play(delivery.frames(), delivery.reply.delay_s, fault)
        after = BackgroundTask(connection.close) if fault and fault.kind is FaultKind.HANG_UP else None
        return StreamingResponse(chunks, headers=headers | {"content-type": _EVENT_STREAM}, background=after)

    def _deliver(self, prompt: Prompt, request: Request, number: int, fault: Fault | None) -> Delivery:
        """Check, bill and answer. Raises ApiError as a vendor would."""
        if fault and fault.kind is FaultKind.EVICT:
            self._cache.evict()
        billed, fields = self._bill(prompt, request), prompt.fields
        seed = _seed(prompt, billed)
        used = {use for message in prompt.messages for use in message.uses}
        reply = _with_ids(self._policy.reply(fields), seed, used)
        if fault and fault.kind is FaultKind.UNKNOWN_TOOL:
            reply = _with_unknown_tool(reply, fault.value or "no_such_tool")
        compacted = int(fault.number(COMPACTED)) if fault and fault.kind is FaultKind.COMPACTION else 0
        invoice = Invoice(billed, purpose_of(fields), self._clock.now_us(), compacted=compacted)
        name = f"msg_{seed}{number:04x}"
        delivery = Delivery(name, fields["model"], invoice, reply, fields["max_tokens"], self._prices)
        if fault and fault.kind is FaultKind.CUT_ARGUMENTS:
            delivery = replace(delivery, reply=replace(reply, output_tokens=None), limit=delivery.half_of_last_block)
        self.invoices.append(delivery.billed)
        return delivery

    def _bill(self, prompt: Prompt, request: Request, counting: bool = False) -> Billed:
        version = request.headers.get("anthropic-version")
        if not version:
            raise invalid("anthropic-version: header is required")
        fields = prompt.fields
        check_fields(fields, version, counting)
        self._check_model(fields["model"])
        merged = check_history(prompt)
        if merged:
            self.warnings["one role spoke twice in a row"] += merged
        prompt.scripted_sizes = self._policy.sizes(fields)
        scope = (fields["model"], repr(fields.get("tool_choice")), repr(fields.get("thinking")))
        billed = self._cache.bill(scope, prompt.blocks(), keep=not counting)
        check_size(billed.total, self._context_limit)
        return billed

    async def _count_tokens(self, request: Request) -> Response:
        self._authorize(request)
        prompt = self._reader.read(await request.body())
        return _json({"input_tokens": self._bill(prompt, request, counting=True).total})

    async def _list_models(self, request: Request) -> Response:
        self._authorize(request)
        models = [self._model(name) for name in self._models]
        ends = {"first_id": models[0]["id"], "last_id": models[-1]["id"]} if models else {}
        return _json({"data": models, "has_more": False} | ends)

    async def _one_model(self, request: Request) -> Response:
        self._authorize(request)
        self._check_model(request.path_params["model"])
        return _json(self._model(request.path_params["model"]))

    def _model(self, name: str) -> dict[str, Any]:
        limits = {"max_input_tokens": self._context_limit, "max_tokens": 64_000}
        return {"type": "model", "id": name, "display_name": name, "created_at": "2026-01-01T00:00:00Z"} | limits

    def _check_model(self, model: str) -> None:
        if self._models and model not in self._models:
            raise ApiError(404, f"model: {model}")

    def _authorize(self, request: Request) -> None:
        if self._api_key is None:
            return
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self._api_key not in (bearer, request.headers.get("x-api-key")):
            raise ApiError(401, "invalid x-api-key")


def _newest_text(prompt: Prompt) -> str:
    return "\n".join(message_texts(prompt.messages[-1].value)) if prompt.messages else ""


def _request_id(number: int) -> str:
    return f"req_sim{number:06d}"


def _seed(prompt: Prompt, billed: Billed) -> str:
    """A name for this place in this history; equal histories get equal ids, as the policies are stateless."""
    last = prompt.messages[-1].blocks[-1].digest
    return hashlib.blake2b(last + b"%d:%d" % (len(prompt.messages), billed.total), digest_size=8).hexdigest()


def _with_ids(reply: Reply, seed: str, taken: set[str]) -> Reply:
    """Give each tool call an id that the history does not have yet."""
    blocks = []
    for index, block in enumerate(reply.blocks):
        if block["type"] == "tool_use" and "id" not in block:
            names = (f"toolu_{seed}{index:02d}{'r' * again}" for again in range(len(taken) + 1))
            block = {"type": "tool_use", "id": next(name for name in names if name not in taken)} | block
        blocks.append(block)
    return replace(reply, blocks=blocks)


def _with_unknown_tool(reply: Reply, name: str) -> Reply:
    place = next((index for index, block in enumerate(reply.blocks) if block["type"] == "tool_use"), None)
    blocks = [block | {"name": name} if index == place else block for index, block in enumerate(reply.blocks)]
    return replace(reply, blocks=blocks)


def _json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(value), status, headers, "application/json")


def _refuse(request: Request, error: ApiError) -> Response:
    return _json(error.envelope("req_sim"), error.status, error.headers)


def _refuse_path(request: Request, error: HTTPException) -> Response:
    return _json(ApiError(error.status_code, f"{request.url.path}: {error.detail}").envelope(), error.status_code)
