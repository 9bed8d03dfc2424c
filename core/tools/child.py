"""Work on untrusted input that could take for ever runs in a child process, with limits on time and output."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

_CHUNK = 1 << 16
_MAX_ERRORS = 8_192


@dataclass(slots=True)
class Answer:
    """What a child said. `code` is None when it was stopped, by time (`late`) or by too much output."""

    output: bytearray = field(default_factory=bytearray)
    errors: bytearray = field(default_factory=bytearray)
    code: int | None = None
    late: bool = False


def text_of(script: ModuleType) -> str:
    """A module that runs as a script of its own, as it is now: an upgrade may replace the file while this process runs.

    To be called as the module is imported.
    """
    return Path(str(script.__file__)).read_text(encoding="utf-8")


def python(script: str) -> list[str]:
    """The command of a child interpreter: isolated from the user's environment and from the working folder.

    It is the one behind a virtual environment, which may lie in the workspace, where a command could change it.
    """
    return [os.path.realpath(sys.executable), "-P", "-I", "-S", "-c", script]


async def ask(command: list[str], payload: bytes, *, cwd: Path, seconds: float, most: int) -> Answer:
    """Run a program, give it `payload`, take at most `most` bytes within `seconds`; it never outlives the call.

    Raises OSError when the program can't be started.
    """
    answer = Answer()
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, cwd=cwd, env={"PATH": "", "LC_ALL": "C.UTF-8"}
    )
    try:
        async with asyncio.timeout(seconds):
            await asyncio.gather(
                _feed(process, payload),
                _drain(process, process.stdout, answer.output, most),
                _drain(process, process.stderr, answer.errors, _MAX_ERRORS),
            )
            answer.code = await process.wait() if len(answer.output) < most else None
    except TimeoutError:
        answer.late = True
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    return answer


async def _feed(process: Process, payload: bytes) -> None:
    assert process.stdin is not None
    with suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(payload)
        await process.stdin.drain()
    process.stdin.close()


async def _drain(process: Process, stream: asyncio.StreamReader | None, into: bytearray, most: int) -> None:
    assert stream is not None
    while chunk := await stream.read(_CHUNK):
        into += chunk[: most - len(into)]
        if len(into) >= most:
            with suppress(ProcessLookupError):
                process.kill()
