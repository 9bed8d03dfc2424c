"""The controls that schedule a pause, and check-ins."""

from __future__ import annotations

from core.agent.facts import Facts
from core.agent.verb import ENDED, Refused, Verb
from core.events import Draft, PauseUnscheduled
from core.folds.attention import read_schedule
from core.folds.checkins import read_check_ins
from core.journal.inbox import Command


def _pause_at(command: Command, facts: Facts) -> list[Draft]:
    if facts.state.finished is not None:
        raise Refused(ENDED)
    step = facts.attention.active_step()
    try:
        scheduled = read_schedule(str(command.args.get("when") or ""), command.at, float(facts.spent), step)
    except ValueError as fault:
        raise Refused(str(fault)) from None
    body = PauseUnscheduled() if scheduled is None else scheduled
    return [Draft(body, key=command.id, actor=command.actor)]


def _check_in(command: Command, facts: Facts) -> list[Draft]:
    if facts.state.finished is not None:
        raise Refused(ENDED)
    try:
        wanted = read_check_ins(str(command.args.get("every") or ""))
    except ValueError as fault:
        raise Refused(str(fault)) from None
    return [Draft(wanted, key=command.id, actor=command.actor)]


CHECK_IN = Verb(
    "check-in",
    ("every",),
    "tell what was done every 30m, 2h or $5; with `pause` behind it, stand then; never: not",
    _check_in,
    grants=lambda command, facts: str(command.args.get("every")).strip() == "never",
)

PAUSE_AT = Verb(
    "pause-at",
    ("when",),
    "pause at 02:00, at $12, after +$5, after this step, unless heard of; never: not",
    _pause_at,
    grants=lambda command, facts: str(command.args.get("when")).strip() == "never",
)
