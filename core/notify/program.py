"""A program of the user's that is told something: no shell, no terminal, a limit of time, nothing left behind."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from core.notify.note import plain

_MOST_ERRORS = 4_096


class ProgramFailed(Exception):
    """It could not be run, took too long or failed; the text is one plain sentence."""


async def run_program(
    what: str,
    argv: Sequence[str],
    words: bytes,
    environ: Mapping[str, str],
    seconds: float,
    folder: Path | None = None,
) -> None:
    """Run the program with the words on its standard input; `what` begins a sentence. Raises ProgramFailed."""
    name = plain(what)
    try:
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=PIPE, stdout=DEVNULL, stderr=PIPE, env=environ, cwd=folder, start_new_session=True
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it holds a zero byte"
        raise ProgramFailed(f"{name} can't be run: {reason}.") from None
    try:
        async with asyncio.timeout(seconds):
            said = await _told(process, words)
    except TimeoutError:
        raise ProgramFailed(f"{name} took more than {seconds:g} s and was ended.") from None
    finally:
        await _end(process)
    if process.returncode:
        why = f": {said}" if said else ""
        raise ProgramFailed(f"{name} failed with exit code {process.returncode}{why}.")


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
