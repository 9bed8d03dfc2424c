"""An address of the user's that a note is posted to: https anywhere, http on this machine; no redirects, no proxies."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from socket import SHUT_RDWR
from urllib.parse import SplitResult, urlsplit

from core.notify.command import CallFailed
from core.notify.note import Note, plain


def address_of(url: str, *, plain_http: bool = False) -> SplitResult:
    """The parts of a webhook's address. Raises CallFailed when notes may not go there."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode("ascii")
        _ = parts.port
    except ValueError:
        raise CallFailed("The webhook is no valid address; write it like https://example.org/hook.") from None
    if parts.scheme not in ("http", "https") or not host or not url.isascii() or not url.isprintable() or " " in url:
        raise CallFailed("The webhook is no valid address; write it like https://example.org/hook.")
    if parts.scheme == "http" and not plain_http and not is_loopback(host):
        raise CallFailed(f"The webhook at {host} is not https; use https, or allow it with webhook_plain.")
    return parts


def is_loopback(host: str) -> bool:
    """Whether the name can only mean this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def post(url: str, note: Note, seconds: float, *, plain_http: bool = False) -> None:
    """Post the note as JSON, within `seconds`. Raises CallFailed; the address' path, often a secret, is never told."""
    parts = address_of(url, plain_http=plain_http)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=seconds)
    try:
        async with asyncio.timeout(seconds):
            status = await asyncio.to_thread(_status, connection, parts, note)
    except TimeoutError:
        raise CallFailed(f"The webhook at {parts.hostname} did not answer within {seconds:g} s.") from None
    except ssl.SSLError as error:
        raise CallFailed(f"The webhook at {parts.hostname} can't be trusted: {plain(error.reason or '')}.") from None
    except (OSError, HTTPException) as error:
        reason = plain(getattr(error, "strerror", None) or str(error) or type(error).__name__)
        raise CallFailed(f"The webhook at {parts.hostname} can't be reached: {reason}.") from None
    finally:
        _abort(connection)
    if not 200 <= status < 300:
        raise CallFailed(f"The webhook at {parts.hostname} answered with status {status}.")


def _status(connection: HTTPConnection, parts: SplitResult, note: Note) -> int:
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Content-Type": "application/json", "User-Agent": "longwatch", "Connection": "close"}
    try:
        connection.request("POST", path, note.encoded(), headers)
        return connection.getresponse().status
    finally:
        connection.close()


def _abort(connection: HTTPConnection) -> None:
    """Whoever still waits for the answer gets an error from the socket."""
    if (socket := connection.sock) is not None:
        with suppress(OSError):
            socket.shutdown(SHUT_RDWR)
