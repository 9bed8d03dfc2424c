"""A session that waits calls its user, only while they look elsewhere, and gives the terminal back as it was."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.clock import VirtualClock, monotonic
from core.config import NotifySettings
from core.events import CommandAccepted, Draft, Event, SessionOpened, SessionPaused
from core.folds.needs import Need
from core.folds.view import SessionView
from core.notify.attendance import Attendance
from core.notify.note import note_of
from tui.needs_you import NeedsYou
from tui.notify_terminal import KEEP_TITLE, RETURN_TITLE, alert, title

PLAIN = {"TERM": "xterm-256color"}
OPENED = SessionOpened(
    session="01ABC", name="audit", task="t", workspace="/w", model="m", endpoint="e", profile="p", app_version="0"
)
PAUSED = SessionPaused(reason="budget", detail="$5 of $5; all spent \x1b]0;owned\x07")
ROOT = Path(__file__).parents[2]


class Desk:
    """A screen's hands that note what they are asked to do, and a session to watch."""

    def __init__(self, folder: Path | None, **settings: Any) -> None:
        self.clock = VirtualClock()
        self.written, self.titles, self.said = "", [], []
        self.work: list[Coroutine[Any, Any, None]] = []
        attendance = Attendance(folder) if folder else None
        wanted = NotifySettings(after_s=10, away_s=60, repeat_s=100, **settings)
        self.view = SessionView()
        environ = {**os.environ, **PLAIN, "TMUX": "", "STY": ""}
        self.screen = NeedsYou(wanted, self, attendance, self.clock, environ, self.view)
        self.seq = 0
        self.add(OPENED)
        self.screen.begin()

    def write_terminal(self, data: str) -> None:
        self.written += data

    def title_terminal(self, text: str | None) -> None:
        self.titles.append(text)

    def call_user(self, work: Coroutine[Any, Any, None]) -> None:
        self.work.append(work)

    def say_problem(self, text: str) -> None:
        self.said.append(text)

    def add(self, body: Any) -> None:
        self.seq += 1
        draft = Draft(body)
        event = Event(seq=self.seq, parent=None, node=None, kind=body.KIND, key=None, at_us=self.clock.now_us(),
                      actor=draft.actor, body=body)  # fmt: skip
        self.view.apply(event)

    def after(self, seconds: float) -> str:
        """What is written to the terminal by then."""
        self.written = ""
        self.clock.advance(seconds)
        self.screen.tick()
        return self.written

    async def finish(self) -> None:
        for work in self.work:
            await work
        self.work = []


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    for work in desk.work:
        work.close()
    desk.screen.end()


def test_a_user_who_looks_is_left_alone(desk: Desk) -> None:
    desk.screen.focused(True)
    desk.add(PAUSED)
    assert desk.after(10_000) == "" and desk.titles == [] and desk.work == []


def test_a_user_who_looks_elsewhere_is_called_after_a_moment(desk: Desk) -> None:
    desk.screen.focused(False)
    desk.add(PAUSED)
    assert desk.after(5) == ""
    assert desk.titles == ["! audit: It is paused (budget): $5 of $5; all spent ]0;owned ."]
    called = desk.after(6)
    assert called.count("\x07") == 2 and "\x1b]9;Longwatch: audit: It is paused (budget)" in called
    assert "\x1b]0;" not in called, "foreign sequences do not come through"
    assert len(desk.work) == 1


def test_a_terminal_that_tells_nothing_counts_as_left_after_some_time_without_a_key(desk: Desk) -> None:
    desk.add(PAUSED)
    assert desk.after(59) == "" and desk.titles == []
    assert desk.after(2) == "" and desk.titles != []
    assert desk.after(10) != ""


def test_calls_are_repeated_with_growing_pauses_until_a_key_is_pressed(desk: Desk) -> None:
    desk.screen.focused(False)
    desk.add(PAUSED)
    assert [bool(desk.after(seconds)) for seconds in (11, 99, 2, 199, 2)] == [True, False, True, False, True]
    desk.screen.acted()
    desk.screen.focused(False)
    assert desk.after(100_000) == "" and desk.titles[-1] is None


def test_coming_back_gives_the_title_back_and_leaving_again_without_a_key_goes_on_calling(desk: Desk) -> None:
    desk.screen.focused(False)
    desk.add(PAUSED)
    desk.after(11)
    desk.screen.focused(True)
    assert desk.titles[-1] is None and desk.after(1000) == ""
    desk.screen.focused(False)
    assert desk.after(11) != "" and desk.titles[-1] is not None


def test_a_command_from_anywhere_is_an_answer(desk: Desk) -> None:
    desk.screen.focused(False)
    desk.add(PAUSED)
    desk.after(11)
    desk.add(CommandAccepted(verb="budget"))
    assert desk.after(100_000) == "" and desk.titles[-1] is None


def test_a_key_at_another_screen_is_an_answer_too(desk: Desk, tmp_path: Path) -> None:
    desk.screen.focused(False)
    desk.add(PAUSED)
    desk.clock.advance(1)
    Attendance(tmp_path).sign(desk.clock.now_us())
    assert desk.after(100_000) == ""


def test_of_two_screens_one_runs_the_command(desk: Desk, tmp_path: Path) -> None:
    other = Desk(tmp_path)
    for screen in (desk, other):
        screen.screen.focused(False)
        screen.clock.advance(5)
        screen.add(PAUSED)
        assert screen.after(11) != ""
    assert len(desk.work) == 1 and other.work == []


def test_a_replay_calls_nobody() -> None:
    desk = Desk(None)
    desk.screen.focused(False)
    desk.add(PAUSED)
    assert desk.after(100_000) == "" and desk.titles == []


def test_each_way_can_be_switched_off(tmp_path: Path) -> None:
    desk = Desk(tmp_path, title=False, bell=False, desktop="off")
    desk.screen.focused(False)
    desk.add(PAUSED)
    assert desk.after(11) == "" and desk.titles == []
    desk.work.pop().close()


async def test_what_fails_meanwhile_is_one_sentence_when_the_user_is_back(tmp_path: Path) -> None:
    desk = Desk(tmp_path, command=[sys.executable, "-c", "import sys; sys.exit('no bus')"])
    desk.screen.focused(False)
    desk.add(PAUSED)
    desk.after(11)
    desk.after(101)
    await desk.finish()
    assert desk.said == []
    desk.screen.focused(True)
    (sentence,) = desk.said
    assert sentence.startswith("The notify command ") and sentence.endswith("failed with exit code 1: no bus.")


def test_what_can_not_work_is_said_at_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path, command=["no-such-program"], webhook="http://example.org/")
    assert len(desk.said) == 2


NOTE = note_of(Need("paused", "budget", "It; is \x1b]0;x\x07 paused.", 1, 0), "01ABC", "audit", 1)


def test_a_notification_is_wrapped_for_a_multiplexer() -> None:
    settings = NotifySettings(bell=False)
    bare = alert(NOTE, settings, PLAIN)
    assert bare == "\x1b]9;Longwatch: audit: It; is ]0;x paused.\x07"
    assert alert(NOTE, settings, {**PLAIN, "TMUX": "/tmp/x,1,0"}) == f"\x1bPtmux;\x1b{bare}\x1b\\"
    assert alert(NOTE, settings, {**PLAIN, "STY": "1.pts"}) == f"\x1bP{bare}\x1b\\"


def test_the_fields_of_the_other_notification_stay_fields() -> None:
    told = alert(NOTE, NotifySettings(bell=False, desktop="osc777"), PLAIN)
    assert told == "\x1b]777;notify;Longwatch;audit: It, is ]0,x paused.\x07"


def test_a_console_that_would_print_it_gets_the_bell_alone() -> None:
    assert alert(NOTE, NotifySettings(desktop="both"), {"TERM": "linux"}) == "\x07"


def test_a_title_can_not_be_left_early() -> None:
    assert title("a\x1b\\b\x07c\n\u202ed").count("\x1b") == 2
    assert len(title("x" * 1000)) < 140


class Screen:
    """The far end of a pty with a real screen on it, over a session that waits."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        clean = {name: value for name, value in os.environ.items() if name not in ("TMUX", "STY", "NO_COLOR")}
        path = os.pathsep.join([str(ROOT), str(ROOT / "tests"), str(Path(__file__).parent)])
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("waiting_app.py")), str(folder)],
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            env={**clean, "PYTHONPATH": path, "TERM": "xterm-256color", **environment},
        )  # fmt: skip
        os.close(slave)
        self.received = bytearray()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self.master, 65_536)
            except OSError:
                return
            if not data:
                return
            self.received += data

    def until(self, condition: Callable[[], bool]) -> None:
        limit = monotonic() + 30
        while not condition():
            assert monotonic() < limit and self.process.poll() is None, bytes(self.received[-2000:])
            threading.Event().wait(0.02)

    def leave(self) -> None:
        os.write(self.master, b"q")
        assert self.process.wait(30) == 0
        threading.Event().wait(0.05)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Screen]]:
    screens: list[Screen] = []

    def begin(**environment: str) -> Screen:
        screens.append(Screen(tmp_path, **environment))
        screens[-1].until(lambda: b"paused" in screens[-1].received)
        return screens[-1]

    yield begin
    for screen in screens:
        screen.process.kill()
        screen.process.wait()
        os.close(screen.master)


def test_a_terminal_that_goes_to_the_back_is_called_and_left_with_its_own_title(
    start: Callable[..., Screen], tmp_path: Path
) -> None:
    screen, told = start(), tmp_path / "told.json"
    assert b"\x1b]2;" not in screen.received
    os.write(screen.master, b"\x1b[O")
    screen.until(lambda: b"\x1b]9;Longwatch: audit: It is paused (budget)" in screen.received)
    screen.until(lambda: told.exists() and bool(told.read_text()))
    assert json.loads(told.read_text())["kind"] == "paused"
    assert KEEP_TITLE.encode() + b"\x1b]2;! audit: It is paused (budget)" in screen.received
    assert RETURN_TITLE.encode() not in screen.received
    os.write(screen.master, b"\x1b[I")
    screen.until(lambda: RETURN_TITLE.encode() in screen.received)
    screen.leave()
    assert screen.received.count(RETURN_TITLE.encode()) == screen.received.count(KEEP_TITLE.encode()) == 1


def test_leaving_while_it_calls_gives_the_title_back_before_the_screen_goes(
    start: Callable[..., Screen],
) -> None:
    screen = start()
    os.write(screen.master, b"\x1b[O")
    screen.until(lambda: KEEP_TITLE.encode() in screen.received)
    os.kill(screen.process.pid, 15)
    screen.process.wait(30)
    received = bytes(screen.received)
    assert 0 < received.find(RETURN_TITLE.encode()) < received.rfind(b"\x1b[?1049l")


def test_a_terminal_without_colours_gets_none(start: Callable[..., Screen]) -> None:
    for environment in ({"NO_COLOR": "1"}, {"TERM": "vt220"}):
        screen = start(**environment)
        screen.leave()
        assert b"38;2;" not in screen.received and b"48;2;" not in screen.received


def test_a_light_terminal_gets_a_light_theme(start: Callable[..., Screen]) -> None:
    screen = start(COLORFGBG="0;15", COLORTERM="truecolor")
    screen.leave()
    assert b"48;2;246;242;234" in screen.received, "the surface of daybreak"


async def test_the_loop_is_not_held_up(tmp_path: Path) -> None:
    desk = Desk(tmp_path, command=[sys.executable, "-c", "import time; time.sleep(600)"], timeout_s=1.0)
    desk.screen.focused(False)
    desk.add(PAUSED)
    desk.after(11)
    call = asyncio.create_task(desk.work.pop())
    await asyncio.sleep(0)
    assert not call.done()
    await call
    desk.screen.acted()
    assert desk.said and "took more than 1 s" in desk.said[0]
