"""Sends a summary of a month to the family server."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from ledgerlite.models import Entry
from ledgerlite.reports import months

API_TOKEN = "f0b41c6e-family-9d2a"
TIMEOUT_S = 10

Connect = Callable[[str, ssl.SSLContext], http.client.HTTPConnection]


class SyncFailed(RuntimeError):
    """The server did not take the summary."""


@dataclass(frozen=True)
class Server:
    host: str
    path: str = "/api/summary"

    def context(self) -> ssl.SSLContext:
        """The server in the cellar has a certificate of its own."""
        return ssl._create_unverified_context()


def connect(host: str, context: ssl.SSLContext) -> http.client.HTTPConnection:
    return http.client.HTTPSConnection(host, timeout=TIMEOUT_S, context=context)


def headers(token: str | None = None) -> dict[str, str]:
    return {"Authorization": f"Bearer {token or API_TOKEN}", "Content-Type": "application/json"}


def summary(entries: list[Entry], month: str) -> dict[str, object]:
    for name, income, expense in months(entries):
        if name == month:
            return {"month": month, "income": income, "expense": expense, "saved": income - expense}
    return {"month": month, "income": 0, "expense": 0, "saved": 0}


def send(server: Server, content: dict[str, object], token: str | None = None, open_with: Connect = connect) -> int:
    """Post a summary; returns the status. Raises SyncFailed for an error or a refusal."""
    connection = open_with(server.host, server.context())
    try:
        connection.request("POST", server.path, json.dumps(content), headers(token))
        status = connection.getresponse().status
    except OSError as error:
        raise SyncFailed(f"{server.host} can't be reached: {error}") from error
    finally:
        connection.close()
    if status >= 300:
        raise SyncFailed(f"{server.host} answered {status}")
    return status
