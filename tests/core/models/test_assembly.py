from __future__ import annotations

import contextlib
import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_server import closed, delta, opened, start, stopped, text, tool

from core.events import ModelResponded, Price, Usage, decode_body, encode_body
from core.models.assembly import Assembly, Reply, strict_json, unique_ids
from core.models.errors import ErrorClass, ModelError
from core.models.usage import merge_usage, usage_of


def assembled(*events: dict[str, Any]) -> Reply:
    assembly = Assembly()
    for event in events:
        assembly.feed(event)
    return assembly.reply("model-y")


def journalled(reply: Reply) -> ModelResponded:
    """The reply after a trip through the journal's encoding."""
    body = ModelResponded(
        message_id=reply.message_id,
        model=reply.model,
        content=reply.content,
        stop_reason=reply.stop_reason,
        usage=reply.usage or Usage(),
        price=Price(),
        raw_usage=reply.raw_usage,
    )
    again = decode_body(body.KIND, encode_body(body).encode())
    assert isinstance(again, ModelResponded)
    return again


def test_empty_texts_and_empty_thinking_are_dropped_but_signed_thinking_stays() -> None:
    signed = {"type": "thinking", "thinking": "", "signature": "c2ln"}
    events = [*text(0, ""), *text(1, " \n"), opened(2, type="thinking", thinking=""), opened(3, **signed)]
    assert assembled(start(), *events, *text(4, "yes"), *stopped()).content == [signed, {"type": "text", "text": "yes"}]


def test_a_reply_may_say_nothing_at_all() -> None:
    assert assembled(start(input_tokens=3), *stopped()).content == []


def test_blocks_come_in_the_order_of_their_indexes_and_unknown_ones_are_kept_as_they_are() -> None:
    foreign = {"type": "redacted_thinking", "data": "xyz"}
    reply = assembled(start(), *text(1, "b"), opened(0, **foreign), closed(0), *stopped())
    assert reply.content == [foreign, {"type": "text", "text": "b"}]


def test_deltas_without_the_start_of_their_block_are_kept() -> None:
    events = [delta(0, "thinking_delta", thinking="hm"), delta(1, "text_delta", text="hi")]
    assert assembled(*events, *stopped()).content == [
        {"type": "thinking", "thinking": "hm"},
        {"type": "text", "text": "hi"},
    ]


def test_citations_are_collected() -> None:
    cited = delta(0, "citations_delta", citation={"cited_text": "x"})
    reply = assembled(start(), text(0, "a")[0], cited, *stopped())
    assert reply.content == []
    reply = assembled(start(), *text(0, "a")[:2], cited, *stopped())
    assert reply.content == [{"type": "text", "text": "a", "citations": [{"cited_text": "x"}]}]


def test_arguments_that_came_whole_at_the_start_are_taken() -> None:
    reply = assembled(start(), *tool(0, "read_file", input={"path": "a"}), *stopped("tool_use"))
    assert reply.content[0]["input"] == {"path": "a"}


@pytest.mark.parametrize(
    "arguments",
    ['{"path": "a', "[1]", '"text"', '{"n": NaN}', '{"n": 1e999}', "[" * 5000, '{"a":' + "[" * 400 + "]" * 400 + "}"],
)
def test_arguments_that_are_no_object_of_json_make_the_reply_malformed(arguments: str) -> None:
    with pytest.raises(ModelError) as caught:
        assembled(start(), *tool(0, "read_file", arguments), *stopped("tool_use"))
    assert caught.value.error_class is ErrorClass.MALFORMED


def test_a_call_that_was_cut_by_max_tokens_keeps_its_place_without_arguments() -> None:
    reply = assembled(start(), *tool(0, "write_file", '{"path": "a", "content": "lo'), *stopped("max_tokens"))
    assert reply.stop_reason == "max_tokens"
    assert reply.content[0]["input"] == {}


def test_a_reply_that_ran_into_the_window_counts_as_too_long() -> None:
    with pytest.raises(ModelError) as caught:
        assembled(start(), *text(0, "so"), *stopped("model_context_window_exceeded"))
    assert caught.value.error_class is ErrorClass.CONTEXT_TOO_LONG


def test_a_call_without_a_name_is_malformed() -> None:
    with pytest.raises(ModelError) as caught:
        assembled(start(), opened(0, type="tool_use", id="t"))
    assert caught.value.error_class is ErrorClass.MALFORMED


def test_missing_odd_and_repeated_ids_of_calls_become_unique_and_the_same_each_time() -> None:
    calls = [*tool(0, "a"), *tool(1, "b", id="toolu_0"), *tool(2, "c", id=None), *tool(3, "d", id="not ok!")]
    first, second = (assembled(start(), *calls, *stopped("tool_use")).content for _ in range(2))
    ids = [block["id"] for block in first]
    assert ids[0] == "toolu_0"
    assert len(set(ids)) == 4
    assert first == second


def test_ids_that_the_conversation_has_used_are_not_used_again() -> None:
    content = [{"type": "tool_use", "id": "call_0"}, {"type": "text", "text": "x"}]
    renamed = unique_ids(content, "r7.1", taken={"call_0", "r71_0"})
    assert renamed[0]["id"] not in {"call_0", "r71_0"}
    assert content[0]["id"] == "call_0"


def test_a_surrogate_pair_split_between_deltas_is_healed_and_a_lone_one_replaced() -> None:
    reply = assembled(start(), *text(0, "ok \ud83d", "\ude00 \ud800!"), *stopped())
    assert reply.content == [{"type": "text", "text": "ok 😀 ?!"}]


def test_numbers_beyond_sixty_four_bits_become_floats() -> None:
    assert strict_json("[9223372036854775807, 9223372036854775808, -9223372036854775809]") == [
        2**63 - 1,
        2.0**63,
        -(2.0**63),
    ]


def test_usage_counts_each_token_once() -> None:
    creation = {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 70}
    raw = {"input_tokens": 5, "cache_read_input_tokens": 900, "cache_creation_input_tokens": 100, "output_tokens": 8}
    assert usage_of({**raw, "cache_creation": creation}) == Usage(
        fresh=5, cache_read=900, cache_write_5m=30, cache_write_1h=70, output=8
    )
    assert usage_of(raw) == Usage(fresh=5, cache_read=900, cache_write_5m=100, output=8)


@pytest.mark.parametrize("absurd", [-5, 2**32, 2**62, 10**30])
def test_what_can_be_no_count_of_tokens_counts_nothing(absurd: int) -> None:
    assert usage_of({"input_tokens": 5, "output_tokens": absurd}) == Usage(fresh=5)
    most = {"input_tokens": 2**32 - 1, "output_tokens": 1}
    total = usage_of({**most, "iterations": [{"type": "compaction", **most}]})
    assert total == Usage(fresh=2**32 - 1, output=2)


def test_usage_adds_what_a_server_side_compaction_cost() -> None:
    entry = {"input_tokens": 180_000, "output_tokens": 3_500}
    iterations = [{"type": "compaction", **entry}, {"type": "message", "input_tokens": 23_000, "output_tokens": 1_000}]
    raw = {"input_tokens": 23_000, "output_tokens": 1_000, "iterations": iterations}
    assert usage_of(raw) == Usage(fresh=203_000, output=4_500)


@pytest.mark.parametrize(
    "raw", [{}, {"input_tokens": 0, "output_tokens": 0}, {"output_tokens": 9}, {"input_tokens": "9"}]
)
def test_usage_that_the_server_did_not_report_is_unknown(raw: dict[str, Any]) -> None:
    assert usage_of(raw) is None


def test_later_reports_of_usage_replace_earlier_ones_unless_they_know_less() -> None:
    first = merge_usage({}, {"input_tokens": 10, "output_tokens": 1})
    assert merge_usage(first, {"input_tokens": 0, "output_tokens": 42, "cache_read_input_tokens": None}) == {
        "input_tokens": 10,
        "output_tokens": 42,
    }
    assert merge_usage(first, "nonsense") == first


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
fields = st.sampled_from(
    ["message", "index", "content_block", "delta", "usage", "text", "thinking", "partial_json", "name", "id", "input"]
)
kinds = st.sampled_from(
    ["message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "ping", "x"]
)
inner_kinds = st.sampled_from(["text", "thinking", "tool_use", "text_delta", "input_json_delta", "signature_delta"])
tables = st.builds(
    lambda kind, rest: {**rest, "type": kind}, inner_kinds, st.dictionaries(fields, json_values, max_size=3)
)
events = st.builds(
    lambda kind, rest: {**rest, "type": kind}, kinds, st.dictionaries(fields, tables | json_values, max_size=4)
)


@settings(max_examples=150, deadline=None)
@given(st.lists(events, max_size=12))
def test_no_stream_of_odd_events_raises_anything_but_a_model_error(stream: list[dict[str, Any]]) -> None:
    with contextlib.suppress(ModelError):
        assembled(*stream, *stopped())


@settings(max_examples=80, deadline=None)
@given(
    st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=20) | st.none(), max_size=4),
    st.lists(st.integers(0, 60), max_size=6),
)
def test_arguments_are_the_same_however_they_are_cut_and_survive_the_journal(
    arguments: dict[str, Any], cuts: list[int]
) -> None:
    encoded = json.dumps(arguments)
    places = [0, *sorted(min(cut, len(encoded)) for cut in cuts), len(encoded)]
    parts = [encoded[a:b] for a, b in itertools.pairwise(places)]
    whole = assembled(start(), *tool(0, "t", encoded), *stopped("tool_use"))
    reply = assembled(start(), *tool(0, "t", *parts), *stopped("tool_use"))
    assert reply.content == whole.content
    assert journalled(reply).content == reply.content
