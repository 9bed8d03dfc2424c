"""A rehearsal: limits, guards and a policy over a session that has been, and where they would have acted.

The session goes on as it was recorded after each of them, for nobody knows what it would have done instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final

from core.agent.guarding import drafts
from core.agent.hindsight import tariff_of, turns_of
from core.clock import MICROSECONDS
from core.economy.billing import Till
from core.economy.context import Context
from core.economy.policies import Policy, simulate
from core.economy.presets import Parameters, policies
from core.economy.workload import Workload as Priced
from core.events import Event, ModelRequested
from core.folds.branches import Branches
from core.folds.constraints import Constraints
from core.folds.context_usage import ContextWindow
from core.folds.costs import Costs
from core.folds.fold import Dispatcher
from core.folds.guards.finding import Limits
from core.folds.guards.watch import GuardWatch
from core.folds.plan import Plan
from core.folds.workload import Workload
from core.journal.reader import Reader

WARNINGS: Final = (50, 80, 95)
"""Per cent of a budget at which one is warned."""
_CHUNK: Final = 2_000
_LEFT_OUT: Final = frozenset(("guard.raised", "guard.answered"))
"""What guards did then is no part of what others would do."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is rehearsed; None and empty: not at all. `hours` of the session's own time."""

    budget: Decimal | None = None
    turns: int | None = None
    hours: float | None = None
    guards: Limits | None = None
    policy: str = ""


@dataclass(frozen=True, slots=True)
class Act:
    """Something would have acted before event `seq`. `stops`: it would have stood there until somebody came."""

    what: str
    seq: int
    turn: int
    elapsed_us: int
    usd: Decimal
    text: str
    stops: bool = False


@dataclass(slots=True)
class Rehearsal:
    """`acts` in their order. With a policy: `policy_usd` what the turns would have cost under it, `paid` what they did
    in the same arithmetic, `compressions` how often; None where prices are unknown."""

    acts: list[Act] = field(default_factory=list)
    turns: int = 0
    usd: Decimal = Decimal(0)
    lasted_us: int = 0
    policy_usd: float | None = None
    compressions: int = 0

    @property
    def stop(self) -> Act | None:
        """Where it would have stood first."""
        return next((act for act in self.acts if act.stops), None)


class _Stage:
    """The folds that limits and guards look at, and what they said so far."""

    def __init__(self, wanted: Wanted) -> None:
        branches = Branches()
        plan, constraints = Plan(branches), Constraints()
        self.costs, self.window = Costs(), ContextWindow()
        self.workload, self.watch = Workload(self.window), GuardWatch(plan, constraints)
        self.dispatch = Dispatcher([branches, plan, constraints, self.costs, self.window, self.workload, self.watch])
        self.rehearsal, self._wanted = Rehearsal(), wanted
        self._start_us = self._last_us = 0
        self._warned: set[int] = set()
        self._done: set[str] = set()

    def take(self, event: Event) -> None:
        """The next event; limits and guards are asked before each request, as the loop asks them."""
        self._start_us = self._start_us or event.at_us
        self._last_us = max(self._last_us, event.at_us)
        body = event.body
        if isinstance(body, ModelRequested) and body.purpose == "main":
            self._ask(event, body)
        if event.kind not in _LEFT_OUT:
            self.dispatch.apply(event)

    def end(self) -> Rehearsal:
        made = self.rehearsal
        made.turns, made.usd = len(self.costs.turns()), self.costs.total.last.usd
        made.lasted_us = self._last_us - self._start_us
        return made

    def _ask(self, event: Event, body: ModelRequested) -> None:
        self._guards(event)
        self._budget(event, body)
        turns, hours = len(self.costs.turns()), (event.at_us - self._start_us) / MICROSECONDS / 3_600
        if self._wanted.turns is not None and turns >= self._wanted.turns:
            self._once(event, "turns", f"{turns:,} turns are made", stops=True)
        if self._wanted.hours is not None and hours >= self._wanted.hours:
            self._once(event, "time", f"{hours:,.1f} hours have passed", stops=True)

    def _guards(self, event: Event) -> None:
        while self._wanted.guards and (due := self.watch.due(self._wanted.guards)) is not None:
            raised = drafts(due, self.watch.raised + 1, lambda text: None)[0]
            self._act(event, f"guard {due.finding.guard}", f"{due.rung}: {due.finding.text}", stops=due.rung == "pause")
            told = Event(
                seq=event.seq, parent=None, node=None, kind="guard.raised", key=raised.key, at_us=event.at_us,
                actor="system", body=raised.body,
            )  # fmt: skip
            self.dispatch.apply(told)

    def _budget(self, event: Event, body: ModelRequested) -> None:
        budget, spent = self._wanted.budget, self.costs.total.last.usd
        if not budget:
            return
        for percent in WARNINGS:
            if spent * 100 >= budget * percent and percent not in self._warned:
                self._warned.add(percent)
                self._act(event, "budget", f"warns: {percent} % of ${budget:,.2f} are spent")
        next_usd = Decimal(body.outlook.warm_usd or 0) if body.outlook else Decimal(0)
        if spent + next_usd > budget or spent >= budget:
            self._once(event, "budget used up", f"${spent:,.2f} of ${budget:,.2f} are spent", stops=True)

    def _once(self, event: Event, what: str, text: str, *, stops: bool) -> None:
        if what not in self._done:
            self._done.add(what)
            self._act(event, what, text, stops=stops)

    def _act(self, event: Event, what: str, text: str, *, stops: bool = False) -> None:
        elapsed, turn = event.at_us - self._start_us, len(self.costs.turns())
        self.rehearsal.acts.append(Act(what, event.seq, turn, elapsed, self.costs.total.last.usd, text, stops))


class _Watched:
    """A policy, and before which turns it compressed."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.before: list[int] = []

    def prepare(self, context: Context, till: Till) -> None:
        count = till.bill.compressions
        self._policy.prepare(context, till)
        if till.bill.compressions > count:
            self.before.append(len(context.turns))

    def pays_to_ping(self, context: Context, till: Till, pings: int) -> bool:
        return self._policy.pays_to_ping(context, till, pings)


def rehearse(folder: Path, wanted: Wanted) -> Rehearsal:
    """Run it over a session. Blocks; raises JournalError, and ValueError for a policy that there is not."""
    if wanted.policy and wanted.policy not in policies():
        raise ValueError(f"There is no policy {wanted.policy!r}; there are {', '.join(policies())}.")
    stage, times = _Stage(wanted), dict[int, int]()
    with Reader(folder) as reader:
        after = 0
        while batch := reader.events(after, _CHUNK):
            for event in batch:
                stage.take(event)
                times[event.seq] = event.at_us
            after = batch[-1].seq
    made = stage.end()
    if wanted.policy:
        _compress(made, stage, wanted.policy, lambda seq: times[seq] - times[1])
    return made


def _compress(made: Rehearsal, stage: _Stage, name: str, elapsed: Callable[[int], int]) -> None:
    """Price the same turns under the policy, and note where it would have compressed."""
    tariff, turns = tariff_of(stage.workload), turns_of(stage.workload)
    if tariff is None or not turns:
        return
    chosen = Parameters(window=stage.window.usage.last.window or Parameters().window)
    policy, seqs = _Watched(policies(chosen)[name]()), stage.costs.turns()
    bill = simulate(Priced("session", tuple(turns), stage.workload.first_prompt), policy, tariff)
    made.policy_usd, made.compressions = bill.total, bill.compressions
    for turn in policy.before:
        seq = seqs[min(turn, len(seqs) - 1)]
        usd = Decimal(f"{bill.curve[turn - 1]:.6f}")
        made.acts.append(Act("compression", seq, turn, elapsed(seq), usd, f"{name} would have compressed"))
    made.acts.sort(key=lambda act: act.seq)
