"""The wire: bytes that we encoded go out, a whole reply or one `ModelError` comes back.

The SDK carries them, but is not believed: it retries nothing, its accumulation is not used, and a stream that ends
without its end is an error here. It is imported at the first request, or by `Wire.preload` in a thread before that.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

import msgspec

from core.clock import Clock, monotonic
from core.config import ConfigError
from core.models.assembly import Assembly, Delta, Reply, is_part, strict_json
from core.models.errors import LONGEST_ANSWER_BYTES, ErrorClass, ModelError, one_line, read_envelope
from core.models.keys import KeySource
from core.models.profiles import Endpoint

if TYPE_CHECKING:
    import httpx2

    from core.models.client import Client, Translator

MESSAGES = "/v1/messages"
COUNTED = frozenset(("model", "messages", "system", "tools", "tool_choice", "thinking"))
"""The parts of a request that the counting service takes."""
COUNT_LIMIT_S = 30.0
QUIET_FACTOR = 5
"""What is no part of a reply (pings, comments, events nobody knows) keeps a stream alive for this many stall times."""
DRAIN_S = 0.5


def _client_module() -> ModuleType:
    return importlib.import_module("core.models.client")


class Wire:
    """One endpoint, from one event loop; each request goes out with the key as it is then. Closed by `close`."""

    def __init__(self, endpoint: Endpoint, key: KeySource, clock: Clock) -> None:
        self.endpoint = endpoint
        self._key = key
        self._used: str | None = None
        self._clock = clock
        self._opened: tuple[Client, Translator] | None = None

    @staticmethod
    def preload() -> threading.Thread:
        """Import the SDK in a thread, so that the first request need not wait for it."""
        thread = threading.Thread(target=_client_module, name="import-sdk", daemon=True)
        thread.start()
        return thread

    async def stream(self, body: Sequence[bytes], on_delta: Callable[[Delta], None]) -> Reply:
        """Send `body`, a request with `"stream": true`, byte for byte, and wait for the whole reply.

        Raises ModelError for everything that can go wrong on the way. Cancelling closes the connection.
        """
        opened = await self._open()
        started = monotonic()
        assembly = Assembly()
        first: int | None = None
        quiet_s = QUIET_FACTOR * self.endpoint.stall_s
        try:
            async with (
                contextlib.aclosing(_events(*opened, body, assembly)) as events,
                asyncio.timeout(quiet_s) as quiet,
            ):
                async for event in events:
                    if is_part(event):
                        quiet.reschedule(monotonic() + quiet_s)
                    delta = assembly.feed(event)
                    if delta is not None:
                        first = _ms_since(started) if first is None else first
                        on_delta(delta)
            reply = assembly.reply(self.endpoint.model)
        except TimeoutError:
            if not quiet.expired():
                raise
            raise self._failed(
                ModelError(ErrorClass.STALLED, "Nothing came that is part of a reply."), assembly
            ) from None
        except ModelError as error:
            raise self._failed(error, assembly) from error.__cause__
        return msgspec.structs.replace(reply, first_token_ms=first, ms=_ms_since(started))

    @staticmethod
    def _failed(error: ModelError, assembly: Assembly) -> ModelError:
        error.partial_chars = assembly.chars
        error.raw_usage = assembly.raw_usage
        error.request_id = error.request_id or assembly.request_id
        return error

    async def count_tokens(self, body: Sequence[bytes]) -> int | None:
        """Tokens of a request's prompt as the server counts them; None where it does not say.

        `body` is a whole request; the parts that don't count (limits, streaming) are left out.
        """
        client, translator = await self._open()
        parts = msgspec.json.decode(b"".join(body), type=dict[str, msgspec.Raw])
        counted = msgspec.json.encode({name: value for name, value in parts.items() if name in COUNTED})
        answer: Any = None
        with contextlib.suppress(*translator.FOREIGN, ValueError):  # ValueError: what calls itself JSON is none.
            async with asyncio.timeout(COUNT_LIMIT_S):
                answer = await client.post(f"{MESSAGES}/count_tokens", cast_to=object, content=counted)
        tokens = answer.get("input_tokens") if isinstance(answer, dict) else None
        return tokens if isinstance(tokens, int) and tokens > 0 else None

    async def close(self) -> None:
        """Close all connections; may be called twice."""
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened[0].close()

    def has_new_key(self) -> bool:
        """Whether there is another key now than the last request went out with."""
        try:
            return self._key() != self._used
        except ConfigError:
            return False

    async def _open(self) -> tuple[Client, Translator]:
        try:
            key = self._key()
        except ConfigError as error:
            raise ModelError(ErrorClass.AUTH, str(error)) from error
        if self._opened is not None and key != self._used:
            await self.close()
        if self._opened is None:
            module = await asyncio.to_thread(_client_module)
            try:
                client = await asyncio.to_thread(module.Client, self.endpoint, key)
            except (*module.Translator.FOREIGN, ValueError, ImportError) as error:
                raise ModelError(ErrorClass.NOT_FOUND, _unfit(error)) from error
            self._opened, self._used = (client, module.Translator(self.endpoint, key, self._clock)), key
        return self._opened


def _unfit(error: BaseException) -> str:
    """Why no client can be made; what it takes from the environment are proxies and certificates."""
    return (
        f"What the environment says of the way to the server can't be used ({one_line(str(error)).rstrip('.')}): mend "
        "HTTPS_PROXY, ALL_PROXY or SSL_CERT_FILE, or name the server in NO_PROXY."
    )


def _ms_since(started: float) -> int:
    return round((monotonic() - started) * 1000)


async def _events(
    client: Client, translator: Translator, body: Sequence[bytes], assembly: Assembly
) -> AsyncGenerator[dict[str, Any], None]:
    """The events of one streamed reply, each with its `type`, up to `message_stop`. Raises ModelError."""
    try:
        stream = await client.send(MESSAGES, b"".join(body))
        async with stream, contextlib.aclosing(client.lines(stream)) as lines:
            assembly.request_id = translator.request_id(stream.response)
            await _refuse_page(stream.response, translator)
            async for name, data in lines:
                event = _event(name, data, stream.response, translator)
                if event is None:
                    continue
                yield event
                if event["type"] == "message_stop":
                    if client.pooling:
                        await _drain(lines, translator)
                    return
    except translator.FOREIGN as error:
        raise translator.error(error, assembly.begun) from error


async def _drain(lines: AsyncGenerator[tuple[str | None, str], None], translator: Translator) -> None:
    """Read to the end, so that the connection can be used again; a reply that is whole is not lost by failing here."""
    with contextlib.suppress(*translator.FOREIGN):
        async with asyncio.timeout(DRAIN_S):
            async for _ in lines:
                pass


def _event(name: str | None, data: str, response: httpx2.Response, translator: Translator) -> dict[str, Any] | None:
    """One server-sent event as a dict with a `type`; None for one that says nothing. Raises ModelError on an error."""
    if not data.strip() or data.strip() == "[DONE]":
        return None
    try:
        value = strict_json(data)
    except ValueError:
        value = data
    if isinstance(value, dict):
        kind = value.get("type") if isinstance(value.get("type"), str) else name
        if kind != "error" and not ("error" in value and "type" not in value):
            return {**value, "type": kind or ""}
    elif name != "error":
        raise ModelError(ErrorClass.MALFORMED, "A line of the stream is not a JSON object.")
    raise translator.answer(read_envelope(value), response)


async def _refuse_page(response: httpx2.Response, translator: Translator) -> None:
    """Raise ModelError when a successful answer is no stream: an error in JSON, a whole reply at once, a web page."""
    kind = response.headers.get("content-type", "").lower()
    if "json" not in kind and "html" not in kind:
        return
    head = b""
    async for chunk in response.aiter_bytes():
        head += chunk
        if len(head) > LONGEST_ANSWER_BYTES:
            break
    text = head.decode("utf-8", "replace")
    try:
        value = strict_json(text)
    except ValueError:
        value = text
    envelope = read_envelope(value)
    if not envelope.message or (isinstance(value, dict) and value.get("type") == "message"):
        raise ModelError(ErrorClass.MALFORMED, "The server did not stream its reply.")
    raise translator.answer(envelope, response)
