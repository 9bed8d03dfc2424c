from __future__ import annotations

import asyncio
import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from job_processes import eventually
from tool_helpers import Bench

from core.agent.approving import Gate
from core.approvals.places import Places
from core.approvals.policy import Policy
from core.approvals.rules import read_rules
from core.folds.state import RunState
from core.tools import guarded_http
from core.tools.base import ToolError
from core.tools.fetch import FetchUrl
from core.tools.guarded_http import MAX_BYTES, check_url, checked_address, is_public

PAGE = """<!doctype html><html><head><title>The  Guide</title><style>p {color: red}</style></head>
<body><script>alert("no")</script><nav><a href="/next">Next</a></nav><h1>Start</h1><p>One &amp; two
lines.</p><ul><li>first<li>second</ul><table><tr><th>k</th><td>v</td></tr></table>
<pre>  kept
    as is</pre><a href="#top">up</a><img src=x alt="a cat"></body></html>"""
Answer = tuple[int, dict[str, str], bytes]


class Site:
    """A server on loopback whose pages are functions of the path."""

    def __init__(self) -> None:
        self.pages: dict[str, Answer | Callable[[BaseHTTPRequestHandler], None]] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.requests.append((self.path, dict(self.headers)))
                answer = site.pages.get(self.path, (404, {"Content-Type": "text/plain"}, b"no such page"))
                if callable(answer):
                    answer(self)
                    return
                status, headers, body = answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: Any) -> None:
                """Tests are quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def page(self, path: str, body: str | bytes, kind: str = "text/plain", status: int = 200, **headers: str) -> str:
        data = body.encode() if isinstance(body, str) else body
        self.pages[path] = (status, {"Content-Type": kind, **headers}, data)
        return self.url + path


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    thread = threading.Thread(target=site.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield site
    site.server.shutdown()
    site.server.server_close()
    thread.join()


@pytest.fixture
def inside(tmp_path: Path) -> Bench:
    """A bench whose session may fetch from private addresses."""
    return Bench(tmp_path, allow_private=True)


async def test_a_page_comes_as_marked_readable_text(inside: Bench, site: Site) -> None:
    url = site.page("/guide", PAGE, "text/html; charset=utf-8")
    outcome = await inside(FetchUrl(), url=url + "#part")
    assert outcome.content.splitlines() == [
        f"untrusted content from {url} (200 OK, text/html, {len(PAGE):,} bytes)",
        "title: The Guide",
        "",
        "[Next](/next)",
        "",
        "# Start",
        "",
        "One & two lines.",
        "",
        "- first",
        "- second",
        "",
        " | k | v",
        "",
        "  kept",
        "    as is",
        "",
        "up[image: a cat]",
    ]


async def test_json_and_text_come_as_they_are(inside: Bench, site: Site) -> None:
    outcome = await inside(FetchUrl(), url=site.page("/api?q=ü", '{"a":  [1]}', "application/json"))
    assert not outcome.ok and "404" in outcome.content
    site.page("/api?q=%C3%BC", '{"a":  [1]}', "application/json")
    outcome = await inside(FetchUrl(), url=site.url + "/api?q=ü")
    assert outcome.ok and outcome.content.endswith('application/json, 11 bytes)\n{"a":  [1]}')
    latin = site.page("/latin", "café".encode("latin-1"), "text/plain; charset=latin-1")
    assert (await inside(FetchUrl(), url=latin)).content.endswith("\ncafé")
    odd = site.page("/odd", "café", "text/plain; charset=no-such")
    assert (await inside(FetchUrl(), url=odd)).content.endswith("\ncafé")


async def test_errors_of_the_server_are_shown_with_their_text(inside: Bench, site: Site) -> None:
    outcome = await inside(FetchUrl(), url=site.url + "/nothing")
    assert not outcome.ok and "(404 Not Found, text/plain, 12 bytes)\nno such page" in outcome.content


async def test_long_binary_and_compressed_content(inside: Bench, site: Site) -> None:
    long = await inside(FetchUrl(), url=site.page("/long", "line\n" * 10_000))
    assert 'recall(handle="out:r1.0.0")' in long.content and len(long.content) < 12_500
    assert isinstance(long.full, str) and long.full.count("line") == 10_000
    binary = await inside(FetchUrl(), url=site.page("/pic", b"\x89PNG" + bytes(99), "image/png"))
    assert binary.content.endswith("[binary, a PNG image, 103 bytes, starting 89 50 4e 47 00 00 00 00; not shown]")
    packed = site.page("/gz", gzip.compress(b"unpacked"), **{"Content-Encoding": "gzip"})
    assert (await inside(FetchUrl(), url=packed)).content.endswith("\nunpacked")
    bomb = site.page("/bomb", gzip.compress(b"x" * 50_000_000), **{"Content-Encoding": "gzip"})
    assert f"{MAX_BYTES:,} bytes, cut there" in (await inside(FetchUrl(), url=bomb)).content


async def test_a_page_leads_on_to_another_host_only_where_that_could_be_fetched_without_a_question(
    tmp_path: Path, site: Site
) -> None:
    other = site.url.replace("127.0.0.1", "localhost")
    site.page("/there", "secret")
    site.page("/hop", "", status=302, Location=f"{other}/there")
    site.page("/stay", "", status=302, Location="/there")
    places = Places(str(tmp_path))
    for allow, reaches in (((), False), (("fetch_url: localhost:*",), True)):
        gate = Gate(Policy(places, rules=read_rules(allow, (), ())), RunState(), str)
        bench = Bench(tmp_path, allow_private=True, may_redirect=gate.may_redirect)
        assert "secret" in (await bench(FetchUrl(), url=f"{site.url}/stay")).content
        if reaches:
            assert "secret" in (await bench(FetchUrl(), url=f"{site.url}/hop")).content
            continue
        asked = len(site.requests)
        with pytest.raises(ToolError, match="another host; fetch that by itself"):
            await bench(FetchUrl(), url=f"{site.url}/hop")
        assert [path for path, _ in site.requests[asked:]] == ["/hop"]


async def test_redirects_are_followed_and_each_hop_is_checked_again(
    inside: Bench, bench: Bench, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    final = site.page("/final", "arrived")
    site.page("/a", "", status=302, Location="b/../final?x=1")
    site.page("/final?x=1", "arrived")
    outcome = await inside(FetchUrl(), url=site.url + "/a")
    assert f"untrusted content from {final}?x=1 " in outcome.content
    site.page("/loop", "", status=301, Location="/loop")
    with pytest.raises(ToolError, match="redirects more than 5 times"):
        await inside(FetchUrl(), url=site.url + "/loop")
    site.page("/file", "", status=302, Location="file:///etc/passwd")
    with pytest.raises(ToolError, match="only http:// and https://"):
        await inside(FetchUrl(), url=site.url + "/file")
    port = site.server.server_address[1]
    site.page("/inward", "", status=302, Location=f"http://localhost:{port}/final")
    monkeypatch.setattr(guarded_http, "is_public", lambda address: site.requests == [])
    site.requests.clear()
    with pytest.raises(ToolError, match="localhost is a private or local address"):
        await bench(FetchUrl(), url=site.url + "/inward")
    assert [path for path, _ in site.requests] == ["/inward"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://localhost/",
        "http://[::1]/",
        "http://10.1.2.3/",
        "http://192.168.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://100.100.100.200/",
        "http://168.63.129.16/",
        "http://[fd00:ec2::254]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://0.0.0.0/",
        "http://0x7f.1/",
        "http://2130706433/",
        "http://224.0.0.1/",
    ],
)
async def test_private_and_metadata_addresses_are_refused_however_they_are_written(bench: Bench, url: str) -> None:
    with pytest.raises(ToolError, match="private or local address"):
        await bench(FetchUrl(), url=url)


async def test_an_open_port_on_loopback_is_never_dialled_by_default(bench: Bench, site: Site) -> None:
    with pytest.raises(ToolError, match="private or local"):
        await bench(FetchUrl(), url=site.page("/", "secret"))
    assert site.requests == []


async def test_the_address_that_was_checked_is_the_one_that_is_dialled(
    inside: Bench, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def rebinding(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        if host == "127.0.0.1":
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1" if len(asked) == 1 else "10.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    port = site.server.server_address[1]
    site.page("/", "hello")
    outcome = await inside(FetchUrl(), url=f"http://rebind.example:{port}/")
    assert outcome.content.endswith("\nhello") and asked == ["rebind.example"]
    assert site.requests[0][1]["Host"] == f"rebind.example:{port}"


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(2, 1, 6, "", (address, 80)) for address in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(ToolError, match=r"10\.0\.0\.1"):
        checked_address("mixed.example", 80, allow_private=False)
    assert is_public("93.184.216.34") and is_public("2606:2800:220:1:248:1893:25c8:1946")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://example.org/", "only http"),
        ("/etc/passwd", "only http"),
        ("http://", "only http"),
        ("http://user:pw@example.org/", "user name or password"),
        ("http://exa mple.org/", "spaces or control"),
        ("http://example.org/\r\nX: y", "spaces or control"),
        ("http://[::1", "not a valid URL"),
        ("http://example.org:99999/", "not a valid URL"),
        ("http://" + "a" * 70 + ".example/", "not a valid URL"),
    ],
)
def test_what_is_no_address_is_refused(url: str, reason: str) -> None:
    with pytest.raises(ToolError, match=reason):
        check_url(url)


async def test_a_server_that_is_silent_or_gone_is_given_up(inside: Bench, site: Site) -> None:
    released = threading.Event()
    site.pages["/slow"] = lambda handler: released.wait(20) and None
    with pytest.raises(ToolError, match=r"did not answer within 0\.3 s|took too long|timed out"):
        await inside(FetchUrl(seconds=0.3), url=site.url + "/slow")
    task = asyncio.create_task(inside(FetchUrl(), url=site.url + "/slow"))
    await asyncio.to_thread(eventually, lambda: len(site.requests) == 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    released.set()
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(ToolError, match=r"could not be fetched: .*refused"):
        await inside(FetchUrl(), url=f"http://127.0.0.1:{port}/")


async def test_a_hostile_page_cannot_keep_the_reader_busy(
    inside: Bench, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.tools.fetch._HTML_SECONDS", 1.0)
    outcome = await inside(FetchUrl(), url=site.page("/", "<!--a" * 400_000, "text/html"))
    assert outcome.ok and len(outcome.content) < 12_500
