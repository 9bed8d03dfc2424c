"""Side requests over the wire: pings, paragraphs for the digest, and a summariser that gets them wrong."""

from __future__ import annotations

import json

import pytest
from simulator_client import assistant, body, post, result, stream, use, user

from core.models.usage import usage_of
from core.simulator import Faults, PriceList, load_policy
from core.simulator.policies import EchoPolicy, ScriptPolicy
from core.simulator.policies.auditor import AuditorPolicy
from core.simulator.policies.sides import COMPRESS_TAG
from core.simulator.policies.summaries import FLAWS

MARK = {"type": "ephemeral"}
STEPS = [
    {"id": "survey", "intent": "Know the project", "status": "done"},
    {"id": "scan", "intent": "Scan the code", "status": "active"},
    {"id": "report", "intent": "Write the report", "status": "todo"},
]
CALL = [{"text": "Now.", "tool_uses": [{"name": "read_file", "input": {"path": "a.py"}}], "output_tokens": 50}] * 9
PLANNED = [user("Audit this."), assistant("First the plan.", use("t1", "plan", steps=STEPS)), user(result("t1"))]


def asking(*messages):
    """The same request with the question for a paragraph at its end."""
    *before, last = messages
    question = {"type": "text", "text": f"{COMPRESS_TAG}\nSay in a paragraph what matters.\n</compress-request>"}
    return [*before, last | {"content": [*last["content"], question]}]


def text_of(reply) -> str:
    return "".join(block["text"] for block in reply["content"])


@pytest.mark.parametrize(
    "policy", [EchoPolicy(), ScriptPolicy(CALL), AuditorPolicy()], ids=lambda it: type(it).__name__
)
async def test_a_ping_is_answered_with_one_token_whatever_the_model_was_about_to_do(serve, policy):
    async with serve(policy) as server:
        events = await stream(server, body(*PLANNED, max_tokens=1))
        plain = (await post(server, body(*PLANNED, max_tokens=1))).json()
    assert [name for name, _ in events].count("content_block_start") == 1
    assert dict(events)["message_delta"]["delta"]["stop_reason"] == plain["stop_reason"] == "max_tokens"
    assert dict(events)["message_delta"]["usage"]["output_tokens"] == plain["usage"]["output_tokens"] == 1
    assert [invoice.purpose for invoice in server.invoices] == ["ping", "ping"]


async def test_a_ping_keeps_the_prefix_warm(serve, clock):
    request = [user({"type": "text", "text": "x" * 8000, "cache_control": MARK})]
    async with serve(EchoPolicy()) as server:
        await post(server, body(*request))
        clock.advance(270)
        await post(server, body(*request, max_tokens=1))
        clock.advance(270)
        await post(server, body(*request))
    assert [invoice.prompt.cache_read for invoice in server.invoices] == [0, 2000, 2000]


@pytest.mark.parametrize("name", ["echo", "auditor"])
async def test_a_paragraph_names_the_open_steps_and_no_other(serve, name):
    async with serve(load_policy(name)) as server:
        said = text_of((await post(server, body(*asking(*PLANNED)))).json())
    assert "scan (Scan the code); report (Write the report)" in said
    assert "survey" not in said
    assert server.invoices[0].purpose == "digest"


async def test_open_steps_are_found_in_what_a_compression_left_behind(serve):
    left = user("<plan>\n[done] survey: Know\n[active] scan: Scan the code (check: listed)\n</plan>")
    async with serve(EchoPolicy()) as server:
        said = text_of((await post(server, body(*asking(left)))).json())
    assert "Open steps of the plan: scan (Scan the code" in said


async def test_side_requests_leave_no_trace_in_the_conversation(serve):
    sides = [body(*PLANNED, max_tokens=1), body(*asking(*PLANNED))]
    replies = []
    for before in ([], sides):
        async with serve(ScriptPolicy(CALL)) as server:
            for side in before:
                await post(server, side)
            replies.append((await post(server, body(*PLANNED))).json()["content"])
    assert replies[0] == replies[1]


async def test_a_paragraph_shares_the_prefix_of_scripted_sizes(serve):
    rows = [{"text": "a", "output_tokens": 500, "result_tokens": 2000}] * 3
    messages = [user("x" * 8000), assistant("a"), user({"type": "text", "text": "r", "cache_control": MARK})]
    async with serve(ScriptPolicy(rows)) as server:
        await post(server, body(*messages))
        await post(server, body(*asking(*messages)))
    assert server.invoices[1].prompt.cache_read == server.invoices[0].prompt.write_5m == 4500


@pytest.mark.parametrize("flaw", FLAWS)
async def test_a_flawed_summariser_is_wrong_in_its_own_way_and_only_there(serve, flaw):
    async with serve(load_policy(f"auditor+{flaw}")) as server, serve(AuditorPolicy()) as sound:
        bad = (await post(server, body(*asking(*PLANNED)))).json()
        good = (await post(sound, body(*asking(*PLANNED)))).json()
        assert (await post(server, body(*PLANNED))).json()["content"] == (await post(sound, body(*PLANNED))).json()[
            "content"
        ]
    said, honest = text_of(bad), text_of(good)
    wrong = {
        "empty": said == "",
        "refuses": said.startswith("I'm sorry"),
        "invents": said.startswith(honest) and "src/" in said,
        "drops": "scan" in said and "report" not in said,
        "truncates": honest.startswith(said) and bad["stop_reason"] == "max_tokens",
        "too-long": len(said) > 20 * len(honest),
        "paraphrases": "the one about" in said and "report (" not in said,
    }
    assert wrong[flaw]
    assert said != honest


async def test_a_policy_or_flaw_that_does_not_exist_is_one_sentence():
    for name in ("auditor+sneezes", "nobody+empty", "workload:", "workload:/no/such/file"):
        with pytest.raises(ValueError, match=r"policy|workload"):
            load_policy(name)


async def test_an_evicted_cache_has_forgotten_what_was_still_alive(serve):
    request = [user({"type": "text", "text": "x" * 8000, "cache_control": MARK})]
    async with serve(EchoPolicy(), faults=Faults(["3:evict"])) as server:
        for _ in range(4):
            assert (await post(server, body(*request))).status_code == 200
    assert [invoice.prompt.cache_read for invoice in server.invoices] == [0, 2000, 0, 2000]


async def test_a_server_side_compaction_is_billed_and_only_told_in_iterations(serve):
    prices = PriceList.parse("2.5,7.5,0.25,3.125")
    async with serve(EchoPolicy(), faults=Faults(["1:compaction=180000"]), prices=prices) as server:
        usage = (await post(server, body(user("x" * 400)))).json()["usage"]
    assert (usage["input_tokens"], usage["output_tokens"]) == (100, 100)
    counted = usage_of(usage)
    assert (counted.sent, counted.output) == (180_100, 3_600)
    assert usage["cost"] == pytest.approx((180_100 * 2.5 + 3_600 * 7.5) / 1e6)


async def test_what_a_reply_says_it_cost_is_what_the_vendor_charges(serve):
    prices = PriceList.parse("2.5,7.5,0.25,3.125")
    request = body(user({"type": "text", "text": "x" * 8000, "cache_control": MARK}), max_tokens=10)
    async with serve(EchoPolicy(), prices=prices) as server:
        told = [dict(await stream(server, request))["message_delta"]["usage"]["cost"] for _ in range(2)]
    assert told == [float(invoice.usd(prices)) for invoice in server.invoices]
    assert told == [pytest.approx(2000 * 3.125e-6 + 75e-6), pytest.approx(2000 * 0.25e-6 + 75e-6)]


@pytest.mark.parametrize("text", ["", "1,2,3", "1,2,3,x", "1,2,3,-4", "1,2,3,nan", "1,2,3,4,5"])
def test_a_price_list_that_can_not_be_read_is_one_sentence(text):
    with pytest.raises(ValueError, match="price"):
        PriceList.parse(text)


async def test_thinking_needs_room_beside_the_reply(serve):
    thinking = {"type": "enabled", "budget_tokens": 2000}
    async with serve(EchoPolicy()) as server:
        refused = await post(server, body(user("hi"), max_tokens=2000, thinking=thinking))
        answered = await post(server, body(user("hi"), max_tokens=2002, thinking=thinking))
        assert (await post(server, body(user("hi"), max_tokens=2001, thinking=thinking))).status_code == 200
    assert (refused.status_code, answered.status_code) == (400, 200)
    assert [invoice.purpose for invoice in server.invoices] == ["main", "ping"]
    assert "budget_tokens" in refused.json()["error"]["message"]


async def test_a_scripted_reply_beyond_the_limit_is_cut_like_any_other(serve):
    row = {"text": "x" * 400, "output_tokens": 1000}
    async with serve(ScriptPolicy([row])) as server:
        reply = (await post(server, body(user("go"), max_tokens=250))).json()
    assert (reply["stop_reason"], reply["usage"]["output_tokens"]) == ("max_tokens", 250)
    assert len(json.dumps(reply["content"][0]["text"])) == 102
