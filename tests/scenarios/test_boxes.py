"""A session on another machine: watched and steered from here, over lines that are cut, its log copied once."""

import asyncio
import os
import signal

import pytest
from fake_ssh import fake_ssh
from processes import command, until
from terminals import Terminal

from core.boxes import line as line_module
from core.boxes.line import Line
from core.boxes.remote import BoxControls, BoxPresence, BoxSource
from core.boxes.ssh import Box
from core.folds.file_states import Handwork
from core.journal.errors import JournalError
from core.journal.lease import holder
from core.journal.reader import Reader
from tui.elsewhere import Elsewhere

ONE = Box("one", "one")


@pytest.fixture
def box(longwatch, tmp_path, monkeypatch):
    """The machine `one`, whose home is that of the fixture; its folder."""
    monkeypatch.setattr(line_module, "LAST_WORDS_S", 0.1)
    (tmp_path / "boxes").mkdir()
    (tmp_path / "boxes" / "one").symlink_to(tmp_path)
    for name, value in fake_ssh(tmp_path).items():
        monkeypatch.setenv(name, value)
        longwatch.environment[name] = value
    return tmp_path


def line_to(box, session=""):
    return Line(ONE, session, box / "here", "anna on pts/1 at laptop", waits_s=0.01)


def hang_up(box):
    """Cut the newest line, as a router does."""
    os.kill(int((box / "lines").read_text().split()[-1]), signal.SIGKILL)


async def test_a_session_is_followed_and_steered_over_a_line_that_is_cut(longwatch, box):
    model = longwatch.script(longwatch.gated("echo started >> log"), command("echo two"), {"text": "Done."})
    running = longwatch.run(model)
    until(lambda: longwatch.count("tool.started"))
    line = line_to(box)
    assert (await asyncio.to_thread(line.connect, asks=False)).held
    source, controls, presence = BoxSource(line), BoxControls(line), BoxPresence(line)
    line.start()
    try:
        sent = await controls.send("bookmark", {"text": "here"})
        await asyncio.to_thread(until, lambda: longwatch.count("command.accepted"))
        with Reader(longwatch.folder()) as reader:
            accepted = reader.keyed("command.accepted", sent)
            (asked,) = reader.of_kind("model.requested", 1)
            tools = reader.blob(asked.body.tools)
        assert accepted.body.origin == "anna on pts/1 at laptop from 192.0.2.7" == presence.viewer.who
        assert await source.blob(asked.body.tools) == tools
        assert [hit.kind async for found in source.find("Do the steps") for hit in found.hits] == ["task"]
        assert (await controls.preview_compression()).problem
        assert await controls.said_before() == []
        with pytest.raises(JournalError):
            await controls.preview_restore("no tree", Handwork((), None))
        (box / "down").touch()
        hang_up(box)
        await asyncio.to_thread(until, lambda: line.cut)
        await asyncio.to_thread(until, lambda: "connect to host one" in line.trouble)
        with pytest.raises(JournalError, match=r"^Not sent: no line"):
            await controls.send("pause")
        before = line.seq
        longwatch.gate.touch()
        await asyncio.to_thread(running.wait, 60)
        assert line.seq == before
        (box / "down").unlink()
        last = longwatch.events()[-1].seq
        await asyncio.to_thread(until, lambda: line.seq == last and not line.cut)
        await asyncio.to_thread(until, lambda: line.unheld)
        assert "its runner is gone" in Elsewhere.by(line).gone()
    finally:
        await source.close()
    again, whole = line_to(box), line.received
    await asyncio.to_thread(again.connect, asks=False)
    assert again.seq == last
    again.close()
    assert again.received < whole / 5, "the second time only what is new is fetched"
    with Reader(line.folder) as copy, Reader(longwatch.folder()) as log:
        assert copy.verify() is None and copy.raw() == log.raw()


def test_on_the_screen_it_is_a_session_like_any_other(longwatch, box):
    model = longwatch.script(longwatch.gated("true", text="Step 1."), {"text": "Done."})
    longwatch.run(model)
    until(lambda: longwatch.count("tool.started"))
    screen = Terminal(longwatch, "--home", str(box / "elsewhere"), "attach", "one:")
    try:
        screen.watches("running", "Step 1.")
        screen.press(" ")
        until(lambda: longwatch.count("session.paused") or longwatch.count("command.accepted"))
        (box / "down").touch()
        hang_up(box)
        screen.shows("no line")
        (box / "down").unlink()
        screen.press(" ")
        until(lambda: longwatch.count("command.accepted") > 1 or not screen.press(" "))
        longwatch.gate.touch()
        screen.press("q")
        assert screen.ends() == 0
        screen.shows("longwatch attach one:")
    finally:
        screen.close()
    longwatch.here("send", longwatch.folder().name, "continue")
    until(lambda: longwatch.count("runner.detached") and holder(longwatch.folder()) is None)
    assert "`longwatch replay one:01" in longwatch.here("attach", "--plain", "one:").stderr
    film = longwatch.call("replay", "--plain", "one:").stdout
    assert "Step 1." in film and "Done." in film


def test_an_order_to_a_session_elsewhere_arrives_word_by_word_and_says_who_gave_it(longwatch, box):
    model = longwatch.script(longwatch.gated("true", text="Step 1."), {"text": "Done."})
    longwatch.run(model)
    until(lambda: longwatch.count("tool.started"))
    words = "Leave $HOME; `date` \"alone\" and 'this' && that \\ \n too"
    assert longwatch.here("send", "one:", "guide", words, "--standing").stdout == "accepted: guide\n"
    (queued,) = [event.body for event in longwatch.events() if event.kind == "guidance.queued"]
    (taken,) = [event.body for event in longwatch.events() if event.kind == "command.accepted"]
    assert queued.text == words and queued.standing
    assert " at " in taken.origin and taken.origin.endswith(" from 192.0.2.7")
    for order, code, why in (
        (("one:", "bend"), 2, "There is no control named 'bend'"),
        (("one:nobody", "pause"), 2, "No session is called 'nobody'"),
        (("one:", "approve"), 1, ""),
        (("off:", "pause"), 2, "off: it can't be reached"),
    ):
        answer = longwatch.here("send", *order)
        assert answer.returncode == code and why in answer.stderr and not answer.stdout
    longwatch.gate.touch()
    until(lambda: longwatch.count("runner.detached"))


def test_what_is_not_there_is_one_sentence(longwatch, box):
    assert "one: There are no sessions" in longwatch.here("attach", "--plain", "one:audit").stderr
    answer = longwatch.here("attach", "--plain", "off:audit")
    assert answer.returncode == 2 and "off: it can't be reached (ssh: connect to host off" in answer.stderr
