from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from model_server import (
    OK,
    Connection,
    ModelServer,
    closed,
    delta,
    fails,
    opened,
    sse,
    start,
    stopped,
    streams,
    text,
    tool,
)

from core.clock import MICROSECONDS, VirtualClock
from core.events import Usage
from core.models.assembly import Delta, Reply
from core.models.client import Client
from core.models.errors import LONGEST_MESSAGE, ErrorClass, ModelError
from core.models.profiles import FIRST_PARTY_VERSION, Endpoint
from core.models.wire import Wire

BODY = [b'{"model":"m","max_tokens":9,"stream":true,', b'"messages":[{"role":"user","content":"h\xc3\xa9"}]}']
KEY = "sk-very-secret-key"


def endpoint(server: ModelServer, **changes: Any) -> Endpoint:
    base = Endpoint(profile="generic", base_url=server.url, model="model-x", pooling=False, stall_s=20)
    return msgspec.structs.replace(base, **changes)


@asynccontextmanager
async def wired(target: Endpoint, key: str | None = KEY) -> AsyncIterator[Wire]:
    wire = Wire(target, lambda: key, VirtualClock())
    try:
        yield wire
    finally:
        await wire.close()


async def ask(target: Endpoint, deltas: list[Delta] | None = None, key: str | None = KEY) -> Reply:
    async with wired(target, key) as wire:
        return await wire.stream(BODY, (deltas if deltas is not None else []).append)


async def failure(target: Endpoint, key: str | None = KEY) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await ask(target, key=key)
    assert KEY not in str(caught.value)
    return caught.value


def error_event(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}}


async def test_a_reply_with_thinking_text_and_parallel_calls_comes_back_whole(server: ModelServer) -> None:
    server.answer = streams(
        start(input_tokens=10, cache_read_input_tokens=900, cache_creation_input_tokens=50, output_tokens=1),
        {"type": "ping"},
        opened(0, type="thinking", thinking="", signature=""),
        delta(0, "thinking_delta", thinking="I should "),
        delta(0, "thinking_delta", thinking="look."),
        delta(0, "signature_delta", signature="c2ln"),
        closed(0),
        *text(1, "Reading ", "both."),
        *tool(2, "read_file", '{"pa', 'th": "a.py"}'),
        *tool(3, "list_files"),
        {"type": "something_new", "index": 4},
        *stopped("tool_use", output_tokens=42),
    )
    deltas: list[Delta] = []
    reply = await ask(endpoint(server), deltas)
    assert reply.content == [
        {"type": "thinking", "thinking": "I should look.", "signature": "c2ln"},
        {"type": "text", "text": "Reading both."},
        {"type": "tool_use", "id": "toolu_2", "name": "read_file", "input": {"path": "a.py"}},
        {"type": "tool_use", "id": "toolu_3", "name": "list_files", "input": {}},
    ]
    assert (reply.message_id, reply.model, reply.stop_reason) == ("msg_1", "model-x", "tool_use")
    assert reply.usage == Usage(fresh=10, cache_read=900, cache_write_5m=50, output=42)
    assert reply.request_id == "req_1"
    assert reply.first_token_ms is not None
    assert 0 <= reply.first_token_ms <= reply.ms
    assert [(item.index, item.kind, item.text) for item in deltas] == [
        (0, "thinking", "I should "),
        (0, "thinking", "look."),
        (1, "text", "Reading "),
        (1, "text", "both."),
        (2, "tool", "read_file"),
        (2, "arguments", '{"pa'),
        (2, "arguments", 'th": "a.py"}'),
        (3, "tool", "list_files"),
    ]


async def test_the_bytes_that_are_sent_are_the_bytes_that_were_given(server: ModelServer) -> None:
    server.answer = streams(start(input_tokens=1), *text(0, "hi"), *stopped())
    await ask(endpoint(server))
    (request,) = server.requests
    assert request.line == "POST /v1/messages HTTP/1.1"
    assert request.body == b"".join(BODY)


async def test_the_headers_are_ours_alone_whatever_the_environment_says(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-of-somebody")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "token-of-somebody")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "x-leak: yes\nx-api-key: sk-of-somebody")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    server.answer = streams(start(input_tokens=1), *text(0, "hi"), *stopped())
    await ask(endpoint(server, headers={"X-Team": "tools"}))
    await ask(endpoint(server, version=FIRST_PARTY_VERSION))
    third_party, first_party = (request.headers for request in server.requests)
    assert third_party["anthropic-version"] == "2023-06-01"
    assert third_party["x-api-key"] == KEY
    assert third_party["authorization"] == f"Bearer {KEY}"
    assert third_party["content-type"] == "application/json"
    assert third_party["x-team"] == "tools"
    assert first_party["anthropic-version"] == FIRST_PARTY_VERSION
    assert "x-api-key" not in first_party
    assert "x-leak" not in third_party
    assert not any("somebody" in value for value in (*third_party.values(), *first_party.values()))


async def test_a_local_server_without_a_key_is_given_a_dummy(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-of-somebody")
    server.answer = streams(start(input_tokens=1), *text(0, "hi"), *stopped())
    await ask(endpoint(server), key=None)
    assert server.requests[0].headers["authorization"] == "Bearer none"


@pytest.mark.parametrize(
    ("url", "mode"), [("http://127.0.0.1:1", ssl.CERT_NONE), ("HTTPS://localhost:1", ssl.CERT_REQUIRED)]
)
def test_certificates_are_checked_wherever_tls_is_spoken(url: str, mode: ssl.VerifyMode) -> None:
    client = Client(Endpoint(profile="generic", base_url=url, model="m"), None)
    assert client._client._transport._pool._ssl_context.verify_mode is mode  # type: ignore[attr-defined]


async def test_a_socket_that_closes_after_each_reply_is_not_used_again(server: ModelServer) -> None:
    async def keep_alive_but_close(connection: Connection) -> None:
        await connection.send(OK.replace("connection: close\r\n", ""))
        await connection.events(start(input_tokens=1), *text(0, "hi"), *stopped())

    server.answer = keep_alive_but_close
    async with wired(endpoint(server)) as wire:
        for _ in range(5):
            assert (await wire.stream(BODY, lambda _: None)).stop_reason == "end_turn"
    assert len(server.requests) == 5


async def test_a_reply_counts_though_the_server_holds_the_connection_after_its_end(server: ModelServer) -> None:
    async def hold(connection: Connection) -> None:
        connection.headers["x-hold"] = "yes"
        await connection.send(OK)
        await connection.events(start(input_tokens=1), *text(0, "hi"), *stopped())

    server.answer = hold
    assert (await ask(endpoint(server, pooling=True))).content == [{"type": "text", "text": "hi"}]


async def test_the_end_of_file_in_a_text_is_a_cut_stream(server: ModelServer) -> None:
    server.answer = streams(start(input_tokens=1), *text(0, "half a senten")[:2])
    error = await failure(endpoint(server))
    assert error.error_class is ErrorClass.STREAM_CUT
    assert error.partial_chars == len("half a senten")
    assert error.request_id == "req_1"


async def test_the_end_of_file_in_the_arguments_of_a_call_is_a_cut_stream(server: ModelServer) -> None:
    server.answer = streams(start(input_tokens=1), *tool(0, "read_file", '{"path": "a.py"')[:2])
    assert (await failure(endpoint(server))).error_class is ErrorClass.STREAM_CUT


@pytest.mark.parametrize("ending", [stopped(None), stopped()[:1]], ids=["no stop reason", "no message_stop"])
async def test_a_reply_without_its_end_does_not_count(server: ModelServer, ending: list[dict[str, Any]]) -> None:
    server.answer = streams(start(input_tokens=1), *text(0, "All done."), *ending)
    assert (await failure(endpoint(server))).error_class is ErrorClass.STREAM_CUT


async def test_a_reset_within_a_reply_is_a_cut_stream_and_before_it_a_network_error(server: ModelServer) -> None:
    async def reset_late(connection: Connection) -> None:
        await connection.send(OK.replace("connection: close", "transfer-encoding: chunked"))
        piece = sse(start(input_tokens=1))
        await connection.send(f"{len(piece):x}\r\n{piece}\r\n")
        connection.abort()

    async def reset_early(connection: Connection) -> None:
        connection.abort()

    server.answers = [reset_late, reset_early]
    assert (await failure(endpoint(server))).error_class is ErrorClass.STREAM_CUT
    assert (await failure(endpoint(server))).error_class is ErrorClass.NETWORK


async def test_a_server_that_is_not_there_is_a_network_error_in_one_sentence(server: ModelServer) -> None:
    error = await failure(endpoint(server, base_url="http://127.0.0.1:1"))
    assert error.error_class is ErrorClass.NETWORK
    assert str(error).startswith("The connection to http://127.0.0.1:1 failed")


@pytest.mark.parametrize(
    ("name", "value"),
    [("HTTPS_PROXY", "nonsense://x"), ("ALL_PROXY", "http://x:port"), ("SSL_CERT_FILE", "/there/is/none.pem")],
)
async def test_an_environment_that_leads_nowhere_is_told_by_the_names_of_its_variables(
    server: ModelServer, name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    error = await failure(endpoint(server, base_url="https://models.example.org"))
    assert error.error_class is ErrorClass.NOT_FOUND
    assert name in str(error)


@pytest.mark.parametrize("begun", [False, True])
async def test_silence_is_a_stall(server: ModelServer, begun: bool) -> None:
    async def fall_silent(connection: Connection) -> None:
        connection.headers["x-hold"] = "yes"
        if begun:
            await connection.send(OK)
            await connection.events(start(input_tokens=1))

    server.answer = fall_silent
    assert (await failure(endpoint(server, stall_s=0.1))).error_class is ErrorClass.STALLED


@pytest.mark.parametrize("kind", ["ping", "keepalive"])
async def test_what_is_no_part_of_a_reply_does_not_keep_it_alive(server: ModelServer, kind: str) -> None:
    async def ping_for_ever(connection: Connection) -> None:
        await connection.send(OK)
        while not connection.writer.transport.is_closing():
            await connection.send(sse({"type": kind}))
            await asyncio.sleep(0.01)

    server.answer = ping_for_ever
    assert (await failure(endpoint(server, stall_s=0.1))).error_class is ErrorClass.STALLED


async def test_cancelling_closes_the_stream(server: ModelServer) -> None:
    streaming = asyncio.Event()

    async def begin_and_wait(connection: Connection) -> None:
        connection.headers["x-hold"] = "yes"
        await connection.send(OK)
        await connection.events(start(input_tokens=1), *text(0, "slow")[:2])

    server.answer = begin_and_wait
    async with wired(endpoint(server)) as wire:
        task = asyncio.create_task(wire.stream(BODY, lambda _: streaming.set()))
        await asyncio.wait_for(streaming.wait(), 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(server.hung_up.wait(), 20)


async def test_a_mistake_of_the_caller_is_not_taken_for_one_of_the_server(server: ModelServer) -> None:
    def broken(_: Delta) -> None:
        raise TimeoutError("the disk")

    server.answer = streams(start(input_tokens=1), *text(0, "hi"), *stopped())
    async with wired(endpoint(server)) as wire:
        with pytest.raises(TimeoutError, match="the disk"):
            await wire.stream(BODY, broken)


async def test_an_error_in_the_stream_is_classified_by_its_type(server: ModelServer) -> None:
    server.answer = streams(start(input_tokens=1), *text(0, "abc")[:2], error_event("overloaded_error", "Overloaded"))
    error = await failure(endpoint(server))
    assert (error.error_class, error.status, error.partial_chars) == (ErrorClass.OVERLOADED, 200, 3)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('data: {"error": {"code": 502, "message": "upstream died"}}', ErrorClass.SERVER),
        ('data: {"error": {"code": 429, "message": "slow down"}}', ErrorClass.RATE_LIMITED),
        ('data: {"type":"error","error":{"type":"authentication_error","message":"no"}}', ErrorClass.AUTH),
        ("event: error\ndata: it broke", ErrorClass.SERVER),
        ("event: content_block_delta\ndata: {cut", ErrorClass.MALFORMED),
        ("data: [1]", ErrorClass.MALFORMED),
        ('data: {"type":"message_start","message":{"usage":{"input_tokens":NaN}}}', ErrorClass.MALFORMED),
        ("data: " + "[" * 200_000, ErrorClass.MALFORMED),
        ('data: {"object":"chat.completion.chunk","choices":[]}\n\ndata: [DONE]', ErrorClass.MALFORMED),
    ],
)
async def test_foreign_lines_in_a_stream_are_told_apart(server: ModelServer, line: str, expected: ErrorClass) -> None:
    async def answer(connection: Connection) -> None:
        await connection.send(OK + f"{line}\n\n")

    server.answer = answer
    assert (await failure(endpoint(server))).error_class is expected


async def test_bytes_that_are_not_utf8_are_malformed(server: ModelServer) -> None:
    async def answer(connection: Connection) -> None:
        await connection.send(OK.encode() + b"data: \xff\xfe\n\n")

    server.answer = answer
    assert (await failure(endpoint(server))).error_class is ErrorClass.MALFORMED


@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [
        (429, "rate_limit_error", ErrorClass.RATE_LIMITED),
        (529, "overloaded_error", ErrorClass.OVERLOADED),
        (500, "api_error", ErrorClass.SERVER),
        (400, "invalid_request_error", ErrorClass.BAD_REQUEST),
        (401, "authentication_error", ErrorClass.AUTH),
        (404, "not_found_error", ErrorClass.NOT_FOUND),
    ],
)
async def test_http_errors_become_their_class(
    server: ModelServer, status: int, kind: str, expected: ErrorClass
) -> None:
    server.answer = fails(status, error_event(kind, f"because of {KEY}"), "request-id: req_9")
    error = await failure(endpoint(server))
    assert (error.error_class, error.status, error.request_id) == (expected, status, "req_9")
    assert str(error).endswith("because of [key].")


async def test_no_part_of_the_key_is_told_where_a_long_answer_is_cut_in_it_nor_by_the_server_s_name_for_the_request(
    server: ModelServer,
) -> None:
    for before in range(LONGEST_MESSAGE - len(KEY) - 4, LONGEST_MESSAGE):
        server.answer = fails(401, error_event("authentication_error", "x" * before + KEY), f"request-id: req-{KEY}")
        error = await failure(endpoint(server))
        assert KEY[:4] not in str(error) and error.request_id == "req-[key]"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("retry-after: 30", 30.0),
        ("retry-after-ms: 1500", 1.5),
        ("retry-after: Thu, 01 Jan 2026 00:01:00 GMT", 60.0),
        ("retry-after: Wed, 31 Dec 2025 00:00:00 GMT", 0.0),
        ("retry-after: soon", None),
        ("retry-after: nan", None),
        ("retry-after: Wed, 21 Oct 2026 07:28:00 +99999999999999", None),
        ("x-other: 1", None),
    ],
)
async def test_the_servers_wish_to_wait_is_read(server: ModelServer, header: str, seconds: float | None) -> None:
    assert VirtualClock().now_us() == 1_767_225_600 * MICROSECONDS  # 2026-01-01T00:00:00Z
    server.answer = fails(429, error_event("rate_limit_error", "slow down"), header)
    assert (await failure(endpoint(server))).retry_after_s == seconds


async def test_a_web_page_is_somebody_else_s_answer(server: ModelServer) -> None:
    page = "<!DOCTYPE html><html><title>Welcome</title></html>"
    server.answer = fails(200, page, kind="text/html")
    error = await failure(endpoint(server))
    assert error.error_class is ErrorClass.ELSEWHERE
    assert "a web page (Welcome)" in str(error)


async def test_a_redirect_is_not_followed_with_the_key(server: ModelServer) -> None:
    server.answer = fails(307, "", f"location: {server.url}/elsewhere")
    error = await failure(endpoint(server))
    assert error.error_class is ErrorClass.ELSEWHERE
    assert f"redirects to {server.url}/elsewhere" in str(error)
    assert len(server.requests) == 1


@pytest.mark.parametrize("head", ["500 Oops\r\ncontent-type: text/plain", "200 OK\r\ncontent-type: application/json"])
async def test_an_answer_that_does_not_end_is_not_read_to_its_end(server: ModelServer, head: str) -> None:
    async def talk_for_ever(connection: Connection) -> None:
        await connection.send(f"HTTP/1.1 {head}\r\nconnection: close\r\n\r\n")
        while not connection.writer.transport.is_closing():
            await connection.send(b"x" * 65_536)

    server.answer = talk_for_ever
    assert (await failure(endpoint(server))).error_class is ErrorClass.SERVER
    async with wired(endpoint(server)) as wire:
        assert await wire.count_tokens(BODY) is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"code": "InvalidApiKey", "message": "Invalid API-key provided."}, ErrorClass.AUTH),
        ({"error": {"message": "maximum context length is 8192"}}, ErrorClass.CONTEXT_TOO_LONG),
        ({"type": "message", "content": [], "stop_reason": "end_turn"}, ErrorClass.MALFORMED),
        ("{}", ErrorClass.MALFORMED),
    ],
)
async def test_a_successful_answer_that_is_no_stream_is_refused(
    server: ModelServer, body: Any, expected: ErrorClass
) -> None:
    server.answer = fails(200, body)
    assert (await failure(endpoint(server))).error_class is expected


async def test_a_missing_message_start_does_no_harm(server: ModelServer) -> None:
    server.answer = streams(*text(0, "hi"), *stopped("end_turn", output_tokens=3))
    reply = await ask(endpoint(server))
    assert (reply.message_id, reply.model) == ("", "model-x")
    assert reply.content == [{"type": "text", "text": "hi"}]
    assert reply.usage is None


async def test_tokens_are_counted_by_the_server_when_it_can(server: ModelServer) -> None:
    server.answers = [fails(200, {"input_tokens": 77}), fails(404, "no"), fails(200, "[]")]
    async with wired(endpoint(server)) as wire:
        assert await wire.count_tokens(BODY) == 77
        assert await wire.count_tokens(BODY) is None
        assert await wire.count_tokens(BODY) is None
    request = server.requests[0]
    assert request.line == "POST /v1/messages/count_tokens HTTP/1.1"
    assert json.loads(request.body) == {"model": "m", "messages": [{"role": "user", "content": "hé"}]}


async def test_closing_twice_does_no_harm(server: ModelServer) -> None:
    server.answer = streams(start(input_tokens=1), *text(0, "hi"), *stopped())
    wire = Wire(endpoint(server, pooling=True), lambda: KEY, VirtualClock())
    await wire.stream(BODY, lambda _: None)
    await wire.close()
    await wire.close()


def test_the_sdk_is_not_imported_with_the_wire_but_by_its_preload() -> None:
    program = """
import sys
from core.models import prices, profiles, retry
from core.models.wire import Wire
heavy = {"anthropic", "httpx2", "genai_prices", "pydantic"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
Wire.preload().join()
assert "anthropic" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
