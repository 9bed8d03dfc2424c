"""The loop: fold, decide, act, append, until there is nothing left to do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal

import msgspec

from core.agent import decide as do
from core.agent.calls import CallRunner
from core.agent.desk import Desk
from core.agent.recovery import recover
from core.agent.turn import Turns
from core.clock import MICROSECONDS, Clock, pause_real, wait_for
from core.config import RetryPolicy
from core.events import (
    BudgetCrossed,
    Draft,
    GuidanceDelivered,
    RetryWaiting,
    SessionContinued,
    SessionFinished,
    SessionPaused,
)
from core.folds.totals import Totals
from core.journal.errors import AlreadyRecorded, JournalError, LeaseLost
from core.journal.inbox import Command
from core.request.projection import Head

INBOX_EVERY_S = 0.1
SNAPSHOT_EVERY = 1000
WARN_AT = (50, 80, 95)
DISK_RETRY_S = 2.0


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a session runs. `attended`: somebody is at the screen, so a pause waits for them."""

    attended: bool = False
    wait: bool = False
    max_turns: int | None = None
    compresses: bool = True
    keep_turns: int = 25
    window: int | None = None
    full_at: float = 0.85
    retry: RetryPolicy = field(default_factory=RetryPolicy)


class Runner:
    """Runs one session at a desk until it ends, or until `leave` is called."""

    def __init__(
        self,
        desk: Desk,
        turns: Turns,
        calls: CallRunner,
        head: Callable[[str], Head],
        terms: Terms,
        clock: Clock,
        jitter: Callable[[], float],
    ) -> None:
        self.desk = desk
        self._turns = turns
        self._calls = calls
        self._head = head
        self.terms = terms
        self._clock = clock
        self._jitter = jitter
        self._activity: asyncio.Task[None] | None = None
        self._cut = False
        self._recovered = False
        self._futile: int | None = None
        self._snapshot_at = 0
        self.trouble = ""
        desk.on_command = self._on_command

    async def run(self) -> SessionFinished | None:
        """Recover, then loop. The end of the session, None when it was left in another state."""
        inbox = asyncio.create_task(self._watch_inbox())
        try:
            while not self._recovered or self.terms.attended or not self.over:
                await self._guarded(self._step if self._recovered else self._recover)
        finally:
            inbox.cancel()
            await asyncio.gather(inbox, return_exceptions=True)
        return self.desk.facts.state.finished

    @property
    def over(self) -> bool:
        """Whether the session has ended and nothing waits to reopen it."""
        state = self.desk.facts.state
        return state.finished is not None and not state.queued and not state.orders

    def unattended(self) -> None:
        """Nobody is at the screen any more: what would wait for them ends instead."""
        self.terms = replace(self.terms, attended=False)
        self.desk.stirred.set()

    async def _recover(self) -> None:
        await recover(self.desk, self._calls)
        self._recovered = True

    async def _guarded(self, step: Callable[[], Awaitable[None]]) -> None:
        """A step; when the disk refuses, wait and pick up from the log as after a crash."""
        try:
            await step()
            self.trouble = ""
        except* (AlreadyRecorded, LeaseLost):
            raise
        except* JournalError as errors:
            self.trouble = str(errors.exceptions[0])
            self._recovered = False
            await pause_real(DISK_RETRY_S)

    def _decision(self) -> do.Decision:
        facts, terms = self.desk.facts, self.terms
        head = self._head(facts.state.model)
        room = None if terms.window is None else int(terms.window * terms.full_at) - head.max_tokens
        return do.decide(
            facts.state,
            do.Circumstances(
                now_us=self._clock.now_us(),
                spent=facts.spent,
                budget=facts.budget,
                max_turns=terms.max_turns,
                prompt_tokens=facts.prompt_tokens(head.part_tokens()),
                room=room,
                retry=terms.retry,
                concurrent=self._calls.concurrent,
                jitter=self._jitter(),
                can_compress=terms.compresses and self._futile != facts.state.turns,
            ),
        )

    async def _step(self) -> None:
        await self.desk.read_inbox()
        self.desk.stirred.clear()
        decision = self._decision()
        if isinstance(decision, do.RunTools | do.Send | do.Wait):
            await self._cuttable(decision)
        else:
            await self._settle(decision)
        await self._keep_snapshot()

    async def _cuttable(self, decision: do.Decision) -> None:
        """Act in a task of its own, which an interrupt may cancel."""
        self._cut = False
        self._activity = asyncio.create_task(self._act(decision))
        try:
            await self._activity
        except asyncio.CancelledError:
            if not self._cut:
                self._activity.cancel()
                await asyncio.gather(self._activity, return_exceptions=True)
                raise
            if isinstance(decision, do.Send):
                await self.desk.append(Draft(SessionPaused(reason="operator", detail="interrupted"), actor="user"))
        finally:
            self._activity = None

    async def _act(self, decision: do.Decision) -> None:
        match decision:
            case do.RunTools(calls):
                await self._calls.run(calls)
            case do.Wait(until_us):
                seconds = (until_us - self._clock.now_us()) / MICROSECONDS
                await wait_for(self._clock, self.desk.stirred, seconds)
            case do.Send():
                await self._turns.take(self._head(self.desk.facts.state.model), self.terms.window)
                await self._warn_of_budget()

    async def _settle(self, decision: do.Decision) -> None:
        append = self.desk.append
        match decision:
            case do.Obey(order):
                await self.desk.obey(order)
            case do.Deliver(ids):
                queued = self.desk.facts.state.queued
                bodies = [(id, GuidanceDelivered(text=queued[id].text, standing=queued[id].standing)) for id in ids]
                await append(*(Draft(body, key=id, actor="user") for id, body in bodies))
            case do.Remind(text):
                await append(Draft(GuidanceDelivered(text=text, source="notice")))
            case do.Compress(reason):
                if await self.desk.compress(reason, self.terms.keep_turns):
                    self._futile = self.desk.facts.state.turns
            case do.Announce(delay_s):
                await self._announce(delay_s)
            case do.Pause(reason, detail):
                await append(Draft(self._pause_or_end(reason, detail)))
            case do.Finish(state, reason, detail):
                await append(Draft(SessionFinished(state=state, reason=reason, detail=detail)))
            case do.Resume():
                await append(Draft(SessionContinued(detail="guidance came")))
            case do.Hold() if self._nobody_will_come():
                status = self.desk.facts.state.status.last
                await append(Draft(self._pause_or_end(status.reason, status.detail)))
            case do.Hold() | do.End():
                await self.desk.journal.checkpoint()
                await self.desk.stirred.wait()

    def _nobody_will_come(self) -> bool:
        """Whether a pause that the session itself came to would wait for somebody who has left."""
        reason = self.desk.facts.state.status.last.reason
        return not (self.terms.attended or self.terms.wait) and reason not in ("operator", "rewound")

    async def _announce(self, delay_s: float) -> None:
        failure = self.desk.facts.state.failure
        if failure is not None:
            until_us = self._clock.now_us() + int(delay_s * MICROSECONDS)
            body = RetryWaiting(until_us=until_us, delay_s=delay_s, error=failure.error, attempt=failure.attempt)
            await self.desk.append(Draft(body))

    def _pause_or_end(self, reason: str, detail: str) -> SessionPaused | SessionFinished:
        if self.terms.attended or self.terms.wait:
            return SessionPaused(reason=reason, detail=detail)
        stopped = reason in ("budget", "turn_limit")
        return SessionFinished(state="stopped" if stopped else "failed", reason=reason, detail=detail)

    async def _warn_of_budget(self) -> None:
        facts = self.desk.facts
        budget: Decimal | None = facts.budget
        if not budget:
            return
        percent = int(facts.spent * 100 / budget)
        for mark in WARN_AT:
            if percent >= mark and (key := f"{budget}@{mark}") not in facts.state.crossed:
                body = BudgetCrossed(percent=mark, spent=f"{facts.spent:.4f}", budget=str(budget))
                await self.desk.append(Draft(body, key=key))

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
            except JournalError as error:
                self.trouble = str(error)

    def _on_command(self, command: Command) -> None:
        if command.verb in ("interrupt", "stop") and self._activity is not None:
            self._cut = True
            self._activity.cancel()
