"""What the server answers when it refuses: the vendor's error envelope."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}


@dataclass(slots=True)
class ApiError(Exception):
    """A refusal with its HTTP status; `type` defaults to the one that belongs to the status."""

    status: int
    message: str
    type: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def envelope(self, request_id: str | None = None) -> dict[str, Any]:
        """The JSON body, as sent with a status or inside an `error` event."""
        error = {"type": self.type or ERROR_TYPES.get(self.status, "api_error"), "message": self.message}
        return {"type": "error", "error": error} | ({"request_id": request_id} if request_id else {})


def invalid(message: str) -> ApiError:
    """A 400 `invalid_request_error`."""
    return ApiError(400, message)
