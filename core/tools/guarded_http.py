"""GET over HTTP that only goes where it may: every hop's every address is checked, and exactly that one is dialled.

A name is resolved once and the connection is made to the address that was checked, so a name server that answers
differently the second time (DNS rebinding) gains nothing. Proxy variables are not used: they would hide the address.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

from core.clock import monotonic
from core.tools.base import ToolError

MAX_BYTES = 5_000_000
MAX_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_HEADERS = {
    "User-Agent": "longwatch",
    "Accept": "text/html, application/json, text/*;q=0.9, */*;q=0.5",
    "Accept-Encoding": "identity",
    "Connection": "close",
}
_NOT_PUBLIC = tuple(
    map(ipaddress.ip_network, ("168.63.129.16/32", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))
)
"""Look public but are not: Azure's metadata service, and IPv6 forms that carry an IPv4 address to a gateway."""


@dataclass(frozen=True, slots=True)
class Page:
    """One answer. `url` is the last hop's; `cut` says that the body was longer than `MAX_BYTES`."""

    url: str
    status: int
    reason: str
    content_type: str
    charset: str | None
    body: bytes
    cut: bool


class Fetch:
    """One page to get, by `run` in a thread; `abort` from any other thread makes it end soon."""

    def __init__(
        self,
        url: str,
        seconds: float,
        *,
        allow_private: bool = False,
        may_go_on: Callable[[str], bool] = lambda url: True,
    ) -> None:
        """`may_go_on` is asked about each address that the page redirects to."""
        self._url = url
        self._may_go_on = may_go_on
        self._deadline = monotonic() + seconds
        self._allow_private = allow_private
        self._connection: http.client.HTTPConnection | None = None
        self._aborted = False

    def run(self) -> Page:
        """Follow redirects to a page. Raises ToolError with the reason why there is none."""
        url = self._url
        for _ in range(MAX_REDIRECTS + 1):
            try:
                answer = self._get(check_url(url))
            except (OSError, http.client.HTTPException, zlib.error) as error:
                raise ToolError(f"{url} could not be fetched: {str(error) or type(error).__name__}.") from error
            if isinstance(answer, Page):
                return answer
            url = urljoin(url, answer)
            if not self._may_go_on(url):
                raise ToolError(f"{self._url} redirects to {url}, another host; fetch that by itself if you need it.")
        raise ToolError(f"{self._url} redirects more than {MAX_REDIRECTS} times.")

    def abort(self) -> None:
        """Give up: the thread in `run` gets an error from its socket."""
        self._aborted = True
        if (connection := self._connection) is not None and connection.sock is not None:
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    def _get(self, parts: SplitResult) -> Page | str:
        host, secure = str(parts.hostname), parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        address = checked_address(host, port, allow_private=self._allow_private)
        connection = (_PinnedTLS if secure else _Pinned)(host, port, timeout=self._left())
        connection.address = address
        self._connection = connection
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("GET", path, headers=_HEADERS)
            response = connection.getresponse()
            location = response.getheader("Location")
            if response.status in _REDIRECTS and location:
                return location
            return self._page(parts.geturl(), response)
        finally:
            connection.close()

    def _page(self, url: str, response: http.client.HTTPResponse) -> Page:
        body = bytearray()
        while len(body) <= MAX_BYTES and (chunk := response.read1(1 << 16)):
            body += chunk
            self._left()
        cut, data = len(body) > MAX_BYTES, bytes(body[:MAX_BYTES])
        if response.getheader("Content-Encoding", "").lower() in ("gzip", "deflate"):
            expanded = zlib.decompressobj(47).decompress(data, MAX_BYTES + 1)
            cut, data = cut or len(expanded) > MAX_BYTES, expanded[:MAX_BYTES]
        headers = response.headers
        charset = headers.get_content_charset()
        return Page(url, response.status, response.reason, headers.get_content_type(), charset, data, cut)

    def _left(self) -> float:
        left = self._deadline - monotonic()
        if left <= 0 or self._aborted:
            raise TimeoutError("it took too long")
        return left


class _Pinned(http.client.HTTPConnection):
    """Connects to `address` instead of asking for the host's name again."""

    address = ""

    def connect(self) -> None:
        self.sock = socket.create_connection((self.address, self.port), self.timeout)


class _PinnedTLS(_Pinned):
    default_port = http.client.HTTPS_PORT

    def connect(self) -> None:
        super().connect()
        self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)


def check_url(url: str) -> SplitResult:
    """The parts of an http or https URL that names a host and no password. Raises ToolError otherwise."""
    if any(character <= " " or character == "\x7f" for character in url):
        raise ToolError("A URL can't contain spaces or control characters; percent-encode them.")
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").encode("idna").decode("ascii"), parts.port
    except ValueError as error:
        raise ToolError(f"{url} is not a valid URL.") from error
    if parts.scheme not in ("http", "https") or not host:
        raise ToolError(f"{url} can't be fetched: only http:// and https:// addresses can.")
    if parts.username is not None or parts.password is not None:
        raise ToolError("A URL with a user name or password in it is not fetched.")
    return parts._replace(path=_ascii(parts.path), query=_ascii(parts.query), fragment="")


def _ascii(text: str) -> str:
    return "".join(c if c.isascii() else "".join(f"%{byte:02X}" for byte in c.encode()) for c in text)


def checked_address(host: str, port: int, *, allow_private: bool) -> str:
    """One address of `host`. Raises ToolError when any of its addresses is not public, OSError when it has none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise ToolError(f"{host} is not a valid host name.") from error
    addresses = [str(entry[4][0]) for entry in found]
    for address in addresses:
        if not allow_private and not is_public(address):
            raise ToolError(f"{host} is a private or local address ({address}); those are not fetched.")
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an address belongs to the open internet; loopback, private, link-local and metadata ones do not."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    hidden = any(found.version == net.version and found in net for net in _NOT_PUBLIC)
    return found.is_global and not found.is_multicast and not found.is_reserved and not hidden
