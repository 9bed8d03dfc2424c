"""What a command asks of the terminal before it draws a screen, and how a terminal that was left behind is mended."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import click

from tui.say import say

LAST_WORDS_S = 0.2
"""For how long a terminal is waited for that may have stopped reading."""
DUMB = ("dumb", "unknown")
"""Values of TERM."""
ENDINGS = (signal.SIGHUP, signal.SIGTERM)
Handler = Callable[[int, Any], Any] | int
"""What a signal calls."""
MODES = (1000, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 2004, 2026, 2048)
"""Private modes that a screen may have left on: mouse, focus, paste, synchronised output, reports of the size."""
RESTORE = (
    "\x1b[<u"  # The keyboard's mode is kept for each screen: first that of the alternate one.
    + "".join(f"\x1b[?{mode}l" for mode in MODES)
    + "\x1b[?1049l\x1b[?25h\x1b[?7h\x1b[?1l\x1b>\x1b[r\x1b(B\x0f\x1b[0m"
)
"""Leaves the alternate screen and all modes; shows the cursor, wraps lines, and has letters be letters."""


def mend_terminal() -> None:
    """Undo what a killed screen left: its modes, and input that is not echoed."""
    sys.stdout.write(RESTORE)
    sys.stdout.flush()
    if sys.stdin.isatty():
        with suppress(OSError):
            termios.tcflush(sys.stdin, termios.TCIFLUSH)  # Mouse reports that nobody has read are no commands.
        subprocess.run(["stty", "sane"], check=False)


def last_words(sentence: str) -> None:
    """Say something to a terminal that may be gone, or may have stopped reading: it is not worth waiting for."""
    if in_browser():
        return
    with suppress(OSError, ValueError), from_the_background():
        if select.select([], [sys.stdout], [], LAST_WORDS_S)[1]:
            say(sentence)
            sys.stdout.flush()


@contextmanager
def from_the_background() -> Iterator[None]:
    """Let this thread touch a terminal that belongs to another job just now, even one with `stty tostop`.

    Else it is told so (SIGTTOU) over and over, without end where a handler hears that: no other thread can fork then.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def unheard(*_: object) -> None:
    """For a signal that is to mean nothing; unlike one that is ignored, it means what it always does to commands."""


def hold_endings() -> None:
    """Have a hang-up and SIGTERM wait until `hear_endings`: they must find no process without a handler, nor be missed.

    Nothing may be started meanwhile that is to live on: it would be deaf to them.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)


def hear_endings(*, hang_up: Handler, terminated: Handler) -> None:
    """Have a hang-up and SIGTERM call these from now on, also those that were held."""
    signal.signal(signal.SIGHUP, hang_up)
    signal.signal(signal.SIGTERM, terminated)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)


def in_browser() -> bool:
    """Whether the screen is one of a page (`tui.browser`): what is written then is packets, never plain lines."""
    return bool(os.environ.get("TEXTUAL_DRIVER"))


def has_terminal() -> bool:
    """Whether somebody sits at both ends."""
    return in_browser() or (sys.stdout.isatty() and sys.stdin.isatty())


def is_dumb() -> bool:
    """Whether the terminal says that it can place no cursor."""
    return os.environ.get("TERM") in DUMB


def shown_plainly(plain: bool, instead: str) -> bool:
    """Whether to show lines in place of the screen: when asked to, and on a dumb terminal, which can show nothing else.

    Raises a usage error where there is no terminal and nobody asked; `instead` says what else to do then.
    """
    if not plain and not has_terminal():
        raise click.UsageError(f"This is no terminal; {instead}, or --plain for lines and typed commands.")
    if not plain and is_dumb():
        say("longwatch: this terminal can show lines only, so this is the plain mode (--plain)", err=True)
        return True
    return plain
