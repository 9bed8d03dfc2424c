"""The scripted supervisor posts what the controls understand, once, and answers what it is asked."""

import asyncio

from core.clock import VirtualClock
from core.events import ApprovalAsked, Event, ModelResponded, Price, ToolFinished, Usage
from core.journal.inbox import pending
from core.rehearsal.pace import Hours
from core.rehearsal.supervisor import THINKS_S, Supervisor

AREAS = ("archives", "bridges", "courts", "mills", "water")
CALL = ToolFinished(name="read_file", ok=True, content="", fingerprint="", use_id="u")


def event(body, kind, seq=1):
    return Event(seq=seq, parent=None, node=None, kind=kind, key=None, at_us=0, actor="system", body=body)


USE = {"type": "tool_use", "id": "u", "name": "read_file", "input": {}}
REPLY = event(
    ModelResponded(message_id="m", model="m", content=[USE], stop_reason="tool_use", usage=Usage(), price=Price()),
    "model.responded",
)


def test_every_order_is_a_command_and_one_department_is_left_out_before_it_is_taken_in(tmp_path):
    clock = VirtualClock()
    supervisor = Supervisor.of(tmp_path, clock, 0, Hours(70), AREAS)
    for number in range(70):
        clock.advance(60)
        supervisor.observe([REPLY, event(CALL, "tool.finished"), event(CALL, "checkpoint.made", 100 + number)])
    orders = pending(tmp_path)
    verbs = [order.verb for order in orders]
    for verb in ("guide", "remember", "budget", "compress", "undo", "rewind", "model", "bookmark"):
        assert verb in verbs
    said = [order.args["text"] for order in orders if order.verb == "guide"]
    assert "leave out courts" in said[0] and "take courts in after all" in said[-1]
    assert next(order.args["to"] for order in orders if order.verb == "rewind") == 59 + Hours(70).call(19.5)


def test_a_resumed_supervisor_does_not_say_things_twice(tmp_path):
    Supervisor.of(tmp_path, VirtualClock(), 69, Hours(70), AREAS).observe([REPLY, event(CALL, "tool.finished")])
    assert not pending(tmp_path)


async def test_a_question_is_answered_after_a_while_in_which_alarms_ring(tmp_path):
    clock = VirtualClock()
    before = clock.now_us()
    asked = ApprovalAsked(name="run_command", use_id="u", arguments={}, effect="command", reason="long")
    rung = asyncio.create_task(clock.alarm(THINKS_S / 2))
    await asyncio.sleep(0)
    supervisor = Supervisor.of(tmp_path, clock, 69, Hours(70), AREAS)
    supervisor.observe([event(asked, "approval.asked")])
    assert not pending(tmp_path)
    await rung
    while not pending(tmp_path):  # noqa: ASYNC110 - a file has no event
        await asyncio.sleep(0)
    assert [order.verb for order in pending(tmp_path)] == ["approve"]
    assert clock.now_us() - before == THINKS_S * 1_000_000
