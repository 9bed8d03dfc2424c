"""The loop: fold, decide, act, append, until there is nothing left to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import msgspec

from core.agent import course
from core.agent import decisions as do
from core.agent.asides import Asides
from core.agent.calls import CallRunner
from core.agent.circumstances import Surroundings, Terms
from core.agent.decide import decide
from core.agent.desk import Desk
from core.agent.keepalive import KeepAlive
from core.agent.recovery import recover
from core.agent.turn import Turns
from core.agent.upkeep import Upkeep
from core.agent.warding import declare_at_start
from core.clock import MICROSECONDS, Clock, pause_real, wait_for
from core.events import (
    ContextPolicy,
    Draft,
    GuidanceDelivered,
    RetryWaiting,
    SessionContinued,
    SessionFinished,
    SessionPaused,
)
from core.folds.totals import Totals
from core.journal.errors import AlreadyRecorded, DiskFull, JournalError, LeaseLost, Removed
from core.journal.inbox import Command
from core.journal.reserve import Reserve
from core.request.compression import Wish
from core.request.projection import Head

INBOX_EVERY_S = 0.1
SNAPSHOT_EVERY = 1000
DISK_RETRY_S = 2.0
PARAGRAPH_S = 60.0
"""How long a finished tool waits for a paragraph that is still being written."""


class Runner:
    """Runs one session at a desk until it ends, or until `leave` is called."""

    def __init__(
        self,
        desk: Desk,
        turns: Turns,
        calls: CallRunner,
        asides: Asides,
        upkeep: Upkeep,
        head: Callable[[str, int], Head],
        terms: Terms,
        clock: Clock,
        jitter: Callable[[], float],
    ) -> None:
        self.desk = desk
        self._turns = turns
        self._calls = calls
        self._asides = asides
        self._upkeep = upkeep
        self._head = head
        self.terms = terms
        self._clock = clock
        self._around = Surroundings(
            desk, head, clock, lambda: calls.concurrent, lambda: bool(calls.running_on()), jitter
        )
        self._activity: asyncio.Task[None] | None = None
        self._cut = ""
        self._recovered = False
        self._futile: int | None = None
        self._snapshot_at = 0
        self.trouble = ""
        self._alone_us = clock.now_us()
        self._reserve = Reserve(desk.folder)
        thrift = desk.thrift
        self.warmth = KeepAlive(
            clock,
            since=lambda: desk.facts.state.requested_us,
            ttl_s=thrift.ttl_s,
            pays=thrift.pays_to_ping,
            ping=asides.ping,
        )
        self._served = self._serving
        desk.on_command, desk.occupied = self._on_command, True

    async def run(self) -> SessionFinished | None:
        """Recover, then loop. The end of the session, None when it was left in another state."""
        inbox = asyncio.create_task(self._watch_inbox())
        try:
            while not self._left and (not self._recovered or self.terms.attended or not self.over):
                await self._guarded(self._step if self._recovered else self._recover)
        finally:
            inbox.cancel()
            await asyncio.gather(inbox, return_exceptions=True)
            await self.terms.routes.close()
        return self.desk.facts.state.finished

    @property
    def _left(self) -> bool:
        """Whether the session is to go on elsewhere, or later."""
        return self.desk.released or self.moved or self.terms.oversight.laid_down()

    @property
    def _serving(self) -> tuple[str, ...]:
        """Where the session is served now, as far as a runner is made for it."""
        state = self.desk.facts.state
        opened = state.opened
        return (state.route, opened.endpoint, opened.profile, opened.api_key_env or "") if opened else ()

    @property
    def moved(self) -> bool:
        """Whether the session is served elsewhere now, so that another runner has to go on with it."""
        return self._serving != self._served

    @property
    def over(self) -> bool:
        """Whether the session has ended and nothing waits to reopen it."""
        state = self.desk.facts.state
        return state.finished is not None and not (state.queued and state.reopened) and not state.orders

    def unattended(self) -> None:
        """Nobody is at the screen any more: what would wait for them ends instead."""
        self.terms = replace(self.terms, attended=False)
        self._alone_us = self._clock.now_us()
        self.desk.stirred.set()

    async def _recover(self) -> None:
        await asyncio.to_thread(self._reserve.fill)
        await recover(self.desk, self._calls)
        await self._upkeep.begin()
        await course.limit_at_start(self.desk, self.terms.allowances)
        await course.check_ins_at_start(self.desk, self.terms.check_ins)
        await declare_at_start(self.desk, self.terms.constraints)
        self._recovered = True

    async def _guarded(self, step: Callable[[], Awaitable[None]]) -> None:
        """A step; when the disk refuses, wait and pick up from the log as after a crash."""
        try:
            await step()
            self.trouble = ""
        except* (AlreadyRecorded, LeaseLost, Removed):
            raise
        except* JournalError as errors:
            self.trouble = str(errors.exceptions[0])
            self._recovered = False
            if errors.subgroup(DiskFull) is not None:
                await self._say_that_the_disk_is_full()
            await pause_real(DISK_RETRY_S)

    async def _say_that_the_disk_is_full(self) -> None:
        """Write down why it waits, in the room that was kept for this; where even that fails, it waits all the same."""
        self._reserve.spend()
        if not self.desk.facts.state.paused:
            detail = f"{self.trouble} It goes on by itself once there is room."
            with suppress(JournalError):
                await self.desk.append(Draft(SessionPaused(reason="disk", detail=detail), actor="system"))

    async def _go_on_when_there_is_room(self) -> None:
        state = self.desk.facts.state
        if state.paused and state.status.last.reason == "disk" and await asyncio.to_thread(self._reserve.fill):
            await self.desk.append(Draft(SessionContinued(detail="there is room on the disk again"), actor="system"))
            self.desk.stirred.set()

    async def _step(self) -> None:
        await self.desk.read_inbox()
        self.desk.stirred.clear()
        now = self._around.now(self.terms, alone_us=self._alone_us, futile=self._futile)
        decision = decide(self.desk.facts.state, now)
        if isinstance(decision, do.RunTools | do.Send | do.Wait | do.AwaitAnswer | do.Consult | do.Judge):
            await self._cuttable(decision)
        else:
            await self._settle(decision)
        await self._keep_snapshot()
        await self._upkeep.after_step()

    async def _cuttable(self, decision: do.Decision) -> None:
        """Act in a task of its own, which an interrupt, or guidance that can't wait, may cancel."""
        self._cut = ""
        self._activity = asyncio.create_task(self._act(decision))
        try:
            await self._activity
        except asyncio.CancelledError:
            if not self._cut:
                self._activity.cancel()
                await asyncio.gather(self._activity, return_exceptions=True)
                raise
            if self._cut == "guide":
                await self.desk.close_open_calls("Not run: the user cut in with guidance.")
            elif isinstance(decision, do.Send | do.Consult | do.Judge):
                await self.desk.append(Draft(SessionPaused(reason="operator", detail="interrupted"), actor="user"))
        finally:
            self._activity = None

    async def _act(self, decision: do.Decision) -> None:
        match decision:
            case do.RunTools(calls):
                async with self.warmth.kept(), self._paragraph_meanwhile():
                    await self._calls.run(calls)
            case do.Consult():
                await self._consult()
            case do.Judge(question) if self.terms.judges is not None:
                await self.terms.judges.judge(question)
                await course.warn_of_budget(self.desk)
            case do.Wait(until_us):
                await self._until(until_us)
            case do.AwaitAnswer(until_us):
                await self.desk.journal.checkpoint()
                async with self.warmth.kept():
                    await self._until(until_us)
            case do.Send():
                limit = self._around.limit(self.terms)
                head = self._head(self.desk.facts.state.model, limit.tokens)
                await self._turns.take(head, self.terms.window, limit.reason, chants=self.terms.guards.enabled)
                await course.warn_of_budget(self.desk)

    async def _until(self, until_us: int | None) -> None:
        """Wait for that time (None: without end) or a command."""
        if until_us is None:
            await self.desk.stirred.wait()
        else:
            await wait_for(self._clock, self.desk.stirred, (until_us - self._clock.now_us()) / MICROSECONDS)

    async def _settle(self, decision: do.Decision) -> None:
        append = self.desk.append
        match decision:
            case do.Obey(order):
                if order.verb == "stop":
                    await self._calls.end_running()
                await self.desk.obey(order)
            case do.Remind(text):
                await append(Draft(GuidanceDelivered(text=text, source="notice")))
            case do.Compress() | do.GiveUpCompressing() | do.CompressAgain():
                await self._carry(decision)
            case do.Announce(delay_s):
                await self._announce(delay_s)
            case do.GoElsewhere(route, why):
                await self.terms.routes.take(route, why)
            case do.Pause(reason, detail):
                await append(Draft(self._pause_or_end(reason, detail)))
            case do.Finish(state, reason, detail):
                await append(Draft(SessionFinished(state=state, reason=reason, detail=detail)))
            case do.Resume():
                await append(Draft(SessionContinued(detail="guidance came")))
            case do.Hold():
                await self._hold()
            case do.End():
                await self.desk.journal.checkpoint()
                await self.desk.stirred.wait()
            case _:
                await self._keep_on_course(decision)

    async def _hold(self) -> None:
        """Stand still until a command comes; end where nobody will give one."""
        if self._nobody_will_come():
            status = self.desk.facts.state.status.last
            await self.desk.append(Draft(self._pause_or_end(status.reason, status.detail)))
            return
        await self.desk.journal.checkpoint()
        async with self.warmth.kept():
            await self.desk.stirred.wait()

    async def _keep_on_course(self, decision: do.Decision) -> None:
        match decision:
            case do.CheckIn(text):
                await course.check_in(self.desk, text)
            case do.Deliver(ids):
                await course.deliver(self.desk, ids)
            case do.AnswerByDefault(call):
                await course.answer_by_default(self.desk, call)
            case do.Anchor():
                await course.anchor(self.desk)
            case do.Insist(points):
                await course.insist(self.desk, points)
            case do.WindDown(taken):
                await course.wind_down(self.desk, taken)
            case do.Raise(due):
                await course.signal(self.desk, due, self._pause_or_end)

    async def _carry(self, decision: do.Compress | do.GiveUpCompressing | do.CompressAgain) -> None:
        """Keep the context small."""
        facts, thrift = self.desk.facts, self.desk.thrift
        match decision:
            case do.Compress(reason, policy):
                wish = Wish(policy or "auto", reason, force=policy is None, paragraph=facts.state.paragraph or "")
                if await self.desk.compress(wish):
                    self._futile = facts.state.turns
            case do.GiveUpCompressing(detail):
                off = ContextPolicy(policy="off", reason=detail, tokens=thrift.prompt_tokens())
                await self.desk.append(Draft(off))
            case do.CompressAgain(detail):
                await self.desk.append(Draft(ContextPolicy(policy=thrift.carrying.policy, reason=detail)))

    @asynccontextmanager
    async def _paragraph_meanwhile(self) -> AsyncIterator[None]:
        """While tools run there is time for the paragraph of a compression that is near."""
        if not self.desk.thrift.wants_paragraph():
            yield
            return
        task = asyncio.create_task(self._consult())
        try:
            yield
        finally:
            if not self._cut:
                await asyncio.wait({task}, timeout=PARAGRAPH_S)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _consult(self) -> None:
        await self._asides.paragraph(self.desk.thrift.paragraph_model())

    def _nobody_will_come(self) -> bool:
        """Whether a pause that the session itself came to would wait for somebody who has left."""
        reason = self.desk.facts.state.status.last.reason
        waits = reason in ("operator", "scheduled", "rewound", "disk")
        return not (self.terms.attended or self.terms.wait or waits)

    async def _announce(self, delay_s: float) -> None:
        failure = self.desk.facts.state.failure
        if failure is not None:
            until_us = self._clock.now_us() + int(delay_s * MICROSECONDS)
            body = RetryWaiting(until_us=until_us, delay_s=delay_s, error=failure.error, attempt=failure.attempt)
            await self.desk.append(Draft(body))

    def _pause_or_end(self, reason: str, detail: str) -> SessionPaused | SessionFinished:
        if self.terms.attended or self.terms.wait or reason == "scheduled":
            return SessionPaused(reason=reason, detail=detail)
        stopped = reason in ("budget", "turn_limit", "approval", "guard")
        return SessionFinished(state="stopped" if stopped else "failed", reason=reason, detail=detail)

    async def _keep_snapshot(self) -> None:
        totals = self.desk.facts.totals
        if totals.seq // SNAPSHOT_EVERY > self._snapshot_at // SNAPSHOT_EVERY:
            body = msgspec.json.encode(totals)
            self._snapshot_at = totals.seq
            if len(body) <= 65_536:
                await self.desk.journal.save_snapshot(Totals.NAME, Totals.VERSION, totals.seq, body)

    async def _watch_inbox(self) -> None:
        while True:
            await pause_real(INBOX_EVERY_S)
            try:
                await self.desk.read_inbox()
                await self._upkeep.look()
                self.terms.routes.look()
                await self._go_on_with_a_new_key()
                await self._go_on_when_there_is_room()
            except JournalError as error:
                self.trouble = str(error)

    async def _go_on_with_a_new_key(self) -> None:
        """A session that waits because its key was refused goes on by itself once there is another one."""
        state = self.desk.facts.state
        if state.paused and state.status.last.reason == "auth" and self._turns.has_new_key():
            await self.desk.append(Draft(SessionContinued(detail="there is a new key"), actor="system"))
            self.desk.stirred.set()

    def _on_command(self, command: Command) -> None:
        cuts = self._cuts_in(command) or self._leaves(command) or self._takes_back(command)
        cutting = command.verb in ("interrupt", "stop") or cuts
        if cutting and self._activity is not None and self._cut != "stop":
            self._cut = command.verb
            self._activity.cancel()

    def _leaves(self, command: Command) -> bool:
        """Whether the session is handed over while a command runs, which need not be waited for."""
        order = self.desk.facts.state.orders.get(command.id)
        if command.verb != "hand-over" or order is None or self.desk.without_heir(order):
            return False
        return self._calls.leave()

    def _takes_back(self, command: Command) -> bool:
        """Whether the session goes back behind a part of its task that another one works on."""
        return command.verb == "rewind" and command.id in self.desk.facts.state.orders and self._calls.delegating

    def _cuts_in(self, command: Command) -> bool:
        """Whether it is guidance that was taken and that is to be read at once; a pause it leaves alone."""
        state = self.desk.facts.state
        return bool(command.args.get("now")) and command.id in state.queued and not state.paused
