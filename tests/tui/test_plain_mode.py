"""The plain mode: what it says of a session, how it obeys, and that foreign text can neither act nor pretend."""

from __future__ import annotations

import asyncio
import os
import re
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_sessions import FakeControls, FakeSource, Log, audit_session
from watching_app import PREVIEW, Mark

from core.agent.commands import VERBS
from core.clock import VirtualClock, monotonic, pause_real
from core.events import (
    ApprovalAsked,
    CommandAccepted,
    CommandDone,
    CommandRefused,
    Draft,
    GuidanceDelivered,
    ModelFailed,
    SessionPaused,
)
from core.protocols import LiveDelta
from core.tools.vitals import Pulse
from tui.attention import Sight
from tui.plain.commands import QUESTIONS, Unclear, help_lines, understood
from tui.plain.film import PlainFilm
from tui.plain.flow import ReplyFlow
from tui.plain.input import TypedLines
from tui.plain.lines import PlainLines
from tui.plain.mode import PlainMode
from tui.plain.output import LineWriter, has_colour, printable

OURS = re.compile(r"\d\d:\d\d:\d\d #\d+ [a-z ]+: |  ")
HOSTILE = "\x1b[2Jgone\x1b]52;c;ZXZpbA==\x07\r12:00:00 #1 user: do it\n12:00:00 #2 user: do it\n\u202emoor\u2028x"


class Sheet:
    """Keeps what was said."""

    def __init__(self):
        self.lines = []

    def say(self, text, tone=""):
        self.lines += text.split("\n")

    @property
    def text(self):
        return "\n".join(self.lines)


class Keys:
    """Somebody who types."""

    def __init__(self):
        self._lines = asyncio.Queue()

    def type(self, *lines):
        for line in lines:
            self._lines.put_nowait(line)

    async def next(self):
        return await self._lines.get()


class Controls(FakeControls):
    """Says beforehand what a compression would do."""

    async def preview_compression(self, instruction="", evict=None):
        return PREVIEW


class Watched:
    """A plain mode over a log, with hands to type and eyes to read."""

    def __init__(self, log, **options):
        self.log, self.sheet, self.keys = log, Sheet(), Keys()
        self.source, self.controls = FakeSource(log), Controls()
        clock = VirtualClock(log.at_us)
        self.mode = PlainMode(self.source, self.controls, self.sheet, self.keys, clock=clock, **options)

    async def shows(self, *words):
        await until(lambda: all(word in self.sheet.text for word in words), lambda: self.sheet.text)

    async def types(self, line, *words):
        self.sheet.lines.clear()
        self.keys.type(line)
        await self.shows(*words)

    def happens(self, *drafts):
        self.log.extend(drafts)
        self.source.push()


async def until(condition, told=lambda: ""):
    end = monotonic() + 10
    while not condition():
        assert monotonic() < end, told()
        await pause_real(0.005)


@asynccontextmanager
async def watching(log=None, **options):
    watched = Watched(log or audit_session(), **options)
    task = asyncio.create_task(watched.mode.run())
    await watched.shows("help lists")
    watched.left = task
    yield watched
    watched.mode.leave("quit")
    await asyncio.wait_for(task, 10)
    assert watched.source.closed


async def test_on_coming_the_end_of_the_past_is_told_and_where_things_stand():
    async with watching() as watched:
        assert "earlier lines are left out" in watched.sheet.lines[0]
        assert len(watched.sheet.lines) < 40
        assert any(line.startswith("status: running; ") for line in watched.sheet.lines)
        assert not any("needs you" in line for line in watched.sheet.lines)


async def test_a_command_that_may_hang_is_told_once_and_by_status():
    hangs = Pulse("command silent for 9 min, 0 CPU: may hang", may_hang=True)
    async with watching(feel=lambda call: hangs) as watched:
        await watched.shows("0 CPU: may hang; interrupt would end it")
        await watched.types("status", "0 CPU: may hang")
        assert "interrupt would end it" not in watched.sheet.text


async def test_every_question_is_answered_in_lines():
    async with watching() as watched:
        await watched.types("status", "of $5", "context", "runs since")
        await watched.types("context", "tool results", "policy auto", "pinned")
        await watched.types("cost", "next call", "to go", "by purpose, main")
        await watched.types("memory", "m2 (constraint, pinned", "left behind on an abandoned branch")
        await watched.types("plan", "4. active: Run the backup without a shell (check: bandit reports no B602)")
        await watched.types("calls", "running: run_command python -m pytest -q")
        await watched.types("calls errors", "failed in", "bandit -q -r inventory")
        await watched.types("checkpoints", "leads to c4")
        await watched.types("show 9999", "There is no event #9999")
        await watched.types("help rewind", "rewind SEQ [--files-only")


async def test_one_who_comes_back_is_told_the_verdict_and_asks_for_the_rest():
    log = audit_session()
    log.add(SessionPaused(reason="budget", detail="5.01 of 5 is spent"))
    mark = Mark(20, log.at_us - 7_200_000_000)
    async with watching(log, sight=Sight(mark)) as watched:
        assert any("Since you left, 2 h ago: Waiting for you" in line for line in watched.sheet.lines)
        await watched.types("left", "for you: Raise the budget?", "`budget` answers it", "files: inventory/load")
        assert mark.seq == 20
    watched.mode.sight.keep()
    assert mark.seq == len(log.events)


async def test_a_hang_up_is_no_sign_that_anything_was_read():
    log = audit_session()
    mark = Mark(20, log.at_us)
    async with watching(log, sight=Sight(mark)) as watched:
        watched.mode.leave("lost")
    watched.mode.sight.keep()
    assert mark.seq == 20


async def test_show_tells_a_call_whole_also_from_its_blob():
    log = audit_session()
    log.blobs["f" * 64] = b"line\n" * 500 + b"the last one"
    key = log.call("run_command", {"command": "make"}, "line\n[capped]", blob="f" * 64)
    seq = next(event.seq for event in log.events if event.key == key)
    async with watching(log) as watched:
        await watched.types(f"show #{seq}", "make", "the last one")
        await watched.types("show #4", "(thinks) The task asks", "(calls) list_files")


async def test_a_control_gets_a_receipt_for_each_thing_that_becomes_of_it():
    async with watching() as watched:
        await watched.types("pause", "pause: sent")
        watched.happens(Draft(CommandAccepted(verb="pause"), key="cmd-1", actor="user"))
        await watched.shows("pause: taken; it comes at the next safe point")
        assert "user: pause taken" not in watched.sheet.text
        done = Draft(CommandDone(verb="pause"), key="cmd-1")
        watched.happens(Draft(SessionPaused(reason="operator"), actor="user"), done)
        await watched.shows("status: paused, operator", "pause: in force")
        await watched.types("budget 1", "budget: sent")
        watched.happens(Draft(CommandRefused(verb="budget", reason="Say an amount."), key="cmd-2"))
        await watched.shows("budget: refused. Say an amount.")
        await watched.types(">> Never touch  vendor.", "guide: sent")
        verb, args, head = watched.controls.sent[-1]
        assert (verb, args) == ("guide", {"text": "Never touch  vendor.", "standing": True})
        assert head == watched.mode.view.state.head
        watched.happens(Draft(GuidanceDelivered(text="Never touch  vendor."), key="cmd-3", actor="user"))
        await watched.shows("guide: in force")
        watched.happens(Draft(CommandAccepted(verb="pause"), key="elsewhere", actor="user"))
        await watched.shows("user: pause taken")


async def test_what_costs_is_asked_about_and_only_a_yes_sends_it():
    async with watching() as watched:
        await watched.types(
            "compress keep auth", "41,236 tokens a call become 12,310", "$0.0421", "Compress now? y or n"
        )
        await watched.types("n", "compress: not sent")
        boundary = watched.mode.view.checkpoints.on_branch()[0].boundary
        await watched.types(
            f"rewind {boundary}", "left behind", "inventory/load.py +3", "by hand, kept", "stays", "price", "y or n"
        )
        await watched.types("status", "rewind: not sent", "running")
        await watched.types("stop", "Stop the agent? y or n")
        watched.mode.interrupt()
        await watched.types("y", "There is no command 'y'")
        assert watched.controls.sent == []
        await watched.types("evict 9 --now", "Evict #9 now?")
        await watched.types("yes", "evict: sent")
        assert watched.controls.sent == [("evict", {"seq": 9, "now": True}, PREVIEW.head)]
        await watched.types("rewind 99999", "not on the current branch")


async def test_a_reply_is_told_in_whole_lines_once_and_a_broken_one_is_taken_back():
    log = audit_session()
    async with watching(log) as watched:
        key = log.requested()
        watched.sheet.lines.clear()
        watched.source.say("First li", attempt=key)
        watched.source.say("ne.\nSecond", attempt=key)
        await watched.shows("agent: First line.")
        assert "Second" not in watched.sheet.text
        log.responded(key, [{"type": "text", "text": "First line.\nSecond line."}])
        watched.source.push()
        await watched.shows("  Second line.", "end of the reply, $0.0")
        assert watched.sheet.text.count("First line.") == 1
        watched.source.say("too late\n", attempt=key)
        broken = log.requested()
        watched.source.say("Half a\nrep", attempt=broken)
        await watched.shows("agent: Half a")
        watched.happens(Draft(ModelFailed(error="network", message="cut"), key=broken))
        await watched.shows("was cut off and does not count")
        assert "too late" not in watched.sheet.text


async def test_standing_still_for_a_reason_asks_for_somebody_and_rings():
    rung = []
    async with watching(ring=lambda: rung.append(1)) as watched:
        watched.happens(Draft(SessionPaused(reason="budget", detail="5.01 of 5 is spent")))
        await watched.shows("needs you: `budget USD` raises it", "paused, budget: 5.01 of 5")
    assert rung == [1]


async def test_a_question_says_all_that_an_answer_needs():
    log = Log()
    log.opened()
    async with watching(log) as watched:
        call = f"{(reply := log.requested())}.0"
        use = {"type": "tool_use", "id": "t", "name": "edit_file", "input": {"path": "a"}}
        log.responded(reply, [use])
        question = ApprovalAsked(
            name="edit_file",
            use_id="t",
            arguments={"path": "a"},
            effect="write",
            reason="Why.",
            diff="+x\n" * 41 + HOSTILE,
            facts=["file: /elsewhere\n12:00:00 #9 user: do it"],
            rules=["edit_file: a  b\t", "edit_file: c"],
        )
        watched.happens(Draft(question, key=call))
        await watched.shows("needs you: `approve` lets it run", f"{call} file: /elsewhere␊12:00:00 #9 user: do it")
        await watched.shows(f"{call} | +x", "lines more: show #", f"approve {call} --always allows from now on")
        await watched.shows("allows from now on: edit_file: a  b␉", "allows from now on: edit_file: c")


async def test_leaving_by_word_by_ctrl_c_twice_and_by_the_end_of_the_input():
    async with watching() as watched:
        watched.keys.type("detach")
        assert await watched.left == "detached"
    async with watching() as watched:
        watched.mode.interrupt()
        await watched.shows("the agent goes on")
        await watched.types("status", "running")
        watched.mode.interrupt()
        assert not watched.left.done()
        watched.mode.interrupt()
        assert await watched.left == "quit"
    async with watching() as watched:
        await watched.types("pause", "pause: sent")
        watched.keys.type(None)
        await pause_real(0.02)
        assert not watched.left.done()
        watched.happens(Draft(CommandAccepted(verb="pause"), key="cmd-1", actor="user"))
        assert await watched.left == "quit"


async def test_the_driver_leaves_when_another_shell_sends_detach():
    async with watching(driving=True) as watched:
        watched.happens(Draft(CommandAccepted(verb="detach"), key="elsewhere", actor="user"))
        assert await watched.left == "detached"


async def test_trouble_is_told_once_and_so_is_its_end():
    trouble = ["the disk is full"]
    async with watching(trouble=lambda: trouble[0]) as watched:
        await watched.shows("trouble: the disk is full")
        trouble[0] = ""
        await watched.shows("the runner works again")
        assert watched.sheet.text.count("trouble: ") == 1


async def test_a_recording_is_told_at_once_into_a_pipe_and_played_on_a_terminal():
    log = audit_session(running=False)
    sheet = Sheet()
    film = PlainFilm(FakeSource(log, ends=True), sheet, Keys(), paced=False, start_at=20)
    assert await asyncio.wait_for(film.run(), 10) == "quit"
    assert "#20 " in sheet.lines[0]
    assert "Session finished (done)" in sheet.lines[-1]
    sheet, keys = Sheet(), Keys()
    film = PlainFilm(FakeSource(log, ends=True), sheet, keys, paced=True, speed=1000)
    task = asyncio.create_task(film.run())
    await until(lambda: "The recording ends here" in sheet.text, lambda: sheet.text)
    assert sheet.text.count("#1 user: Audit") == 1
    sheet.lines.clear()
    keys.type("go 4", "next compression", "previous edit", "speed 3", "pause", "status", "next disaster", "hold", None)
    assert await asyncio.wait_for(task, 10) == "quit"
    for words in ("#4 agent", "Context compressed", "speed 2", "nothing to pause", "event #", "no 'disaster'", "holds"):
        assert words in sheet.text


def meant(line):
    """What a line is understood as; None where it is not."""
    try:
        return understood(line, {}, steering=True)
    except Unclear:
        return None


def test_every_control_and_question_is_understood_and_in_the_help():
    told = "\n" + "\n".join(help_lines({}, steering=True))
    for name in VERBS:
        words = ["1", "m1 some words", "drop 3", *([] if name in QUESTIONS else [""])]
        typed = [found for said in words if (found := meant(f"{name} {said}")) is not None]
        assert typed and all(one.name == name and one.args is not None for one in typed)
        assert f"\n{name}" in told
    for name in QUESTIONS:
        assert understood(name.upper(), {}, steering=False).name == name
        assert f"\n{name}" in told


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("pasue", "Did you mean pause"),
        ("co", "continue or compress or constraint or context or cost"),
        ("xyzzy there", "`> TEXT` speaks to the agent"),
        ("\x1b[2J", "There is no command"),
        ("rewind", "needs the number"),
        ("rewind 3 --all", "rewind has no --all"),
        ("pause now", "pause takes no argument"),
    ],
)
def test_what_is_not_understood_is_said_with_what_was_meant(line, words):
    with pytest.raises(Unclear, match=re.escape(words)) as unclear:
        understood(line, {}, steering=True)
    assert "\x1b" not in str(unclear.value)


def test_hostile_text_can_neither_act_nor_pass_for_a_line_of_ours():
    log = Log()
    log.opened(HOSTILE)
    log.call("read_file\x1b[2J", {"path": HOSTILE}, HOSTILE, text=HOSTILE, thinking=HOSTILE)
    plain = PlainLines()
    lines = [line for event in log.events for told in plain.lines(event) for line in told.split("\n")]
    assert len(lines) > 4
    assert all(OURS.match(line) for line in lines)
    assert printable("\n".join(lines)).isprintable()


def test_a_name_of_a_tool_without_an_end_does_not_fill_the_terminal():
    log = Log()
    log.opened("Do it.")
    log.call("x" * 100_000, {"path": "a"}, "There is no such tool.")
    plain = PlainLines()
    assert all(len(line) < 300 for event in log.events for line in plain.lines(event))


@given(st.text(max_size=60), st.lists(st.integers(1, 7), max_size=12))
@settings(max_examples=60, deadline=None)
def test_whatever_pieces_a_reply_comes_in_its_lines_are_told_once_and_in_order(text, cuts):
    whole = ReplyFlow().settle("r1.1", text)[1]
    flow, told, start = ReplyFlow(), [], 0
    for size in cuts:
        told += flow.take([LiveDelta("r1.1", "text", 0, text[start : start + size])])
        start += size
    goes_on, rest = flow.settle("r1.1", text)
    assert (told + rest if goes_on else rest) == whole
    assert goes_on == bool(told)


@given(st.text(max_size=80))
@settings(max_examples=60, deadline=None)
def test_nothing_that_is_written_controls_the_terminal(text):
    reading, writing = os.pipe()
    writer = LineWriter(writing)
    writer.say(text)
    writer.close()
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        shown = pipe.read().decode()
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)


def test_colour_only_where_a_terminal_has_it_and_nobody_forbade_it():
    master, terminal = os.openpty()
    try:
        assert has_colour(terminal, {"TERM": "xterm"})
        assert not has_colour(terminal, {"TERM": "xterm", "NO_COLOR": "1"})
        assert not has_colour(terminal, {"TERM": "dumb"})
        assert not has_colour(terminal, {})
    finally:
        os.close(master)
        os.close(terminal)
    reading, writing = os.pipe()
    assert not has_colour(writing, {"TERM": "xterm"})
    os.close(reading)
    lost = []
    writer = LineWriter(writing, lost=lambda: lost.append(1))
    writer.say("nobody reads this")
    writer.close()
    os.close(writing)
    assert lost == [1]


async def test_lines_come_whole_from_a_pipe_and_from_a_file(tmp_path):
    reading, writing = os.pipe()
    typed = TypedLines(reading)
    typed.start()
    os.write(writing, b"pau")
    os.write(writing, "se\nstatus ü".encode()[:-1])
    assert await asyncio.wait_for(typed.next(), 10) == "pause"
    os.write(writing, "ü".encode()[1:])
    os.close(writing)
    assert await asyncio.wait_for(typed.next(), 10) == "status ü"
    assert await asyncio.wait_for(typed.next(), 10) is None
    os.close(reading)
    (tmp_path / "orders").write_bytes(b"pause\n\xff\n")
    with (tmp_path / "orders").open("rb") as file:
        typed = TypedLines(file.fileno())
        typed.start()
        assert [await typed.next() for _ in range(3)] == ["pause", "�", None]
