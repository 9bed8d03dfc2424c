"""Bytes a minute between a box and here: only events (`attach BOX:SESSION`), against the screen itself (`ssh -t BOX`).

    .venv/bin/python -P tests/bench/box_bytes.py [--minutes 2] [--every 30] [--columns 120] [--rows 36]

The demo's session runs at its own pace, which is a dense one; or, with `--every`, one that calls a command every so
many seconds and says two sentences before it. A screen looks at it on a pty, as a thrifty screen does over ssh, and its
bytes are counted, and what `ssh -C` makes of them; the line of an `attach BOX:SESSION` looks at it at the same time,
over the pipes of an ssh that runs things here, with all that happened before. No headers of ssh and TCP.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "scenarios"))
sys.path.insert(0, str(Path(__file__).parent))

from fake_ssh import fake_ssh
from processes import Longwatch, command, until
from screen_pty import Screen, Terminal
from screen_stage import ROOT, Figures

from core.boxes.line import Line
from core.boxes.ssh import Box


def paced(longwatch: Longwatch, every_s: float) -> list[str]:
    """The model of the session, and where it works."""
    place = ["--workspace", str(longwatch.workspace)]
    if not every_s:
        shutil.copytree(ROOT / "core/simulator/sample", longwatch.workspace, dirs_exist_ok=True)
        return ["--model", "simulated/auditor", *place]
    text = "The next part looks sound so far, but for one place that I want to see again. I run its tests alone now."
    replies = [command(f"sleep {every_s}; seq {turn * 20} {turn * 20 + 30}", text=text) for turn in range(200)]
    return ["--model", longwatch.script(*replies), *place]


def measure(place: Path, minutes: float, every_s: float, columns: int, rows: int) -> Figures:
    longwatch = Longwatch(place)
    (place / "boxes").mkdir()
    (place / "boxes" / "one").symlink_to(place)
    os.environ |= fake_ssh(place)
    longwatch.environment |= {"SSH_CONNECTION": "192.0.2.7 50000 192.0.2.1 22"}
    longwatch.start("run", "Audit it.", *paced(longwatch, every_s), "--headless", "--approvals", "full")
    try:
        until(lambda: longwatch.count("tool.started"))
        line = Line(Box("one", "one"), "", place / "copy", "bench")
        line.connect(asks=False)
        line.start()
        terminal, screen = Terminal(longwatch, "attach", columns=columns, rows=rows), Screen(columns, rows)
        end = time.monotonic() + minutes * 60
        while time.monotonic() < end:
            screen.feed(terminal.read(0.1))
            if "esc close" in screen.text and "Since the start" in screen.text:
                terminal.write(b"\x1b")
                screen.feed(terminal.read(1.0))
        calls = longwatch.count("tool.finished")
        terminal.write(b"q")
        line.close()
    finally:
        longwatch.end()
    table = Figures(f"bytes a minute, {columns}x{rows}, {minutes:g} minutes, {calls} calls", "")
    table.add("the screen over ssh", terminal.bytes / minutes)
    table.add("the screen over ssh -C", terminal.packed / minutes)
    table.add("only events: to here", line.received / minutes)
    table.add("only events: from here", line.sent / minutes)
    return table


@click.command()
@click.option("--minutes", default=2.0, show_default=True)
@click.option("--every", "every_s", default=0.0, help="Seconds between two calls; 0: the demo's session.")
@click.option("--columns", default=120, show_default=True)
@click.option("--rows", default=36, show_default=True)
def main(minutes: float, every_s: float, columns: int, rows: int) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        measure(Path(scratch), minutes, every_s, columns, rows).show()


if __name__ == "__main__":
    main()
