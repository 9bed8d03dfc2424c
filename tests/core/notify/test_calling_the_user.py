"""Command and webhook reach the user, at the right times, and what goes wrong is one sentence."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logbook import Logbook

from core.clock import MICROSECONDS, VirtualClock, monotonic
from core.config import ConfigError, NotifySettings, load_config
from core.events import CommandAccepted, SessionFinished, SessionOpened, SessionPaused
from core.folds.needs import Need
from core.notify.attendance import Attendance
from core.notify.caller import Caller
from core.notify.command import CallFailed, run_command
from core.notify.doorbell import Doorbell, doorbell
from core.notify.note import Note, note_of, plain
from core.notify.rhythm import HOUR_US, Rhythm
from core.notify.webhook import address_of, post

EVIL = "It is paused: \x1b]0;owned\x07\nrm -rf; $(reboot) \u202etxt"
NEED = Need("paused", "budget", EVIL, 7, 1_767_225_600 * MICROSECONDS)
NOTE = note_of(NEED, "01ABC", "audit", 1)
PATIENCE_S = 20.0


async def until(condition: Callable[[], bool]) -> None:
    limit = monotonic() + PATIENCE_S
    while not condition():
        assert monotonic() < limit
        await asyncio.sleep(0.01)


def script(folder: Path, code: str) -> list[str]:
    """A program of the user's."""
    file = folder / "call.py"
    file.write_text(f"import json, os, pathlib, subprocess, sys, time\n{code}")
    return [sys.executable, str(file)]


class Hook(BaseHTTPRequestHandler):
    """Keeps what is posted to it; answers with the status that the path names."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posted.append((self.path, self.headers["Content-Type"], json.loads(body)))  # type: ignore[attr-defined]
        if self.path == "/silence":
            self.server.stop.wait(PATIENCE_S)  # type: ignore[attr-defined]
            return
        self.send_response(int(self.path.rpartition("/")[2]))
        self.send_header("Location", "/elsewhere/200")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    server.posted, server.stop = [], threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.stop.set()  # type: ignore[attr-defined]
    server.shutdown()
    thread.join()
    server.server_close()


def url(hook: ThreadingHTTPServer, path: str) -> str:
    return f"http://127.0.0.1:{hook.server_port}{path}"


def test_a_note_holds_nothing_that_controls_a_terminal_or_ends_a_line() -> None:
    assert NOTE.text.isprintable() and "\x1b" not in NOTE.text and "\u202e" not in NOTE.text
    assert NOTE.since == "2026-01-01T00:00:00.000000Z"
    assert len(plain("x" * 10_000)) == 400


async def test_a_command_gets_the_details_in_its_environment_and_on_its_standard_input(tmp_path: Path) -> None:
    told = tmp_path / "told.json"
    code = f"pathlib.Path({str(told)!r}).write_text(json.dumps([dict(os.environ), json.load(sys.stdin), sys.argv[1:]]))"
    environ = {**os.environ, "LONGWATCH_TEXT": "of an outer session"}
    await run_command([*script(tmp_path, code), "$HOME; ls"], NOTE, environ, 20)
    seen, words, arguments = json.loads(told.read_text())
    assert seen["LONGWATCH_TEXT"] == words["text"] == NOTE.text
    assert seen["LONGWATCH_KIND"] == "paused" and seen["LONGWATCH_CALL"] == "1" and seen["PATH"] == os.environ["PATH"]
    assert words["session"] == "01ABC" and words["seq"] == 7
    assert arguments == ["$HOME; ls"], "no shell reads the arguments"


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (["/nowhere/at-all"], "/nowhere/at-all can't be run: No such file or directory."),
        (["/"], "/ can't be run: Permission denied."),
        ([sys.executable, "-c", "raise SystemExit(3)"], "failed with exit code 3."),
        ([sys.executable, "-c", "import sys; sys.exit('no\x1b[2J bus.')"], "failed with exit code 1: no [2J bus."),
        ([sys.executable, "-c", "\0"], "can't be run: it holds a zero byte."),
    ],
)  # fmt: skip
async def test_a_command_that_fails_is_one_sentence(argv: list[str], reason: str) -> None:
    with pytest.raises(CallFailed) as caught:
        await run_command(argv, NOTE, os.environ, 20)
    assert str(caught.value).startswith("The notify command ") and str(caught.value).endswith(reason)


async def test_a_command_that_never_ends_is_ended_with_all_its_children(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    code = (
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"pathlib.Path({str(pid)!r}).write_text(str(child.pid))\ntime.sleep(600)"
    )
    running = asyncio.create_task(run_command(script(tmp_path, code), NOTE, os.environ, 2))
    with pytest.raises(CallFailed, match="took more than 2 s and was ended"):
        await running
    if pid.exists():
        await until(lambda: not alive(int(pid.read_text())))


def alive(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


async def test_a_webhook_gets_the_details_as_json(hook: ThreadingHTTPServer) -> None:
    await post(url(hook, "/secret/204"), NOTE, 10)
    ((path, kind, words),) = hook.posted  # type: ignore[attr-defined]
    assert (path, kind) == ("/secret/204", "application/json")
    assert words["text"] == NOTE.text and words["kind"] == "paused"


@pytest.mark.parametrize(
    ("path", "seconds", "reason"),
    [
        ("/secret/500", 10, "answered with status 500."),
        ("/secret/302", 10, "answered with status 302."),
        ("/silence", 0.2, "did not answer within 0.2 s."),
    ],
)
async def test_a_webhook_that_fails_is_one_sentence_without_its_path(
    hook: ThreadingHTTPServer, path: str, seconds: float, reason: str
) -> None:
    with pytest.raises(CallFailed) as caught:
        await post(url(hook, path), NOTE, seconds)
    assert str(caught.value) == f"The webhook at 127.0.0.1 {reason}"
    assert len(hook.posted) == 1, "a redirect is not followed"  # type: ignore[attr-defined]


async def test_nobody_at_the_webhooks_address_is_one_sentence(hook: ThreadingHTTPServer) -> None:
    with pytest.raises(CallFailed, match=r"^The webhook at 127\.0\.0\.1 can't be reached: .*\.$"):
        await post("http://127.0.0.1:1/secret", NOTE, 10)
    with pytest.raises(CallFailed, match=r"^The webhook at 127\.0\.0\.1 can't be trusted: .*\.$"):
        await post(url(hook, "/secret/200").replace("http:", "https:"), NOTE, 10)


@pytest.mark.parametrize(
    "fine", ["https://example.org/x", "http://localhost:80/x", "http://[::1]/x", "http://127.9.9.9"]
)
def test_a_webhook_is_https_or_on_this_machine(fine: str) -> None:
    assert address_of(fine).hostname


@pytest.mark.parametrize(
    "bad",
    ["http://example.org/x", "http://10.0.0.1/x", "http://localhost.example.org", "ftp://x", "x", "https://a b", "https://",
     "https://x:99999", "https://x/\r\nHost: y", "http://[::1", "http://2130706433/"],
)  # fmt: skip
def test_any_other_webhook_is_refused_in_a_sentence(bad: str) -> None:
    with pytest.raises(CallFailed, match=r"^The webhook .*\.$"):
        address_of(bad)
    (problem,) = Caller(NotifySettings(webhook=bad), {}).problems
    assert problem.endswith(".")


def test_plain_http_elsewhere_must_be_allowed() -> None:
    assert address_of("http://10.0.0.1/x", plain_http=True).hostname == "10.0.0.1"


def test_a_command_that_is_not_there_is_known_before_it_is_needed() -> None:
    (problem,) = Caller(NotifySettings(command=["no-such-program", "x"]), dict(os.environ)).problems
    assert problem == "There is no program no-such-program, which is the notify command."
    assert Caller(NotifySettings(command=[sys.executable], webhook="https://example.org"), {}).problems == []


async def test_what_fails_in_one_way_keeps_no_other_from_calling(hook: ThreadingHTTPServer) -> None:
    caller = Caller(NotifySettings(command=["/nowhere"], webhook=url(hook, "/200")), {})
    assert [sentence.split(" can")[0] for sentence in await caller.call(NOTE)] == ["The notify command /nowhere"]
    assert len(hook.posted) == 1  # type: ignore[attr-defined]


def test_a_workspace_can_set_none_of_it(tmp_path: Path) -> None:
    (tmp_path / ".longwatch.toml").write_text("[notify]\ncommand = ['rm']")
    (tmp_path / "config.toml").write_text("[notify]\nbell = false")
    with pytest.raises(ConfigError, match="a workspace may not set `notify`"):
        load_config(tmp_path / "config.toml", tmp_path)


def test_the_pauses_between_calls_grow_up_to_the_longest() -> None:
    rhythm = Rhythm(NotifySettings(after_s=10, repeat_s=60, longest_s=200))
    now_us, waits = NEED.at_us, []
    for _ in range(5):
        due_us = rhythm.due_us(NEED, 0)
        waits.append((due_us - now_us) / MICROSECONDS)
        now_us = due_us
        rhythm.called(NEED, now_us)
    assert waits == [10, 60, 120, 200, 200]


def test_who_has_just_left_is_given_a_moment() -> None:
    rhythm, left_us = Rhythm(NotifySettings(after_s=10)), NEED.at_us + HOUR_US
    assert rhythm.due_us(NEED, left_us) == left_us + 10 * MICROSECONDS


@given(st.lists(st.integers(0, 600), min_size=1, max_size=60), st.integers(1, 5))
def test_there_are_never_more_calls_within_an_hour_than_allowed(gaps_s: list[int], per_hour: int) -> None:
    rhythm = Rhythm(NotifySettings(after_s=0, repeat_s=1, longest_s=1, per_hour=per_hour))
    now_us, calls = NEED.at_us, []
    for seq, gap_s in enumerate(gaps_s):
        now_us += gap_s * MICROSECONDS
        need = Need("paused", "budget", "", seq, now_us)
        if rhythm.due_us(need, 0) <= now_us:
            rhythm.called(need, now_us)
            calls.append(now_us)
    assert all(later - earlier >= HOUR_US for earlier, later in zip(calls, calls[per_hour:], strict=False))


def test_only_one_screen_of_a_session_calls(tmp_path: Path) -> None:
    one, other = Attendance(tmp_path), Attendance(tmp_path)
    assert one.claim() and one.claim() and not other.claim()
    one.release()
    assert other.claim()
    other.release()
    other.release()


def test_a_sign_of_the_user_is_seen_by_all_and_stays(tmp_path: Path) -> None:
    one, other = Attendance(tmp_path), Attendance(tmp_path)
    assert other.last_sign_us() == 0
    one.sign(NEED.at_us)
    one.release()
    assert other.last_sign_us() == NEED.at_us


def test_where_nothing_can_be_written_nobody_claims_and_nothing_breaks(tmp_path: Path) -> None:
    nowhere = Attendance(tmp_path / "missing")
    nowhere.sign(1)
    assert not nowhere.claim() and nowhere.last_sign_us() == 0


class House:
    """A session's process with a doorbell; each call adds a line to a file."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder, self.log, self.complaints = folder, Logbook(), []
        self.calls = folder / "calls"
        code = f"open({str(self.calls)!r}, 'a').write(sys.stdin.read() + chr(10))"
        wanted = NotifySettings(command=script(folder, code), **settings)  # type: ignore[arg-type]
        self.clock = VirtualClock(self.log.at_us)
        opened = self.log.events[0].body
        assert isinstance(opened, SessionOpened)
        self.bell: Doorbell = doorbell(wanted, folder, opened, self.clock, os.environ, self.complaints.append)

    def add(self, body: object) -> None:
        self.bell.observe([self.log.add(body, after_s=0)])  # type: ignore[arg-type]

    def called(self) -> list[Note]:
        lines = self.calls.read_text().splitlines() if self.calls.exists() else []
        return [json.loads(line) for line in lines]


async def test_a_session_without_a_screen_calls_again_until_it_is_answered(tmp_path: Path) -> None:
    house = House(tmp_path, after_s=10, repeat_s=60)
    async with house.bell.kept():
        house.add(SessionPaused(reason="budget", detail="all spent"))
        limit = monotonic() + PATIENCE_S
        while len(house.called()) < 3:
            assert monotonic() < limit
            await house.clock.sleep(1)
            await asyncio.sleep(0.005)
        house.add(CommandAccepted(verb="budget"))
        await house.clock.sleep(10_000)
    assert [note["call"] for note in house.called()] == [1, 2, 3]  # type: ignore[index]
    assert house.called()[0]["text"] == "It is paused (budget): all spent."  # type: ignore[index]
    assert house.complaints == []


async def test_a_session_that_ends_alone_calls_once_at_its_end(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with house.bell.kept():
        house.add(SessionFinished(state="failed", reason="outage"))
    assert [note["kind"] for note in house.called()] == ["failed"]  # type: ignore[index]


async def test_a_session_keeps_quiet_while_a_screen_attends_and_after_the_user_saw_it(tmp_path: Path) -> None:
    house, screen = House(tmp_path, after_s=0), Attendance(tmp_path)
    assert screen.claim()
    async with house.bell.kept():
        house.add(SessionPaused(reason="budget"))
        await house.clock.sleep(100)
        screen.sign(house.clock.now_us())
        screen.release()
        await house.clock.sleep(100)
    assert house.called() == []


async def test_a_call_that_fails_is_told_in_a_sentence(tmp_path: Path) -> None:
    house = House(tmp_path)
    (tmp_path / "call.py").write_text("raise SystemExit('no bus')")
    async with house.bell.kept():
        house.add(SessionFinished(state="finished", reason="done"))
    (sentence,) = house.complaints
    assert sentence.endswith("failed with exit code 1: no bus.")
