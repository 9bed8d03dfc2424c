"""The controls that answer a question: approve and deny, for one call each, never for one that is gone."""

from __future__ import annotations

from typing import Any

from core.agent.facts import Facts
from core.agent.verb import Refused, Verb
from core.events import ApprovalAnswered, Draft
from core.folds.approvals import Question
from core.journal.inbox import Command

LONGEST_REASON = 2_000


def _approve(command: Command, facts: Facts) -> list[Draft]:
    question = _waiting(command, facts)
    always, keep = bool(command.args.get("always")), bool(command.args.get("keep"))
    if (always or keep) and not question.asked.rules:
        raise Refused("No rule could allow exactly this call, so it can be approved only once.")
    rules = question.asked.rules if always or keep else []
    body = ApprovalAnswered(answer="approved", reason=_reason(command), rules=rules, kept=keep, place=_place(command))
    return [Draft(body, key=question.key, actor=command.actor)]


def _deny(command: Command, facts: Facts) -> list[Draft]:
    question = _waiting(command, facts)
    body = ApprovalAnswered(answer="denied", reason=_reason(command), place=_place(command))
    return [Draft(body, key=question.key, actor=command.actor)]


def _waiting(command: Command, facts: Facts) -> Question:
    """The question that is meant; without an id the only one. Raises Refused, also for an answer that comes late."""
    waiting, wanted = facts.approvals.waiting(), str(command.args.get("id") or "")
    if not wanted:
        if len(waiting) != 1:
            ids = ", ".join(question.key for question in waiting)
            raise Refused(f"Say which: {ids} wait for an answer." if waiting else "Nothing waits for an answer.")
        return waiting[0]
    question = facts.approvals.get(wanted)
    if question is None:
        raise Refused(f"No call {wanted!r} was asked about; `longwatch events` shows what waits.")
    if question.answer is not None:
        raise Refused(f"{wanted} was {question.answer.answer} already, by {question.who} ({question.answer.place}).")
    if question not in waiting:
        raise Refused(f"{wanted} is gone: its call was left behind by a rewind or a stop.")
    if command.head is not None and not facts.branches.visible(command.head):
        raise Refused(f"This was meant for #{command.head}, but the session is on another branch now.")
    return question


def _place(command: Command) -> str:
    """By what way the answer came, and from whose terminal."""
    return f"{'screen' if command.viewer else 'send'}, {command.origin or 'unknown'}"


def _reason(command: Command) -> str:
    reason = command.args.get("reason", "")
    if not isinstance(reason, str) or len(reason) > LONGEST_REASON:
        raise Refused(f"The reason is a text of at most {LONGEST_REASON:,} characters.")
    return reason.strip()


APPROVAL_VERBS = (
    Verb("approve", ("id", "always", "keep"), "let a call run that was asked about", _approve, grants=lambda *_: True),
    Verb("deny", ("id", "reason"), "refuse a call that was asked about; the agent is told the reason", _deny),
)


def parse_approval_words(verb: str, words: list[str]) -> dict[str, Any] | None:
    """Arguments of approve and deny from words of the command line; None for other verbs. Raises Refused."""
    if verb not in ("approve", "deny"):
        return None
    flags = {"--always": "always", "--keep": "keep"} if verb == "approve" else {}
    args: dict[str, Any] = {}
    if words and not words[0].startswith("--"):
        args["id"], words = words[0], words[1:]
    while words:
        if words[0] == "--reason":
            args["reason"] = " ".join(words[1:])
            break
        if words[0] not in flags:
            more = ", --always or --keep" if flags else ""
            raise Refused(f"{verb} takes the id of a call, then --reason TEXT{more}; {words[0]!r} is none of these.")
        args[flags[words[0]]] = True
        words = words[1:]
    return args
