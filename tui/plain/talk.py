"""What watching and replaying have in common in the plain mode: lines out, typed commands in, questions, leaving."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, Protocol

from core.folds.view import SessionView
from core.journal.errors import JournalError
from core.protocols import Source
from tui.account_words import told_plainly
from tui.attention import Sight
from tui.plain.answers import ANSWERS, errors
from tui.plain.commands import QUESTIONS, Question, Typed, Unclear, help_lines, understood
from tui.plain.lines import PlainLines, Tone, indented
from tui.plain.show import whole
from tui.safe import one_line

FOUND = 30
"""Hits that are told one by one."""

Leaving = Literal["quit", "detached", "lost", "broken"]


class Printer(Protocol):
    """Where lines go."""

    def say(self, text: str, tone: Tone = "") -> None: ...


class Listener(Protocol):
    """Where typed lines come from; None: there will be no more."""

    async def next(self) -> str | None: ...


class Talk:
    """One conversation by lines. A task that breaks ends it, never the agent."""

    COMMANDS: Mapping[str, Question] = {}
    STEERING = False

    def __init__(self, source: Source, printer: Printer, typed: Listener, sight: Sight | None = None) -> None:
        self.view, self.sight = SessionView(), sight or Sight()
        self.source, self.printer, self.typed = source, printer, typed
        self.plain = PlainLines(None, self.view.conversation)
        self._left: asyncio.Future[Leaving] = asyncio.get_running_loop().create_future()
        self._warned = False

    async def run(self) -> Leaving:
        """Talk until it is left; how."""
        tasks = [asyncio.create_task(self._guarded(work)) for work in self.works()]
        try:
            return await self._left
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.source.close()

    def works(self) -> list[Callable[[], Awaitable[None]]]:
        """What goes on at the same time."""
        return [self._listen]

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception as fault:
            self.say(f"The plain mode broke ({one_line(f'{type(fault).__name__}: {fault}')[:200]}).", "wrong")
            self.leave("broken")

    def say(self, text: str, tone: Tone = "") -> None:
        """A line of ours; foreign words in it are made harmless, and can't begin a line."""
        self.printer.say(indented(text), tone)

    def leave(self, how: Leaving) -> None:
        """End the conversation; the agent goes on."""
        if not self._left.done():
            self._left.set_result(how)

    def interrupt(self) -> None:
        """Ctrl+C: the first one tells what is possible, the second one in a row leaves."""
        if self._warned:
            self.leave("quit")
        self._warned = True
        self.say(self.warning)

    @property
    def warning(self) -> str:
        """What is said at the first Ctrl+C."""
        return "Ctrl+C again, or quit, leaves."

    # What is typed

    async def _listen(self) -> None:
        await self.ready()
        while (line := await self.typed.next()) is not None:
            self._warned = False
            try:
                await self.heard(line)
            except Unclear as unclear:
                self.say(str(unclear), "wrong")
        await self.silence()

    async def ready(self) -> None:
        """Wait until there is something to talk about."""

    async def silence(self) -> None:
        """Nothing more will be typed."""
        self.leave("quit")

    async def heard(self, line: str) -> None:
        """Obey a line. Raises Unclear."""
        typed = understood(line, self.COMMANDS, steering=self.STEERING)
        if typed is None:
            return None
        if typed.args is None and typed.name in QUESTIONS:
            return await self._answer(typed)
        return await self.act(typed)

    async def act(self, typed: Typed) -> None:
        """Obey a command that is no question. Raises Unclear."""
        raise NotImplementedError

    async def _answer(self, typed: Typed) -> None:
        match typed.name:
            case "quit":
                self.leave("quit")
            case "help":
                for line in help_lines(self.COMMANDS, steering=self.STEERING, about=typed.rest):
                    self.say(line)
            case "show":
                try:
                    self.say(await whole(self.view, self.source, number(typed)))
                except OSError as fault:
                    raise Unclear(f"It can't be read: {fault}") from None
            case "find":
                try:
                    await self._find(typed.rest)
                except (JournalError, OSError) as fault:
                    raise Unclear(f"It can't be read on: {fault}") from None
            case "left":
                for line in self.absence():
                    self.say(line)
            case name:
                answer = errors if name == "calls" and typed.rest else ANSWERS[name]
                for line in answer(self.view, self.at, self.now_us()):
                    self.say(line)

    async def _find(self, words: str) -> None:
        """The newest hits as they are found, then how many there are of each kind."""
        if not words:
            raise Unclear("Say which words: find WORDS.")
        kinds: Counter[str] = Counter()
        async for found in self.source.find(words):
            for hit in found.hits[: max(0, FOUND - kinds.total())]:
                left = "" if self.view.branches.visible(hit.seq) else ", on a branch that is left"
                when = self.plain.clock(hit.at_us)
                self.say(f"#{hit.seq} {when} {hit.kind}{left}: {one_line(hit.line)}")
            kinds.update(hit.kind for hit in found.hits)
        counts = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
        more = f"; the newest {FOUND} are told" if kinds.total() > FOUND else ""
        self.say(f"{kinds.total():,} found: {counts}{more}" if kinds else "Not in anything that was said or done.")

    def absence(self) -> list[str]:
        """What happened since the user left, or since the start."""
        now_us = self.world_us()
        account = self.view.absence.since(self.sight.since, self.at, now_us=now_us, running=self.running)
        return told_plainly(account, self.sight.left_us, now_us, self.view.totals.session[:10])

    @property
    def running(self) -> bool:
        """Whether anybody runs the session, as far as is known."""
        return True

    @property
    def at(self) -> int | None:
        """The event as of which questions are answered; None: now."""
        return None

    def now_us(self) -> int:
        """The journal time of that moment; it may stand still."""
        raise NotImplementedError

    def world_us(self) -> int:
        """The time of somebody who comes back at that moment."""
        return self.now_us()


def number(typed: Typed) -> int:
    """The event that is named, as in `#12` or `12`. Raises Unclear."""
    word = typed.rest.lstrip("#")
    if not (word.isascii() and word.isdecimal() and len(word) < 12):
        raise Unclear(f"{typed.name} needs the number of an event, as in: {typed.name} #12.")
    return int(word)
