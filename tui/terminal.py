"""What a command asks of the terminal before it draws a screen, and how a terminal that was left behind is mended."""

from __future__ import annotations

import subprocess
import sys

import click

RESTORE = "\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1004l\x1b[<u\x1b[0m"
"""Leaves the alternate screen, mouse and paste modes, and shows the cursor."""


def mend_terminal() -> None:
    """Undo what a killed screen left: its modes, and input that is not echoed."""
    sys.stdout.write(RESTORE)
    sys.stdout.flush()
    if sys.stdin.isatty():
        subprocess.run(["stty", "sane"], check=False)


def need_terminal(instead: str) -> None:
    """Refuse when the screen could not be shown or steered; `instead` says what to do then."""
    if not sys.stdout.isatty() or not sys.stdin.isatty():
        raise click.UsageError(f"This is no terminal; {instead}.")
