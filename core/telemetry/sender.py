"""Sends spans and metrics of one session to a collector, in the background; what can't be sent is dropped."""

from __future__ import annotations

import asyncio
import http.client
import ssl
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from core.clock import pause_real
from core.config import TelemetrySettings
from core.events import Event, SessionOpened
from core.telemetry import otlp
from core.telemetry.spans import Span, Spans

EVERY_S = 5.0
MOST_WAITING = 2_000
"""Spans that wait for a collector which can't be reached; of more, the oldest go."""
TIMEOUT_S = 10.0
_NO_ADDRESS = "The collector of telemetry can't be reached: write `otlp` and `headers` as in http://127.0.0.1:4318."


class Sender:
    """`observe` what is committed, `kept` while the session runs. `complain` is told of the first failure in a row."""

    def __init__(
        self, settings: TelemetrySettings, opened: SessionOpened, complain: Callable[[str], Awaitable[None]]
    ) -> None:
        self._settings = settings
        self._resource = {**settings.attributes, "longwatch.session.name": opened.name}
        self._complain = complain
        self._spans = Spans(opened.session, opened.profile)
        self._waiting: list[Span] = []
        self._failing = False

    def observe(self, events: Sequence[Event]) -> None:
        """Take in what was committed."""
        if self._settings.otlp:
            self._spans.apply_all(events)

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """What has ended is sent every few seconds, and once more at the end of the block."""
        task = asyncio.create_task(self._work())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self._send()

    async def _work(self) -> None:
        while True:
            await pause_real(EVERY_S)
            await self._send()

    async def _send(self) -> None:
        self._waiting = [*self._waiting, *self._spans.take()][-MOST_WAITING:]
        if not self._waiting:
            return
        sent = list(self._waiting)
        problem = await asyncio.to_thread(self._post, sent)
        if not problem:
            self._waiting = self._waiting[len(sent) :]
        elif not self._failing:
            await self._complain(problem)
        self._failing = bool(problem)

    def _post(self, spans: list[Span]) -> str:
        """Why the collector did not take them; empty where it did."""
        bodies = {"traces": otlp.traces(spans, self._resource), "metrics": otlp.metrics(spans, self._resource)}
        for what, body in bodies.items():
            if body is not None and (problem := self._posted(what, body)):
                return problem
        return ""

    def _posted(self, what: str, body: dict[str, Any]) -> str:
        headers = {"content-type": "application/json", **self._settings.headers}
        url = f"{str(self._settings.otlp).rstrip('/')}/v1/{what}"
        try:
            request = urllib.request.Request(url, msgspec.json.encode(body), headers, method="POST")
            with _OPENER.open(request, timeout=TIMEOUT_S):
                return ""
        except urllib.error.HTTPError as error:
            error.close()
            return f"The collector of telemetry refuses {what} with status {error.code}."
        except (http.client.InvalidURL, ValueError):
            return _NO_ADDRESS
        except (OSError, http.client.HTTPException) as error:
            why = _why(getattr(error, "reason", error))
            return f"The collector of telemetry can't be reached: {why}." if why else _NO_ADDRESS


def _why(reason: object) -> str:
    """In the system's words; what a library says may quote the address, and with it a password."""
    if isinstance(reason, str):
        return ""
    if isinstance(reason, ssl.SSLError):
        return f"it can't be trusted ({reason.reason})"
    return getattr(reason, "strerror", None) or type(reason).__name__


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Headers may hold a key: they go where the configuration says and nowhere else."""

    def redirect_request(self, *given: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)
