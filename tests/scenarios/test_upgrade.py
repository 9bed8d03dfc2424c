"""Upgrading under a live session: versions that meet over one journal, and the hand-over from one to the next."""

import asyncio
import json
import os
import signal

import msgspec
import pytest
from processes import command, until

from core.clock import SystemClock
from core.config import Config
from core.controls import SessionControls
from core.events import Body, BookmarkAdded, Draft
from core.folds.view import SessionView
from core.handover import hand_over
from core.ids import ulid
from core.journal.inbox import Command, post
from core.journal.lease import LOCK, holder
from core.journal.reader import Reader
from core.journal.writer import Journal
from core.version import version_notice
from tui.plain.lines import PlainLines, json_line


class FromTheFuture(Body, frozen=True):
    """A kind that this version does not know."""

    KIND = "session.teleported"
    where: str


class RicherBookmark(Body, frozen=True):
    """A kind that it knows, with a field that it does not."""

    KIND = "bookmark.added"
    text: str
    colour: str


class OtherBookmark(Body, frozen=True):
    """A kind that it knows, in a shape that it does not."""

    KIND = "bookmark.added"
    text: list[str]


@pytest.fixture
def running(longwatch):
    """A session that runs by itself, at the gate in its first command."""
    model = longwatch.script(longwatch.gated("echo first >> log"), command("echo second >> log"))
    place = ["--workspace", str(longwatch.workspace), "--speed", "0"]
    assert longwatch.call("run", "Do the steps.", "--model", model, "--detach", *place).returncode == 0
    until(lambda: longwatch.count("tool.started"))
    yield longwatch
    longwatch.gate.touch()
    if (runner := holder(longwatch.folder())) is not None:
        os.kill(runner.pid, signal.SIGKILL)


def test_a_newer_runner_does_not_confuse_an_older_viewer(running):
    running.gate.touch()
    until(lambda: holder(running.folder()) is None)

    async def write() -> None:
        async with await Journal.open(running.folder(), SystemClock()) as journal:
            bodies = (
                FromTheFuture(where="elsewhere"),
                RicherBookmark(text="kept", colour="red"),
                OtherBookmark(text=["a"]),
            )
            await journal.append(*map(Draft, bodies))

    asyncio.run(write())
    view, lines = SessionView(), PlainLines()
    events = running.events()
    view.apply_all(events)
    assert view.last_seq == len(events) and view.state.status.last.state == "finished"
    assert any("Bookmark: kept" in line for event in events for line in lines.lines(event))
    assert [event.kind for event in events[-3:]] == ["session.teleported", "bookmark.added", "bookmark.added"]
    assert json.loads(json_line(events[-3]))["body"]["where"] == "elsewhere"
    assert running.here("report").returncode == running.here("events").returncode == 0
    with Reader(running.folder()) as reader:
        assert reader.verify() is None


def test_an_older_runner_takes_what_it_knows_of_a_newer_viewers_command_and_refuses_the_rest(running):
    now_us = SystemClock().now_us()
    known, unknown = ulid(now_us), ulid(now_us + 2000)
    place = running.folder() / "inbox"
    place.mkdir(mode=0o700, exist_ok=True)
    body = {"id": known, "verb": "bookmark", "args": {"text": "from tomorrow"}, "mood": "curious", "v": 7}
    (place / f".{known}.new").write_bytes(msgspec.json.encode(body))
    (place / f".{known}.new").rename(place / f"{known}.json")
    post(running.folder(), Command(id=unknown, verb="teleport", args={"to": "elsewhere"}))
    until(lambda: {event.key for event in running.events() if event.kind.startswith("command.")} == {known, unknown})
    assert [event.body.text for event in running.events() if isinstance(event.body, BookmarkAdded)] == ["from tomorrow"]
    refused = next(event.body for event in running.events() if event.kind == "command.refused")
    assert "no control named 'teleport'" in refused.reason
    assert not (place / "bad").exists()


def test_a_session_is_handed_over_while_its_command_runs_and_no_call_is_lost_or_made_twice(running):
    old = holder(running.folder())
    moved = running.here("send", "", "hand-over")
    assert moved.returncode == 0, moved.stderr
    assert f"process {old.pid} has let it go" in moved.stdout
    until(lambda: running.count("runner.recovered"))
    (told,) = [event.body.findings for event in running.events() if event.kind == "runner.recovered"]
    assert len(told) == 1 and "it still runs, and its end is waited for" in told[0]
    assert running.count("tool.finished") == 0
    running.gate.touch()
    until(lambda: running.report()["state"] == "finished" and holder(running.folder()) is None)
    assert (running.workspace / "log").read_text() == "first\nsecond\n"
    attached = [event.body for event in running.events() if event.kind == "runner.attached"]
    assert [body.epoch for body in attached] == sorted({body.epoch for body in attached}) and len(attached) == 2
    reasons = [event.body.reason for event in running.events() if event.kind == "runner.detached"]
    assert reasons == ["handed over", "ended"]
    replies = [event for event in running.events() if event.kind == "model.responded"]
    assert running.count("model.requested") == len(replies) == 3
    assert running.count("tool.started") == running.count("tool.finished") == 2
    finished = [event.body for event in running.events() if event.kind == "tool.finished"]
    assert [(body.ok, body.exit_code, body.recovered) for body in finished] == [(True, 0, True), (True, 0, False)]


def test_a_command_that_was_taken_up_can_be_handed_on_and_be_interrupted(running):
    for _ in range(2):
        assert running.here("send", "", "hand-over").returncode == 0
        until(lambda: holder(running.folder()) is not None)
    until(lambda: running.count("runner.recovered") == 2)
    assert running.here("send", "", "interrupt").returncode == 0
    until(lambda: running.count("tool.finished"))
    finished = next(event.body for event in running.events() if event.kind == "tool.finished")
    assert not finished.ok and "stopped" in finished.content
    assert (running.workspace / "log").read_text() == "first\n"


def test_of_two_who_take_over_at_once_one_does_and_the_session_goes_on(running):
    both = [running.start("send", "", "hand-over") for _ in range(2)]
    told = [process.communicate(timeout=60) for process in both]
    assert sorted(process.returncode for process in both) == [0, 2], told
    running.gate.touch()
    until(lambda: running.report()["state"] == "finished" and holder(running.folder()) is None)
    assert running.count("runner.attached") == 2
    assert (running.workspace / "log").read_text() == "first\nsecond\n"


@pytest.mark.parametrize("late", [1, 0])
def test_nobody_is_let_go_of_for_whom_nobody_waits(running, late):
    epoch, id = holder(running.folder()).epoch, ulid(SystemClock().now_us())
    post(running.folder(), Command(id=id, verb="hand-over", args={"epoch": epoch - late}))
    until(lambda: running.count("command.accepted"))
    running.gate.touch()
    until(lambda: running.report()["state"] == "finished" and holder(running.folder()) is None)
    assert [event.body.ok for event in running.events() if event.kind == "command.done"] == [False]
    assert running.count("runner.attached") == 1


def test_a_hand_over_that_is_not_waited_for_any_more_is_taken_back(running):
    folder = running.folder()
    runner = holder(folder)

    def posted() -> int:
        return len(list((folder / "inbox").glob("*.json")))

    async def given_up() -> None:
        moving = asyncio.create_task(hand_over(folder, SessionControls(folder), Config()))
        await asyncio.to_thread(until, lambda: posted() == 1)
        moving.cancel()
        await asyncio.to_thread(until, lambda: posted() == 2)
        os.kill(runner.pid, signal.SIGCONT)
        with pytest.raises(asyncio.CancelledError):
            await moving

    os.kill(runner.pid, signal.SIGSTOP)
    asyncio.run(given_up())
    assert holder(folder) == runner
    running.gate.touch()
    until(lambda: running.report()["state"] == "finished")
    assert (running.workspace / "log").read_text() == "first\nsecond\n"
    finished = [event.body for event in running.events() if event.kind == "tool.finished"]
    assert [(body.ok, body.exit_code) for body in finished] == [(True, 0), (True, 0)]


def test_attaching_to_another_version_says_so_and_how_to_move(running):
    folder = running.folder()
    assert version_notice(folder) == ""
    record = msgspec.json.decode((folder / LOCK).read_bytes())
    (folder / LOCK).write_bytes(msgspec.json.encode({**record, "version": "0.0.9"}))
    assert "Longwatch 0.0.9 runs this session" in version_notice(folder)
    assert f"send {folder.name[:10]} hand-over" in version_notice(folder)
    answer = running.call("attach", "--plain")
    assert answer.returncode == 0 and "Longwatch 0.0.9 runs this session" in answer.stderr


def test_nothing_is_let_go_when_this_version_could_not_go_on(running):
    nobody = running.here("send", "nothing", "hand-over")
    assert nobody.returncode == 2
    running._script.unlink()
    refused = running.here("send", "", "hand-over")
    assert refused.returncode == 2 and refused.stderr
    assert holder(running.folder()) is not None and running.count("command.accepted") == 0
    running._script.write_text("")


def test_a_session_that_nobody_runs_is_not_handed_over(running):
    running.gate.touch()
    until(lambda: holder(running.folder()) is None)
    answer = running.here("send", "", "hand-over")
    assert answer.returncode == 2 and "longwatch resume" in answer.stderr
