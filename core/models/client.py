"""The SDK's client, made to say exactly what we say, and its exceptions in our words.

The only module that imports `anthropic` (seconds of CPU): it is itself imported late, by `core.models.wire`.
"""

from __future__ import annotations

import email.utils
import logging
import math
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any, ClassVar

import anthropic
import httpx2
from anthropic import AsyncAnthropic, AsyncStream, DefaultAsyncHttpxClient

from core.clock import MICROSECONDS, Clock
from core.models.errors import (
    LONGEST_ANSWER_BYTES,
    Envelope,
    ErrorClass,
    ModelError,
    classify,
    one_line,
    read_envelope,
    sentence,
)
from core.models.profiles import FIRST_PARTY_VERSION, Endpoint

NO_KEY = "none"
"""What a server that wants no key is given, since the SDK insists on one."""

for _name in ("anthropic", "httpx2"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)  # ANTHROPIC_LOG would write into the terminal


class Client(AsyncAnthropic):
    """Sends the headers of the endpoint and no others: none from the environment, none about this machine."""

    def __init__(self, endpoint: Endpoint, key: str | None) -> None:
        super().__init__(
            api_key=key or NO_KEY,
            base_url=endpoint.base_url,
            max_retries=0,
            open_telemetry=False,
            timeout=httpx2.Timeout(connect=15, read=endpoint.stall_s, write=60, pool=15),
            http_client=_http_client(endpoint),
        )
        self.pooling = endpoint.pooling
        self._endpoint = endpoint
        self._custom_headers = {}  # those of ANTHROPIC_CUSTOM_HEADERS

    @property
    def default_headers(self) -> dict[str, Any]:
        endpoint = self._endpoint
        compatible = {} if endpoint.version == FIRST_PARTY_VERSION else {"x-api-key": self.api_key or NO_KEY}
        return {
            "accept": "text/event-stream, application/json",
            "content-type": "application/json",
            "user-agent": "longwatch",
            "anthropic-version": endpoint.version,
            "authorization": f"Bearer {self.api_key}",
            **compatible,
            **{name.lower(): value for name, value in endpoint.headers.items()},
        }

    async def send(self, path: str, content: bytes) -> AsyncStream[object]:
        """Post bytes and give the open stream. Raises what the SDK raises."""
        return await self.post(path, cast_to=object, content=content, stream=True, stream_cls=AsyncStream[object])

    @staticmethod
    async def lines(stream: AsyncStream[object]) -> AsyncGenerator[tuple[str | None, str], None]:
        """Name and data of every server-sent event: also of those without a name, which the SDK passes over."""
        async for event in stream.raw_events(stream.response):
            yield event.event, event.data


def _http_client(endpoint: Endpoint) -> httpx2.AsyncClient:
    """No redirects (a key would travel along); on loopback no proxy; no kept connection where the endpoint says so.

    Where no TLS is spoken no certificates are loaded, which takes 30 ms of CPU.
    """
    limits = httpx2.Limits(max_keepalive_connections=None if endpoint.pooling else 0)
    if endpoint.loopback:
        secure = not endpoint.base_url.lower().startswith("http://")
        client = httpx2.AsyncClient(follow_redirects=False, trust_env=False, limits=limits, verify=secure)
    else:
        client = DefaultAsyncHttpxClient(follow_redirects=False, limits=limits)
    client.event_hooks = {"response": [_shorten]}
    return client


class _Head(httpx2.AsyncByteStream):
    """The first bytes of an answer, and then its end."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = LONGEST_ANSWER_BYTES
        async for piece in self._stream:
            yield piece[:left]
            left -= len(piece)
            if left <= 0:
                return

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _shorten(response: httpx2.Response) -> None:
    """The SDK reads whatever is no stream to its end before we see it, and a server need not come to one."""
    is_stream = response.is_success and "json" not in response.headers.get("content-type", "").lower()
    if not is_stream and isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = _Head(response.stream)


class Translator:
    """Turns what went wrong on one connection into a `ModelError` without the key in it.

    `FOREIGN` is what may come out of the SDK, of the libraries below it and of `asyncio.timeout` (an OSError);
    anything else is a mistake of ours.
    """

    FOREIGN: ClassVar[tuple[type[Exception], ...]] = (
        anthropic.AnthropicError,
        httpx2.HTTPError,
        httpx2.InvalidURL,
        httpx2.StreamError,
        OSError,
        UnicodeDecodeError,
    )

    def __init__(self, endpoint: Endpoint, key: str | None, clock: Clock) -> None:
        self._endpoint = endpoint
        self._key = key
        self._clock = clock

    def answer(self, envelope: Envelope, response: httpx2.Response) -> ModelError:
        """An error that the server put into words, before or inside a stream."""
        status, headers = response.status_code, response.headers
        error_class = classify(status, envelope)
        if response.has_redirect_location:
            envelope = Envelope(
                message=f"it redirects to {one_line(headers['location'])}, where no key is sent unasked"
            )
        text = sentence(error_class, envelope, status, self._endpoint.base_url)
        return ModelError(
            error_class,
            self._without_key(text),
            status=status,
            retry_after_s=retry_after(headers, self._clock.now_us()),
            request_id=self.request_id(response),
        )

    def error(self, error: BaseException, begun: bool) -> ModelError:
        """An exception of the SDK or below it; `begun`: events had already come."""
        if isinstance(error, anthropic.APIStatusError):
            return self.answer(read_envelope(error.body), error.response)
        cause = error.__cause__ if isinstance(error, anthropic.APIConnectionError) and error.__cause__ else error
        error_class = _connection_class(cause, begun)
        lead = _CONNECTION.get(error_class, "The connection to {url} failed").format(
            url=self._endpoint.base_url, stall=f"{self._endpoint.stall_s:g}"
        )
        reason = "" if error_class in _CONNECTION else f" ({self._without_key(read_envelope(str(cause)).message)})"
        return ModelError(error_class, f"{lead}{'' if reason == ' ()' else reason}.")

    def request_id(self, response: httpx2.Response) -> str | None:
        """The server's own name for the request."""
        name = response.headers.get("request-id") or response.headers.get("x-request-id")
        return name and self._without_key(name)

    def _without_key(self, text: str) -> str:
        """Nor with its beginning, where a long text was cut inside of it."""
        key = self._key or ""
        text = text.replace(key, "[key]") if key else text
        for length in range(len(key) - 1, _LEAST_OF_KEY - 1, -1):
            text = text.replace(f"{key[:length]}…", "[key]…")
        return text


_LEAST_OF_KEY = 4
"""Characters with which every key of a vendor begins, or that tell nothing of it."""
_CONNECTION = {
    ErrorClass.STALLED: "Nothing came from {url} for {stall} seconds",
    ErrorClass.MALFORMED: "The answer of {url} is not UTF-8 text",
    ErrorClass.NOT_FOUND: "{url} is not an address of a server",
    ErrorClass.BAD_REQUEST: "The request can't be sent: a header holds characters that HTTP does not allow",
}


def _connection_class(cause: BaseException, begun: bool) -> ErrorClass:
    match cause:
        case httpx2.ReadTimeout():
            return ErrorClass.STALLED
        case UnicodeDecodeError():
            return ErrorClass.MALFORMED
        case httpx2.UnsupportedProtocol() | httpx2.InvalidURL():
            return ErrorClass.NOT_FOUND
        case httpx2.LocalProtocolError() if not begun:
            return ErrorClass.BAD_REQUEST
    return ErrorClass.STREAM_CUT if begun else ErrorClass.NETWORK


def retry_after(headers: Mapping[str, str], now_us: int) -> float | None:
    """Seconds that the server asks us to wait; None when it doesn't say or can't be understood."""
    try:
        if (milliseconds := headers.get("retry-after-ms")) is not None:
            seconds = float(milliseconds) / 1000
        else:
            seconds = _seconds(headers.get("retry-after", ""), now_us)
    except (ValueError, OverflowError):  # A date whose zone is days away.
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _seconds(value: str, now_us: int) -> float:
    """A number of seconds or an HTTP date. Raises ValueError on anything else."""
    try:
        return float(value)
    except ValueError:
        return email.utils.parsedate_to_datetime(value).timestamp() - now_us / MICROSECONDS
