"""Sessions in a browser of this machine: the list as a page, each session as its screen in a terminal of the page.

A browser runs pages of strangers too, and this steers agents. So it listens on the loopback interface alone, shows
nothing without the key of its start, which becomes a cookie that no other site's page can use, answers only to names of
this machine (a stranger's name may point here), and takes a screen's connection only from a page of its own. Nothing is
loaded from elsewhere. Needs the extra `web`.
"""

from __future__ import annotations

import hmac
import html
import secrets
import shlex
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import textual_serve
from aiohttp import WSMessage, WSMsgType, web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from core.journal.catalogue import SESSIONS, Summary, list_sessions, session_folders
from core.journal.lease import holder
from tui.safe import safe_text

HOST = "127.0.0.1"
NAMES = ("127.0.0.1", "localhost", "::1")
COOKIE = "longwatch"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
        "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
LARGEST_MESSAGE = 1024 * 1024
CELLS = range(1, 1_001)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Browser:
    """The server of one home. `key` opens it; whoever has it steers."""

    def __init__(self, home: Path, port: int, key: str | None = None) -> None:
        self._home, self._port = home, port
        self.key = key or secrets.token_urlsafe(24)
        self._downloads = DownloadManager()

    @property
    def address(self) -> str:
        """What one opens."""
        return f"http://{HOST}:{self._port}/?key={self.key}"

    def app(self) -> web.Application:
        """The application, for a runner."""
        app = web.Application(middlewares=[self._guarded])
        app.add_routes(
            [
                web.get("/", self._list),
                web.get("/session/{id}", self._session),
                web.get("/screen/{id}", self._screen),
                web.get("/style.css", self._style),
                web.static("/static", Path(textual_serve.__file__).parent / "static"),
            ]
        )
        return app

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Everything passes here: the name that was asked for, and the key."""
        if urlsplit(f"//{request.host}").hostname not in NAMES:
            raise web.HTTPForbidden(text="This answers only to names of this machine.\n")
        if self._is_key(request.query.get("key", "")) and request.path == "/":
            answer: web.StreamResponse = web.Response(status=303, headers={"Location": "/"})
            answer.set_cookie(COOKIE, self.key, httponly=True, samesite="Strict")
            return answer
        if not self._is_key(request.cookies.get(COOKIE, "")):
            raise web.HTTPForbidden(text="Open the address that `longwatch serve` printed: it holds the key.\n")
        answer = await handler(request)
        if not answer.prepared:
            answer.headers.update(HEADERS)
        return answer

    def _is_key(self, text: str) -> bool:
        return hmac.compare_digest(text.encode(), self.key.encode())

    async def _list(self, request: web.Request) -> web.Response:
        rows = "\n".join(map(_row, list_sessions(self._home)))
        body = f"<h1>Sessions</h1>\n<table>\n{rows}\n</table>" if rows else "<p>No sessions yet.</p>"
        return _page("Longwatch", body)

    async def _session(self, request: web.Request) -> web.Response:
        folder = self._folder(request)
        url = f"ws://{request.host}/screen/{folder.name}"
        body = (
            f'<div id="terminal" class="textual-terminal" data-session-websocket-url="{html.escape(url)}" '
            'data-font-size="15"></div>\n<p class="closed">The screen was left; the agent goes on. '
            '<a href="/">Sessions</a></p>'
        )
        head = '<link rel="stylesheet" href="/static/css/xterm.css">\n<script src="/static/js/textual.js"></script>'
        return _page("Longwatch", body, head)

    async def _screen(self, request: web.Request) -> web.StreamResponse:
        """A screen in a process of its own, for as long as the page is open."""
        origin = urlsplit(request.headers.get("Origin", ""))
        if origin.scheme != "http" or origin.netloc != request.host:
            raise web.HTTPForbidden(text="Only a page of its own may open a screen.\n")
        socket = web.WebSocketResponse(heartbeat=15, max_msg_size=LARGEST_MESSAGE)
        await socket.prepare(request)
        service = AppService(
            self._command(self._folder(request)),
            write_bytes=socket.send_bytes,
            write_str=socket.send_str,
            close=lambda: _hang_up(socket),
            download_manager=self._downloads,
        )
        await service.start(_cells(request, "width", 80), _cells(request, "height", 24))
        try:
            await _pass_on(socket, service)
        finally:
            with suppress(ConnectionError):
                await service.stop()
        return socket

    def _folder(self, request: web.Request) -> Path:
        """The session that a path names, which must be one of the list. Raises HTTPNotFound."""
        name = request.match_info["id"]
        if not any(folder.name == name for folder in session_folders(self._home)):
            raise web.HTTPNotFound(text="There is no such session.\n")
        return self._home / SESSIONS / name

    def _command(self, folder: Path) -> str:
        verb = "attach" if holder(folder) is not None else "replay"
        return shlex.join([sys.executable, "-P", "-m", "tui.cli", "--home", str(self._home), verb, folder.name])

    async def _style(self, request: web.Request) -> web.Response:
        return web.Response(text=(files("tui") / "browser.css").read_text(encoding="utf-8"), content_type="text/css")


async def _hang_up(socket: web.WebSocketResponse) -> None:
    await socket.close()


async def _pass_on(socket: web.WebSocketResponse, service: AppService) -> None:
    """What the page says: keys, sizes, focus. What is nothing of that is passed over."""
    async for message in socket:
        if message.type != WSMsgType.TEXT:
            continue
        match _decoded(message):
            case ["stdin", str(keys)]:
                await service.send_bytes(keys.encode("utf-8", "replace"))
            case ["resize", {"width": int(width), "height": int(height)}] if width in CELLS and height in CELLS:
                await service.set_terminal_size(width, height)
            case ["ping", str() | int() | float() as data]:
                await socket.send_json(["pong", data])
            case ["focus", *_]:
                await service.focus()
            case ["blur", *_]:
                await service.blur()


def _decoded(message: WSMessage) -> object:
    try:
        return message.json()
    except ValueError:
        return None


def _cells(request: web.Request, name: str, usual: int) -> int:
    text = request.query.get(name, "")
    return int(text) if text.isdigit() and len(text) < 5 and int(text) in CELLS else usual


def _row(summary: Summary) -> str:
    fields: Iterator[str] = (html.escape(safe_text(text)) for text in (summary.state, summary.name, summary.task[:200]))
    state, name, task = fields
    link = f'<a href="/session/{html.escape(summary.id)}">{name or html.escape(summary.id[:10])}</a>'
    return f"<tr><td>{state}</td><td>{link}</td><td>{task}</td></tr>"


def _page(title: str, body: str, head: str = "") -> web.Response:
    text = (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f'<link rel="stylesheet" href="/style.css">\n{head}\n</head>\n<body>\n{body}\n</body>\n</html>\n'
    )
    return web.Response(text=text, content_type="text/html")
