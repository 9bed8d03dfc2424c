"""The side of a box: one session over the pipes that ssh made, for a screen elsewhere, until the line ends."""

from __future__ import annotations

import asyncio
import os
from asyncio import StreamReader, StreamWriter
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from core.boxes import wire
from core.boxes.asked import Asked
from core.boxes.ssh import from_where
from core.boxes.wire import Answer, Ask, Attempt, Begin, Deflating, Delta, Garbled, Have, Hello, Seat, Standing, Wish
from core.clock import SystemClock, pause_real
from core.controls import SessionControls
from core.folds.words import one_line
from core.journal.catalogue import find_session
from core.journal.errors import JournalError
from core.journal.follow import Follow
from core.journal.lease import holder
from core.journal.live import LiveTail
from core.journal.reader import Reader
from core.journal.rows import GENESIS
from core.journal.viewers import Presence
from core.source import SessionSource
from core.version import app_version

LIVE_EVERY_S: Final = 0.2
"""Live text is gathered for so long: half as often as on a screen here, for each piece costs a packet."""
LOOK_EVERY_S: Final = 1.0
ROWS_AT_ONCE: Final = 200
MOST_QUESTIONS: Final = 8
"""Answered at the same time; the others wait."""


async def serve(home: Path, stdin: BinaryIO, stdout: BinaryIO) -> None:
    """Answer whoever is on the other side of these pipes, until they close or say nothing any more."""
    asked, out = await _pipes(stdin, stdout)
    try:
        wish = await _wish(asked)
        reader = await asyncio.to_thread(_opened, home, wish.session)
    except JournalError as refusal:
        problem = one_line(str(refusal), 2_000)
        out.write(wire.hello_line(Hello(longwatch=app_version(), protocol=wire.PROTOCOL, problem=problem)))
        await out.drain()
        return
    with reader, Presence(reader.folder, os.environ, from_where(wish.who, os.environ)) as presence:
        await _Serving(reader, presence, asked, out).run()


async def _wish(asked: StreamReader) -> Wish:
    """What is wanted. Raises JournalError for what this version can't serve."""
    try:
        wish = msgspec.json.decode(await _line(asked), type=Wish)
    except (msgspec.MsgspecError, UnicodeDecodeError, Garbled, TimeoutError):
        raise JournalError("This is spoken to by `longwatch attach BOX:SESSION`, not by hand.") from None
    if wish.protocol != wire.PROTOCOL:
        raise JournalError(f"Longwatch {app_version()} there speaks another way; update the older one.")
    return wish


def _opened(home: Path, session: str) -> Reader:
    summary = find_session(home, session or None)
    if summary.state == "damaged":
        raise JournalError(summary.detail)
    return Reader(summary.folder)


async def _pipes(stdin: BinaryIO, stdout: BinaryIO) -> tuple[StreamReader, StreamWriter]:
    loop = asyncio.get_running_loop()
    asked = StreamReader(limit=wire.LONGEST_ASK)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(asked), stdin)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, stdout)
    return asked, StreamWriter(transport, protocol, None, loop)


async def _line(asked: StreamReader) -> bytes:
    """The next line; empty at the end. Raises Garbled for one that is too long, TimeoutError after long silence."""
    try:
        async with asyncio.timeout(wire.SILENT_S):
            return await asked.readline()
    except ValueError as error:
        raise Garbled("a line is too long") from error


class _Serving:
    """One session, one screen. Everything it says goes through one packer, in the order in which it was said."""

    def __init__(self, reader: Reader, presence: Presence, asked: StreamReader, out: StreamWriter) -> None:
        self._reader, self._presence, self._asked, self._out = reader, presence, asked, out
        self._folder = reader.folder
        self._source = SessionSource(self._folder)
        self._answers = Asked(self._source, SessionControls(self._folder, viewer=presence.viewer), reader)
        self._packer = Deflating()
        self._turn = asyncio.Lock()
        self._few = asyncio.Semaphore(MOST_QUESTIONS)

    async def run(self) -> None:
        self._out.write(wire.hello_line(await asyncio.to_thread(self._hello)))
        await self._out.drain()
        self._answers.attend()
        parts: list[asyncio.Task[None]] = []
        try:
            after = await self._begin()
            parts = [
                asyncio.create_task(one) for one in (self._rows(after), self._live(), self._standing(), self._listen())
            ]
            ended, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            await self._explain(*ended)
        except (OSError, TimeoutError, Garbled):
            return  # The line is gone, or nobody is there who speaks like this.
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)
            self._answers.leave()
            await self._source.close()

    async def _explain(self, *ended: asyncio.Task[None]) -> None:
        """Say why the line ends, where that is no matter of the line: the log can't be read on."""
        for part in ended:
            if isinstance(fault := part.exception(), JournalError):
                await self._say([Answer(0, msgspec.Raw(b"null"), one_line(str(fault), 2_000))])

    def _hello(self) -> Hello:
        return Hello(
            longwatch=app_version(),
            protocol=wire.PROTOCOL,
            session=self._folder.name,
            meta=self._reader.meta(),
            last_seq=self._reader.last_seq(),
            now_us=SystemClock().now_us(),
            seat=Seat.of(self._presence.viewer),
            held=holder(self._folder) is not None,
        )

    async def _begin(self) -> int:
        """Where the copy there ends, when it is one of this log; said back, for it may not be."""
        have = wire.read_ask(await _line(self._asked))
        if not isinstance(have, Have):
            raise Garbled("a copy was to be named first")
        fits = await asyncio.to_thread(self._fits, have)
        await self._say([Begin(have.seq if fits else 0)])
        return have.seq if fits else 0

    def _fits(self, have: Have) -> bool:
        if have.seq == 0:
            return have.chain == GENESIS.hex()
        found = self._reader.raw(have.seq - 1, 1)
        return bool(found) and found[0].seq == have.seq and found[0].chain.hex() == have.chain

    async def _rows(self, after: int) -> None:
        async for batch in Follow(self._folder, after=after).rows():
            for start in range(0, len(batch), ROWS_AT_ONCE):
                await self._say([wire.sent_row(row) for row in batch[start : start + ROWS_AT_ONCE]])

    async def _live(self) -> None:
        tail, attempt = LiveTail(self._folder), None
        while True:
            deltas = await asyncio.to_thread(tail.read)
            told: list[Attempt | Delta] = []
            if tail.attempt != attempt:
                attempt = tail.attempt
                told.append(Attempt(attempt or ""))
            told += [Delta(delta.kind, delta.index, delta.text) for delta in deltas]
            if told:
                await self._say(told)
            await pause_real(LIVE_EVERY_S)

    async def _standing(self) -> None:
        """Who has it and who else looks, whenever that changes."""
        before = None
        while True:
            now = await asyncio.to_thread(self._stands)
            if now != before:
                before = now
                await self._say([now])
            await pause_real(LOOK_EVERY_S)

    def _stands(self) -> Standing:
        others = [Seat.of(viewer) for viewer in self._presence.others()][: wire.MOST_SEATS]
        return Standing(holder(self._folder) is not None, others)

    async def _listen(self) -> None:
        """Questions, each answered beside the others, until the line ends."""
        async with asyncio.TaskGroup() as answering:
            while text := await _line(self._asked):
                message = wire.read_ask(text)
                if isinstance(message, Ask):
                    answering.create_task(self._answer(message))
            raise TimeoutError

    async def _answer(self, ask: Ask) -> None:
        async with self._few:
            try:
                answer = Answer(ask.id, msgspec.Raw(await self._answers.answer(ask.what, ask.args)))
            except Exception as error:
                sentence = one_line(str(error), 2_000) or type(error).__name__
                answer = Answer(ask.id, msgspec.Raw(b"null"), sentence)
        await self._say([answer])

    async def _say(self, messages: Sequence[msgspec.Struct]) -> None:
        async with self._turn:
            self._out.write(self._packer.pack(messages))
            await self._out.drain()
