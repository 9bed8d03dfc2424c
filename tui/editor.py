"""The user's own editor, for a text that has outgrown a few lines: the screen steps aside, and comes back."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from textual.app import App

from tui.driver import ResilientDriver
from tui.terminal import from_the_background, mend_terminal

STDIN = 0
PATIENCE_S = 1.0
"""For how long an editor is waited for that was told to end."""
NO_EDITOR = "No editor is set: put its command into EDITOR. Here ^j begins a new line."


class NoEditor(Exception):
    """Why the text could not be edited elsewhere, as a sentence."""


def editor_of(environ: Mapping[str, str]) -> list[str]:
    """The command of the user's editor. Raises NoEditor."""
    told = environ.get("VISUAL") or environ.get("EDITOR") or ""
    try:
        command = shlex.split(told)
    except ValueError as error:
        raise NoEditor(f"EDITOR can't be read as a command: {error}.") from error
    if not command:
        raise NoEditor(NO_EDITOR)
    return command


async def edited(app: App[Any], text: str, environ: Mapping[str, str]) -> str:
    """The text as the user's editor left it; the loop goes on meanwhile, and nothing is painted. Raises NoEditor."""
    command = editor_of(environ)
    with tempfile.TemporaryDirectory(prefix="longwatch-", ignore_cleanup_errors=True) as scratch:
        draft = Path(scratch) / "guidance.md"
        draft.write_text(text, "utf-8")
        with _stepped_aside(app):
            code = await _run([*command, str(draft)])
        if code:
            ended = f"ended with code {code}" if code > 0 else f"was ended by signal {-code}"
            raise NoEditor(f"{Path(command[0]).name} {ended}; the text is as it was.")
        return draft.read_text("utf-8", "replace").rstrip("\n")


@contextmanager
def _stepped_aside(app: App[Any]) -> Iterator[None]:
    """The terminal is another program's; a screen that is left meanwhile stays away. Raises NoEditor."""
    driver = app._driver
    if not isinstance(driver, ResilientDriver) or driver.away:
        raise NoEditor("The screen can't step aside on this terminal, so no editor can be opened.")
    driver.put_away()
    bring_back = driver.bring_back
    try:
        with app.batch_update():
            yield
    except asyncio.CancelledError:
        bring_back = mend_terminal
        raise
    finally:
        with suppress(OSError):  # It may be gone.
            bring_back()


async def _run(command: list[str]) -> int:
    """Run it as a shell runs a job, so that its keys (Ctrl+C, Ctrl+Z) mean nothing to us; its exit code.

    A screen that is left meanwhile has the terminal back only once the editor is gone.
    """
    child, ended = _started(command), threading.Event()
    try:
        return await asyncio.to_thread(_until_ended, child, ended)
    except asyncio.CancelledError:
        for number in (signal.SIGHUP, signal.SIGKILL):
            if not ended.is_set():
                with suppress(ProcessLookupError):
                    os.killpg(child, number)
                ended.wait(PATIENCE_S)  # This loop has nothing else left to do.
        raise


def _started(command: list[str]) -> int:
    """Its process, which leads a group of its own. Raises NoEditor."""
    try:
        return os.posix_spawnp(command[0], command, os.environ, setpgroup=0)
    except OSError as error:
        raise NoEditor(f"{command[0]} could not be started: {error.strerror}.") from error


def _until_ended(child: int, ended: threading.Event) -> int:
    _give_terminal_to(child)
    while os.WIFSTOPPED(status := os.waitpid(child, os.WUNTRACED)[1]):
        os.killpg(child, signal.SIGCONT)  # It wanted the terminal too early, or to be put away, where no shell can be.
    _give_terminal_to(os.getpgrp())
    ended.set()
    return os.waitstatus_to_exitcode(status)


def _give_terminal_to(group: int) -> None:
    """Make a group of processes the one that the keyboard belongs to. We may be in the background of it ourselves."""
    with suppress(OSError), from_the_background():  # It may be gone.
        os.tcsetpgrp(STDIN, group)
