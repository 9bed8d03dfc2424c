"""The request is a pure function of the branch, valid and append-only to the byte."""

import json
import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from logbook import Logbook, sessions
from msgspec.structs import replace

from core.events import ContextRestored, GuidanceDelivered, HeadMoved, ItemEvicted, ModelSwitched
from core.folds.branches import Branches
from core.folds.fold import Dispatcher
from core.folds.memories import Memories
from core.folds.plan import Plan
from core.request.archive import Remembered
from core.request.compression import Keeping, NothingToCompress, Wish, due_by_count, plan_compression
from core.request.ledger import Ledger
from core.request.projection import Head, OpenHistory, Projection

HEAD = Head("m", "You work.", ({"name": "read_file", "description": "", "input_schema": {"type": "object"}},), 1000)


class Desk:
    """The folds a projection needs, fed from a logbook."""

    def __init__(self, events=()):
        self.branches = Branches()
        remembered = Remembered()
        self.projection = Projection(self.branches, remembered.read)
        memories, plan = Memories(self.branches), Plan(self.branches)
        self.ledger = Ledger(self.branches, memories, plan, remembered.read)
        self._dispatch = Dispatcher([remembered, self.branches, memories, plan, self.projection, self.ledger])
        for event in events:
            self.feed(event)

    def feed(self, event):
        self._dispatch.apply(event)


def compression(desk, keep_turns=10, **wish):
    """What would be appended when somebody asks for a compression."""
    return plan_compression(
        desk.projection, desk.ledger, Keeping(keep_turns=keep_turns), Wish(**{"force": True, **wish})
    )


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
    desk = Desk(log.events)
    ends = [desk.projection.request(HEAD).marks[-1]]
    for turn in range(3):
        start = len(log.events)
        log.turn(*[("read_file", {"path": f"{turn}.{call}"}) for call in range(30)])
        for event in log.events[start:]:
            desk.feed(event)
        marks = desk.projection.request(HEAD).marks
        assert ends[-1] in marks
        ends.append(marks[-1])


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
    desk.feed(log.add(compression(desk)))
    after = desk.projection.request(HEAD)
    assert after.size < before.size / 2
    messages = json.loads(after.body)["messages"]
    check_history(messages)
    texts = [block["text"] for block in messages[0]["content"]]
    assert "Never touch vendor/. Mend the parser." in texts[0]
    assert "Keep the  tests\n green — always." in texts[1]
    assert "turns so far: 30" in texts[-1]


def test_fifty_compressions_keep_the_first_words_and_never_stack_digests():
    log = long_session()
    desk = Desk(log.events)
    for turn in range(50):
        start = len(log.events)
        log.turn(("read_file", {"path": f"late_{turn}.py"}), text="y" * 800)
        for event in log.events[start:]:
            desk.feed(event)
        try:
            desk.feed(log.add(compression(desk)))
        except NothingToCompress:
            continue
    messages = json.loads(desk.projection.request(HEAD).body)["messages"]
    first = json.dumps(messages[0])
    assert first.count("<digest>") == 1
    assert first.count("Never touch vendor/. Mend the parser.") == 1
    assert "Keep the  tests\\n green" in first


def test_undoing_a_compression_gives_back_the_request_byte_for_byte():
    log = long_session()
    desk = Desk(log.events)
    before = desk.projection.request(HEAD)
    compressed = log.add(compression(desk))
    desk.feed(compressed)
    desk.feed(log.add(ContextRestored(seq=compressed.seq)))
    assert bare(desk.projection.request(HEAD).body) == bare(before.body)


def test_a_rewind_across_a_compression_sends_what_stood_before_it():
    log = long_session()
    boundary = log.head
    desk = Desk(log.events)
    before = desk.projection.request(HEAD)
    desk.feed(log.add(compression(desk)))
    desk.feed(log.add(HeadMoved(to=boundary, origin=log.head, reason="rewind")))
    assert bare(desk.projection.request(HEAD).body) == bare(before.body)


def test_a_history_that_is_too_short_is_not_compressed():
    log = Logbook()
    log.turn(("read_file", {"path": "a"}))
    desk = Desk(log.events)
    with pytest.raises(NothingToCompress):
        compression(desk, force=False)


def test_what_no_compression_rewrites_is_marked_and_is_the_same_after_the_next():
    log = long_session()
    desk = Desk(log.events)
    before = desk.projection.request(HEAD)
    desk.feed(log.add(compression(desk)))
    first = desk.projection.request(HEAD)
    assert first.changed_at == 2  # the task, and what the user said right after it, stand where they stood
    assert before.changed_at is None
    for turn in range(20):
        start = len(log.events)
        log.turn(("read_file", {"path": f"more_{turn}.py"}), text="z" * 600)
        for event in log.events[start:]:
            desk.feed(event)
    assert desk.projection.request(HEAD).changed_at is None
    stable = first.marks[0]
    desk.feed(log.add(compression(desk)))
    second = desk.projection.request(HEAD)
    blocks = [json.loads(request.body)["messages"][0]["content"] for request in (first, second)]
    assert json.dumps(blocks[0][:stable]) == json.dumps(blocks[1][:stable])
    assert second.changed_at > stable


def test_the_window_policy_keeps_anchors_and_the_latest_turns():
    log = long_session()
    desk = Desk(log.events)
    keeping = Keeping(window_turns=12, window_anchors=2)
    assert due_by_count(desk.projection, "window", keeping)
    plan = plan_compression(desk.projection, desk.ledger, keeping, Wish(policy="window"))
    desk.feed(log.add(plan))
    body = json.loads(desk.projection.request(HEAD).body)
    check_history(body["messages"])
    replies = [message["content"][0]["text"] for message in body["messages"] if message["role"] == "assistant"]
    assert [reply.split(".")[0] for reply in replies[:3]] == ["Reading 0", "Reading 1", "Reading 28"]
    assert len(replies) == 14
    assert due_by_count(desk.projection, "window", keeping) is None


def test_masking_leaves_every_turn_and_a_line_for_each_old_result():
    log = with_results()
    desk = Desk(log.events)
    keeping = Keeping(mask_turns=10, mask_batch=20)
    assert due_by_count(desk.projection, "mask", keeping) == "20 results to mask"
    before = desk.projection.request(HEAD)
    desk.feed(log.add(plan_compression(desk.projection, desk.ledger, keeping, Wish(policy="mask"))))
    after = desk.projection.request(HEAD)
    assert after.messages == before.messages
    text = after.body.decode()
    assert "body 29 " * 99 not in text
    assert "body 30 " * 99 in text
    assert "out:r1.1.0" in text
    assert due_by_count(desk.projection, "mask", keeping) is None
    check_history(json.loads(after.body)["messages"])


def with_results(count=40):
    """A session whose results are worth masking."""
    log = Logbook()
    for turn in range(count):
        attempt = log.reply(("read_file", {"path": f"m{turn}.py"}))
        log.start(attempt, 0, "read_file", {"path": f"m{turn}.py"})
        log.finish(attempt, 0, "read_file", f"body {turn} " * 200)
    return log


def test_an_evicted_result_leaves_and_nothing_else_does():
    log = with_results(3)
    desk = Desk(log.events)
    results = [event for event in log.events if event.kind == "tool.finished"]
    desk.feed(log.add(ItemEvicted(seq=results[1].seq), actor="user"))
    before = desk.projection.request(HEAD).body.decode()
    assert "body 1 " * 99 in before
    desk.feed(log.add(compression(desk, policy="evict")))
    after = desk.projection.request(HEAD).body.decode()
    assert "body 1 " * 99 not in after
    assert f"out:{results[1].key}" in after
    assert "body 0 " * 99 in after
    assert "body 2 " * 99 in after


def test_an_edited_digest_is_sent_as_it_was_edited():
    log = long_session()
    desk = Desk(log.events)
    plan = compression(desk)
    log.turn(("read_file", {"path": "one_more.py"}))
    for event in log.events[-4:]:
        desk.feed(event)
    edited = compression(desk, digest="Only this.", keep_from=plan.keep_from)
    assert edited.edited
    assert edited.keep_from == plan.keep_from
    desk.feed(log.add(edited))
    blocks = json.loads(desk.projection.request(HEAD).body)["messages"][0]["content"]
    assert blocks[-1]["text"] == "Only this."


def test_another_model_is_not_sent_the_thinking_of_the_one_before_and_an_undo_does_not_bring_it_back():
    log = long_session()
    thought = [{"type": "thinking", "thinking": "Hm.", "signature": "s"}, {"type": "text", "text": "So."}]
    reply = replace(log.events[3].body, content=thought, stop_reason="end_turn")
    log.add(reply, log.request())
    log.add(GuidanceDelivered(text="Go on."), "g2", actor="user")
    desk = Desk(log.events)
    assert b'"signature"' in desk.projection.request(HEAD).body
    compressed = log.add(compression(desk))
    desk.feed(compressed)
    desk.feed(log.add(ModelSwitched(model="other")))
    assert b'"signature"' not in desk.projection.request(HEAD).body
    desk.feed(log.add(ContextRestored(seq=compressed.seq)))
    body = desk.projection.request(HEAD).body
    assert b'"signature"' not in body
    assert b"So." in body
