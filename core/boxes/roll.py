"""The sessions of several boxes at once: each is asked for `ls --json`, which every version answers.

What comes is a stranger's: its size, its form and the time that it may take are bounded.
"""

from __future__ import annotations

import asyncio
import re
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from core.boxes.ssh import Box, problem
from core.clock import MICROSECONDS

ANSWER_S: Final = 20.0
"""Seconds that a box may take in all."""
LARGEST: Final = 16 * 1024**2
_LARGEST_ERROR: Final = 64 * 1024
_LIST: Final = re.compile(rb"^\[(\]|\n  \{)", re.MULTILINE)
"""How a list begins, as `ls` prints it."""

Text = Annotated[str, Meta(max_length=4_000)]
Word = Annotated[str, Meta(max_length=200)]
Count = Annotated[int, Meta(ge=0, le=1 << 53)]
Amount = Annotated[float, Meta(ge=0, le=1e9)]


class Row(msgspec.Struct, frozen=True):
    """What the list shows of one session elsewhere; of a damaged one little is known. `bytes` on its disk.

    `held`: whether a runner lives there, None where that longwatch does not say.
    """

    session: Annotated[str, Meta(max_length=64)]
    state: Annotated[str, Meta(max_length=32)]
    name: Text = ""
    detail: Text = ""
    reason: Word = ""
    task: str = ""
    model: Word = ""
    workspace: Text = ""
    delegated_by: Word | None = None
    held: bool | None = None
    tool_calls: Count = 0
    cost_usd_known_part: Amount = 0.0
    unpriced_replies: Count = 0
    started_at: Annotated[str, Meta(max_length=40)] | None = None
    duration_s: Amount = 0.0
    bytes: Count = 0

    @property
    def started_us(self) -> int:
        """When it began, as far as it says so in a way that can be; else 0."""
        try:
            began = datetime.fromisoformat(self.started_at or "")
            return int(began.timestamp()) * MICROSECONDS if began.tzinfo else 0
        except (ValueError, OverflowError):
            return 0

    @property
    def last_us(self) -> int:
        """When its last event was; 0 where that is not known."""
        return self.started_us + int(self.duration_s * MICROSECONDS) if self.started_us > 0 else 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a box said: its sessions as they came and as rows, or the sentence why there are none."""

    box: Box
    said: tuple[dict[str, Any], ...] = ()
    rows: tuple[Row, ...] = ()
    problem: str = ""


async def call_roll(boxes: Sequence[Box], answer_s: float = ANSWER_S) -> list[Answer]:
    """Ask all boxes at once; the answers in their order. Takes `answer_s` at most, whatever a box does."""
    return list(await asyncio.gather(*(ask(box, answer_s) for box in boxes)))


async def ask(box: Box, answer_s: float = ANSWER_S) -> Answer:
    """Ask one box. Takes `answer_s` at most; what goes wrong is in the answer."""
    line = box.line("ls", "--json", batch=True)
    try:
        process = await asyncio.create_subprocess_exec(
            *line, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, start_new_session=True
        )
    except OSError as error:
        return Answer(box, problem=f"ssh can't be run here ({error.strerror}).")
    try:
        async with asyncio.timeout(answer_s):
            out, errors = await asyncio.gather(_some(process.stdout, LARGEST), _some(process.stderr, _LARGEST_ERROR))
            code = await process.wait() if len(out) <= LARGEST else 0
    except TimeoutError:
        return Answer(box, problem=f"it did not answer within {answer_s:g} s.")
    finally:
        await _end(process)
    if code:
        return Answer(box, problem=problem(box, code, errors))
    return await asyncio.to_thread(_read, box, out)


async def _some(stream: asyncio.StreamReader | None, most: int) -> bytes:
    """All of a stream; when it is more than `most`, one byte too many, which the caller sees."""
    assert stream is not None
    parts, size = [], 0
    while size <= most and (part := await stream.read(65_536)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)[: most + 1]


async def _end(process: Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _read(box: Box, out: bytes) -> Answer:
    """The list in what a box wrote; what its shell says on the way in stands before it."""
    if len(out) > LARGEST:
        return Answer(box, problem=f"its list is larger than {LARGEST // 1024**2} MB.")
    found = _LIST.search(out)
    at = found.start() if found else 0
    try:
        said = msgspec.json.decode(out[at:], type=list[dict[str, Any]])
        return Answer(box, tuple(said), tuple(msgspec.convert(row, Row) for row in said))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Answer(box, problem="what it answered is no list of sessions; is its longwatch of this time?")
