"""The plain mode: a session as lines, steered by typed commands; for screen readers, dumb terminals and pipes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from core.clock import Clock, monotonic, pause_real
from core.events import CommandAccepted, Event, ModelFailed, ModelResponded
from core.journal.errors import JournalError
from core.protocols import Controls, LiveDelta, Source
from core.tools.vitals import Pulse
from tui.attention import Sight
from tui.panes import figures
from tui.plain.answers import asked, status_line
from tui.plain.commands import Typed, Unclear
from tui.plain.flow import ReplyFlow
from tui.plain.lines import Told, Tone, replies
from tui.plain.questions import NO, YES, Confirmation, confirmation
from tui.plain.receipts import Receipts
from tui.plain.talk import Leaving, Listener, Printer, Talk
from tui.safe import safe_text

RECENT = 20
"""Lines of the past that are told on coming to a session."""
SLICE = 200
"""Events of the past between two breaths."""
LOOK_EVERY_S = 0.5
PULSE_EVERY_S = 2.0
ANSWER_S = 10.0
"""How long the end of the input waits for what was typed last to be taken or refused."""
ENDED = ("finished", "stopped", "failed")

NEEDS = {
    "approval": "`approve` lets it run, `deny --reason TEXT` refuses it; with several, name the call: `approve ID`",
    "question": "`answer TEXT` answers it, `answer N` takes an option",
    "budget": "`budget USD` raises it, `continue` goes on",
    "turn_limit": "`longwatch resume --max-turns N` raises it after `stop`",
    "guard": "`guard-ok` lets it go on with that, `guide TEXT` says what to do instead",
    "done": "`guide TEXT` asks for more, `quit` leaves",
}
"""What somebody can do about the reason for which a session stands still."""
USUAL_NEED = "`continue` goes on once that is mended, `guide TEXT` says what to do instead, `quit` leaves"


class PlainMode(Talk):
    """A session that runs, here or elsewhere. `start` begins the runner; `driving`: whether it is in this process.

    `trouble` says what keeps the runner from working, `gone` that there is none any more, or None. `ring` asks for
    somebody's attention. `feel` says how the command of a call is; it blocks.
    """

    STEERING = True

    def __init__(
        self,
        source: Source,
        controls: Controls,
        printer: Printer,
        typed: Listener,
        *,
        clock: Clock,
        driving: bool = False,
        start: Callable[[], object] | None = None,
        trouble: Callable[[], str | None] = lambda: None,
        gone: Callable[[], str | None] = lambda: None,
        ring: Callable[[], object] = lambda: None,
        sight: Sight | None = None,
        feel: Callable[[str], Pulse | None] = lambda call: None,
    ) -> None:
        super().__init__(source, printer, typed, sight)
        self.controls, self.clock = controls, clock
        self._driving, self._start, self._ring = driving, start, ring
        self._trouble, self._gone = trouble, gone
        self._receipts = Receipts(self.view)
        self._flow, self._flowing = ReplyFlow(), False
        self._caught_up, self._answered = asyncio.Event(), asyncio.Event()
        self._sending = asyncio.Lock()
        self._past: deque[tuple[str, Tone]] = deque(maxlen=RECENT)
        self._earlier, self._state, self._told_trouble = 0, "", ""
        self._asked: tuple[Typed, Confirmation] | None = None
        self._feel, self._pulse, self._hanging = feel, "", ""

    def works(self) -> list[Callable[[], Awaitable[None]]]:
        return [self._listen, self._follow, self._stream, self._look, self._feel_pulse]

    def say(self, text: str, tone: Tone = "") -> None:
        self._flowing = False
        super().say(text, tone)

    @property
    def warning(self) -> str:
        return "Ctrl+C again, or quit, leaves; the agent goes on. pause holds the agent, stop ends the session."

    def now_us(self) -> int:
        state, newest = self.view.state, self.view.timeline.at_us(self.view.last_seq)
        still = state.paused or state.status.last.state in ENDED
        return newest if still else max(newest, self.clock.now_us())

    def world_us(self) -> int:
        return max(self.view.timeline.at_us(self.view.last_seq), self.clock.now_us())

    # What the log says

    async def _follow(self) -> None:
        if self._start is not None:
            self._start()
        try:
            async for batch in self.source.batches():
                await self._take_all(batch)
        except JournalError as fault:
            self.say(f"The log can't be read on: {fault}", "wrong")

    async def _take_all(self, batch: Sequence[Event]) -> None:
        """Take in events; not while a control is on its way, whose echo would come before it is known as ours."""
        async with self._sending:
            for index, event in enumerate(batch, start=1):
                self._take(event)
                if index % SLICE == 0:
                    await asyncio.sleep(0)
        if not batch and not self._caught_up.is_set():
            self._arrive()

    def _arrive(self) -> None:
        """All that was there is read: its end is told, and where things stand."""
        if self._earlier > len(self._past):
            self.say(f"{self._earlier - len(self._past):,} earlier lines are left out; show #SEQ tells any event.")
        for text, tone in self._past:
            self.printer.say(text, tone)
        self._past.clear()
        self._caught_up.set()
        self._tell_state()
        self._greet()
        self.say("help lists the commands.", "quiet")

    def _greet(self) -> None:
        """How it stands, to one who had seen less of the session."""
        if self.sight.mark is not None and self.view.last_seq > self.sight.since and self.view.totals.requests:
            self.say(f"{self.absence()[0]}; left tells what happened")

    def leave(self, how: Leaving) -> None:
        if how != "lost" and self._caught_up.is_set() and not self._left.done():
            self.sight.shown(self.view.last_seq)
        super().leave(how)

    @property
    def running(self) -> bool:
        return not self._gone()

    def _take(self, event: Event) -> None:
        self.view.apply(event)
        told = self.plain.told(event)
        if isinstance(event.body, ModelResponded | ModelFailed):
            told = self._settled(event, told)
        ours = event.kind.startswith("command.") and self._receipts.owns(event)
        for one in [] if ours else told:
            self._tell(self.plain.line(event, one), one.tone)
        if (receipt := self._receipts.observe(event)) is not None:
            self.say(*receipt)
        if not self._receipts.unanswered:
            self._answered.set()
        if self._caught_up.is_set():
            self._tell_state()
            if self._driving and isinstance(event.body, CommandAccepted) and event.body.verb == "detach":
                self.leave("detached")

    def _tell(self, line: str, tone: Tone) -> None:
        """A line of the log; those of the past are kept back, for only their end is told."""
        self._flowing = False
        if self._caught_up.is_set():
            self.printer.say(line, tone)
        else:
            self._earlier += 1
            self._past.append((line, tone))

    def _tell_state(self) -> None:
        """The status, if the state is another than it was; and who is to do something about it."""
        now = self.view.state.status.last
        if now.state == self._state:
            return
        first, self._state = not self._state, now.state
        self.say(f"status: {status_line(self.view, None, self.now_us())}")
        waits = now.state in (*ENDED, "paused") or now.reason in ("approval", "question")
        if waits and now.reason not in ("operator", "rewound"):
            self.say(f"needs you: {NEEDS.get(now.reason, USUAL_NEED)}", "needs")
            for line in asked(self.view) if now.reason == "approval" else ():
                self.say(line)
            if not first:
                self._ring()

    # The reply in flight

    async def _stream(self) -> None:
        await self._caught_up.wait()
        async for deltas in self.source.live():
            self._flows(deltas)

    def _flows(self, deltas: Sequence[LiveDelta]) -> None:
        begun = bool(self._flow.given)
        for line in self._flow.take(deltas):
            speaker = f"{self.plain.clock(self.clock.now_us())} agent{' goes on' if begun else ''}: "
            self.printer.say(("  " if self._flowing else speaker) + safe_text(line), "agent")
            self._flowing = begun = True

    def _settled(self, event: Event, told: list[Told]) -> list[Told]:
        """What is still to be said of a reply that may have been printed while it came."""
        given = bool(self._flow.given)
        goes_on, rest = self._flow.settle(event.key or "", replies(event))
        if isinstance(event.body, ModelFailed):
            return (
                [*told, Told("system", "what the agent said above was cut off and does not count")] if given else told
            )
        if not goes_on or not isinstance(event.body, ModelResponded):
            return told
        for line in rest:
            self.printer.say("  " + safe_text(line), "agent")
        others = [one for one in told if one.tone != "agent"]
        return [*others, Told("agent", f"end of the reply, {figures.usd(event.body.price.cost)}", "quiet")]

    # What is typed

    async def ready(self) -> None:
        await self._caught_up.wait()

    async def silence(self) -> None:
        """The end of the input leaves, once what was typed last is taken or refused."""
        self._drop()
        until = monotonic() + ANSWER_S
        while self._receipts.unanswered and (left_s := until - monotonic()) > 0:
            self._answered.clear()
            try:
                await asyncio.wait_for(self._answered.wait(), left_s)
            except TimeoutError:
                self.say("Nobody has taken it yet; it waits in the inbox.", "wrong")
        self.leave("quit")

    async def heard(self, line: str) -> None:
        word = line.strip().lower()
        if self._asked is not None and word in YES:
            (typed, asked), self._asked = self._asked, None
            await self._send(typed, asked.head)
        elif not self._drop() or word not in NO:
            await super().heard(line)

    def interrupt(self) -> None:
        self._drop()
        super().interrupt()

    def _drop(self) -> bool:
        """Give up what was asked about; False when nothing was."""
        if self._asked is None:
            return False
        self.say(f"{self._asked[0].name}: not sent", "user")
        self._asked = None
        return True

    async def act(self, typed: Typed) -> None:
        if typed.name == "detach":
            return self.leave("detached")
        try:
            asked = await confirmation(typed.name, typed.args or {}, self.view, self.controls)
        except (JournalError, OSError, ValueError) as fault:
            raise Unclear(f"What it would do can't be computed: {fault}") from None
        if asked is None:
            return await self._send(typed, self.view.state.head)
        for fact in asked.facts:
            self.say(f"{typed.name}: {fact}")
        self._asked = typed, asked
        self.say(f"{asked.question} y or n", "needs")
        return None

    async def _send(self, typed: Typed, head: int | None) -> None:
        async with self._sending:
            try:
                id = await self.controls.send(typed.name, typed.args, head)
            except (JournalError, OSError) as fault:
                raise Unclear(f"{typed.name} could not be sent: {fault}") from None
            self.say(*self._receipts.sent(id, typed.name))

    # The runner

    async def _look(self) -> None:
        """Tell once what keeps the runner from working, or that it is gone."""
        await self._caught_up.wait()
        while True:
            ended = self._state in ENDED or self.view.state.paused
            trouble = self._trouble() or ("" if ended else self._gone()) or ""
            if trouble != self._told_trouble:
                self._told_trouble = trouble
                self.say(f"trouble: {trouble}" if trouble else "the runner works again", "wrong" if trouble else "")
            await pause_real(LOOK_EVERY_S)

    # The running command

    async def _feel_pulse(self) -> None:
        """How the command that runs is: kept for `status`, and told once where it may hang."""
        await self._caught_up.wait()
        while True:
            call = self.view.tool_calls.commanding()
            pulse = await asyncio.to_thread(self._feel, call.key) if call else None
            self._pulse = pulse.words if pulse else ""
            if call and pulse and pulse.may_hang and call.key != self._hanging:
                self._hanging = call.key
                self.say(f"{pulse.words}; interrupt would end it", "wrong")
            await pause_real(PULSE_EVERY_S)

    async def _answer(self, typed: Typed) -> None:
        await super()._answer(typed)
        if typed.name == "status" and self._pulse:
            self.say(self._pulse)
