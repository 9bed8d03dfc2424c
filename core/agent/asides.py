"""Side requests: pings that keep the cache warm, and a paragraph for the digest. They are no part of the conversation.

Both go out with the prefix of the last answered request, so that they read its cache and break nothing of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from importlib import resources

from core.agent.desk import Desk
from core.agent.turn import Model, Pricing, unsaid
from core.clock import Clock
from core.events import Draft, ModelConsulted, ModelFailed, ModelRequested, Usage
from core.models.assembly import Reply
from core.models.errors import ModelError
from core.request.fidelity import check_paragraph
from core.request.pieces import text_block
from core.request.projection import Head, Request

PING_TOKENS = 1
PARAGRAPH_TOKENS = 700


class Asides:
    """Sends side requests at a desk. `last` gives the last answered request and its head, None before the first."""

    def __init__(
        self,
        desk: Desk,
        wire: Model,
        clock: Clock,
        price: Pricing,
        last: Callable[[], tuple[Head, Request] | None],
    ) -> None:
        self._desk = desk
        self._wire = wire
        self._clock = clock
        self._price = price
        self._last = last

    async def ping(self) -> bool:
        """Read the cached prefix once more; whether that was answered."""
        last = self._last()
        if last is None:
            return False
        head, request = last
        brief = replace(head, max_tokens=PING_TOKENS + head.thinking_budget)
        return await self._ask("ping", brief, request, [brief.encoded(), *request.chunks[1:]]) is not None

    async def paragraph(self, model: str | None, instruction: str = "") -> None:
        """Let a model sum up what is in the context; checked against the log, kept as an event either way."""
        last = self._last()
        if last is None:
            return
        head, request = last
        head = replace(head, max_tokens=PARAGRAPH_TOKENS + head.thinking_budget, model=model or head.model)
        await self._ask("digest", head, request, _asking(head, request, paragraph_request(instruction)))

    async def _ask(self, purpose: str, head: Head, request: Request, body: list[bytes]) -> Reply | None:
        key = f"{purpose}{self._desk.facts.state.sides + 1}.1"
        asked = ModelRequested(
            model=head.model,
            body=request.digest,
            body_bytes=sum(map(len, body)),
            messages=request.messages,
            marks=request.marks,
            max_tokens=head.max_tokens,
            prompt_version="",
            parts=request.parts,
            purpose=purpose,
        )
        await self._desk.append(Draft(asked, key=key))
        try:
            reply = await self._wire.stream(body, lambda delta: None)
        except ModelError as error:
            await self._desk.append(Draft(ModelFailed(error=str(error.error_class), message=error.message), key=key))
            return None
        except asyncio.CancelledError:
            await self._desk.append(Draft(ModelFailed(error="interrupted", message="no longer needed"), key=key))
            raise
        await self._record(key, purpose, head.model, reply)
        return reply

    async def _record(self, key: str, purpose: str, model: str, reply: Reply) -> None:
        usage = reply.usage or Usage()
        text = "".join(str(block.get("text", "")) for block in reply.content if block.get("type") == "text").strip()
        problem = await self._desk.undisturbed(lambda: _problem(purpose, reply, text, self._desk))
        body = ModelConsulted(
            model=reply.model or model,
            text=text if purpose == "digest" else "",
            stop_reason=reply.stop_reason,
            usage=usage,
            price=self._price(model, reply.usage, self._clock.now_us(), reply.raw_usage),
            raw_usage=unsaid(reply.raw_usage, usage),
            ms=reply.ms,
            used=problem is None,
            detail=problem or "",
        )
        await self._desk.append(Draft(body, key=key))


def _problem(purpose: str, reply: Reply, text: str, desk: Desk) -> str | None:
    """Why a paragraph is dropped; None when it is good, and for what is no paragraph."""
    if purpose != "digest":
        return None
    if reply.stop_reason == "refusal":
        return "the model declined"
    if reply.stop_reason == "max_tokens":
        return "it was cut at its limit"
    return check_paragraph(text, desk.facts.ledger)


def paragraph_request(instruction: str = "") -> str:
    """What the model is asked for."""
    asked = resources.files("core.agent").joinpath("paragraph.md").read_text(encoding="utf-8").strip()
    wish = f"\nThe user asked for this compression with the words: {instruction}" if instruction else ""
    return f"<compress-request>\n{asked}{wish}\n</compress-request>"


def _asking(head: Head, request: Request, question: str) -> list[bytes]:
    """The body with one more block at the end of its last message; everything before it stays as it was cached."""
    *before, last, end = [head.encoded(), *request.chunks[1:]]
    return [*before, last.removesuffix(b"]}") + b"," + text_block(question) + b"]}", end]
