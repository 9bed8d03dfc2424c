"""Sessions in a browser: nothing without the key, nothing for other sites, and the screen itself on a page's socket."""

import json

import pyte
import pytest
from session_homes import DONE, make

aiohttp = pytest.importorskip("aiohttp", reason="the extra `web` is not installed")
pytest.importorskip("textual_serve", reason="the extra `web` is not installed")

from aiohttp import WSMsgType, WSServerHandshakeError, web  # noqa: E402

from tui.browser import Browser  # noqa: E402


@pytest.fixture
async def served(tmp_path):
    """A server over a home with one session; its address, and a client that has no key yet."""
    await make(tmp_path, "01a", "<b>audit</b>\x1b[2J", DONE)
    browser = Browser(tmp_path, 0, key="the-key")
    runner = web.AppRunner(browser.app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
        yield f"http://127.0.0.1:{port}", client
    await runner.cleanup()


async def test_without_the_key_and_under_a_strangers_name_there_is_nothing(served):
    base, client = served
    for path in (
        "/",
        "/?key=wrong",
        "/session/01a",
        "/screen/01a",
        "/static/js/textual.js",
        "/session/01a?key=the-key",
    ):
        assert (await client.get(base + path)).status == 403, path
    page = await client.get(base + "/?key=the-key")
    assert page.status == 200 and "key" not in str(page.url)
    assert (await client.get(base + "/", headers={"Host": "rebound.example"})).status == 403
    assert (await client.get(base + "/session/01b")).status == 404
    assert (await client.get(base + "/session/..%2f01a")).status == 404


async def test_the_list_is_a_page_that_loads_nothing_from_elsewhere_and_runs_no_text_of_a_session(served):
    base, client = served
    page = await client.get(base + "/?key=the-key")
    text = await page.text()
    assert "&lt;b&gt;audit&lt;/b&gt;" in text and "\x1b" not in text and "/session/01a" in text
    assert "https://" not in text and "default-src 'none'" in page.headers["Content-Security-Policy"]
    screen = await (await client.get(base + "/session/01a")).text()
    assert f'data-session-websocket-url="ws{base[4:]}/screen/01a"' in screen and "https://" not in screen
    assert (await client.get(base + "/static/js/textual.js")).status == 200
    assert "/static/fonts" in await (await client.get(base + "/style.css")).text()


async def test_a_page_of_its_own_gets_the_screen_and_a_page_of_another_site_none(served):
    base, client = served
    await client.get(base + "/?key=the-key")
    url = f"{base}/screen/01a?width=100&height=30"
    for origin in ({}, {"Origin": "http://evil.example"}, {"Origin": "null"}):
        with pytest.raises(WSServerHandshakeError, match="403"):
            await client.ws_connect(url, headers=origin)
    screen = pyte.Screen(100, 30)
    stream = pyte.ByteStream(screen)
    async with client.ws_connect(url, headers={"Origin": base}) as socket:
        for junk in ("[]", "no json", '["resize", {"width": -1, "height": "x"}]', '["stdin", 7]'):
            await socket.send_str(junk)
        left = False
        async for message in socket:
            if message.type == WSMsgType.BINARY:
                stream.feed(message.data)
            if not left and "REPLAY" in screen.display[0]:
                left = True
                await socket.send_str(json.dumps(["stdin", "q"]))
        assert left and socket.closed
