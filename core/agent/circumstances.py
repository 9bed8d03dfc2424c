"""What the next decision is taken on, gathered from the facts, the terms of the run and the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from core.agent.anchoring import anchor_due
from core.agent.decide import Circumstances
from core.agent.desk import Desk
from core.agent.judges import Judges
from core.agent.output_limit import LARGEST, Limit, output_limit
from core.agent.oversight import Free, Oversight
from core.agent.plan_keeping import open_points_of, unverified_of
from core.agent.purse import limits_of
from core.agent.routes import OneWay, Routes
from core.clock import MICROSECONDS, Clock
from core.config import RetryPolicy
from core.events import Allowance, CheckInsSet
from core.folds.docket import Question
from core.folds.guards.finding import Limits
from core.request.projection import Head


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a session runs. `attended`: somebody is at the screen, so a pause waits for them."""

    attended: bool = False
    wait: bool = False
    max_turns: int | None = None
    window: int | None = None
    full_at: float = 0.85
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    rounds: int = 0
    """How often a claim to be done is answered with what is open."""
    allowances: tuple[tuple[Allowance, float], ...] = ()
    """Limits of the configuration beside budget and turns."""
    check_ins: CheckInsSet = field(default_factory=CheckInsSet)
    """How often the configuration wants the user told what was done."""
    constraints: tuple[str, ...] = ()
    """What the configuration forbids every session."""
    guards: Limits = field(default_factory=Limits)
    oversight: Oversight = field(default_factory=Free)
    """What the session that it works for holds it to."""
    judges: Judges | None = None
    """The models that are asked about its course."""
    routes: Routes = field(default_factory=OneWay)
    """The models that step in."""
    most_output: int = LARGEST
    """The longest reply that the model can give, or that was asked for; in tokens."""
    answer_within_s: float = 3_600.0
    """How long a question waits for its answer where nobody is at the screen."""


class Surroundings:
    """Gathers for the session at a desk. `concurrent`: the tools whose calls may run side by side; `runs_on`: whether a
    command of an earlier runner still runs."""

    def __init__(
        self,
        desk: Desk,
        head: Callable[[str, int], Head],
        clock: Clock,
        concurrent: Callable[[], frozenset[str]],
        runs_on: Callable[[], bool],
        jitter: Callable[[], float],
    ) -> None:
        self._desk = desk
        self._head = head
        self._clock = clock
        self._concurrent = concurrent
        self._runs_on = runs_on
        self._jitter = jitter

    def now(self, terms: Terms, *, alone_us: int, futile: int | None) -> Circumstances:
        """As things are. `alone_us`: since when nobody is at the screen; `futile`: the turn at which compressing freed
        nothing."""
        facts, thrift, now_us = self._desk.facts, self._desk.thrift, self._clock.now_us()
        state = facts.state
        speaking = not (state.pending or state.queued or state.answered or state.paused or state.finished)
        due, budget = thrift.due() if speaking else None, self._budget(terms)
        return Circumstances(
            now_us=now_us,
            spent=facts.spent,
            budget=budget,
            called_off=terms.oversight.called_off() if speaking else "",
            max_turns=None if facts.allowances.set("turns") else terms.max_turns,
            scheduled=facts.attention.due(now_us, float(facts.spent)),
            runs_on=self._runs_on(),
            check_in=facts.check_ins.due(now_us) if speaking else "",
            open_points=open_points_of(facts) if state.answered else (),
            unverified=unverified_of(facts) if state.answered else "",
            question=self._question(terms, speaking=speaking),
            contested=facts.docket.contested,
            rounds_left=terms.rounds - facts.insisted.rounds,
            allowances=limits_of(facts, now_us) if speaking else (),
            told=frozenset(facts.allowances.told),
            prompt_tokens=thrift.prompt_tokens(self._fixed()) if speaking else 0,
            room=self._room(terms),
            retry=terms.retry,
            routes=terms.routes.untried() if state.failure is not None else (),
            elsewhere_after_s=terms.routes.after_s,
            home_up=terms.routes.home_up and speaking,
            concurrent=self._concurrent(),
            jitter=self._jitter(),
            answer_by_us=self._answer_by_us(terms, alone_us),
            can_compress=futile != state.turns,
            policy=thrift.policy,
            due=due,
            consult=thrift.lacks_paragraph(),
            spiralling=thrift.spiralling,
            doubled=speaking and thrift.doubled,
            anchor=speaking and anchor_due(facts, thrift.carrying.anchor_every),
            signal=facts.guards.due(terms.guards) if speaking else None,
            next_usd=thrift.next_usd() if speaking and budget is not None else None,
        )

    def _question(self, terms: Terms, *, speaking: bool) -> Question | None:
        docket = self._desk.facts.docket
        if terms.judges is None or not terms.judges.sit:
            return None
        if self._desk.facts.state.answered:
            return docket.question("done")
        return (docket.question("step") or docket.question("drift")) if speaking else None

    def limit(self, terms: Terms) -> Limit:
        """How long the next reply may be."""
        facts = self._desk.facts
        plan = facts.plan.at()
        long_step = any(step.long and step.status == "active" for step in plan.steps) if plan else False
        thinking = self._head(facts.state.model, 0).thinking_budget
        return output_limit(facts.recent.replies, terms.most_output, long_step=long_step, thinking=thinking)

    def _budget(self, terms: Terms) -> Decimal | None:
        """The most that it may cost in all, by its own budget and by what the session that it works for has left."""
        limits = (self._desk.facts.budget, terms.oversight.purse())
        return min((usd for usd in limits if usd is not None), default=None)

    def _answer_by_us(self, terms: Terms, alone_us: int) -> int | None:
        """When a question that waits ends the session, to be resumed: only where nobody is at the screen."""
        asking = self._desk.facts.state.asking
        if not asking or terms.attended or terms.wait:
            return None
        return max(asking[0].asked_us, alone_us) + int(terms.answer_within_s * MICROSECONDS)

    def _room(self, terms: Terms) -> int | None:
        """Tokens that a prompt may have; None where the window is unknown."""
        return None if terms.window is None else int(terms.window * terms.full_at) - self.limit(terms).tokens

    def _fixed(self) -> int:
        """Estimated tokens of system and tools; measured anew only before the first request."""
        state = self._desk.facts.state
        return state.fixed or sum(self._head(state.model, 0).part_tokens().values())
