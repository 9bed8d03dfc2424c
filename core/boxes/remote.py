"""A session on a box as a screen here wants it: its events from the copy, all else asked over the line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar, get_type_hints

import msgspec

from core.boxes.line import Line, Live
from core.boxes.wire import Attempt
from core.changes.net import FileDiff
from core.clock import MICROSECONDS, SystemClock, monotonic
from core.events import SessionOpened
from core.folds.file_states import Handwork
from core.journal.errors import JournalError
from core.journal.rows import hash_of
from core.journal.viewers import Viewer
from core.notify.attendance import Attendance
from core.protocols import Found, LiveDelta, ModelOffer, Preview, RestorePreview, Written
from core.request.fidelity import Fact
from core.source import SessionSource
from core.tools.vitals import Pulse
from core.workspace.base import FileFate

SIGN_EVERY_US: Final = 20 * MICROSECONDS
"""So often a box is told that its user is at a screen."""
FEEL_EVERY_S: Final = 8.0
CLOCKS_DIFFER_US: Final = 2 * MICROSECONDS

Value = TypeVar("Value")


async def answered(line: Line, kind: type[Value], what: str, **args: Any) -> Value:
    """What a box answers, of that form. Raises JournalError."""
    data = await asyncio.wrap_future(line.ask(what, **args))
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise JournalError(f"What {line.box.name} answered is not understood ({error}).") from error


def _form(kind: type[msgspec.Struct], **names: Any) -> Any:
    """A struct with the fields of one whose hints use names that are known only here."""
    hints = get_type_hints(kind, localns=names)
    defaults = kind.__struct_defaults__
    required = len(kind.__struct_fields__) - len(defaults)
    made = [
        (name, hints[name]) if place < required else (name, hints[name], defaults[place - required])
        for place, name in enumerate(kind.__struct_fields__)
    ]
    return msgspec.defstruct(kind.__name__, made)


_PREVIEW: Final = _form(Preview, Fact=Fact)
_RESTORE: Final = _form(RestorePreview, FileFate=FileFate)


class BoxSource(SessionSource):
    """`core.protocols.Source` over the copy of a session, which grows by the line."""

    def __init__(self, line: Line) -> None:
        super().__init__(line.folder)
        self._line = line
        line.on_rows = self.wake

    async def last_seq(self) -> int:
        return max(self._line.hello.last_seq, self._line.seq)

    async def live(self) -> AsyncIterator[Sequence[LiveDelta]]:
        loop, come, attempt = asyncio.get_running_loop(), asyncio.Queue[Sequence[Live]](), ""

        def take(live: Sequence[Live]) -> None:
            with suppress(RuntimeError):  # The loop is over; so is the screen.
                loop.call_soon_threadsafe(come.put_nowait, live)

        self._line.on_live = take
        while True:
            deltas: list[LiveDelta] = []
            for one in await come.get():
                if isinstance(one, Attempt):
                    attempt = one.id
                    deltas.clear()
                    yield []
                elif attempt:
                    deltas.append(LiveDelta(attempt, one.kind, one.index, one.text))
            if deltas:
                yield deltas

    async def blob(self, hash: str) -> bytes | None:
        """An output: from the copy, once it was brought there."""
        if (data := await super().blob(hash)) is not None:
            return data
        data = await answered(self._line, bytes | None, "blob", hash=hash)  # type: ignore[arg-type]
        if data is not None and hash_of(data) != hash:
            raise JournalError(f"What {self._line.box.name} sent is not the output that was asked for.")
        if data is not None:
            await asyncio.to_thread(self._line.keep, data)
        return data

    async def find(self, words: str) -> AsyncIterator[Found]:
        before = await self.last_seq() + 1
        while before > 1:
            found = await answered(self._line, Found, "found", words=words, before=before)
            yield found
            before = min(found.reached, before - 1)

    async def changes(self) -> list[FileDiff]:
        return await answered(self._line, list[FileDiff], "changes")

    async def differing(self, before: str, after: str) -> list[FileDiff]:
        return await answered(self._line, list[FileDiff], "differing", before=before, after=after)

    async def output(self, call: str, after: int = 0) -> Written | None:
        with suppress(JournalError):  # It is asked again and again.
            return await answered(self._line, Written | None, "output", call=call, after=after)  # type: ignore[arg-type]
        return None

    async def close(self) -> None:
        await super().close()
        await asyncio.to_thread(self._line.close)


class BoxControls:
    """`core.protocols.Controls` by the line: the box does what a screen there would have done."""

    available = True

    def __init__(self, line: Line) -> None:
        self._line = line

    async def send(self, verb: str, args: dict[str, Any] | None = None, head: int | None = None) -> str:
        return await answered(self._line, str, "send", verb=verb, args=args, head=head)

    async def preview_compression(self, instruction: str = "", evict: int | None = None) -> Preview:
        found = await answered(self._line, _PREVIEW, "compression", instruction=instruction, evict=evict)
        return Preview(**msgspec.structs.asdict(found))

    async def preview_restore(self, tree: str, known: Handwork) -> RestorePreview:
        found = await answered(self._line, _RESTORE, "restore", tree=tree, known=known)
        return RestorePreview(**msgspec.structs.asdict(found))

    async def model_offers(self, opened: SessionOpened, present: str, sent: int) -> list[ModelOffer]:
        return await answered(self._line, list[ModelOffer], "offers", opened=opened, present=present, sent=sent)

    async def said_before(self) -> list[str]:
        return await answered(self._line, list[str], "said")

    async def hand_over(self) -> str:
        """Move the session to the version that the box has now; what was done, as a sentence."""
        return await answered(self._line, str, "hand_over")

    async def fork(self, seq: int, name: str) -> str:
        """A new session there, from that event on; what was made, as a sentence."""
        return await answered(self._line, str, "fork", seq=seq, name=name)


class BoxPresence:
    """This screen among those that look at the session, on its box: as `core.journal.viewers.Presence`."""

    def __init__(self, line: Line) -> None:
        self._line = line

    @property
    def viewer(self) -> Viewer:
        return self._line.hello.seat.viewer

    def others(self) -> list[Viewer]:
        """Everybody else who looks; of those that a box names."""
        return [seat.viewer for seat in self._line.standing.others]

    def lose(self) -> None:
        """The box sees how its line ends."""


class BoxAttendance(Attendance):
    """Of the screens here one calls its user; the box is told now and then that there is one."""

    def __init__(self, folder: Path, line: Line) -> None:
        super().__init__(folder)
        self._line, self._told_us = line, 0

    def sign(self, at_us: int) -> None:
        super().sign(at_us)
        if at_us - self._told_us >= SIGN_EVERY_US and not self._line.trouble:
            self._told_us = at_us
            self._line.ask("sign")


class BoxClock(SystemClock):
    """The time on a box, as far as it is another one: its events are as old as they are there."""

    def __init__(self, there_us: int) -> None:
        ahead_us = there_us - super().now_us()
        self._ahead_us = ahead_us if abs(ahead_us) >= CLOCKS_DIFFER_US else 0

    def now_us(self) -> int:
        return super().now_us() + self._ahead_us


class BoxPulses:
    """How the running command is, asked seldom: a line may be slow."""

    def __init__(self, line: Line) -> None:
        self._line, self._call, self._felt_s = line, "", float("-inf")
        self._pulse: Pulse | None = None

    async def feel(self, call: str) -> Pulse | None:
        """None where nobody can say."""
        if call != self._call or monotonic() - self._felt_s >= FEEL_EVERY_S:
            self._call, self._felt_s, self._pulse = call, monotonic(), None
            with suppress(JournalError):
                self._pulse = await answered(self._line, Pulse | None, "pulse", call=call)  # type: ignore[arg-type]
        return self._pulse
