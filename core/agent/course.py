"""What keeps a session on course: the objective said again, guards' signals, warnings of the budget."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from core.agent.anchoring import anchor_text
from core.agent.declaring import declarations
from core.agent.desk import Desk
from core.agent.guarding import drafts, pause_detail
from core.events import Body, BudgetCrossed, Draft, GuidanceDelivered, HumanAnswered
from core.folds.asking import PendingCall
from core.folds.guards.watch import Due

WARN_AT = (50, 80, 95)


async def anchor(desk: Desk) -> None:
    """Say objective, constraints and current step again at the end."""
    text = anchor_text(desk.facts)
    await desk.append(Draft(GuidanceDelivered(text=text, source="anchor", usd=desk.thrift.usd_of(text))))


async def deliver(desk: Desk, ids: Iterable[str]) -> None:
    """Put what the user said into the context; what it forbids holds from here on."""
    facts = desk.facts
    for id in ids:
        said = facts.state.queued[id]
        body = GuidanceDelivered(text=said.text, standing=said.standing)
        forbids = declarations(said.text, "guidance", facts.constraints)
        await desk.append(Draft(body, key=id, actor="user"), *forbids)


async def answer_by_default(desk: Desk, call: PendingCall) -> None:
    """Nobody answered in time: what the agent said it would then do applies."""
    default = (call.question.default if call.question else None) or ""
    await desk.append(Draft(HumanAnswered(text=default, by_default=True), key=call.key, actor="system"))


async def signal(desk: Desk, due: Due, stop: Callable[[str, str], Body]) -> None:
    """Write a guard's signal down, with what it says to the agent; `stop` makes the event of a pause."""
    number = desk.facts.guards.raised + 1
    made = drafts(due, number, desk.thrift.usd_of)
    if due.rung == "pause":
        made.append(Draft(stop("guard", pause_detail(due, number))))
    await desk.append(*made)


async def warn_of_budget(desk: Desk) -> None:
    """Write down each mark of the budget once, when it is passed."""
    facts = desk.facts
    budget: Decimal | None = facts.budget
    if not budget:
        return
    since = f"@{facts.state.forked_at}" if facts.state.forked_at else ""
    percent = int(facts.spent * 100 / budget)
    for mark in WARN_AT:
        if percent >= mark and (key := f"{budget}@{mark}{since}") not in facts.state.crossed:
            body = BudgetCrossed(percent=mark, spent=f"{facts.spent:.4f}", budget=str(budget))
            await desk.append(Draft(body, key=key))
