"""The product on a terminal of its own: bytes and CPU per tool call, memory, and how soon a key is echoed.

    .venv/bin/python -P tests/bench/screen_terminal.py calls [--turns 1158] [--columns 200] [--rows 50]
    .venv/bin/python -P tests/bench/screen_terminal.py echo [--presses 150] [--columns 200] [--rows 50]

`calls`: a session of so many replies, each one short text and one `echo`, against the simulator in a process of its own
with no delay; every byte that the pty gets is counted. CPU is that of the product's process, parted by its threads into
runner and screen, and of its finished children, between the first calls and the last. `echo`: letters are typed into
the guidance line while a reply streams at 100 tokens a second; real time from the write of a key to its letter in what
comes back, so let nothing else run.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).parent))

from screen_pty import OBSERVED, PATIENCE_S, Screen, Terminal, cpu_by_side, product, runner
from screen_stage import REFERENCE_CALLS, Figures

LETTERS = [chr(code) for code in range(0x0411, 0x042F)]
"""Cyrillic capitals: nothing else on the screen reads like them, so the first that comes back is the echo."""
PAUSES_S = (0.11, 0.17, 0.23, 0.13, 0.19)
"""Between two keys, in turn: as people type, and in step with no frame."""
TOKENS = 6_000
TEXTS = TOKENS // 22
PACE = 800 / TOKENS
"""The speed of the simulator at which a reply of so many tokens streams at 100 tokens a second."""


def finished(folder: Path) -> int:
    """Calls that are done, by the journal."""
    import sqlite3

    with sqlite3.connect(f"file:{folder / 'session.db'}?mode=ro", uri=True) as db:
        return int(db.execute("SELECT count(*) FROM event WHERE kind = 'tool.finished'").fetchone()[0])


def measure_calls(turns: int, columns: int, rows: int) -> Figures:
    from processes import command

    replies = [command(f"echo step {turn}", text=f"Step {turn}: the next part and its test.") for turn in range(turns)]
    with product(replies, "--context-limit", "100000000") as (longwatch, run):
        terminal = Terminal(longwatch, *run, columns=columns, rows=rows, program=OBSERVED)
        screen = Screen(columns, rows)
        terminal.show_until(screen, lambda: "Step 3:" in screen.text)
        process, folder = runner(longwatch), longwatch.folder()
        assert process is not None
        began = (finished(folder), terminal.bytes, terminal.packed, time.monotonic())
        cpu_before = cpu_by_side(process)
        while (made := finished(folder)) < turns:
            end = time.monotonic() + 0.25
            while time.monotonic() < end:
                terminal.read(0.02)
            assert time.monotonic() - began[-1] < 4 * PATIENCE_S, f"only {made} calls were made"
        ended = (made, terminal.bytes, terminal.packed, time.monotonic())
        cpu = {side: seconds - cpu_before[side] for side, seconds in cpu_by_side(process).items()}
        memory = process.memory_info().rss / 2**20
    calls, data, packed, wall = (after - before for before, after in zip(began, ended, strict=True))
    table = Figures(f"{turns:,} calls as fast as they go, on a pty of {columns}x{rows}", "")
    table.add("bytes per tool call", data / calls, 2_000)
    table.add("the same by ssh -C", packed / calls)
    table.add("CPU ms per tool call, its command included", 1000 * sum(cpu.values()) / calls, 75)
    for side, seconds in cpu.items():
        table.add(f"  of it: {side}", 1000 * seconds / calls)
    table.add("wall ms per tool call", 1000 * wall / calls)
    table.add("memory at the end, MB", memory, 200)
    return table


def measure_echo(presses: int, columns: int, rows: int) -> Figures:
    text = "The loader reads the whole file before it checks the header. I move the check to the front. " * (
        TOKENS // 22
    )
    with product([{"text": text}] * 3, "--speed", str(PACE)) as (longwatch, run):
        terminal, screen = Terminal(longwatch, *run, columns=columns, rows=rows), Screen(columns, rows)
        terminal.show_until(screen, lambda: "The loader reads" in screen.text)
        terminal.write(b"g")
        terminal.show_until(screen, lambda: "Guide the agent" in screen.text)
        began, bytes_before, packed_before = time.monotonic(), terminal.bytes, terminal.packed
        spent = [press(terminal, index) for index in range(presses)]
        passed = time.monotonic() - began
        streamed, packed = (terminal.bytes - bytes_before) / passed, (terminal.packed - packed_before) / passed
    spent.sort()
    table = Figures(f"{presses} keys while a reply streams at 100 tokens a second, {columns}x{rows}", "ms")
    table.add("key to echo, half of them", 1000 * statistics.median(spent))
    table.add("key to echo, 99 of 100", 1000 * spent[int(0.99 * (len(spent) - 1))], 50)
    table.add("bytes a second meanwhile", streamed)
    table.add("the same by ssh -C", packed)
    return table


def press(terminal: Terminal, index: int) -> float:
    """Seconds from one key to its echo, after a pause in which the stream is read on."""
    pause = time.monotonic() + PAUSES_S[index % len(PAUSES_S)]
    while (left := pause - time.monotonic()) > 0:
        terminal.read(left)
    letter = LETTERS[index % len(LETTERS)].encode()
    pressed, data = time.monotonic(), b""
    terminal.write(letter)
    while letter not in data:
        data += terminal.read(1.0)
        assert time.monotonic() - pressed < PATIENCE_S, f"key {index} was never echoed"
    return time.monotonic() - pressed


@click.group()
def main() -> None:
    """Measure the product on a pty."""


@main.command()
@click.option("--turns", default=REFERENCE_CALLS, show_default=True)
@click.option("--columns", default=200, show_default=True)
@click.option("--rows", default=50, show_default=True)
def calls(turns: int, columns: int, rows: int) -> None:
    """Bytes, CPU and memory of a session of so many calls."""
    measure_calls(turns, columns, rows).show()


@main.command()
@click.option("--presses", default=150, show_default=True)
@click.option("--columns", default=200, show_default=True)
@click.option("--rows", default=50, show_default=True)
def echo(presses: int, columns: int, rows: int) -> None:
    """Time from a key to its letter on the screen."""
    measure_echo(presses, columns, rows).show()


if __name__ == "__main__":
    main()
