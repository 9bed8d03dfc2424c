from __future__ import annotations

import json

import anthropic
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulator_client import HEADERS, body, post, stream, user

from core.simulator import Fault, FaultKind, Faults, parse_fault
from core.simulator.policies import EchoPolicy, ScriptPolicy

TOOL = [{"text": "Now.", "tool_uses": [{"name": "write_file", "input": {"path": "a.py", "content": "c" * 200}}]}] * 9


async def attempt(server) -> tuple[int, str]:
    response = await post(server, body(user("hi")))
    return response.status_code, response.text


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        ("1:529", 529, '"overloaded_error"'),
        ("1:500", 500, '"api_error"'),
        ("1:401", 401, '"authentication_error"'),
        ("1:400=prompt is too long: 9 tokens > 8 maximum", 400, "prompt is too long: 9"),
        ("1:permanent-500", 500, "model not found"),
        ("1:foreign=No credits", 503, '{"error":{"message":"No credits","code":503}}'),
        ("1:plain", 500, "upstream connect error"),
        ("1:502", 502, "<h1>502 Bad Gateway</h1>"),
        ("/hi/:529", 529, "Overloaded"),
    ],
)
async def test_a_refusal_comes_once_and_the_next_request_is_answered(serve, fault, status, words):
    async with serve(EchoPolicy(), faults=Faults([fault])) as server:
        refused, text = await attempt(server)
        assert (await attempt(server))[0] == 200
    assert refused == status
    assert words in text


async def test_a_fault_strikes_from_its_request_on_as_often_as_it_says(serve):
    async with serve(EchoPolicy(), faults=Faults(["2:529x2", "/never said/:500x*"])) as server:
        assert [(await attempt(server))[0] for _ in range(5)] == [200, 529, 529, 200, 200]


async def test_a_rate_limit_says_how_long_to_wait(serve):
    async with serve(EchoPolicy(), faults=Faults(["1:429=30"])) as server:
        response = await post(server, body(user("hi")))
    assert (response.status_code, response.headers["retry-after"]) == (429, "30")


@pytest.mark.parametrize("fault", ["1:drop", "1:reset", "1:reset=2"])
async def test_a_broken_connection_is_a_transport_error(serve, fault):
    async with serve(EchoPolicy(), faults=Faults([fault])) as server:
        with pytest.raises(httpx2.TransportError):
            await stream(server, body(user("hi")))
        assert (await stream(server, body(user("hi"))))[-1][0] == "message_stop"


async def test_a_cut_stream_ends_cleanly_after_so_many_events_even_inside_arguments(serve):
    async with serve(ScriptPolicy(TOOL), faults=Faults(["1:cut=9"])) as server:
        events = await stream(server, body(user("hi")))
    assert len(events) == 9
    assert events[-1][1]["delta"]["type"] == "input_json_delta"


async def test_an_error_event_ends_the_stream(serve):
    async with serve(EchoPolicy(), faults=Faults(["1:error-event=3"])) as server:
        events = await stream(server, body(user("hi")))
    assert [name for name, _ in events] == ["message_start", "ping", "content_block_start", "error"]
    assert events[-1][1]["error"]["type"] == "overloaded_error"


async def test_the_sdk_sees_an_error_event_as_an_overload(serve):
    async with serve(EchoPolicy(), faults=Faults(["1:error-event"])) as server:
        client = anthropic.AsyncAnthropic(api_key="key", base_url=server.base_url, max_retries=0)
        request = {"model": "m", "max_tokens": 500, "messages": [{"role": "user", "content": "go"}]}
        async with client:
            with pytest.raises(anthropic.APIStatusError) as caught:
                async with client.messages.stream(**request) as streamed:
                    await streamed.get_final_message()
    assert caught.value.type == "overloaded_error"


async def test_a_stall_lasts_its_seconds_on_the_clock(serve, clock):
    started = clock.now_us()
    async with serve(EchoPolicy(), faults=Faults(["1:stall=120"])) as server:
        events = await stream(server, body(user("hi")))
    assert events[-1][0] == "message_stop"
    assert clock.now_us() - started == 120_000_000


async def test_a_stall_for_ever_lasts_until_the_client_leaves(serve):
    async with serve(EchoPolicy(), faults=Faults(["1:stall"])) as server:
        async with httpx2.AsyncClient(headers=HEADERS, timeout=httpx2.Timeout(5, read=0.2)) as client:
            with pytest.raises(httpx2.ReadTimeout):
                await client.post(f"{server.base_url}/v1/messages", json=body(user("hi"), stream=True))
        assert (await attempt(server))[0] == 200


async def test_slow_multiplies_the_time_of_a_reply(serve, clock):
    async def seconds(server) -> float:
        started = clock.now_us()
        await stream(server, body(user("hello " * 30)))
        return (clock.now_us() - started) / 1e6

    async with serve(EchoPolicy(), speed=1.0, faults=Faults(["2:slow=20"])) as server:
        usual = await seconds(server)
        assert await seconds(server) == pytest.approx(20 * usual, rel=0.01)


async def test_a_stream_may_lack_its_message_start(serve):
    async with serve(EchoPolicy(), faults=Faults(["1:no-message-start"])) as server:
        events = await stream(server, body(user("hi")))
    assert events[0][0] == "ping"


async def test_a_connection_may_be_closed_after_the_reply_with_and_without_saying_so(serve):
    faults, client = Faults(["1:close", "2:hang-up"]), httpx2.AsyncClient(headers=HEADERS)
    async with serve(EchoPolicy(), faults=faults) as server, client:
        url, request = f"{server.base_url}/v1/messages", body(user("hi"), stream=True)
        announced = await client.post(url, json=request)
        unannounced = await client.post(url, json=request)
    assert announced.headers["connection"] == "close"
    assert "connection" not in unannounced.headers
    assert "message_stop" in announced.text
    assert "message_stop" in unannounced.text


async def test_arguments_may_be_cut_by_max_tokens(serve):
    async with serve(ScriptPolicy(TOOL), faults=Faults(["1:cut-arguments"])) as server:
        events = await stream(server, body(user("hi")))
    assert dict(events)["message_delta"]["delta"]["stop_reason"] == "max_tokens"
    arguments = "".join(data["delta"].get("partial_json", "") for name, data in events if name == "content_block_delta")
    with pytest.raises(json.JSONDecodeError):
        json.loads(arguments)


async def test_a_tool_may_be_one_that_nobody_offered(serve):
    async with serve(ScriptPolicy(TOOL), faults=Faults(["1:unknown-tool"])) as server:
        reply = (await post(server, body(user("hi")))).json()
    assert reply["content"][1]["name"] == "no_such_tool"


@pytest.mark.parametrize("text", ["", "529", "3:", "x:529", "3:sneeze", "3:529x", "3:429=soon", "3:stall=longx2"])
def test_a_fault_that_can_not_be_read_is_one_sentence(text):
    with pytest.raises(ValueError, match="fault"):
        parse_fault(text)


@given(
    st.builds(
        Fault,
        kind=st.sampled_from(FaultKind),
        at=st.none() | st.integers(0, 10**6),
        times=st.none() | st.integers(1, 99),
        value=st.integers(0, 10**4).map(str) | st.just(""),
    )
)
def test_every_fault_can_be_written_as_a_string(fault):
    where = "*" if fault.at is None else str(fault.at)
    value = f"={fault.value}" if fault.value else ""
    times = "*" if fault.times is None else str(fault.times)
    assert parse_fault(f"{where}:{fault.kind}{value}x{times}") == fault
