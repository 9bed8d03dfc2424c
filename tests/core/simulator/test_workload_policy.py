"""Workloads played: each reply has its size, and compressions do not confuse the count."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulator_client import assistant, body, post, result, user

from core.economy.workload import Turn
from core.simulator.policies import WorkloadPolicy, load_policy
from core.simulator.policies.workload import TOOL, sized_text
from core.simulator.prompt import block_tokens, text_tokens

Message = dict[str, Any]
TURNS = [Turn(77 + number, 65 + 10 * number, 1.5 * number) for number in range(12)]


def calls_of(reply: Message) -> list[Message]:
    return [block for block in reply["content"] if block["type"] == "tool_use"]


async def played(
    server, squeeze: Callable[[list[Message]], list[Message]] = lambda messages: messages
) -> list[Message]:
    """A session to its end; the replies."""
    messages, replies = [user("Play.")], []
    while len(replies) < 200:
        reply = (await post(server, body(*messages))).json()
        replies.append(reply)
        calls = calls_of(reply)
        if not calls:
            return replies
        answers = [result(call["id"], sized_text(call["input"]["result_tokens"], 7)) for call in calls]
        messages = squeeze([*messages, assistant(*reply["content"]), user(*answers)])
    raise AssertionError("the workload never ended")


async def test_every_turn_has_its_size_and_costs_the_same_when_it_is_sent_again(serve):
    async with serve(WorkloadPolicy(TURNS)) as server:
        replies = await played(server)
    assert [reply["usage"]["output_tokens"] for reply in replies[:-1]] == [turn.output for turn in TURNS]
    for turn, reply in zip(TURNS, replies, strict=False):
        assert sum(map(block_tokens, reply["content"])) == turn.output
        (call,) = calls_of(reply)
        assert call["name"] == TOOL
        assert {"result_tokens": turn.result, "gap_s": turn.gap_s}.items() <= call["input"].items()
    totals = [invoice.prompt.total for invoice in server.invoices]
    grown = [turn.size for turn in TURNS]
    assert [after - before for before, after in itertools.pairwise(totals)] == grown


def keeping(turns: int) -> Callable[[list[Message]], list[Message]]:
    """Compress to the last turns, whenever there are four more."""
    count = 0

    def squeeze(messages: list[Message]) -> list[Message]:
        nonlocal count
        if len(messages) <= 2 * (turns + 4):
            return messages
        tail = messages[-2 * turns :] if turns else []
        count += (len(messages) - 1 - len(tail)) // 2
        return [user("Play.", f"<digest>\nturns so far: {count}\n</digest>"), *tail]

    return squeeze


@pytest.mark.parametrize("turns", [0, 1, 3])
async def test_the_turns_go_on_where_they_were_after_a_compression(serve, turns):
    async with serve(WorkloadPolicy(TURNS)) as server:
        replies = await played(server, keeping(turns))
    assert [call["input"]["turn"] for reply in replies for call in calls_of(reply)] == list(range(12))


async def test_most_compressions_make_the_model_read_something_again_once(serve):
    turns = [Turn(80, 100, 1.0)] * 60
    async with serve(WorkloadPolicy(turns, rereads=True)) as server:
        replies = await played(server, keeping(2))
    arguments = [call["input"] for reply in replies for call in calls_of(reply)]
    again = [given["turn"] for given in arguments if given["result_tokens"] == 2100 and given["gap_s"] == 0]
    compressions = len({given["head"] for given in arguments}) - 1
    assert [given["turn"] for given in arguments if given["result_tokens"] == 100] == list(range(60))
    assert len(set(again)) == len(again)
    assert 0.7 * compressions < len(again) < compressions


async def test_a_reply_that_was_cut_is_said_again(serve):
    async with serve(WorkloadPolicy(TURNS)) as server:
        cut = (await post(server, body(user("Play."), max_tokens=40))).json()
        again = (await post(server, body(user("Play."), assistant(*cut["content"]), user("Go on.")))).json()
    assert (cut["stop_reason"], calls_of(cut)) == ("max_tokens", [])
    assert calls_of(again)[0]["input"]["turn"] == 0


@given(st.integers(1, 40_000), st.integers(0, 2_000))
def test_a_text_has_exactly_the_wanted_size(tokens, seed):
    text = sized_text(tokens, seed)
    assert (text_tokens(text), len(text)) == (tokens, 4 * tokens)
    assert not text[-1].isspace()


@given(st.integers(1, 9_000), st.integers(0, 9_999))
def test_a_reply_has_the_wanted_size_or_that_of_its_call(tokens, number):
    turn = Turn(tokens, 31_558, 1381.4)
    request = {"messages": [user("Play.", f"turns so far: {number}")]}
    blocks = WorkloadPolicy([turn] * 10_000).reply(request).blocks
    size = sum(map(block_tokens, blocks))
    assert size == tokens or (size > tokens and size < 30 and len(blocks) == 1)


def test_a_workload_is_read_from_its_file(tmp_path):
    path = tmp_path / "w1.json"
    path.write_text(json.dumps({"turns": 5, "out_tokens": 240, "result_tokens": 468, "gap_s": 108.8}))
    policy = load_policy(f"workload:{path}")
    assert isinstance(policy, WorkloadPolicy)
    assert len(policy) == 5
    path.write_text("x")
    with pytest.raises(ValueError, match=r"w1\.json"):
        load_policy(f"workload:{path}")
