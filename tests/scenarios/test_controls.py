"""The four controls, on a real session in a process of its own, from another shell."""

import asyncio
import json

from processes import command, prose, until

from core.agent.seating import seated
from core.clock import SystemClock
from core.controls import SessionControls
from core.ids import ulid
from core.journal.inbox import Command, post
from core.journal.lease import acquire
from core.ordering import TAKEN, give


def test_pause_stops_before_the_next_action_and_continue_goes_on(longwatch):
    process = longwatch.run(longwatch.script(*[longwatch.gated(f"echo {n} >> log") for n in range(5)]))
    until(lambda: longwatch.count("tool.started") >= 1)
    assert longwatch.call("send", "", "pause").stdout == "accepted: pause\n"
    longwatch.gate.touch()
    until(lambda: longwatch.count("session.paused"))
    calls = longwatch.count("tool.started")
    assert longwatch.report()["state"] == "paused"
    assert longwatch.call("send", "", "pause").returncode == 1
    assert longwatch.count("tool.started") == calls
    longwatch.call("send", "", "continue")
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert (longwatch.workspace / "log").read_text().split() == ["0", "1", "2", "3", "4"]


def test_guidance_is_in_the_next_request_and_can_be_retracted_before(longwatch):
    process = longwatch.run(longwatch.script(longwatch.gated("echo on"), command("echo on")))
    until(lambda: longwatch.count("tool.started") >= 1)
    longwatch.call("send", "", "pause")
    longwatch.gate.touch()
    until(lambda: longwatch.count("session.paused"))
    longwatch.call("send", "", "guide", "Never", "touch", "vendor.", "--standing")
    longwatch.call("send", "", "guide", "A mistake.")
    queued = [event for event in longwatch.events() if event.kind == "guidance.queued"]
    assert longwatch.call("send", "", "retract", queued[-1].key).returncode == 0
    longwatch.call("send", "", "continue")
    process.communicate(timeout=60)
    events = longwatch.events()
    delivered = [event for event in events if event.kind == "guidance.delivered"]
    assert [event.body.text for event in delivered] == ["Never touch vendor."]
    assert delivered[0].body.standing
    asked = next(event.seq for event in events if event.kind == "model.requested" and event.seq > delivered[0].seq)
    assert asked == delivered[0].seq + 2  # the constraint that it declares stands between


def test_an_order_that_a_runner_leaves_lying_as_it_ends_is_taken_all_the_same(longwatch):
    assert longwatch.run(longwatch.script()).wait(60) == 0
    folder = longwatch.folder()

    async def ordered():
        with acquire(folder):  # As of a runner that reads no order any more.
            giving = asyncio.create_task(give(folder, SessionControls(folder), "bookmark", {"text": "here"}))
            await asyncio.to_thread(until, lambda: list((folder / "inbox").glob("*.json")))
        return await giving

    assert asyncio.run(ordered()) == (TAKEN, "accepted: bookmark")


def test_a_forced_compression_shortens_the_next_request_and_undo_gives_it_back(longwatch):
    rows = [command(f"seq {n} 400", text=prose(700)) for n in range(24)] + [command("echo on")] * 2
    process = longwatch.run(longwatch.script(*rows), "--max-turns", "24", "--wait")
    until(lambda: longwatch.count("session.paused"))
    longwatch.call("send", "", "compress")
    until(lambda: longwatch.count("context.compressed"))
    process.kill()
    process.communicate()
    before = [event.body.body_bytes for event in longwatch.events() if event.kind == "model.requested"][-1]
    longwatch.call("send", "", "stop")
    process = longwatch.run_on("--max-turns", "25", "--wait")
    until(lambda: longwatch.count("model.requested") == 25)
    until(lambda: longwatch.events()[-1].kind == "session.paused")
    after = [event.body.body_bytes for event in longwatch.events() if event.kind == "model.requested"][-1]
    assert after < before * 0.7
    longwatch.call("send", "", "undo")
    until(lambda: longwatch.count("context.restored"))
    process.kill()
    process.communicate()
    process = longwatch.run_on("--max-turns", "26", "--wait")
    until(lambda: longwatch.count("model.requested") == 26)
    again = [event.body.body_bytes for event in longwatch.events() if event.kind == "model.requested"][-1]
    assert again > before


def test_a_rewind_returns_the_conversation_and_the_files_that_commands_changed(longwatch):
    kept = longwatch.workspace / "kept.txt"
    kept.write_text("as it was\n")
    rows = [command("echo one > made.txt"), command("echo spoiled > kept.txt; rm made.txt; mkdir d; echo x > d/y")]
    process = longwatch.run(longwatch.script(*rows, longwatch.gated("echo on"), command("echo again")))
    until(lambda: longwatch.count("tool.started") >= 3)
    longwatch.call("send", "", "pause")
    longwatch.gate.touch()
    until(lambda: longwatch.count("session.paused"))
    assert kept.read_text() == "spoiled\n"
    target = [event for event in longwatch.events() if event.kind == "checkpoint.made"][1]
    longwatch.call("send", "", "rewind", str(target.seq))
    until(lambda: longwatch.count("head.moved"))
    assert kept.read_text() == "as it was\n"
    assert (longwatch.workspace / "made.txt").read_text() == "one\n"
    assert not (longwatch.workspace / "d").exists()
    longwatch.call("send", "", "undo")
    until(lambda: longwatch.count("head.moved") == 2)
    assert kept.read_text() == "spoiled\n"
    assert (longwatch.workspace / "d" / "y").exists()
    longwatch.call("send", "", "name-branch", "2", "the", "short", "way")
    assert longwatch.call("send", "", "switch", "the", "short", "way").returncode == 0
    until(lambda: longwatch.count("head.moved") == 3)
    assert kept.read_text() == "as it was\n" and not (longwatch.workspace / "d").exists()
    (longwatch.workspace / "made.txt").write_text("by hand\n")
    assert longwatch.call("send", "", "switch", "1").returncode == 0
    until(lambda: longwatch.count("head.moved") == 4)
    assert kept.read_text() == "spoiled\n" and (longwatch.workspace / "made.txt").read_text() == "by hand\n"
    assert "came back to this branch" in longwatch.events()[-2].body.text
    listed = json.loads(longwatch.call("branches", "--json").stdout)
    assert [(row["branch"], row["name"], row["current"]) for row in listed] == [
        (1, "", True),
        (2, "the short way", False),
    ]
    assert "M kept.txt" in longwatch.call("branches", "", "--compare", "1", "2").stdout
    assert longwatch.call("send", "", "switch", "1").returncode == 1
    longwatch.call("send", "", "stop")
    process.communicate(timeout=60)
    assert process.returncode == 4


def test_an_interrupt_kills_the_running_command_and_the_model_is_told(longwatch):
    process = longwatch.run(longwatch.script(command("sleep 600"), command("echo on")))
    until(lambda: list(longwatch.home.glob("sessions/*/jobs/*/started")))
    longwatch.call("send", "", "interrupt")
    process.communicate(timeout=60)
    assert process.returncode == 0
    first = next(event for event in longwatch.events() if event.kind == "tool.finished")
    assert not first.body.ok
    assert "topped" in first.body.content


def test_guidance_that_cannot_wait_cuts_what_runs_and_is_in_the_next_request(longwatch):
    two = command("sleep 600")
    two["tool_uses"].append(dict(two["tool_uses"][0], input={"command": "echo never > never"}))
    process = longwatch.run(longwatch.script(two, command("echo on")))
    until(lambda: list(longwatch.home.glob("sessions/*/jobs/*/started")))
    assert longwatch.call("send", "", "guide", "Look", "first.", "--now").returncode == 0
    process.communicate(timeout=60)
    assert process.returncode == 0
    events = longwatch.events()
    kinds = [event.kind for event in events]
    assert "session.paused" not in kinds
    stopped, unrun = [event.body for event in events if event.kind == "tool.finished"][:2]
    assert not stopped.ok and "cut in with guidance" in unrun.content
    delivered = kinds.index("guidance.delivered")
    assert kinds[delivered + 1] == "model.requested"
    assert not (longwatch.workspace / "never").exists()


def test_commands_to_an_ended_session_are_applied_by_a_clerk(longwatch):
    process = longwatch.run(longwatch.script(command("echo 1 > made.txt"), command("rm made.txt")))
    process.communicate(timeout=60)
    assert longwatch.call("send", "", "rename", "second", "name").returncode == 0
    target = [event for event in longwatch.events() if event.kind == "checkpoint.made"][1]
    assert longwatch.call("send", "", "rewind", str(target.seq)).returncode == 0
    assert (longwatch.workspace / "made.txt").read_text() == "1\n"
    assert longwatch.report()["name"] == "second name"
    made = longwatch.workspace / "made.txt"
    longwatch.call("send", "", "revert", "made.txt")
    assert not made.exists() and "took back what you changed" in longwatch.events()[-2].body.text
    longwatch.call("send", "", "undo")
    assert made.read_text() == "1\n"
    made.write_text("1\nby hand\n")
    longwatch.call("send", "", "revert", "made.txt")
    assert made.read_text() == "1\nby hand\n" and "by hand" in longwatch.events()[-1].body.detail
    assert longwatch.call("send", "", "frobnicate").returncode == 2


def test_a_resume_carries_out_what_an_ended_session_was_ordered_by_somebody_who_was_killed(longwatch):
    longwatch.run(longwatch.script(command("echo 1 > made.txt"))).communicate(timeout=60)

    async def cut_off():
        post(longwatch.folder(), Command(id=ulid(0), verb="revert", args={"path": "made.txt"}))
        async with seated(longwatch.folder(), SystemClock(), brief=True) as (desk, _):
            await desk.read_inbox()

    asyncio.run(cut_off())
    assert longwatch.events()[-1].kind == "command.accepted"
    assert longwatch.here("resume", "--headless").returncode == 0
    assert not (longwatch.workspace / "made.txt").exists()
    assert longwatch.count("command.done") == 1


def test_limits_end_with_their_own_exit_code_and_the_session_can_be_resumed(longwatch):
    process = longwatch.run(longwatch.script(*[command("echo 1")] * 4), "--max-turns", "2")
    process.communicate(timeout=60)
    assert process.returncode == 3
    assert longwatch.report()["reason"] == "turn_limit"


def test_every_printed_event_has_the_contracts_fields(longwatch):
    process = longwatch.run(longwatch.script(command("echo 1")))
    out, _ = process.communicate(timeout=60)
    rows = [json.loads(line) for line in out.splitlines()]
    assert all(list(row) == ["seq", "parent", "node", "kind", "key", "at", "actor", "body"] for row in rows)
    assert [row["seq"] for row in rows] == list(range(2, len(rows) + 2))
    printed = [json.loads(line) for line in longwatch.call("events", "--json").stdout.splitlines()]
    assert printed[1:] == rows
