"""What to do next: a pure function of the state. Acting is elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from core.agent import decisions as do
from core.folds.allowances import Taken
from core.folds.asking import PendingCall
from core.folds.docket import Question
from core.folds.guards.watch import CHANTING, Due
from core.folds.state import RunState
from core.models.errors import ErrorClass, ModelError
from core.models.retry import CompressThen, GiveUp, RetryPolicy, WaitFor, decide_retry


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
    runs_on: bool = False
    """Whether a command of an earlier runner still runs, whose end is to be waited for."""
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
AT_ONCE = frozenset({"stop", "hand-over"})
"""Commands that wait for no command that an earlier runner has left running."""


def decide(state: RunState, now: Circumstances) -> do.Decision:
    """The next step. The same state and circumstances always give the same decision."""
    for order in state.orders.values():
        waits = (state.pending and order.verb in AT_BOUNDARY) or (now.runs_on and order.verb not in AT_ONCE)
        if not waits:
            return do.Obey(order)
    if state.finished is not None:
        return do.Resume() if state.queued and state.reopened else do.End()
    if state.paused:
        running = tuple(call for call in state.pending.values() if call.started) if now.runs_on else ()
        return do.RunTools(running) if running else do.Hold()  # What runs is waited for, and can be cut.
    if state.pending:
        calls = _next_calls(state, now.concurrent)
        if now.scheduled and not now.runs_on and any(call.started for call in calls):
            return do.Pause("scheduled", now.scheduled)  # It was laid down for this.
        return do.RunTools(calls) if calls else _unanswered(state, now)
    if state.queued:
        return do.Deliver(tuple(state.queued))
    if state.answered:
        return _after_answer(state, now)
    if now.scheduled:
        return do.Pause("scheduled", now.scheduled)
    if now.check_in:
        return do.CheckIn(now.check_in)
    if now.home_up:
        return do.GoElsewhere("", f"{state.home.model if state.home else 'it'} answers again")
    return (
        _limits(state, now)
        or _allowed(now)
        or _guarded(state, now)
        or _judged(state, now)
        or _after_failure(state, now)
        or _room(now)
        or _carrying(state, now)
        or do.Send()
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


def _unanswered(state: RunState, now: Circumstances) -> do.Decision:
    """A question of the agent may have a time at which its default applies; else somebody is waited for."""
    timed = [(call.question.until_us, call) for call in state.questions if call.question and call.question.until_us]
    if timed:
        until_us, first = min(timed, key=lambda pair: pair[0])
        return do.AnswerByDefault(first) if now.now_us >= until_us else do.AwaitAnswer(until_us)
    if now.answer_by_us is not None and now.now_us >= now.answer_by_us:
        return do.Pause("approval", "nobody answered what it asked; the question stays open")
    return do.AwaitAnswer(now.answer_by_us)


def _after_answer(state: RunState, now: Circumstances) -> do.Decision:
    match state.stop_reason:
        case "max_tokens":
            return do.Remind("Your reply was cut at its token limit. Go on where it stopped, in smaller parts.")
        case "pause_turn":
            return do.Remind("Go on.")
        case "refusal":
            return do.Pause("refusal", "The model declined to answer; send guidance, or rewind.")
        case _ if now.open_points and now.rounds_left > 0:
            return do.Insist(now.open_points)
        case _ if now.contested and now.rounds_left > 0:
            return do.Insist((now.contested,))
        case _ if now.question is not None and now.rounds_left > 0:
            return do.Judge(now.question)
        case _:
            contested = (now.contested,) if now.contested else ()
            left = "; ".join((*now.open_points, *contested, *([now.unverified] if now.unverified else [])))
            return do.Finish("finished", "done", f"open: {left}" if left else "")


def _limits(state: RunState, now: Circumstances) -> do.Decision | None:
    if now.called_off:
        return do.Pause("budget", now.called_off)
    if now.max_turns is not None and state.turns >= now.max_turns:
        return do.Pause("turn_limit", f"{state.turns} turns, the limit of this run")
    if now.budget is not None and now.spent >= now.budget:
        return do.Pause("budget", f"${now.spent:.2f} of ${now.budget:.2f} are spent")
    if now.budget is not None and now.next_usd is not None and now.spent + now.next_usd > now.budget:
        left = now.budget - now.spent
        return do.Pause(
            "budget", f"the next request costs about ${now.next_usd:.4f}, of the budget ${left:.4f} is left"
        )
    return None


WIND_DOWN_AT = 95
"""Per cent of a limit from which on the agent is to come to an end."""


def _allowed(now: Circumstances) -> do.Decision | None:
    """Limits beside the money: time, dollars a day and a step; and a word to the agent before any of them ends."""
    for taken in now.allowances:
        if taken.name != "usd" and taken.used >= taken.limit:
            return do.Pause("budget", f"{taken.words()} are used up")
    near = (taken for taken in now.allowances if taken.percent >= WIND_DOWN_AT and taken.key not in now.told)
    return next(map(do.WindDown, near), None)


def _guarded(state: RunState, now: Circumstances) -> do.Decision | None:
    """Between the attempts of one request there is nothing new to say, but of a reply that was cut."""
    failure = state.failure
    if now.signal is None or (failure is not None and failure.error != CHANTING):
        return None
    return do.Raise(now.signal)


def _judged(state: RunState, now: Circumstances) -> do.Decision | None:
    return do.Judge(now.question) if now.question is not None and state.failure is None else None


LOST = frozenset({"auth", "billing", "config", "outage"})
"""Ends of trying for which the model is to blame, or its server, and not the request."""


def _after_failure(state: RunState, now: Circumstances) -> do.Decision | None:
    failure = state.failure
    if failure is None or failure.error not in set(ErrorClass):
        return None
    if failure.until_us is not None:
        # Where the clock was set back behind the beginning of the wait, its end may be hours away.
        return do.Wait(failure.until_us) if failure.since_us <= now.now_us < failure.until_us else None
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
        return do.GoElsewhere(now.routes[0], f"{state.model} does not answer: {failure.message.rstrip('.')}")
    match verdict:
        case WaitFor(delay_s):
            return do.Announce(delay_s)
        case CompressThen():
            refused = error.error_class is ErrorClass.BAD_HISTORY
            if not now.can_compress:
                return do.Pause("history" if refused else "context", failure.message)
            return do.Compress(f"the provider refused the {'history' if refused else 'prompt as too long'}")
        case GiveUp("auth"):
            return do.Pause("auth", f"{failure.message} {_new_key(state)}")
        case GiveUp(reason):
            return do.Pause(reason, failure.message)


def _new_key(state: RunState) -> str:
    variable = state.opened.api_key_env if state.opened else None
    return f"Give another key: `longwatch key {variable}`." if variable else "The server asks for a key."


def _room(now: Circumstances) -> do.Decision | None:
    if now.room is None or now.prompt_tokens <= now.room:
        return None
    if not now.can_compress:
        return do.Pause("context", "The context window is full and compressing frees too little.")
    return do.Compress("the window is nearly full")


def _carrying(state: RunState, now: Circumstances) -> do.Decision | None:
    """What keeps the context small and the objective in sight; not between the attempts of one request."""
    if state.failure is not None:
        return None
    if now.doubled:
        return do.CompressAgain("The context has doubled since automatic compression was switched off: it is on again.")
    if now.due is not None and now.can_compress:
        if now.spiralling:
            return do.GiveUpCompressing("The last compressions freed too little, so automatic compression is off.")
        return do.Consult() if now.consult else do.Compress(now.due, now.policy)
    return do.Anchor() if now.anchor else None
