"""Faults that strike before a reply begins: refusals in the vendor's and in other envelopes, dropped connections."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from core.simulator.errors import ApiError
from core.simulator.faults import Fault, FaultKind

_BAD_GATEWAY = "<html>\n<head><title>502 Bad Gateway</title></head>\n<body><h1>502 Bad Gateway</h1></body>\n</html>\n"


class _Dropped(Response):
    """No answer: the socket closes before any header."""

    def __init__(self, hang_up: Callable[[], None]) -> None:
        super().__init__()
        self._hang_up = hang_up

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._hang_up()
        while (await receive())["type"] != "http.disconnect":
            pass


def refusal(fault: Fault | None, hang_up: Callable[[], None], request_id: str) -> Response | None:
    """The answer that a fault puts in place of the reply, or None when the reply goes ahead."""
    if fault is None:
        return None
    match fault.kind:
        case FaultKind.DROP:
            return _Dropped(hang_up)
        case FaultKind.BAD_GATEWAY:
            return Response(_BAD_GATEWAY, 502, media_type="text/html")
        case FaultKind.PORTAL:
            return Response(status_code=302, headers={"location": fault.value or "http://192.0.2.1/login"})
        case FaultKind.PLAIN:
            return Response(fault.value or "upstream connect error or disconnect", 500, media_type="text/plain")
        case FaultKind.FOREIGN:
            foreign = {"message": fault.value or "Provider returned error", "code": 503}
            return Response(msgspec.json.encode({"error": foreign}), 503, media_type="application/json")
    error = _vendor_error(fault)
    if error is None:
        return None
    headers = error.headers | {"request-id": request_id}
    return Response(msgspec.json.encode(error.envelope(request_id)), error.status, headers, "application/json")


def _vendor_error(fault: Fault) -> ApiError | None:
    match fault.kind:
        case FaultKind.RATE_LIMIT:
            wait = {"retry-after": f"{fault.number(1):g}"}
            return ApiError(429, "This request would exceed your rate limit.", headers=wait)
        case FaultKind.OVERLOADED:
            return ApiError(529, "Overloaded")
        case FaultKind.SERVER:
            return ApiError(500, "Internal server error")
        case FaultKind.BAD_REQUEST:
            return ApiError(400, fault.value or "The request is not valid.")
        case FaultKind.UNAUTHORIZED:
            return ApiError(401, "invalid x-api-key")
        case FaultKind.PERMANENT:
            return ApiError(500, fault.value or "model not found: the requested model does not exist")
    return None
