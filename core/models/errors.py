"""What can go wrong between us and a model, as a closed list, and how a server's answer is put into it.

Vendors disagree on envelopes and status codes: an overload may come as 200, a full context as 500, a wrong key as
400. So the text and the type of an error are looked at before its status.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class ErrorClass(StrEnum):
    """What a failure means for the session."""

    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    SERVER = "server"
    NETWORK = "network"
    """No answer: the connection could not be made, or broke before the reply began."""
    STREAM_CUT = "stream_cut"
    """The reply began and ended without its end."""
    STALLED = "stalled"
    """The connection stands but nothing comes."""
    MALFORMED = "malformed"
    """The answer is not what the protocol says."""
    CONTEXT_TOO_LONG = "context_too_long"
    BAD_HISTORY = "bad_history"
    """The server refuses the conversation itself (roles, tool results, thinking blocks)."""
    BAD_REQUEST = "bad_request"
    AUTH = "auth"
    BILLING = "billing"
    NOT_FOUND = "not_found"
    """No such model, or no such service at this address."""
    ELSEWHERE = "elsewhere"
    """A redirect or a web page: of a portal or of maintenance where the service has answered before, else of others."""


class ModelError(Exception):
    """A request that got no reply. `str()` is one plain sentence; it never holds a key.

    `retry_after_s` is the server's wish in seconds; `partial_chars` counts what had been streamed and is thrown away,
    `raw_usage` is what the server had said until then that it bills.
    """

    def __init__(
        self,
        error_class: ErrorClass,
        message: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
        request_id: str | None = None,
        partial_chars: int = 0,
    ) -> None:
        super().__init__(message)
        self.error_class = error_class
        self.message = message
        self.status = status
        self.retry_after_s = retry_after_s
        self.request_id = request_id
        self.partial_chars = partial_chars
        self.raw_usage: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a server says about an error, whatever its shape: a type or code, a text, and a status inside the body."""

    kind: str = ""
    message: str = ""
    status: int | None = None
    html: bool = False


LONGEST_MESSAGE = 500
LONGEST_ANSWER_BYTES = 65_536
"""Of an answer that is no stream, an error in words or a count: more is not read."""


def read_envelope(body: object) -> Envelope:
    """An error body as an envelope.

    Known shapes: Anthropic's, OpenAI's, Google's and llama.cpp's `{"error": {...}}`, `{"error": "text"}`, Model
    Studio's `{"code", "message"}`, FastAPI's `{"detail"}`, plain text, a web page.
    """
    if isinstance(body, str):
        return _text_envelope(body)
    if not isinstance(body, Mapping):
        return Envelope(message=one_line(body))
    inner = body.get("error", body)
    if not isinstance(inner, Mapping):
        return Envelope(message=one_line(inner))
    details = inner.get("details")
    codes = [inner.get("type"), inner.get("code"), inner.get("status")]
    codes += [details.get("error_code")] if isinstance(details, Mapping) else []
    number = inner.get("code")
    return Envelope(
        kind=" ".join(str(code) for code in codes if isinstance(code, str) and code != "error"),
        message=one_line(inner.get("message") or inner.get("detail") or inner.get("error") or ""),
        status=number if isinstance(number, int) and not isinstance(number, bool) and 400 <= number < 600 else None,
    )


def _text_envelope(text: str) -> Envelope:
    head = text.lstrip()[:1000].lower()
    if head.startswith(("<!doctype", "<html", "<head", "<?xml")):
        title = re.search(r"<title[^>]*>([^<]{1,120})", text[:10_000], re.IGNORECASE)
        return Envelope(message=f"a web page ({one_line(title[1])})" if title else "a web page", html=True)
    return Envelope(message=one_line(text))


def one_line(value: object) -> str:
    """One printable line of at most `LONGEST_MESSAGE` characters."""
    try:
        text = value if isinstance(value, str) else json.dumps(value, default=str)
    except (ValueError, RecursionError):
        text = "an answer that can't be shown"
    line = "".join(mark if mark.isprintable() else " " for mark in text[: LONGEST_MESSAGE * 4])
    line = " ".join(line.split())
    return line if len(line) <= LONGEST_MESSAGE else line[: LONGEST_MESSAGE - 1] + "…"


_CONTEXT = re.compile(
    r"prompt (is )?too long|context[_ ](length|window|size|limit)|maximum context|too many (input )?tokens"
    r"|exceed_context|input is too long|range of input length|request_too_large|model_context_window_exceeded"
    r"|exceeds? the (maximum|available) (number of )?(input )?(tokens|context)"
)
_BILLING = re.compile(
    r"credit balance|insufficient[_ ](quota|credits?|balance|funds)|billing_error|arrearage|payment required"
    r"|requires more credits|overdue[ -]payment"
)
_AUTH = re.compile(
    r"(invalid|incorrect|missing|expired|no|wrong)[ _-]*(x-)?api[ _-]?key"
    r"|api[ _-]?key.{0,20}(invalid|missing|expired|not valid)"
    r"|authentication_error|permission_error|unauthori[sz]ed|no auth credentials|invalid (bearer|access) token"
)
_NOT_FOUND = re.compile(
    r"not_found|(invalid|unknown|no such|unsupported)[ _]model"
    r"|model[ _][^.]{0,80}(not[ _](found|exist|supported)|does not exist)"
    r"|not a valid model|no endpoints found"
)
_HISTORY = re.compile(
    r"tool_use|tool_result|tool_call_id|thinking[`'\" ]{0,3}(or .{0,30})?blocks?|signature|alternate|\bmessages[.:\[]"
    r"|final assistant|unexpected role"
)
_THROTTLED = re.compile(r"rate[_ ]?limit|throttl|too many requests|resource_exhausted|per[ -]minute")
_OVERLOADED = re.compile(r"overload|over capacity|at capacity|no available capacity|high demand")


def classify(status: int | None, envelope: Envelope) -> ErrorClass:
    """The class of an error answer. `status` None or 200: an error inside a stream that had begun well."""
    said = f"{envelope.kind} {envelope.message}".lower()
    status = envelope.status or status
    throttled = status in (429, 529) or bool(_THROTTLED.search(said))
    if _BILLING.search(said):
        return ErrorClass.BILLING
    if _OVERLOADED.search(said) or status == 529:
        return ErrorClass.OVERLOADED
    if throttled:
        return ErrorClass.RATE_LIMITED
    if status and (status // 100 == 3 or (envelope.html and status in (200, 404, 405, 410))):
        return ErrorClass.ELSEWHERE
    for pattern, error_class in (
        (_CONTEXT, ErrorClass.CONTEXT_TOO_LONG),
        (_AUTH, ErrorClass.AUTH),
        (_NOT_FOUND, ErrorClass.NOT_FOUND),
    ):
        if pattern.search(said):
            return error_class
    return _by_status(status, envelope, said)


_STATUS = {
    401: ErrorClass.AUTH,
    402: ErrorClass.BILLING,
    403: ErrorClass.AUTH,
    404: ErrorClass.NOT_FOUND,
    405: ErrorClass.NOT_FOUND,
    408: ErrorClass.NETWORK,
    409: ErrorClass.SERVER,
    410: ErrorClass.NOT_FOUND,
    413: ErrorClass.CONTEXT_TOO_LONG,
    425: ErrorClass.SERVER,
}


def _by_status(status: int | None, envelope: Envelope, said: str) -> ErrorClass:
    if status is None or status < 300:
        refused = "invalid_request" in said
        if refused and _HISTORY.search(said):
            return ErrorClass.BAD_HISTORY
        return ErrorClass.BAD_REQUEST if refused else ErrorClass.SERVER
    if status >= 500:
        return ErrorClass.SERVER
    if status in _STATUS:
        return _STATUS[status]
    return ErrorClass.BAD_HISTORY if _HISTORY.search(said) else ErrorClass.BAD_REQUEST


_LEADS = {
    ErrorClass.RATE_LIMITED: "The server asks us to slow down",
    ErrorClass.OVERLOADED: "The server is overloaded",
    ErrorClass.SERVER: "The server failed",
    ErrorClass.NETWORK: "The server could not be reached",
    ErrorClass.CONTEXT_TOO_LONG: "The request is longer than the model's context window",
    ErrorClass.BAD_HISTORY: "The server refuses the conversation's history",
    ErrorClass.BAD_REQUEST: "The server refuses the request",
    ErrorClass.AUTH: "The server refuses the key",
    ErrorClass.BILLING: "The account can't pay for the request",
    ErrorClass.NOT_FOUND: "The model or the address is not known to the server",
    ErrorClass.ELSEWHERE: "Something else answers in place of the server",
}


def sentence(error_class: ErrorClass, envelope: Envelope, status: int | None, base_url: str) -> str:
    """What is told to the user about an error answer."""
    lead = _LEADS.get(error_class, "The answer can't be read")
    about = f" at {base_url}" if error_class in (ErrorClass.AUTH, ErrorClass.NOT_FOUND, ErrorClass.ELSEWHERE) else ""
    code = f" ({status})" if status and status >= 300 else ""
    detail = f": {envelope.message}" if envelope.message else ""
    return f"{lead}{about}{code}{detail.rstrip('.')}."
