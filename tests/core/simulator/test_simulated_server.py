from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Mapping
from typing import Any

import anthropic
import httpx2
import pytest
from simulator_client import HEADERS, assistant, body, post, result, stream, use, user

from core.simulator import Faults, Reply
from core.simulator.policies import EchoPolicy, ScriptPolicy

SCRIPT = [
    {"thinking": "Hm.", "text": "I read.", "tool_uses": [{"name": "read_file", "input": {"path": "a.py"}}]},
    {"text": "x" * 100, "output_tokens": 240},
]


async def test_a_stream_has_the_events_of_the_real_api_in_their_order(serve):
    async with serve(ScriptPolicy(SCRIPT)) as server:
        events = await stream(server, body(user("go")))
    names = [name for name, _ in events]
    assert names[:2] == ["message_start", "ping"]
    assert names[-2:] == ["message_delta", "message_stop"]
    assert all(data["type"] == name for name, data in events)
    deltas = [data["delta"]["type"] for name, data in events if name == "content_block_delta"]
    assert list(dict.fromkeys(deltas)) == ["thinking_delta", "signature_delta", "text_delta", "input_json_delta"]
    started = [data["content_block"]["type"] for name, data in events if name == "content_block_start"]
    assert started == ["thinking", "text", "tool_use"]
    assert events[0][1]["message"]["usage"]["cache_read_input_tokens"] == 0
    assert events[-2][1]["delta"]["stop_reason"] == "tool_use"


async def test_the_sdk_reads_the_stream_and_the_whole_reply_alike(serve):
    async with serve(ScriptPolicy(SCRIPT)) as server:
        client = anthropic.AsyncAnthropic(api_key="key", base_url=server.base_url, max_retries=0)
        request = {"model": "m", "max_tokens": 500, "messages": [{"role": "user", "content": "go"}]}
        async with client, client.messages.stream(**request) as streamed:
            final = await streamed.get_final_message()
            whole = await client.messages.create(**request)
    assert [block.model_dump() for block in final.content] == [block.model_dump() for block in whole.content]
    assert final.content[2].input == {"path": "a.py"}
    assert (final.stop_reason, final.usage.output_tokens) == (whole.stop_reason, whole.usage.output_tokens)


async def test_scripted_sizes_bill_the_reply_and_its_place_in_later_prompts(serve):
    rows = [{"text": "a", "output_tokens": 240, "result_tokens": 468}, {"text": "b"}]
    async with serve(ScriptPolicy(rows)) as server:
        first = (await post(server, body(user("1234")))).json()
        await post(server, body(user("1234"), assistant("a"), user("anything")))
    assert first["usage"]["output_tokens"] == 240
    assert [invoice.prompt.total for invoice in server.invoices] == [1, 1 + 240 + 468]


async def test_a_script_goes_on_after_a_compression(serve):
    rows = [{"text": str(number)} for number in range(5)]
    async with serve(ScriptPolicy(rows)) as server:
        digest = "do it\n<digest>\nturns so far: 3\n</digest>"
        replies = [
            (await post(server, body(user("do it"), assistant("0"), user("next")))).json(),
            (await post(server, body(user(digest), assistant("2"), user("next")))).json(),
            (await post(server, body(user(digest), assistant("2"), user("next"), assistant("4"), user("x")))).json(),
        ]
    assert [reply["content"][0]["text"] for reply in replies] == ["1", "4", "done"]


async def test_replies_take_time_on_the_clock_only(serve, clock):
    rows = [{"text": "slow", "delay_s": 3600.0}]
    started = clock.now_us()
    async with serve(ScriptPolicy(rows), speed=1.0) as server:
        await stream(server, body(user("go")))
    assert 3600 <= (clock.now_us() - started) / 1e6 < 3605


async def test_count_tokens_counts_a_quarter_of_the_bytes(serve):
    async with serve(EchoPolicy()) as server, httpx2.AsyncClient(headers=HEADERS) as client:
        request = {"model": "m", "system": "é" * 4, "messages": [user("12345")]}
        response = await client.post(f"{server.base_url}/v1/messages/count_tokens", json=request)
    assert response.json() == {"input_tokens": 2 + 2}
    assert server.requests == 0


async def test_models_are_listed_and_restricted(serve):
    async with serve(EchoPolicy(), models=["auditor-1"]) as server, httpx2.AsyncClient(headers=HEADERS) as client:
        listed = (await client.get(f"{server.base_url}/v1/models")).json()
        refused = await post(server, body(user("hi"), model="other"))
    assert [model["id"] for model in listed["data"]] == ["auditor-1"]
    assert (refused.status_code, refused.json()["error"]["type"]) == (404, "not_found_error")


async def test_a_wrong_key_is_refused_and_either_header_carries_the_right_one(serve):
    async with serve(EchoPolicy(), api_key="secret") as server:
        refused = await post(server, body(user("hi")))
        bearer = await post(server, body(user("hi")), authorization="Bearer secret")
        header = await post(server, body(user("hi")), **{"x-api-key": "secret"})
    assert refused.json()["error"] == {"type": "authentication_error", "message": "invalid x-api-key"}
    assert [answer.status_code for answer in (refused, bearer, header)] == [401, 200, 200]


async def test_a_reply_longer_than_max_tokens_is_cut(serve):
    async with serve(EchoPolicy()) as server:
        reply = (await post(server, body(user("x" * 400), max_tokens=10))).json()
    assert (reply["stop_reason"], reply["usage"]["output_tokens"]) == ("max_tokens", 10)
    assert len(reply["content"][0]["text"]) == 40


INVALID = {
    "unanswered": [user("a"), assistant(use("t1")), user("no result")],
    "partly unanswered": [user("a"), assistant(use("t1"), use("t2")), user(result("t1"))],
    "results after text": [user("a"), assistant(use("t1")), user("text", result("t1"))],
    "orphan": [user("a"), assistant("b"), user(result("t9"))],
    "two results": [user("a"), assistant(use("t1")), user(result("t1"), result("t1"))],
    "duplicate ids": [user("a"), *[assistant(use("t1")), user(result("t1"))] * 2],
    "empty text": [user("")],
    "blank text": [user("a"), assistant(" "), user("b")],
    "assistant first": [assistant("a"), user("b")],
    "assistant last": [user("a"), assistant("b")],
    "no messages": [],
    "empty content": [{"role": "user", "content": []}],
    "foreign role": [{"role": "robot", "content": "a"}],
    "unknown block": [user({"type": "hologram"})],
    "unsigned thinking": [user("a"), assistant({"type": "thinking", "thinking": "x"}, "b"), user("c")],
}


@pytest.mark.parametrize("messages", INVALID.values(), ids=INVALID)
async def test_an_invalid_history_is_refused(serve, messages):
    async with serve(EchoPolicy()) as server:
        response = await post(server, body(*messages))
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"
    assert response.json()["error"]["message"].startswith(("messages", "This model does not support"))


async def test_one_role_twice_in_a_row_is_accepted_and_counted(serve):
    async with serve(EchoPolicy()) as server:
        calls = assistant(use("t1"), use("t2"))
        response = await post(server, body(user("a"), calls, user(result("t1")), user(result("t2"), "b")))
    assert response.status_code == 200
    assert server.warnings.total() == 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"max_tokens": None}, "max_tokens"),
        ({"temperature": 0.5}, "temperature: Extra inputs are not permitted"),
        ({"colour": "red"}, "colour: Extra inputs"),
        ({"model": ""}, "model"),
        ({"tools": [{"name": "a b", "input_schema": {}}]}, "tools.0.name"),
        ({"tools": [{"name": "a", "input_schema": {}}] * 2}, "unique"),
    ],
)
async def test_malformed_fields_are_refused(serve, fields, words):
    async with serve(EchoPolicy()) as server:
        response = await post(server, body(user("hi"), **fields))
    assert response.status_code == 400
    assert words in response.json()["error"]["message"]


async def test_sampling_parameters_pass_with_the_older_version(serve):
    async with serve(EchoPolicy()) as server:
        answer = await post(server, body(user("hi"), temperature=0.5), **{"anthropic-version": "2023-06-01"})
    assert answer.status_code == 200


async def test_a_prompt_beyond_the_window_is_refused(serve):
    async with serve(EchoPolicy(), context_limit=100) as server:
        response = await post(server, body(user("x" * 404)))
    assert response.json()["error"]["message"] == "prompt is too long: 101 tokens > 100 maximum"


@pytest.mark.parametrize("raw", [b"", b"[]", b'{"messages": 3}', b'{"messages": [1]}', b'{"tools": [1]}', b"\xff"])
async def test_a_body_of_another_shape_is_a_400(serve, raw):
    async with serve(EchoPolicy()) as server, httpx2.AsyncClient(headers=HEADERS) as client:
        response = await client.post(f"{server.base_url}/v1/messages", content=raw)
    assert response.status_code == 400


async def test_call_ids_are_new_in_their_history_and_the_same_for_the_same_request(serve):
    row = {"tool_uses": [{"name": "read_file", "input": {}}]}
    async with serve(ScriptPolicy([row] * 30)) as server:
        messages, ids = [user("go")], []
        for _ in range(8):
            reply = (await post(server, body(*messages))).json()
            again = (await post(server, body(*messages))).json()
            assert again["content"] == reply["content"]
            ids.append(reply["content"][0]["id"])
            messages += [assistant(*reply["content"]), user(result(ids[-1], "same"))]
    assert len(set(ids)) == 8


class TellingPolicy(EchoPolicy):
    """Says when it was asked."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    def reply(self, request: Mapping[str, Any]) -> Reply:
        self.asked.set()
        return super().reply(request)


async def test_leaving_the_context_ends_open_streams(serve):
    policy, client = TellingPolicy(), httpx2.AsyncClient(headers=HEADERS)
    async with client:
        async with serve(policy, faults=Faults(["*:stall"])) as server:
            request = body(user("x"), stream=True)
            opened = asyncio.create_task(client.post(f"{server.base_url}/v1/messages", json=request))
            await policy.asked.wait()
        with pytest.raises(httpx2.TransportError):
            await opened


async def test_it_runs_as_a_process_of_its_own(tmp_path):
    script = tmp_path / "script.jsonl"
    script.write_text(json.dumps({"text": "from the script"}) + "\n")
    command = [sys.executable, "-P", "-m", "core.simulator", "--policy", f"script:{script}", "--speed", "0"]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    ready = (await asyncio.wait_for(process.stdout.readline(), 20)).decode().split()
    async with httpx2.AsyncClient(headers=HEADERS) as client:
        reply = await client.post(f"{ready[1]}/v1/messages", json=body(user("hi")))
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 20) == 0
    assert (ready[0], reply.json()["content"][0]["text"]) == ("READY", "from the script")


@pytest.mark.parametrize("arguments", [["--policy", "nobody"], ["--fault", "nonsense"], ["--policy", "script:none"]])
async def test_a_wrong_option_is_one_plain_sentence(arguments):
    command = [sys.executable, "-P", "-m", "core.simulator", *arguments]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, errors = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 2
    assert b"Traceback" not in errors
