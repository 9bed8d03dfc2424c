"""What keeps a session on course: the objective said again, guards' signals, warnings of the budget."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from core.agent.anchoring import anchor_text
from core.agent.declaring import declarations
from core.agent.desk import Desk
from core.agent.facts import Facts
from core.agent.guarding import drafts, pause_detail
from core.agent.purse import limits_of
from core.config import AttentionSettings, LimitSettings
from core.events import (
    Allowance,
    AllowanceChanged,
    Body,
    BudgetCrossed,
    CheckInMade,
    CheckInsSet,
    Draft,
    GuidanceDelivered,
    HumanAnswered,
    SessionPaused,
)
from core.folds.allowances import WIND_DOWN, Taken
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


INSIST = "goal:"
"""How the keys begin with which a claim to be done is answered."""


async def insist(desk: Desk, points: Iterable[str]) -> None:
    """It says that it is done: name what the log says is open."""
    text = "\n".join(
        (
            "Automatic notice, not from the user: by the log, this is not done yet:",
            *(f"- {point}" for point in points),
            "Look at the real state, not at what you remember. Finish these, or drop a step with the reason.",
        )
    )
    number = desk.facts.insisted.total + 1
    body = GuidanceDelivered(text=text, source="guard", usd=desk.thrift.usd_of(text))
    await desk.append(Draft(body, key=f"{INSIST}{number}", actor="system"))


async def check_in(desk: Desk, text: str) -> None:
    """Tell the user what was done; where they want that, stand until they let it go on."""
    kept = desk.facts.check_ins
    told = Draft(CheckInMade(text=text, since=kept.since), key=f"i{kept.made + 1}", actor="system")
    stands = [Draft(SessionPaused(reason="scheduled", detail=f"check-in: {text}"))] if kept.wanted.pause else []
    await desk.append(told, *stands)


async def check_ins_at_start(desk: Desk, configured: CheckInsSet) -> None:
    """What the configuration says of check-ins, where nobody has said something else in this session."""
    if configured != CheckInsSet() and not desk.facts.check_ins.known:
        await desk.append(Draft(configured, actor="user"))


WIND_DOWN_TEXT = (
    "Automatic notice, not from the user: {words} are used, and the session pauses when that ends. Bring what you are "
    "doing to a safe end, remember what the next one must know, update the plan, and say where you stand."
)


async def wind_down(desk: Desk, taken: Taken) -> None:
    """Tell the agent once that a limit comes near."""
    text = WIND_DOWN_TEXT.format(words=taken.words())
    notice = GuidanceDelivered(text=text, source="notice", usd=desk.thrift.usd_of(text))
    await desk.append(Draft(notice, key=f"{WIND_DOWN}{taken.key}", actor="system"))


def allowances_of(settings: LimitSettings) -> tuple[tuple[Allowance, float], ...]:
    """Limits of the configuration beside budget and turns."""
    wanted: dict[Allowance, float | None] = {
        "minutes": settings.max_minutes,
        "day_usd": settings.day_usd,
        "step_usd": settings.step_usd,
    }
    return tuple((name, float(value)) for name, value in wanted.items() if value)


def check_ins_of(settings: AttentionSettings) -> CheckInsSet:
    """How often the configuration wants a check-in."""
    pause = settings.check_in == "pause"
    return CheckInsSet(minutes=settings.check_in_minutes, usd=settings.check_in_usd, pause=pause)


async def limit_at_start(desk: Desk, configured: Iterable[tuple[Allowance, float]]) -> None:
    """Write down the limits of the configuration, where nobody has said something else in this session."""
    new = [(name, value) for name, value in configured if not desk.facts.allowances.set(name)]
    await desk.append(*(Draft(AllowanceChanged(name=name, value=value), actor="user") for name, value in new))


async def warn_of_budget(desk: Desk) -> None:
    """Write down each mark of each limit once, when it is passed."""
    facts = desk.facts
    since = f"@{facts.state.forked_at}" if facts.state.forked_at else ""
    for taken in limits_of(facts, desk.clock.now_us()):
        height = str(facts.budget) if taken.name == "usd" else taken.key
        for mark in WARN_AT:
            if taken.percent >= mark and (key := f"{height}@{mark}{since}") not in facts.state.crossed:
                await desk.append(Draft(_crossed(facts, taken, mark), key=key))


def _crossed(facts: Facts, taken: Taken, mark: int) -> BudgetCrossed:
    if taken.name == "usd":
        return BudgetCrossed(percent=mark, spent=f"{facts.spent:.4f}", budget=str(facts.budget))
    return BudgetCrossed(percent=mark, spent=f"{taken.used:g}", budget=f"{taken.limit:g}", words=taken.words())
