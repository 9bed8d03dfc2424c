"""The user's own editor, for a text that has outgrown a few lines: the screen steps aside, and comes back."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

STDIN = 0
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
    with tempfile.TemporaryDirectory(prefix="longwatch-") as scratch:
        draft = Path(scratch) / "guidance.md"
        draft.write_text(text, "utf-8")
        try:
            with app.batch_update(), app.suspend():
                code = await asyncio.to_thread(_run, [*command, str(draft)])
        except SuspendNotSupported as error:
            raise NoEditor("The screen can't step aside on this terminal, so no editor can be opened.") from error
        if code:
            ended = f"ended with code {code}" if code > 0 else f"was ended by signal {-code}"
            raise NoEditor(f"{Path(command[0]).name} {ended}; the text is as it was.")
        return draft.read_text("utf-8", "replace").rstrip("\n")


def _run(command: list[str]) -> int:
    """Run it as a shell runs a job, so that its keys (Ctrl+C, Ctrl+Z) mean nothing to us; its exit code."""
    try:
        child = os.posix_spawnp(command[0], command, os.environ, setpgroup=0)
    except OSError as error:
        raise NoEditor(f"{command[0]} could not be started: {error.strerror}.") from error
    _give_terminal_to(child)
    while os.WIFSTOPPED(status := os.waitpid(child, os.WUNTRACED)[1]):
        os.killpg(child, signal.SIGCONT)  # It wanted the terminal too early, or to be put away, where no shell can be.
    _give_terminal_to(os.getpgrp())
    return os.waitstatus_to_exitcode(status)


def _give_terminal_to(group: int) -> None:
    """Make a group of processes the one that the keyboard belongs to. We may be in the background of it ourselves."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
    with suppress(OSError):  # It may be gone.
        os.tcsetpgrp(STDIN, group)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTTOU})
