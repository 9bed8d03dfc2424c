"""A recording as lines: played at its pace on a terminal, told at once into a pipe; moved through by typed commands."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from core.clock import monotonic, pause_real
from core.folds.timeline import KINDS
from core.folds.words import one_line
from core.protocols import Source
from tui.docks.playback import SPEEDS
from tui.plain.answers import status_line
from tui.plain.commands import FILM, Typed, Unclear
from tui.plain.lines import Tone
from tui.plain.talk import Listener, Printer, Talk, number
from tui.screens.looking import Looking

FRAME_S = 0.05


class PlainFilm(Talk):
    """A session as it was. `paced`: at its own times, `speed` times as fast; else all at once, and then it ends."""

    COMMANDS = FILM

    def __init__(
        self,
        source: Source,
        printer: Printer,
        typed: Listener,
        *,
        paced: bool,
        start_at: int | None = None,
        speed: float | None = None,
    ) -> None:
        super().__init__(source, printer, typed)
        self._paced, self._start_at = paced, start_at
        self._looking = Looking(self.view, replay=True, speed=speed)
        self._lines: list[tuple[int, str, Tone]] = []
        self._told = 0
        self._read = asyncio.Event()

    def works(self) -> list[Callable[[], Awaitable[None]]]:
        return [self._listen, self._play]

    @property
    def at(self) -> int | None:
        return self._looking.at

    def now_us(self) -> int:
        return self.view.timeline.at_us(self._looking.seq)

    async def ready(self) -> None:
        await self._read.wait()

    async def silence(self) -> None:
        """Into a pipe it goes on to its end; on a terminal the end of the input leaves."""
        if self._paced:
            self.leave("quit")

    async def _play(self) -> None:
        await self._load()
        if not self._paced:
            self._tell_until(self.view.last_seq)
            return self.leave("quit")
        self._go(self._start_at or 1)
        if self._start_at is None:
            self._looking.play_or_hold()
        self._read.set()
        last_s = monotonic()
        while True:
            await pause_real(FRAME_S)
            now_s = monotonic()
            passed_s, last_s = now_s - last_s, now_s
            if self._looking.tick(passed_s):
                self._tell_until(self._looking.seq)
                if not self._looking.playback.playing:
                    self.say("The recording ends here. play starts over, go #SEQ goes anywhere, quit leaves.", "needs")

    async def _load(self) -> None:
        """The whole log, and what is said of each event."""
        async for batch in self.source.batches():
            if not batch:
                break
            for event in batch:
                self.view.apply(event)
                self._lines += [(event.seq, self.plain.line(event, told), told.tone) for told in self.plain.told(event)]
            await asyncio.sleep(0)
        self._looking.seek(self._start_at or 1)
        self._told = next((index for index, line in enumerate(self._lines) if line[0] >= self._looking.seq), 0)

    def _tell_until(self, seq: int) -> None:
        """The lines that follow those told last, up to event `seq`."""
        while self._told < len(self._lines) and self._lines[self._told][0] <= seq:
            _seq, line, tone = self._lines[self._told]
            self.printer.say(line, tone)
            self._told += 1

    def _go(self, seq: int) -> None:
        """To an event: what is said of it, or of the last one before it that says something."""
        self._looking.playback.playing = False
        self._looking.seek(seq)
        here = self._looking.seq
        after = next((index for index, line in enumerate(self._lines) if line[0] > here), len(self._lines))
        self._told = max(0, after - 1)
        while self._told > 0 and self._lines[self._told - 1][0] == self._lines[self._told][0]:
            self._told -= 1
        self._tell_until(here)

    async def act(self, typed: Typed) -> None:
        looking = self._looking
        match typed.name:
            case "play" | "hold":
                if looking.playback.playing != (typed.name == "play"):
                    looking.play_or_hold()
                if typed.name == "play" and looking.seq == 1:
                    self._told = 0
                self.say(f"{'plays' if looking.playback.playing else 'holds'} at #{looking.seq}")
            case "go":
                self._go(number(typed))
            case "step":
                self._go(looking.seq + (number(typed) if typed.rest else 1))
            case "next" | "previous":
                self._jump(typed.rest or "error", typed.name)
            case "speed":
                self._change_speed(typed.rest)

    def _jump(self, kind: str, where: str) -> None:
        if kind not in KINDS:
            raise Unclear(f"There is no {one_line(kind, 40)!r} to go to. There are: {', '.join(KINDS)}.")
        timeline, here = self.view.timeline, self._looking.seq
        seq = timeline.next(kind, here) if where == "next" else timeline.previous(kind, here)
        if seq is None:
            raise Unclear(f"There is no {kind} {'after' if where == 'next' else 'before'} #{here}.")
        self._go(seq)
        self.say(status_line(self.view, self.at, self.now_us()), "quiet")

    def _change_speed(self, word: str) -> None:
        try:
            wanted = float(word.rstrip("x"))
        except ValueError:
            raise Unclear("speed needs a number, as in: speed 20.") from None
        playback = self._looking.playback
        playback.speed = min(SPEEDS, key=lambda known: abs(known - wanted))
        self.say(f"speed {playback.speed:g}")
