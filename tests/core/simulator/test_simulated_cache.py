from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from simulator_client import assistant, body, post, user

from core.clock import VirtualClock
from core.simulator import CacheRules
from core.simulator.cache import PromptCache
from core.simulator.policies import EchoPolicy
from core.simulator.prompt import Block

MARK = {"type": "ephemeral"}
LONG = {"type": "ephemeral", "ttl": "1h"}


def text(tokens: int, marker: dict[str, Any] | None = None, letter: str = "x") -> dict[str, Any]:
    block = {"type": "text", "text": letter * (tokens * 4)}
    return block | ({"cache_control": marker} if marker else {})


async def usage(server, *messages, **fields):
    answer = (await post(server, body(*messages, **fields))).json()
    assert "usage" in answer, answer
    counted = answer["usage"]
    return counted["cache_read_input_tokens"], counted["cache_creation_input_tokens"], counted["input_tokens"]


async def test_a_prefix_is_written_once_and_read_afterwards(serve):
    async with serve(EchoPolicy()) as server:
        first = user(text(2000, MARK))
        assert await usage(server, first) == (0, 2000, 0)
        grown = [user(text(2000)), assistant(text(10)), user(text(500, MARK), text(7))]
        assert await usage(server, *grown) == (2000, 510, 7)
        assert await usage(server, *grown) == (2510, 0, 7)


async def test_a_changed_byte_early_in_the_prompt_loses_everything_behind_it(serve):
    async with serve(EchoPolicy()) as server:
        await usage(server, user(text(2000, MARK)), system="be kind")
        assert await usage(server, user(text(2000, MARK)), system="be kinx") == (0, 2002, 0)


async def test_another_model_or_tool_choice_has_another_cache(serve):
    async with serve(EchoPolicy()) as server:
        await usage(server, user(text(2000, MARK)))
        assert (await usage(server, user(text(2000, MARK)), model="other"))[0] == 0
        assert (await usage(server, user(text(2000, MARK)), tool_choice={"type": "auto"}))[0] == 0


async def test_entries_live_five_minutes_from_their_last_use(serve, clock):
    async with serve(EchoPolicy()) as server:
        await usage(server, user(text(2000, MARK)))
        for _ in range(3):
            clock.advance(299)
            assert (await usage(server, user(text(2000, MARK))))[0] == 2000
        clock.advance(301)
        assert (await usage(server, user(text(2000, MARK))))[0] == 0


async def test_entries_live_an_hour_when_asked_to(serve, clock):
    async with serve(EchoPolicy()) as server:
        request = [user(text(2000, LONG), text(3000, MARK))]
        reply = (await post(server, body(*request))).json()
        assert reply["usage"]["cache_creation"] == {
            "ephemeral_1h_input_tokens": 2000,
            "ephemeral_5m_input_tokens": 3000,
        }
        clock.advance(3500)
        assert await usage(server, *request) == (2000, 3000, 0)


async def test_short_prompts_are_not_cached(serve):
    async with serve(EchoPolicy()) as server:
        assert await usage(server, user(text(1023, MARK))) == (0, 0, 1023)
        assert await usage(server, user(text(1023, MARK))) == (0, 0, 1023)


async def test_a_marker_looks_back_over_twenty_blocks(serve):
    for added, read in ((19, 2000), (20, 0)):
        async with serve(EchoPolicy()) as server:
            await usage(server, user(text(2000, MARK)))
            blocks = [text(1, letter="y") for _ in range(added - 1)]
            assert (await usage(server, user(text(2000), *blocks, text(1, MARK))))[0] == read


async def test_more_than_four_markers_or_lifetimes_out_of_order_are_refused(serve):
    async with serve(EchoPolicy()) as server:
        five = await post(server, body(user(*[text(1, MARK) for _ in range(5)])))
        order = await post(server, body(user(text(1, MARK), text(1, LONG))))
    assert "maximum of 4 blocks" in five.json()["error"]["message"]
    assert "must not come after" in order.json()["error"]["message"]


async def test_a_marker_on_the_request_counts_for_its_last_block(serve):
    async with serve(EchoPolicy()) as server:
        assert await usage(server, user(text(2000)), cache_control=MARK) == (0, 2000, 0)
        assert await usage(server, user(text(2000)), cache_control=MARK) == (2000, 0, 0)


async def test_counting_tokens_writes_nothing(serve):
    async with serve(EchoPolicy(), rules=CacheRules(enabled=False)) as server:
        await usage(server, user(text(2000, MARK)))
        assert await usage(server, user(text(2000, MARK))) == (0, 0, 2000)


BLOCKS = st.lists(
    st.builds(Block, st.sampled_from([b"a", b"b", b"c"]), st.integers(0, 3000), st.just(None)), min_size=1, max_size=30
)


@settings(max_examples=60)
@given(st.lists(st.tuples(BLOCKS, st.sets(st.integers(0, 29), max_size=4), st.integers(0, 400)), max_size=8))
def test_every_token_is_billed_once_and_an_immediate_repeat_reads_what_was_written(requests):
    clock = VirtualClock()
    cache = PromptCache(CacheRules(), clock)
    for blocks, marks, seconds in requests:
        marked = [Block(b.digest, b.tokens, 300 if index in marks else None) for index, b in enumerate(blocks)]
        clock.advance(seconds)
        first, second = cache.bill("m", marked), cache.bill("m", marked)
        assert first.total == second.total == sum(block.tokens for block in blocks)
        assert second.cache_read == first.cache_read + first.write_5m
        assert second.write_5m == 0
