"""A terminal that stalls or vanishes stops nothing but the screen."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tui.driver import PatientWriter

ROOT = Path(__file__).resolve().parents[2]


class Terminal:
    """The far end of a pty with the ticking app on it; reads only while told to."""

    def __init__(self, report: Path, *arguments: str) -> None:
        self.report = report
        self.report.touch()
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 80, 0, 0))
        self.reading = threading.Event()
        self.reading.set()
        self.received = bytearray()
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("terminal_app.py")), str(report), *arguments],
            stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while True:
            self.reading.wait()
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            if not data:
                return
            self.received += data

    def lines(self) -> list[str]:
        return self.report.read_text().splitlines()

    def ticks(self) -> int:
        return sum(line.startswith("tick") for line in self.lines())

    def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(600):
            if condition():
                return
            threading.Event().wait(0.05)
        raise AssertionError(f"never came true; last lines: {self.lines()[-3:]}, exit code {self.process.poll()}")

    def hang_up(self) -> None:
        """Close the far end, as a dropped connection does."""
        self.reading.set()
        os.close(self.master)
        self.master = -1


@pytest.fixture
def terminal(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path / "report", *getattr(request, "param", ()))
    try:
        terminal.until(lambda: terminal.ticks() > 5)
        yield terminal
    finally:
        terminal.reading.set()
        if terminal.process.poll() is None:
            os.killpg(terminal.process.pid, signal.SIGKILL)
        terminal.process.wait()
        if terminal.master >= 0:
            os.close(terminal.master)


@pytest.mark.parametrize("terminal", [("controlling",), ()], indirect=True, ids=["with hangup", "without"])
def test_a_terminal_that_is_closed_is_reported_once_and_the_loop_goes_on(terminal: Terminal) -> None:
    terminal.hang_up()
    terminal.until(lambda: "ended" in terminal.lines())
    lines = terminal.lines()
    told = [index for index, line in enumerate(lines) if line.startswith("lost")]
    assert len(told) == 1
    assert sum(line.startswith("tick") for line in lines[told[0] :]) >= 25
    assert terminal.process.wait(10) == 0


def test_a_terminal_that_stops_reading_does_not_stop_the_loop(terminal: Terminal) -> None:
    terminal.reading.clear()
    before = terminal.ticks()
    terminal.until(lambda: terminal.ticks() > before + 100)
    received = len(terminal.received)
    terminal.reading.set()
    terminal.until(lambda: len(terminal.received) > received + 20_000)
    os.write(terminal.master, b"q")
    assert terminal.process.wait(20) == 0
    assert b"\x1b[?1049l" in terminal.received
    assert not [line for line in terminal.lines() if line.startswith("lost")]


def test_a_terminal_that_stalls_and_then_closes_ends_the_screen(terminal: Terminal) -> None:
    terminal.reading.clear()
    before = terminal.ticks()
    terminal.until(lambda: terminal.ticks() > before + 60)
    terminal.hang_up()
    terminal.until(lambda: "ended" in terminal.lines())
    assert terminal.process.wait(10) == 0


def test_a_terminal_that_takes_nothing_for_too_long_counts_as_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.driver.STALL_LIMIT", 0.0)
    reading, writing = os.pipe()
    lost: list[str] = []
    with os.fdopen(reading, "rb"), os.fdopen(writing, "w") as file:
        writer = PatientWriter(file, drained=lambda: None, lost=lost.append)
        writer.start()
        for _ in range(200):
            writer.write("x" * 65_536)
            if lost:
                break
            threading.Event().wait(0.005)
        assert lost == ["stalled"] and writer.dead
        writer.write("nobody waits for this")
        writer.stop()
        os.read(reading, 1 << 20)
        writer.join(10)


def test_keys_arrive(terminal: Terminal) -> None:
    os.write(terminal.master, b"x")
    terminal.until(lambda: "ended" in terminal.lines())
    assert terminal.process.wait(10) == 0
