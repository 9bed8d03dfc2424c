"""What a screen elsewhere may ask of a session here, beside its events: the same questions that a screen here asks."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from core.boxes.wire import LARGEST_BLOB
from core.controls import SessionControls
from core.events import SessionOpened, clean_text
from core.folds.file_states import Handwork
from core.journal.errors import JournalError
from core.journal.finding import search
from core.journal.reader import Reader
from core.notify.attendance import Attendance
from core.source import SessionSource
from core.tools.vitals import Pulses

LARGEST_ANSWER: Final = 32 * 1024**2


class Asked:
    """Answers for one session. Its methods of one word are the questions; each raises with a sentence."""

    def __init__(self, source: SessionSource, controls: SessionControls, reader: Reader) -> None:
        self._source, self._controls, self._reader = source, controls, reader
        self._folder = reader.folder
        self._attendance = Attendance(self._folder)
        self._pulses = Pulses(self._folder)
        self._in_order = asyncio.Lock()
        self._questions: dict[str, Callable[..., Awaitable[Any]]] = {
            name: getattr(self, name)
            for name in (
                *("send", "compression", "restore", "offers", "said", "hand_over", "fork"),
                *("blob", "found", "changes", "differing", "output", "pulse", "sign"),
            )
        }

    async def answer(self, what: str, args: dict[str, Any]) -> bytes:
        """The answer as JSON. Raises JournalError when there is none, and whatever the question itself raises."""
        question = self._questions.get(what)
        if question is None:
            raise JournalError(f"The longwatch there does not know what {what!r} is; it is older than this one.")
        try:
            value = msgspec.json.encode(clean_text(msgspec.to_builtins(await question(**args), builtin_types=(bytes,))))
        except TypeError as error:
            raise JournalError(f"The longwatch there understands {what!r} otherwise: {error}.") from error
        if len(value) > LARGEST_ANSWER * 4 // 3 + 2:
            raise JournalError("That is too large to be brought here.")
        return value

    async def send(self, verb: str, args: dict[str, Any] | None = None, head: int | None = None) -> str:
        async with self._in_order:
            return await self._controls.send(verb, args, head)

    async def compression(self, instruction: str = "", evict: int | None = None) -> Any:
        return await self._controls.preview_compression(instruction, evict)

    async def restore(self, tree: str, known: Any) -> Any:
        return await self._controls.preview_restore(tree, msgspec.convert(known, Handwork))

    async def offers(self, opened: Any, present: str, sent: int) -> Any:
        return await self._controls.model_offers(msgspec.convert(opened, SessionOpened), present, sent)

    async def said(self) -> Any:
        return await self._controls.said_before()

    async def hand_over(self) -> str:
        from core.config import load_config
        from core.handover import hand_over

        return await hand_over(self._folder, self._controls, load_config(), os.environ)

    async def fork(self, seq: int, name: str) -> str:
        from core.forking import Wish, fork

        return (await fork(self._folder.parent.parent, self._folder, Wish(seq, name))).sentence

    async def blob(self, hash: str) -> bytes | None:
        data = await self._source.blob(hash)
        if data is not None and len(data) > LARGEST_BLOB:
            raise JournalError(f"This output is larger than {LARGEST_BLOB // 1024**2} MB; look at it on the machine.")
        return data

    async def found(self, words: str, before: int) -> Any:
        return await asyncio.to_thread(search, self._reader, words, before)

    async def changes(self) -> Any:
        return await self._source.changes()

    async def differing(self, before: str, after: str) -> Any:
        return await self._source.differing(before, after)

    async def output(self, call: str, after: int) -> Any:
        return await self._source.output(call, after)

    async def pulse(self, call: str) -> Any:
        return await asyncio.to_thread(self._pulses.feel, call)

    async def sign(self) -> None:
        """The user did something at that screen."""
        from core.clock import SystemClock

        self._attendance.sign(SystemClock().now_us())

    def attend(self) -> None:
        """That screen calls its user, so that the runner need not."""
        self._attendance.claim()

    def leave(self) -> None:
        self._attendance.release()
