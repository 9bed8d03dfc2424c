"""The controls that answer a guard: this is fine, go on with it; or, it was right."""

from __future__ import annotations

from core.agent.facts import Facts
from core.agent.verb import Refused, Verb
from core.events import Draft, GuardAnswered, SessionContinued
from core.folds.guards.log import Signal
from core.journal.inbox import Command


def _fine(command: Command, facts: Facts) -> list[Draft]:
    signal = _meant(command, facts)
    if signal.fine():
        raise Refused(f"{signal.id} was said to be fine already.")
    place = f"{'screen' if command.viewer else 'send'}, {command.origin or 'unknown'}"
    body = GuardAnswered(guard=signal.raised.guard, subject=signal.raised.subject, place=place)
    drafts = [Draft(body, key=signal.id, actor=command.actor)]
    if facts.state.paused and facts.state.status.last.reason == "guard":
        drafts.append(Draft(SessionContinued(detail="this is fine"), actor=command.actor))
    return drafts


def _right(command: Command, facts: Facts) -> list[Draft]:
    signal = _meant(command, facts)
    if signal.right is not None:
        raise Refused(f"{signal.id} was said to be right already.")
    place = f"{'screen' if command.viewer else 'send'}, {command.origin or 'unknown'}"
    body = GuardAnswered(guard=signal.raised.guard, subject=signal.raised.subject, place=place, right=True)
    return [Draft(body, key=f"{signal.id}!", actor=command.actor)]


def _meant(command: Command, facts: Facts) -> Signal:
    """The signal that is meant; without an id the latest one. Raises Refused."""
    wanted = str(command.args.get("id") or "")
    signal = facts.guard_log.by_id.get(wanted) if wanted else facts.guard_log.latest()
    if signal is None:
        raise Refused(f"No guard has raised {wanted!r}." if wanted else "No guard has raised anything.")
    return signal


GUARD_RIGHT = Verb("guard-right", ("id",), "say that a guard was right to raise what it did", _right)
GUARD_OK = Verb(
    "guard-ok", ("id",), "say that what a guard raised is fine, for this session", _fine, grants=lambda *_: True
)
