"""The request is a pure function of the branch, valid and append-only to the byte."""

import json
import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from logbook import Logbook, sessions

from core.events import GuidanceDelivered, HeadMoved
from core.folds.branches import Branches
from core.folds.fold import Dispatcher
from core.folds.memories import Memories
from core.folds.plan import Plan
from core.request.compression import NothingToCompress, plan_compression
from core.request.ledger import Ledger
from core.request.projection import Head, OpenHistory, Projection

HEAD = Head("m", "You work.", ({"name": "read_file", "description": "", "input_schema": {"type": "object"}},), 1000)


class Desk:
    """The folds a projection needs, fed from a logbook."""

    def __init__(self, events=()):
        self.branches = Branches()
        self.projection = Projection(self.branches)
        memories, plan = Memories(self.branches), Plan(self.branches)
        self.ledger = Ledger(self.branches, memories, plan)
        self._dispatch = Dispatcher([self.branches, memories, plan, self.projection, self.ledger])
        for event in events:
            self.feed(event)

    def feed(self, event):
        self._dispatch.apply(event)


def bare(body):
    return re.sub(rb',"cache_control":\{"type":"ephemeral"\}', b"", body)


def check_history(messages):
    """What every vendor demands of a history."""
    assert messages[0]["role"] == "user"
    assert messages[-1]["role"] == "user"
    for before, after in pairwise(messages):
        assert before["role"] != after["role"]
    for index, message in enumerate(messages):
        uses = [block["id"] for block in message["content"] if block["type"] == "tool_use"]
        if uses:
            answers = messages[index + 1]["content"][: len(uses)]
            assert [block.get("tool_use_id") for block in answers] == uses
        results = [block for block in message["content"] if block["type"] == "tool_result"]
        if results and message["role"] == "user":
            assert message["content"][: len(results)] == results
            asked = [b["id"] for b in messages[index - 1]["content"] if b["type"] == "tool_use"]
            assert [block["tool_use_id"] for block in results] == asked
        assert message["content"]


@settings(max_examples=80, deadline=None)
@given(sessions())
def test_every_whole_history_is_valid_has_at_most_four_markers_and_grows_to_what_a_rebuild_gives(log):
    grown = Desk()
    for event in log.events:
        grown.feed(event)
        if not grown.projection.complete:
            continue
        request = grown.projection.request(HEAD)
        body = json.loads(request.body)
        check_history(body["messages"])
        assert request.body.count(b'"cache_control"') <= 4
        assert request.size == len(request.body)
    fresh = Desk(log.events)
    if fresh.projection.complete:
        assert fresh.projection.request(HEAD).body == grown.projection.request(HEAD).body
        assert fresh.projection.request(HEAD).digest == grown.projection.request(HEAD).digest


@settings(max_examples=60, deadline=None)
@given(sessions())
def test_between_rewinds_and_compressions_an_answered_request_is_a_prefix_of_the_next(log):
    desk, answered, pending = Desk(), None, None
    for event in log.events:
        if event.kind == "model.requested" and desk.projection.complete:
            pending = bare(desk.projection.request(HEAD).body)
            if answered is not None:
                assert pending.startswith(answered[: -len(b"]}")])
        if event.kind in ("head.moved", "context.compressed", "context.restored"):
            answered = pending = None
        if event.kind == "model.responded":
            answered = pending
        desk.feed(event)


def test_the_log_rebuilds_the_bytes_of_any_request():
    log, desk, sent = Logbook(), Desk(), []
    fed = 0

    def catch_up():
        nonlocal fed
        for event in log.events[fed:]:
            desk.feed(event)
        fed = len(log.events)

    for turn in range(4):
        catch_up()
        request = desk.projection.request(HEAD)
        sent.append((len(log.events), request.marks, request.body, request.digest))
        log.turn(("read_file", {"path": f"{turn}"}), ("read_file", {"path": f"{turn}b"}))
    for length, marks, body, digest in sent:
        again = Desk(log.events[:length]).projection.rebuilt(HEAD, marks)
        assert again.body == body
        assert again.digest == digest


def test_an_open_call_makes_the_request_refuse_instead_of_inventing_a_result():
    log = Logbook()
    log.reply(("read_file", {"path": "a"}))
    with pytest.raises(OpenHistory):
        Desk(log.events).projection.request(HEAD)


def test_the_last_marker_of_an_answered_request_is_carried_into_the_next():
    log = Logbook()
    log.turn(("read_file", {"path": "a"}))
    key = log.request(marks=[0, 2])
    log.requests -= 1
    assert key == "r2.1"
    reply = log.events[2].body
    log.add(reply, key)
    log.start(key, 0, "read_file", {"path": "b"})
    log.add(log.events[4].body, f"{key}.0")
    assert Desk(log.events).projection.request(HEAD).marks == [0, 2, 4]


def long_session():
    log = Logbook("Never touch vendor/. Mend the parser.")
    log.add(GuidanceDelivered(text="Keep the  tests\n green — always.", standing=True), "g1", actor="user")
    for turn in range(40):
        log.turn(("read_file", {"path": f"src/module_{turn}.py"}), text=f"Reading {turn}. " + "x" * 400)
    return log


def test_a_compression_keeps_the_users_words_byte_for_byte_and_shortens_the_request():
    log = long_session()
    desk = Desk(log.events)
    before = desk.projection.request(HEAD)
    desk.feed(log.add(plan_compression(desk.projection, desk.ledger, reason="forced", force=True)))
    after = desk.projection.request(HEAD)
    assert after.size < before.size / 2
    messages = json.loads(after.body)["messages"]
    check_history(messages)
    pinned = messages[0]["content"][0]["text"]
    assert "Never touch vendor/. Mend the parser." in pinned
    assert "Keep the  tests\n green — always." in pinned
    assert "turns so far: 30" in messages[0]["content"][1]["text"]


def test_fifty_compressions_keep_the_first_words_and_never_stack_digests():
    log = long_session()
    desk = Desk(log.events)
    for turn in range(50):
        start = len(log.events)
        log.turn(("read_file", {"path": f"late_{turn}.py"}), text="y" * 800)
        for event in log.events[start:]:
            desk.feed(event)
        try:
            desk.feed(log.add(plan_compression(desk.projection, desk.ledger, reason="forced", force=True)))
        except NothingToCompress:
            continue
    messages = json.loads(desk.projection.request(HEAD).body)["messages"]
    first = json.dumps(messages[0])
    assert first.count("<digest>") == 1
    assert first.count("Never touch vendor/. Mend the parser.") == 1
    assert "Keep the  tests\\n green" in first


def test_undoing_a_compression_gives_back_the_request_byte_for_byte():
    from core.events import ContextRestored

    log = long_session()
    desk = Desk(log.events)
    before = desk.projection.request(HEAD)
    compressed = log.add(plan_compression(desk.projection, desk.ledger, reason="forced", force=True))
    desk.feed(compressed)
    desk.feed(log.add(ContextRestored(seq=compressed.seq)))
    assert bare(desk.projection.request(HEAD).body) == bare(before.body)


def test_a_rewind_across_a_compression_sends_what_stood_before_it():
    log = long_session()
    boundary = log.head
    desk = Desk(log.events)
    before = desk.projection.request(HEAD)
    desk.feed(log.add(plan_compression(desk.projection, desk.ledger, reason="forced", force=True)))
    desk.feed(log.add(HeadMoved(to=boundary, origin=log.head, reason="rewind")))
    assert bare(desk.projection.request(HEAD).body) == bare(before.body)


def test_a_history_that_is_too_short_is_not_compressed():
    log = Logbook()
    log.turn(("read_file", {"path": "a"}))
    desk = Desk(log.events)
    with pytest.raises(NothingToCompress):
        plan_compression(desk.projection, desk.ledger, reason="rent")
