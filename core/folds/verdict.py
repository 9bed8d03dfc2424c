"""How a session stands, in one honest sentence, and what of it waits for the user. Pure, from a few facts of the folds.

Silence is not success and a spinner is not work: `verified` needs a check that passed after the last change of a file,
`working` needs calls of which something comes.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Literal, NamedTuple

from msgspec import Struct

from core.clock import MICROSECONDS
from core.folds.checks import Proof
from core.folds.progress import Streak
from core.folds.standing import Status
from core.folds.words import one_line

Standing = Literal["verified", "finished", "working", "stuck", "waiting", "stopped"]

VAIN_CALLS = 5
"""Calls in a row of which nothing came that make a session stuck; fewer are how one finds out."""
QUIET_US = 600 * MICROSECONDS
"""A silence of this length is worth a word."""
MOST_DECISIONS = 5
_DETAIL = 160
RESUME = "resume"
"""The answer that is no control of a running session but a command of its own."""


class Situation(Struct, frozen=True):
    """What the verdict rests on, as of event `seq` and at time `now_us`. `since`, `since_us`: the status' own event.

    `running`: whether anybody runs the session; `busy`: the call that is under way; `pings_usd`: spent on keeping the
    cache warm since then. `refused`: (seq, verb, reason) of commands; `gave_up`: where automatic compression was
    switched off, 0 if it is on; `crossed`: (seq, per cent) of the budget.
    """

    seq: int
    now_us: int
    last_us: int
    status: Status
    since: int
    since_us: int
    running: bool
    proof: Proof
    vain: Streak
    retries: Streak
    busy: str
    pings_usd: Decimal
    refused: tuple[tuple[int, str, str], ...] = ()
    gave_up: int = 0
    crossed: tuple[int, int] | None = None

    @property
    def ended(self) -> bool:
        return self.status.state in ("finished", "stopped", "failed")

    @property
    def cut_off(self) -> bool:
        """Whether it would go on if anybody ran it."""
        return not self.running and self.status.state in ("running", "waiting")


class Verdict(Struct, frozen=True):
    """`text` is one or two plain sentences; event `seq` at `since_us` is what began it.

    While it waits for the user: `idle_s` seconds of waiting so far, and `pings_usd` that keeping the cache warm cost.
    """

    standing: Standing
    text: str
    seq: int
    since_us: int
    idle_s: float = 0.0
    pings_usd: Decimal = Decimal(0)


class Ask(NamedTuple):
    """A decision that only the user can make. `verb` answers it: a control, or `resume`."""

    seq: int
    text: str
    verb: str


def verdict(situation: Situation) -> Verdict:
    """How the session stands."""
    if situation.status.state == "finished":
        return _finished(situation)
    if situation.status.state == "stopped" and situation.status.reason == "operator":
        return Verdict("stopped", "Stopped by you.", situation.since, situation.since_us)
    if situation.status.reason == IMPORTED:
        return _imported(situation)
    if situation.cut_off or situation.ended or situation.status.state == "paused":
        return _waiting(situation)
    return _stuck(situation) or _working(situation)


def _imported(situation: Situation) -> Verdict:
    """It ended elsewhere: nobody is waited for."""
    text = f"Imported; it was {situation.status.state} there: {one_line(situation.status.detail, _DETAIL)}."
    return Verdict("stopped", text, situation.since, situation.since_us)


def _finished(situation: Situation) -> Verdict:
    proof = situation.proof
    if not proof.seq and not proof.changed:
        text = "Finished. No file was changed and no check has run."
        return Verdict("finished", text, situation.since, situation.since_us)
    if proof.passed:
        after = " after the last change of a file" if proof.changed else ""
        return Verdict(
            "verified", f"Done and verified: `{proof.command}` passed{after}.", situation.since, situation.since_us
        )
    why = f"`{proof.command}` fails" if proof.seq else _outdated(proof)
    return Verdict("finished", f"Finished, not verified: {why}.", situation.since, situation.since_us)


def _outdated(proof: Proof) -> str:
    """Why a session without a check since the last change is not proven."""
    if not proof.outdated:
        return "no check has run since the last change of a file"
    more = f" and {proof.files - 1:,} more" if proof.files > 1 else ""
    return f"{proof.file or 'something'}{more} changed after `{proof.outdated}` had passed"


def _waiting(situation: Situation) -> Verdict:
    """It waits since it stopped, or since the last sign of life of what was cut off."""
    since_us = situation.last_us if situation.cut_off else situation.since_us
    idle_us, pings_usd = max(0, situation.now_us - since_us), Decimal(0) if situation.cut_off else situation.pings_usd
    pings = f" Keeping the cache warm cost ${pings_usd:.4f} meanwhile." if pings_usd else ""
    since = f" for {lasted(idle_us)}" if idle_us >= MICROSECONDS else ""
    text = f"Waiting for you{since}: {reason_of(situation)}.{pings}"
    seq = situation.seq if situation.cut_off else situation.since
    return Verdict("waiting", text, seq, since_us, idle_us / MICROSECONDS, pings_usd)


def _stuck(situation: Situation) -> Verdict | None:
    retries, vain = situation.retries, situation.vain
    if retries.times:
        error, for_us = retries.error.replace("_", " "), lasted(situation.now_us - retries.since_us)
        text = f"Stuck for {for_us}: the model does not answer ({error}), attempt {retries.times + 1} is next."
        return Verdict("stuck", text, retries.seq, retries.since_us)
    if vain.times >= VAIN_CALLS:
        long = lasted(situation.now_us - vain.since_us)
        text = f"Stuck for {long}: the last {vain.times} calls failed or repeated what is known, and no file changed."
        return Verdict("stuck", text, vain.seq, vain.since_us)
    return None


def _working(situation: Situation) -> Verdict:
    quiet_us = situation.now_us - situation.last_us
    busy = f": {situation.busy}" if situation.busy else ""
    quiet = f" Nothing was heard of it for {lasted(quiet_us)}." if quiet_us >= QUIET_US else ""
    return Verdict("working", f"Working{busy}.{quiet}", situation.since, situation.since_us)


_REASONS = {
    "operator": "you paused it",
    "rewound": "it stands where you rewound it to",
    "budget": "the budget does not allow the next request",
    "turn_limit": "the limit of turns is reached",
    "refusal": "the model declined to answer",
    "context": "the context does not fit the model's window",
    "disk": "the disk refuses to be written",
    "auth": "the provider does not accept the key",
    "billing": "the provider wants to be paid",
    "config": "the model can't be reached as configured",
    "history": "the provider refuses the conversation as it stands",
    "request": "the provider refuses the request",
    "forked": "it was forked and has not begun yet",
    "malformed": "the provider's answers make no sense",
    "outage": "the provider did not answer for too long",
    "guard": "a guard stopped it",
    "scheduled": "you wanted it to pause then",
}

IMPORTED = "imported"
"""The reason of an end that was in another tool."""
_ALIKE = 3
"""First words that tell two sentences to be one."""
_GO_ON = "Let it go on?"
_ANSWERS = {
    "budget": ("budget", "Raise the budget?"),
    "turn_limit": ("stop", "Stop it here, to resume it with more turns?"),
    "refusal": ("guide", "Tell it what to do instead?"),
    "context": ("compress", "Compress the context?"),
    "config": ("model", "Choose another model?"),
    "history": ("rewind", "Rewind to a state that the provider takes?"),
    "request": ("model", "Choose another model?"),
    "malformed": ("model", "Choose another model?"),
    "guard": ("guard-ok", "Is that fine?"),
}
"""What answers a pause by its reason, and the question; all others are answered by going on.

The reason itself is the verdict's to say, so no decision repeats it.
"""


def answer_of(reason: str) -> str:
    """The control that answers a pause for this reason."""
    return _ANSWERS.get(reason, ("continue", _GO_ON))[0]


def reason_of(situation: Situation) -> str:
    """Why it stands still, as half a sentence."""
    if situation.cut_off:
        return "it was cut off at work and nobody runs it"
    status = situation.status
    said = _REASONS.get(status.reason, status.reason.replace("_", " "))
    detail = one_line(status.detail, _DETAIL).rstrip(".")
    if _same_start(detail, said):
        return detail[0].lower() + detail[1:]
    return f"{said} ({detail})" if detail else said


def _same_start(detail: str, said: str) -> bool:
    """Whether the detail says the reason itself, in its own words."""
    mine, others = (text.lower().split()[:_ALIKE] for text in (detail, said))
    return len(mine) == _ALIKE and mine == others


def asks(situation: Situation) -> list[Ask]:
    """The decisions that wait for the user, the most pressing first, at most `MOST_DECISIONS`."""
    return list(_asks(situation))[:MOST_DECISIONS]


def _asks(situation: Situation) -> Iterator[Ask]:
    status = situation.status
    if status.reason == IMPORTED:
        return
    if situation.cut_off or status.state == "failed" or (status.state == "stopped" and status.reason != "operator"):
        yield Ask(
            situation.seq if situation.cut_off else situation.since,
            _GO_ON,
            RESUME,
        )
    elif status.state == "paused":
        verb, question = _ANSWERS.get(status.reason, ("continue", _GO_ON))
        yield Ask(situation.since, question, verb)
    elif status.state == "finished" and (situation.proof.changed or situation.proof.seq) and not situation.proof.passed:
        yield Ask(situation.since, "Have it checked?", "guide")
    if situation.crossed and not situation.ended and status.reason != "budget":
        yield Ask(situation.crossed[0], f"{situation.crossed[1]}% of the budget is spent. Raise it?", "budget")
    if situation.gave_up and not situation.ended:
        text = "Automatic compression switched itself off, for it freed too little. Choose another policy?"
        yield Ask(situation.gave_up, text, "policy")
    for seq, verb, reason in situation.refused:
        yield Ask(seq, f"Your {one_line(verb, 20)} was refused: {one_line(reason, _DETAIL)}", verb)


def lasted(us: int) -> str:
    """A duration of at most two units: `40 s`, `12 min`, `2 h 14 min`, `3 d 4 h`."""
    seconds = max(0, us) // MICROSECONDS
    for big, small, length, unit in (("d", "h", 86_400, 3_600), ("h", "min", 3_600, 60)):
        if seconds >= length:
            rest = seconds % length // unit
            return f"{seconds // length} {big}" + (f" {rest} {small}" if rest else "")
    return f"{seconds // 60} min" if seconds >= 60 else f"{seconds} s"
