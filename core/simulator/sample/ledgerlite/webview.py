"""A page with the balances, for a browser on the local network."""

from __future__ import annotations

import html
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from ledgerlite.reports import balance_rows
from ledgerlite.store import Store

HOST = "0.0.0.0"
PORT = 8321
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>body {{ font: 16px sans-serif; margin: 2em }} td + td {{ text-align: right; padding-left: 2em }}</style>
</head><body><h1>{title}</h1><table>{rows}</table></body></html>
"""


def render(store: Store, title: str = "Balances") -> str:
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in balance_rows(store)
    )
    return PAGE.format(title=html.escape(title), rows=rows)


def make_handler(books: Path) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path not in ("/", "/index.html"):
                self.send_error(404)
                return
            with Store(books) as store:
                body = render(store).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    return Handler


def make_server(books: Path, host: str = HOST, port: int = PORT) -> ThreadingHTTPServer:
    return ThreadingHTTPServer((host, port), make_handler(books))
