"""What to do next: a pure function of the state. Acting is elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from core.folds.allowances import Taken
from core.folds.asking import PendingCall
from core.folds.docket import Question
from core.folds.guards.watch import CHANTING, Due
from core.folds.standing import Order
from core.folds.state import RunState
from core.models.errors import ErrorClass, ModelError
from core.models.retry import CompressThen, GiveUp, RetryPolicy, WaitFor, decide_retry


@dataclass(frozen=True, slots=True)
class Obey:
    """An accepted command whose safe point has come."""

    order: Order


@dataclass(frozen=True, slots=True)
class Hold:
    """Stand still until a command comes."""


@dataclass(frozen=True, slots=True)
class RunTools:
    """Run these calls, all at once when there are several."""

    calls: tuple[PendingCall, ...]


@dataclass(frozen=True, slots=True)
class AwaitAnswer:
    """The next call waits for the user's answer: until that time, or (None) for as long as it takes."""

    until_us: int | None


@dataclass(frozen=True, slots=True)
class AnswerByDefault:
    """Nobody answered this question in time: what the agent said it would then do applies."""

    call: PendingCall


@dataclass(frozen=True, slots=True)
class Deliver:
    """Put the queued guidance into the context."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Remind:
    """Tell the model why its turn goes on."""

    text: str


@dataclass(frozen=True, slots=True)
class Compress:
    """Shorten the context, by a policy that is due or (`policy` None) to make room."""

    reason: str
    policy: str | None = None


@dataclass(frozen=True, slots=True)
class Consult:
    """Let a model write a paragraph for the compression that is due."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """Repeat the objective, the constraints and the current step at the end."""


@dataclass(frozen=True, slots=True)
class GiveUpCompressing:
    """Automatic compressions free too little: switch them off and say so."""

    detail: str


@dataclass(frozen=True, slots=True)
class CompressAgain:
    """The context has grown so much since compressions were switched off that they may help again."""

    detail: str


@dataclass(frozen=True, slots=True)
class Judge:
    """What the log can't decide: ask models."""

    question: Question


@dataclass(frozen=True, slots=True)
class CheckIn:
    """It is time to tell the user what was done."""

    text: str


@dataclass(frozen=True, slots=True)
class Insist:
    """It says that it is done, and the log says that these points are open."""

    points: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WindDown:
    """A limit is nearly reached: have the agent come to an end in good order."""

    taken: Taken


@dataclass(frozen=True, slots=True)
class Raise:
    """A guard's signal is due: write it down, and say or do what belongs to its rung."""

    due: Due


@dataclass(frozen=True, slots=True)
class Announce:
    """Write down that the failed attempt will be tried again after this many seconds."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class GoElsewhere:
    """Another model steps in, by that route of the configuration; the empty one leads back to the user's own."""

    route: str
    why: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait for the next attempt, until that time or a command."""

    until_us: int


@dataclass(frozen=True, slots=True)
class Send:
    """The model is to speak."""


@dataclass(frozen=True, slots=True)
class Pause:
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Finish:
    state: Literal["finished", "stopped", "failed"]
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Resume:
    """Guidance came after the end: the session goes on."""


@dataclass(frozen=True, slots=True)
class End:
    """Nothing is left to do."""


Decision = (
    Obey
    | Hold
    | RunTools
    | AwaitAnswer
    | AnswerByDefault
    | Deliver
    | Remind
    | Compress
    | Consult
    | Anchor
    | GiveUpCompressing
    | CompressAgain
    | Raise
    | WindDown
    | Insist
    | CheckIn
    | Judge
    | Announce
    | GoElsewhere
    | Wait
    | Send
    | Pause
    | Finish
    | Resume
    | End
)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the decision needs beside the state. `concurrent`: names of tools that may run side by side."""

    now_us: int
    spent: Decimal
    budget: Decimal | None
    max_turns: int | None
    prompt_tokens: int
    room: int | None
    """Tokens that a prompt may have before it must be compressed; None when the window is unknown."""
    retry: RetryPolicy
    concurrent: frozenset[str]
    jitter: float = 0.5
    routes: tuple[str, ...] = ()
    """Ways to other models that were not tried since the last reply."""
    elsewhere_after_s: float = 0.0
    """Seconds of waiting for one model after which another one is tried."""
    home_up: bool = False
    """Whether the model that the user chose answers again."""
    answer_by_us: int | None = None
    """When a question that nobody answers ends the wait; None: never."""
    can_compress: bool = True
    policy: str = "off"
    due: str | None = None
    """Why the context policy wants a compression now."""
    consult: bool = False
    """Whether that compression is to have a model's paragraph that nobody has written yet."""
    spiralling: bool = False
    doubled: bool = False
    """Whether the prompt is twice as long as when the guard switched compressions off."""
    anchor: bool = False
    called_off: str = ""
    """Why the session that it works for wants it to end."""
    scheduled: str = ""
    """Why the user wants a pause now, which they asked for before."""
    check_in: str = ""
    """What there is to tell the user, where it is time to."""
    question: Question | None = None
    """What there is to ask models about the course, where there are some to ask."""
    contested: str = ""
    """Why a claim that all is done is none, by those models."""
    open_points: tuple[str, ...] = ()
    """What a claim that all is done leaves open, by the log."""
    unverified: str = ""
    """What of the end nobody has seen work."""
    rounds_left: int = 0
    """How often it may still be told of open points."""
    allowances: tuple[Taken, ...] = ()
    """Limits beside the budget, with what was taken of each; and the budget itself."""
    told: frozenset[str] = frozenset()
    """The limits of whose end the agent was told."""
    signal: Due | None = None
    """What a guard has to say before the next request."""
    next_usd: Decimal | None = None
    """About what the next request costs; None where prices are unknown."""


AT_BOUNDARY = frozenset({"compress", "evict", "undo", "revert"})
"""Commands that wait until no call of a reply is open."""


def decide(state: RunState, now: Circumstances) -> Decision:
    """The next step. The same state and circumstances always give the same decision."""
    for order in state.orders.values():
        if not (state.pending and order.verb in AT_BOUNDARY):
            return Obey(order)
    if state.finished is not None:
        return Resume() if state.queued and state.reopened else End()
    if state.paused:
        return Hold()
    if state.pending:
        calls = _next_calls(state, now.concurrent)
        if now.scheduled and any(call.started for call in calls):
            return Pause("scheduled", now.scheduled)  # It was laid down for this.
        return RunTools(calls) if calls else _unanswered(state, now)
    if state.queued:
        return Deliver(tuple(state.queued))
    if state.answered:
        return _after_answer(state, now)
    if now.scheduled:
        return Pause("scheduled", now.scheduled)
    if now.check_in:
        return CheckIn(now.check_in)
    if now.home_up:
        return GoElsewhere("", f"{state.home.model if state.home else 'it'} answers again")
    return (
        _limits(state, now)
        or _allowed(now)
        or _guarded(state, now)
        or _judged(state, now)
        or _after_failure(state, now)
        or _room(now)
        or _carrying(state, now)
        or Send()
    )


def _next_calls(state: RunState, concurrent: frozenset[str]) -> tuple[PendingCall, ...]:
    """The next call in order, with the reads that follow it when it is one itself; none while it waits for an answer.

    Reads may go on past a read that waits: nothing that they see depends on it.
    """
    calls: list[PendingCall] = []
    passed = False
    for call in state.pending.values():
        alone = call.name not in concurrent
        if alone and (calls or passed or call.waits):
            break
        passed |= call.waits
        if not call.waits:
            calls.append(call)
        if alone:
            break
    return tuple(calls)


def _unanswered(state: RunState, now: Circumstances) -> Decision:
    """A question of the agent may have a time at which its default applies; else somebody is waited for."""
    timed = [(call.question.until_us, call) for call in state.questions if call.question and call.question.until_us]
    if timed:
        until_us, first = min(timed, key=lambda pair: pair[0])
        return AnswerByDefault(first) if now.now_us >= until_us else AwaitAnswer(until_us)
    if now.answer_by_us is not None and now.now_us >= now.answer_by_us:
        return Pause("approval", "nobody answered what it asked; the question stays open")
    return AwaitAnswer(now.answer_by_us)


def _after_answer(state: RunState, now: Circumstances) -> Decision:
    match state.stop_reason:
        case "max_tokens":
            return Remind("Your reply was cut at its token limit. Go on where it stopped, in smaller parts.")
        case "pause_turn":
            return Remind("Go on.")
        case "refusal":
            return Pause("refusal", "The model declined to answer; send guidance, or rewind.")
        case _ if now.open_points and now.rounds_left > 0:
            return Insist(now.open_points)
        case _ if now.contested and now.rounds_left > 0:
            return Insist((now.contested,))
        case _ if now.question is not None and now.rounds_left > 0:
            return Judge(now.question)
        case _:
            contested = (now.contested,) if now.contested else ()
            left = "; ".join((*now.open_points, *contested, *([now.unverified] if now.unverified else [])))
            return Finish("finished", "done", f"open: {left}" if left else "")


def _limits(state: RunState, now: Circumstances) -> Decision | None:
    if now.called_off:
        return Pause("budget", now.called_off)
    if now.max_turns is not None and state.turns >= now.max_turns:
        return Pause("turn_limit", f"{state.turns} turns, the limit of this run")
    if now.budget is not None and now.spent >= now.budget:
        return Pause("budget", f"${now.spent:.2f} of ${now.budget:.2f} are spent")
    if now.budget is not None and now.next_usd is not None and now.spent + now.next_usd > now.budget:
        left = now.budget - now.spent
        return Pause("budget", f"the next request costs about ${now.next_usd:.4f}, of the budget ${left:.4f} is left")
    return None


WIND_DOWN_AT = 95
"""Per cent of a limit from which on the agent is to come to an end."""


def _allowed(now: Circumstances) -> Decision | None:
    """Limits beside the money: time, dollars a day and a step; and a word to the agent before any of them ends."""
    for taken in now.allowances:
        if taken.name != "usd" and taken.used >= taken.limit:
            return Pause("budget", f"{taken.words()} are used up")
    near = (taken for taken in now.allowances if taken.percent >= WIND_DOWN_AT and taken.key not in now.told)
    return next(map(WindDown, near), None)


def _guarded(state: RunState, now: Circumstances) -> Decision | None:
    """Between the attempts of one request there is nothing new to say, but of a reply that was cut."""
    failure = state.failure
    if now.signal is None or (failure is not None and failure.error != CHANTING):
        return None
    return Raise(now.signal)


def _judged(state: RunState, now: Circumstances) -> Decision | None:
    return Judge(now.question) if now.question is not None and state.failure is None else None


LOST = frozenset({"auth", "billing", "config", "outage"})
"""Ends of trying for which the model is to blame, or its server, and not the request."""


def _after_failure(state: RunState, now: Circumstances) -> Decision | None:
    failure = state.failure
    if failure is None or failure.error not in set(ErrorClass):
        return None
    if failure.until_us is not None:
        return None if now.now_us >= failure.until_us else Wait(failure.until_us)
    error = ModelError(ErrorClass(failure.error), failure.message, retry_after_s=failure.retry_after_s)
    verdict = decide_retry(
        error,
        failure.attempt,
        failure.waited_s,
        now.retry,
        lambda: now.jitter,
        compressions=failure.compressions,
        proven=state.turns > 0,
    )
    lost = verdict.reason in LOST if isinstance(verdict, GiveUp) else False
    tired = isinstance(verdict, WaitFor) and failure.waited_s + verdict.delay_s > now.elsewhere_after_s
    if now.routes and (lost or tired):
        return GoElsewhere(now.routes[0], f"{state.model} does not answer: {failure.message.rstrip('.')}")
    match verdict:
        case WaitFor(delay_s):
            return Announce(delay_s)
        case CompressThen():
            refused = error.error_class is ErrorClass.BAD_HISTORY
            if not now.can_compress:
                return Pause("history" if refused else "context", failure.message)
            return Compress(f"the provider refused the {'history' if refused else 'prompt as too long'}")
        case GiveUp("auth"):
            return Pause("auth", f"{failure.message} {_new_key(state)}")
        case GiveUp(reason):
            return Pause(reason, failure.message)


def _new_key(state: RunState) -> str:
    variable = state.opened.api_key_env if state.opened else None
    return f"Give another key: `longwatch key {variable}`." if variable else "The server asks for a key."


def _room(now: Circumstances) -> Decision | None:
    if now.room is None or now.prompt_tokens <= now.room:
        return None
    if not now.can_compress:
        return Pause("context", "The context window is full and compressing frees too little.")
    return Compress("the window is nearly full")


def _carrying(state: RunState, now: Circumstances) -> Decision | None:
    """What keeps the context small and the objective in sight; not between the attempts of one request."""
    if state.failure is not None:
        return None
    if now.doubled:
        return CompressAgain("The context has doubled since automatic compression was switched off: it is on again.")
    if now.due is not None and now.can_compress:
        if now.spiralling:
            return GiveUpCompressing("The last compressions freed too little, so automatic compression is off.")
        return Consult() if now.consult else Compress(now.due, now.policy)
    return Anchor() if now.anchor else None
