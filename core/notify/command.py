"""A program of the user's that is run to call them: no shell, no terminal, a limit of time."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress

from core.notify.note import Note, plain, without_notes

_MOST_ERRORS = 4_096


class CallFailed(Exception):
    """The user could not be called this way; the text is one plain sentence."""


async def run_command(argv: Sequence[str], note: Note, environ: Mapping[str, str], seconds: float) -> None:
    """Run the program with the note on its standard input and in its environment. Raises CallFailed."""
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=PIPE,
            stdout=DEVNULL,
            stderr=PIPE,
            env={**without_notes(environ), **note.environment()},
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it holds a zero byte"
        raise CallFailed(f"The notify command {plain(argv[0])} can't be run: {reason}.") from None
    try:
        async with asyncio.timeout(seconds):
            said = await _told(process, note.encoded())
    except TimeoutError:
        raise CallFailed(f"The notify command {plain(argv[0])} took more than {seconds:g} s and was ended.") from None
    finally:
        await _end(process)
    if process.returncode:
        why = f": {said}" if said else ""
        raise CallFailed(f"The notify command {plain(argv[0])} failed with exit code {process.returncode}{why}.")


async def _told(process: Process, words: bytes) -> str:
    """Hand over the words and wait for the end; the last line of its errors."""
    assert process.stdin is not None and process.stderr is not None
    with suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(words)
        await process.stdin.drain()
    process.stdin.close()
    errors = b""
    while chunk := await process.stderr.read(_MOST_ERRORS):
        errors = (errors + chunk)[-_MOST_ERRORS:]
    await process.wait()
    lines = errors.decode("utf-8", "replace").strip().splitlines()
    return plain(lines[-1]).rstrip(".") if lines else ""


async def _end(process: Process) -> None:
    """Nothing that it started in its own session outlives the call."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
