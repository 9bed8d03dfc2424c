"""What a command means: a pure judgement, accepted with the events that follow at once, or refused with a sentence."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any, get_args

from core.agent.answer_verbs import ANSWER, parse_answer_words
from core.agent.approval_verbs import APPROVAL_VERBS, parse_approval_words
from core.agent.attention_verbs import CHECK_IN, PAUSE_AT
from core.agent.branch_verbs import BRANCH_VERBS, parse_branch_words
from core.agent.constraint_verbs import CONSTRAINT_VERBS
from core.agent.facts import Facts
from core.agent.guard_verbs import GUARD_OK, GUARD_RIGHT
from core.agent.memory_verbs import MEMORY_VERBS, parse_memory_words
from core.agent.plan_verbs import PLAN, parse_plan_words
from core.agent.reverting import REVERT, parse_revert_words
from core.agent.trust import UNTRUSTED
from core.agent.verb import ENDED, Refused, Verb, text_of
from core.agent.wheel import DRIVE, steers
from core.config import Policy
from core.events import (
    AfterReboot,
    AllowanceChanged,
    BookmarkAdded,
    BudgetChanged,
    CommandAccepted,
    CommandDone,
    CommandRefused,
    ContextPolicy,
    Draft,
    GuidanceQueued,
    GuidanceRetracted,
    ItemPinned,
    ItemUnpinned,
    ModelSwitched,
    SessionRenamed,
)
from core.folds.allowances import FORMS, NAMES, read_allowance
from core.journal.inbox import Command

LONGEST_GUIDANCE = 100_000
"""Characters; more belongs into a file."""
LONGEST_DIGEST = 200_000
POLICIES = get_args(Policy)
REWIND_FLAGS = frozenset({"--conversation-only", "--files-only", "--overwrite"})
"""Words behind `rewind`; the last one restores also what was changed by hand."""
NOBODY_TO_INTERRUPT = (
    "Nobody runs this session, so nothing can be interrupted; longwatch resume takes up what still runs."
)
TAKEN_BACK = "taken back before it had any effect"

__all__ = ["LONGEST_GUIDANCE", "POLICIES", "VERBS", "Refused", "Verb", "judged", "parse_words"]


def judged(
    command: Command, facts: Facts, under_way: str | None = None, *, trusted: bool, occupied: bool = True
) -> list[Draft]:
    """The drafts to append for a command: `command.accepted` and what follows at once, or `command.refused`.

    `under_way` is the order whose effect is coming right now: too late to take it back. `trusted`: it can't come from
    the agent itself. `occupied`: somebody runs the session.
    """
    actor = command.actor or "user"
    try:
        verb = VERBS.get(command.verb)
        if verb is None:
            raise Refused(f"There is no control named {command.verb!r}; `longwatch send --help` lists them.")
        consequences = [*steers(command, facts), *verb.judge(command, facts)]
        if command.verb == "interrupt" and not occupied:
            raise Refused(NOBODY_TO_INTERRUPT)
        if not trusted and verb.grants(command, facts):
            raise Refused(UNTRUSTED)
        if any(isinstance(draft.body, CommandDone) and draft.key == under_way for draft in consequences):
            raise Refused("It is being carried out already; undo it afterwards where that is possible.")
    except Refused as refusal:
        refused = CommandRefused(verb=command.verb, reason=str(refusal), args=command.args, origin=command.origin)
        return [Draft(refused, key=command.id, actor=actor)]
    accepted = CommandAccepted(verb=command.verb, args=command.args, origin=command.origin)
    return [Draft(accepted, key=command.id, actor=actor), *consequences]


def _pause(command: Command, facts: Facts) -> list[Draft]:
    state = facts.state
    if state.halts:
        how = "is paused already" if state.paused else "pauses already, at the next safe point"
        raise Refused(f"The session {how}.")
    return _while_open(command, facts)


def _continue(command: Command, facts: Facts) -> list[Draft]:
    ended = facts.state.finished
    if ended is not None and ended.state == "finished":
        raise Refused("The task is finished; send guidance to go on.")
    if not facts.state.halts and ended is None:
        raise Refused("The session is not paused.")
    return []


def _guide(command: Command, facts: Facts) -> list[Draft]:
    body = GuidanceQueued(text=text_of(command, LONGEST_GUIDANCE), standing=bool(command.args.get("standing")))
    return [Draft(body, key=command.id, actor=command.actor)]


def _retract(command: Command, facts: Facts) -> list[Draft]:
    wanted = str(command.args.get("id", ""))
    found = [id for id in facts.state.queued if wanted and id.startswith(wanted)]
    if len(found) != 1:
        raise Refused(f"No guidance that is still queued has the id {wanted!r}.")
    return [Draft(GuidanceRetracted(), key=found[0], actor=command.actor)]


def _while_open(command: Command, facts: Facts) -> list[Draft]:
    if facts.state.finished is not None:
        raise Refused(ENDED)
    return []


def _compress(command: Command, facts: Facts) -> list[Draft]:
    if not any(piece.role == "assistant" for piece in facts.projection.pieces):
        raise Refused("There is nothing to compress yet: the model has not replied.")
    digest, keep_from = command.args.get("digest"), command.args.get("keep_from")
    if digest is not None and (not isinstance(digest, str) or len(digest) > LONGEST_DIGEST):
        raise Refused(f"An edited digest is a text of at most {LONGEST_DIGEST:,} characters.")
    if keep_from is not None and (not isinstance(keep_from, int) or isinstance(keep_from, bool)):
        raise Refused("keep_from is the number of the first event that stays word for word.")
    if not isinstance(command.args.get("instruction", ""), str):
        raise Refused("The instruction is a sentence, as in: keep everything on auth.")
    _not_stale(command, facts)
    return []


def _pin(command: Command, facts: Facts) -> list[Draft]:
    seq = _item(command)
    if seq not in facts.projection.history:
        raise Refused(f"#{seq} is nothing that was said or done on this branch, so it can't be pinned.")
    return [Draft(ItemPinned(seq=seq), actor=command.actor)]


def _unpin(command: Command, facts: Facts) -> list[Draft]:
    seq = _item(command)
    if seq not in facts.ledger.pinned():
        raise Refused(f"#{seq} is not pinned.")
    return [Draft(ItemUnpinned(seq=seq), actor=command.actor)]


def _evict(command: Command, facts: Facts) -> list[Draft]:
    seq = _item(command)
    sent = facts.projection.sent.tail
    if seq in facts.ledger.pinned():
        raise Refused(f"#{seq} is pinned; unpin it first.")
    if not any(seq in piece.owners and seq not in piece.stubbed for piece in sent):
        raise Refused(f"#{seq} is not a tool result that the model still sees; only those can be evicted.")
    return []


def _item(command: Command) -> int:
    seq = command.args.get("seq")
    if not isinstance(seq, int) or isinstance(seq, bool):
        raise Refused(f"{command.verb} needs the number of an event, as `longwatch events` prints it.")
    return seq


def _policy(command: Command, facts: Facts) -> list[Draft]:
    policy = command.args.get("policy")
    if policy not in POLICIES:
        raise Refused(f"There is no context policy {policy!r}. There are: {', '.join(POLICIES)}.")
    return [Draft(ContextPolicy(policy=str(policy), reason="chosen by the user"), actor=command.actor)]


def _undo(command: Command, facts: Facts) -> list[Draft]:
    steps = facts.reversibles.all()
    wanted = command.args.get("seq")
    if not steps:
        raise Refused("There is nothing to undo: no compression and no rewind.")
    if wanted is not None and wanted not in {step.seq for step in steps}:
        raise Refused(f"#{wanted} is no compression or rewind that could be undone.")
    _not_stale(command, facts)
    return []


def _rewind(command: Command, facts: Facts) -> list[Draft]:
    to = command.args.get("to")
    if not isinstance(to, int) or isinstance(to, bool):
        raise Refused("rewind needs the number of the event to go back to.")
    if not facts.branches.visible(to) or to > facts.state.last_seq:
        raise Refused(f"#{to} is not on the current branch; `switch` leads to another one.")
    if not command.args.get("conversation", True) and not command.args.get("files", True):
        raise Refused("Rewind the conversation, the files, or both.")
    if not isinstance(command.args.get("overwrite", False), bool):
        raise Refused("overwrite is true or false: whether files that were changed by hand are restored, too.")
    _not_stale(command, facts)
    return []


def _cancel(command: Command, facts: Facts) -> list[Draft]:
    wanted = str(command.args.get("id", ""))
    found = [order for order in facts.state.orders.values() if order.id.startswith(wanted) or order.verb == wanted]
    if not wanted or len(found) != 1:
        raise Refused(f"No command {wanted!r} waits for its effect, or more than one does; give the id of one.")
    done = CommandDone(verb=found[0].verb, ok=False, detail=TAKEN_BACK)
    return [Draft(done, key=found[0].id, actor=command.actor)]


def _not_stale(command: Command, facts: Facts) -> None:
    if command.head is not None and not facts.branches.visible(command.head):
        raise Refused(f"This was meant for #{command.head}, but the session is on another branch now.")


def _budget(command: Command, facts: Facts) -> list[Draft]:
    if (name := command.args.get("limit")) is not None:
        value = command.args.get("value")
        if name not in NAMES or not (value is None or (isinstance(value, int | float) and 0 < value < 1e9)):
            raise Refused(FORMS)
        return [Draft(AllowanceChanged(name=name, value=value), actor=command.actor)]
    usd = command.args.get("usd", "")
    if usd in (None, "none"):
        return [Draft(BudgetChanged(usd=None), actor=command.actor)]
    try:
        amount = Decimal(str(usd))
    except InvalidOperation:
        raise Refused("Say the budget as an amount in dollars, or `none` for no limit.") from None
    if not amount.is_finite() or amount <= 0:
        raise Refused("A budget is an amount above zero, in dollars.")
    return [Draft(BudgetChanged(usd=str(amount)), actor=command.actor)]


def _raises_budget(command: Command, facts: Facts) -> bool:
    if (name := command.args.get("limit")) is not None:
        before, value = facts.allowances.limits[name].last, command.args.get("value")
        return before is not None and (value is None or value > before)
    usd = command.args.get("usd", "")
    return facts.budget is not None and (usd in (None, "none") or Decimal(str(usd)) > facts.budget)


def _model(command: Command, facts: Facts) -> list[Draft]:
    model = command.args.get("model")
    if not isinstance(model, str) or not model.strip():
        raise Refused("Name the model to go on with.")
    return [Draft(ModelSwitched(model=model.strip()), actor=command.actor)]


def _bookmark(command: Command, facts: Facts) -> list[Draft]:
    return [Draft(BookmarkAdded(text=text_of(command, 1000)), key=command.id, actor=command.actor)]


def _rename(command: Command, facts: Facts) -> list[Draft]:
    return [Draft(SessionRenamed(name=text_of(command, 200)), actor=command.actor)]


def _after_reboot(command: Command, facts: Facts) -> list[Draft]:
    mark = command.args.get("mark")
    if mark not in ("on", "off"):
        raise Refused("Say after-reboot on, or after-reboot off.")
    return [Draft(AfterReboot(resume=mark == "on"), actor=command.actor)]


def _retry(command: Command, facts: Facts) -> list[Draft]:
    if facts.state.failure is None:
        raise Refused("No request is waiting to be tried again.")
    return []


VERBS: dict[str, Verb] = {
    verb.name: verb
    for verb in (
        Verb("pause", (), "stop before the next action", _pause),
        Verb("continue", (), "go on", _continue),
        Verb("interrupt", (), "cut the reply in flight, or kill the running command", _while_open),
        Verb("guide", ("text", "standing", "now"), "say something to the agent, --now by cutting what runs", _guide),
        Verb("retract", ("id",), "take back guidance that is still queued", _retract),
        Verb("compress", ("instruction", "digest", "keep_from"), "compress the context now", _compress),
        Verb("policy", ("policy",), f"compress by another policy: {', '.join(POLICIES)}", _policy),
        Verb("pin", ("seq",), "keep what an event said word for word in every later request", _pin),
        Verb("unpin", ("seq",), "let a pinned item go with the next compression", _unpin),
        Verb("evict", ("seq", "now"), "drop a tool result with the next compression, or with --now", _evict),
        *APPROVAL_VERBS,
        ANSWER,
        *MEMORY_VERBS,
        GUARD_OK,
        GUARD_RIGHT,
        *CONSTRAINT_VERBS,
        PLAN,
        PAUSE_AT,
        CHECK_IN,
        CHECK_IN,
        Verb("cancel", ("id",), "take back a command whose effect has not come yet, by its id or verb", _cancel),
        Verb("undo", ("seq",), "take back the last compression or rewind", _undo),
        Verb("rewind", ("to", "files", "conversation", "overwrite"), "go back to an event, files included", _rewind),
        *BRANCH_VERBS,
        REVERT,
        Verb("budget", ("usd", "limit", "value"), "limit dollars, time, turns, a day, a step", _budget, _raises_budget),
        Verb("model", ("model",), "go on with another model", _model),
        Verb("retry-now", (), "do not wait for the next attempt", _retry),
        Verb("bookmark", ("text",), "mark this moment", _bookmark),
        Verb("rename", ("text",), "give the session a name", _rename),
        Verb("after-reboot", ("mark",), "`on`: resume it after a reboot of the machine; `off`: do not", _after_reboot),
        DRIVE,
        Verb("hand-over", (), "let this version of Longwatch go on with a session that another one runs", _while_open),
        Verb("detach", (), "close the driver's screen; the agent goes on", _while_open),
        Verb("stop", (), "end the session", _while_open),
    )
}
"""The one registry of controls: the inbox, `send` and the screen all use it."""


def parse_words(verb: str, words: list[str]) -> dict[str, Any]:
    """Arguments of a control from words of the command line. Raises Refused with a sentence."""
    known = VERBS.get(verb)
    if known is None:
        raise Refused(f"There is no control named {verb!r}. There are: {', '.join(VERBS)}.")
    if not known.args and words:
        raise Refused(f"{verb} takes no argument.")
    if (args := _words_of_others(verb, words)) is not None:
        return args
    match verb:
        case "guide":
            text = " ".join(word for word in words if word not in ("--standing", "--now"))
            now = {"now": True} if "--now" in words else {}
            return {"text": text, "standing": "--standing" in words, **now}
        case "bookmark" | "rename" | "constraint":
            return {"text": " ".join(words)}
        case "rewind":
            flags = {word for word in words if word.startswith("--")}
            if unknown := flags - REWIND_FLAGS:
                known_ones = ", ".join(sorted(REWIND_FLAGS))
                raise Refused(f"rewind has no {min(unknown)}; it knows {known_ones}.")
            overwrite = {"overwrite": True} if "--overwrite" in flags else {}
            return {
                "to": _seq(verb, [word for word in words if word not in flags]),
                "files": "--conversation-only" not in flags,
                "conversation": "--files-only" not in flags,
                **overwrite,
            }
        case "compress":
            return {"instruction": " ".join(words)} if words else {}
        case "evict":
            seq = _seq(verb, [word for word in words if word != "--now"])
            return {"seq": seq, "now": True} if "--now" in words else {"seq": seq}
        case "pin" | "unpin":
            return {"seq": _seq(verb, words)}
        case "undo":
            return {"seq": _seq(verb, words)} if words else {}
        case _:
            return {known.args[0]: _only(verb, words)} if words else {}


def _words_of_others(verb: str, words: list[str]) -> dict[str, Any] | None:
    """Arguments of a control that is defined elsewhere, where it reads its words itself."""
    if verb in _OWN_WORDS:
        return _OWN_WORDS[verb](words)
    args = parse_memory_words(verb, words)
    return parse_approval_words(verb, words) if args is None else args


def _budget_words(words: list[str]) -> dict[str, Any]:
    try:
        name, value = read_allowance(" ".join(words))
    except ValueError as fault:
        raise Refused(str(fault)) from None
    if name == "usd":
        return {"usd": None if value is None else " ".join(words).replace("$", "").strip()}
    return {"limit": name, "value": value}


_OWN_WORDS: dict[str, Callable[[list[str]], dict[str, Any]]] = {
    "answer": parse_answer_words,
    "budget": _budget_words,
    "plan": parse_plan_words,
    "revert": parse_revert_words,
    **{verb.name: partial(parse_branch_words, verb.name) for verb in BRANCH_VERBS},
    "pause-at": lambda words: {"when": " ".join(words)},
    "check-in": lambda words: {"every": " ".join(words)},
}
"""Controls that read their words themselves."""


def _only(verb: str, words: list[str]) -> str:
    if len(words) > 1:
        raise Refused(f"{verb} takes one argument.")
    return words[0]


def _seq(verb: str, words: list[str]) -> int:
    try:
        return int(_only(verb, words).lstrip("#"))
    except (IndexError, ValueError):
        raise Refused(f"{verb} needs the number of an event, as `longwatch events` prints it.") from None
