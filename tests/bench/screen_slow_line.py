"""A slow line: 300 ms there and back, 2 KB a second. What is typed must arrive, and only where it was meant.

    .venv/bin/python -P tests/bench/screen_slow_line.py [--columns 80] [--rows 24]

A relay stands between the product's pty and a terminal emulator: it holds each key for 150 ms on its way in and each
byte for 150 ms on its way out, passes 2,000 bytes a second, and keeps up to 16 KB, as an SSH connection does. An agent
works meanwhile. A fast typist opens the guidance line and writes without waiting for the screen; what the session then
says must read the same, letter for letter. Then the key of a dialog and at once the key that answers it: the answer
must not count, for its dialog was not on the screen yet when it was pressed; pressed again once it is there, it must.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).parent))

from screen_pty import PATIENCE_S, Screen, Terminal, product
from screen_stage import Figures

ONE_WAY_S = 0.15
BYTES_A_SECOND = 2_000
BUFFER = 16_384
ENOUGH_S = 40.0
"""After so long what was typed is lost."""
A_KEY_S = 0.08
"""Between two keys of a fast typist."""
SENTENCE = "Keep the public names of the store; scripts/migrate.py calls load() and find() by them."


class Line:
    """What is on its way between a terminal and the product."""

    def __init__(self, terminal: Terminal, columns: int, rows: int) -> None:
        self._terminal = terminal
        self._in: deque[tuple[float, bytes]] = deque()
        self._kept = bytearray()
        self._out: deque[tuple[float, bytes]] = deque()
        self._allowance, self._last_s = 0.0, time.monotonic()
        self.screen = Screen(columns, rows, self.press)
        self.shown = 0

    def press(self, keys: bytes) -> None:
        self._in.append((time.monotonic() + ONE_WAY_S, keys))

    def pass_on(self) -> None:
        """Let everything move that is due."""
        now = time.monotonic()
        while self._in and self._in[0][0] <= now:
            self._terminal.write(self._in.popleft()[1])
        if room := BUFFER - len(self._kept):
            self._kept += self._terminal.read(0.005, room)
        self._allowance = min(BYTES_A_SECOND / 10, self._allowance + (now - self._last_s) * BYTES_A_SECOND)
        self._last_s = now
        part, self._kept = bytes(self._kept[: int(self._allowance)]), self._kept[int(self._allowance) :]
        self._allowance -= len(part)
        self._out.append((now + ONE_WAY_S, part))
        while self._out and self._out[0][0] <= now:
            data = self._out.popleft()[1]
            self.shown += len(data)
            self.screen.feed(data)

    def pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.pass_on()

    def until(self, condition: Callable[[], object]) -> float:
        """Seconds until the condition holds."""
        began = time.monotonic()
        while not condition():
            assert time.monotonic() - began < PATIENCE_S, self.screen.text
            self.pause(0.1)
        return time.monotonic() - began

    def within(self, seconds: float, condition: Callable[[], object]) -> None:
        """Wait for the condition, but no longer than that."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not condition():
            self.pause(0.5)

    def shows(self, words: str) -> float:
        return self.until(lambda: words in self.screen.text)


def measure(columns: int, rows: int) -> Figures:
    from processes import command

    replies = [command(f"echo {turn}; sleep 1", text=f"Step {turn}: the next part.") for turn in range(200)]
    table = Figures(f"a line of 300 ms and {BYTES_A_SECOND:,} bytes a second, {columns}x{rows}", "")
    with product(replies, "--speed", "2") as (longwatch, run):
        line = Line(Terminal(longwatch, *run, columns=columns, rows=rows), columns, rows)
        table.add("first paint until the agent's first words, s", line.shows("Step 0"))
        guided(line, longwatch, table, at_once=False)
        guided(line, longwatch, table, at_once=True)
        before, began = line.shown, time.monotonic()
        line.pause(15)
        table.add("bytes a second while the agent works", (line.shown - before) / (time.monotonic() - began))
        answered_too_soon(line, longwatch, table)
    return table


def guided(line: Line, longwatch: Any, table: Figures, at_once: bool) -> None:
    """Type without looking: the dialog's key, a sentence, enter; key by key, or all together as after a stall."""
    before = longwatch.count("guidance.queued")
    for keys in ["g" + SENTENCE + "\r"] if at_once else ["g", *SENTENCE, "\r"]:
        line.press(keys.encode())
        line.pause(A_KEY_S)
    line.within(ENOUGH_S, lambda: longwatch.count("guidance.queued") > before)
    said = [event.body.text for event in longwatch.events() if event.kind == "guidance.queued"][before:]
    how = "in one burst" if at_once else "one by one"
    table.add(f"keys lost of {len(SENTENCE) + 2}, typed ahead {how}", 0 if said == [SENTENCE] else missing(said), 0)
    line.press(b"\x1b")
    line.pause(2)


def missing(said: list[str]) -> int:
    """How many letters of the sentence were not said; all of them and enter when nothing was."""
    return len(SENTENCE) - len(said[0]) if said else len(SENTENCE) + 1


def answered_too_soon(line: Line, longwatch: Any, table: Figures) -> None:
    """ctrl+x asks whether to stop; `s`, pressed before that can be seen, must not stop the session."""
    for key in "\x18s":
        line.press(key.encode())
        line.pause(A_KEY_S)
    line.pause(4)
    stopped = longwatch.count("session.finished") + sum(
        event.kind == "command.accepted" and event.body.verb == "stop" for event in longwatch.events()
    )
    table.add("answers applied to a dialog that was not on the screen", stopped, 0)
    line.shows("It ends at the next safe point")
    line.pause(0.5)
    line.press(b"s")
    line.pause(4)
    heard = any(event.kind == "command.accepted" and event.body.verb == "stop" for event in longwatch.events())
    table.add("answers lost to a dialog that was on the screen", 0 if heard else 1, 0)


@click.command()
@click.option("--columns", default=80, show_default=True)
@click.option("--rows", default=24, show_default=True)
def main(columns: int, rows: int) -> None:
    measure(columns, rows).show()


if __name__ == "__main__":
    main()
