"""Finding what is wrong: each sort of alarm is a function of its own, which finds at most one. Pure.

The words come in several lengths, for they have to stand in a status line of 80 cells beside the state.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from core.clock import MICROSECONDS
from core.folds.alarms.alarm import CHANGES, Alarm, Look, Moment
from core.folds.alarms.cold import cold
from core.folds.alarms.outside import asleep, unseen
from core.folds.alarms.words import GUARDS, LONGEST, RUNGS, STOPS, TROUBLES
from core.folds.guards.log import Signal
from core.folds.verdict import QUIET_US, RESUME, answer_of, lasted
from core.folds.view import SessionView
from core.folds.words import call_line, one_line

NEARLY_FULL = 0.2
"""Share of the window that is left beside the room of a reply when the context counts as nearly full."""
ASKING = ("approval", "question")
GONE = "its runner is gone"
"""What is said of one of which nobody knows how it ended."""
_CLAUSE = 24


def alarms(view: SessionView, at: int | None = None, look: Look | None = None) -> list[Alarm]:
    """What is wrong as of event `at` (None: now), the most pressing first. `look` belongs to now alone."""
    if not view.last_seq:
        return []
    moment = Moment(view, at, look if at is None else None)
    found = [alarm for find in KINDS.values() if (alarm := find(moment)) is not None]
    return [alarm for alarm in found if not (alarm.past and (moment.ended or moment.answered(alarm)))]


def _trouble(moment: Moment) -> Alarm | None:
    """What keeps the runner in this process from working."""
    look = moment.look
    if look is None or not look.trouble:
        return None
    cause = f"{_sentence(look.trouble)} It tries again by itself, and nothing is lost."
    clause = one_line(re.split(r"[.;,(]", look.trouble)[0], LONGEST).strip()
    words = (one_line(look.trouble, 120), clause if len(clause) <= _CLAUSE else "can't be recorded", "can't record")
    return Alarm("trouble", words, cause, stated=True)


def _gone(moment: Moment) -> Alarm | None:
    look = moment.look
    if look is None or not look.gone:
        return None
    guess = " Its process was killed, or the machine ran out of memory, or was started anew."
    cause = (
        f"{_sentence(look.gone)}{guess if look.gone.startswith(GONE) else ''} Nothing is lost: what was running is"
        " settled first when it goes on."
    )
    words = (GONE, "no runner")
    return Alarm("gone", words, cause, moment.seq, (RESUME,), stated=True)


def _disk(moment: Moment) -> Alarm | None:
    look = moment.look
    if look is None or look.free is None or look.free >= look.low:
        return None
    left = _bytes(look.free)
    cause = (
        f"{left} are free on the disk of this session. When nothing can be written any more it pauses by itself, loses"
        " nothing, and goes on once there is room. To make room, look with df which disk it is."
    )
    return Alarm("disk", (f"disk nearly full: {left} left", "disk nearly full", "disk is low"), cause, 0, ("pause",))


def _stopped(moment: Moment) -> Alarm | None:
    """It stands still, and neither its user nor a guard wanted that."""
    state = moment.view.state.status
    status = state.at(moment.at)
    if status.state not in ("paused", "stopped", "failed") or status.reason not in STOPS:
        return None
    words = STOPS[status.reason]
    cause = _sentence(status.detail or words[0])
    helps = (RESUME,) if status.state != "paused" else tuple(dict.fromkeys((answer_of(status.reason), "continue")))
    return Alarm("stopped", words, cause, state.since(moment.at), helps, stated=True)


def _outage(moment: Moment) -> Alarm | None:
    """A request that has failed and is tried again and again."""
    state, retries = moment.view.state, moment.view.progress.retries.at(moment.at)
    status = state.status.at(moment.at)
    if not retries.times or status.state not in ("running", "waiting"):
        return None
    short, what = TROUBLES.get(retries.error, ("provider down", "the provider fails"))
    left_s = max(0, (status.until_us or 0) - moment.now_us) // MICROSECONDS
    again = f"again in {left_s:,} s" if left_s else "trying again"
    said = _sentence(state.failure.message) if moment.at is None and state.failure else _sentence(what)
    for_us = lasted(moment.now_us - retries.since_us)
    cause = f"{said} Tried for {for_us}, attempt {retries.times + 1} is next. It goes on trying by itself, for hours."
    words = (f"{short}, {again}", f"{short}, {left_s:,} s" if left_s else short, short)
    return Alarm("outage", words, cause, retries.seq, ("retry-now", "model", "pause"), stated=status.state == "waiting")


def _asks(moment: Moment) -> Alarm | None:
    """It waits for an answer, which stands in its state where nothing else goes on meanwhile."""
    need = next((need for need in moment.view.needs.at(moment.at) if need.kind in ASKING), None)
    if need is None:
        return None
    cause = f"{_sentence(need.text)} It has waited for {lasted(moment.now_us - need.at_us)}."
    stated = moment.view.state.status.at(moment.at).reason in ASKING
    helps = ("answer" if need.kind == "question" else "approve", "guide")
    return Alarm("asks", ("asks you",), cause, need.seq, helps, stated=stated)


def _silent(moment: Moment) -> Alarm | None:
    """Neither work nor an end: a command that may hang, a model that says nothing, a runner without an event."""
    look, state = moment.look, moment.view.state
    if look is None or look.gone or not moment.running:
        return None
    if look.still:
        cause = f"{_sentence(look.still)} What you say to it waits. If it stays so, end it, and resume the session."
        return Alarm("silent", ("its process gives no sign of life", "process hung", "hung"), cause, moment.seq)
    if look.may_hang:
        return _hanging(moment, look.pulse)
    if state.open_attempt:
        quiet_us = look.now_us - max(look.token_us or 0, state.requested_us)
        return _silent_model(moment, quiet_us, begun=bool(look.token_us)) if quiet_us >= look.silent_us else None
    quiet = lasted(quiet_us := look.now_us - moment.view.timeline.at_us(moment.seq))
    if quiet_us < QUIET_US or look.pulse:
        return None
    cause = f"Nothing has happened for {quiet}, though its runner lives."
    return Alarm("silent", (f"silent for {quiet}", "silent"), cause, moment.seq, ("interrupt", "stop"))


def _hanging(moment: Moment, pulse: str) -> Alarm:
    call = moment.view.tool_calls.commanding()
    line = f" The command: {one_line(call_line(call.name, call.arguments), LONGEST)}" if call else ""
    cause = f"It neither puts out nor computes anything: it may wait for input, a network or a lock.{line}"
    words = (pulse, "command may hang", "may hang")
    return Alarm("silent", words, cause, call.seq if call else 0, ("interrupt", "guide"))


def _silent_model(moment: Moment, quiet_us: int, *, begun: bool) -> Alarm:
    quiet = lasted(quiet_us)
    what = "nothing more of the reply has come" if begun else "nothing of the reply has come yet"
    cause = (
        f"For {quiet} {what}. A long prompt on a busy server takes its time; a connection that is dead is cut, and the"
        " request tried again, by itself (stall_s of the profile says when)."
    )
    words = (f"the model is silent for {quiet}", f"model silent {quiet}", "model silent")
    return Alarm("silent", words, cause, moment.seq, ("interrupt", "model"))


def _handwork(moment: Moment) -> Alarm | None:
    mishap, paths = moment.view.mishaps.handwork.at(moment.at)
    if not moment.fresh(mishap.seq):
        return None
    others = f" and {len(paths) - 1:,} more" if len(paths) > 1 else ""
    cause = (
        f"{one_line(mishap.what, LONGEST)}{others} changed on the disk between two calls: by hand, or by what a"
        " command left running. The agent knows it as it was, and must read it again before it may change it."
    )
    words = (f"changed by hand: {one_line(mishap.what, 40)}{others}", "file changed by hand", "hand-edited")
    return Alarm("handwork", words, cause, mishap.seq, (CHANGES, "guide", "pause"), past=True)


def _guard(moment: Moment) -> Alarm | None:
    """What a guard saw last, until it is answered, over, or long ago."""
    signal = moment.view.guards.latest(moment.at)
    if signal is None or not _stands(signal, moment):
        return None
    raised, paused = signal.raised, signal.raised.rung == "pause"
    forms = GUARDS.get(raised.guard, (one_line(raised.guard, 20), "guard raised"))
    words = tuple(form.format(times=raised.times) for form in forms)
    helps = ("guard-ok", "guide", "rewind") if paused else ("guide", "guard-ok", "interrupt")
    cause = f"{_sentence(raised.text)} {RUNGS[raised.rung]}"
    return Alarm("guard", words, cause, signal.seq, helps, stated=paused, past=not paused)


def _stands(signal: Signal, moment: Moment) -> bool:
    status = moment.view.state.status.at(moment.at)
    held = status.state in ("paused", "stopped") and status.reason == "guard"
    if signal.fine(moment.at) or (signal.raised.rung == "pause" and not held):
        return False
    over = signal.worked and signal.judged is not None and signal.judged <= moment.seq
    return held or (moment.fresh(signal.seq) and not over)


def _window(moment: Moment) -> Alarm | None:
    usage = moment.view.context.usage.at(moment.at)
    if not usage.window or usage.free is None or usage.free > NEARLY_FULL * usage.window:
        return None
    cause = (
        f"{usage.total:,} of {usage.window:,} tokens are taken, {usage.reserve:,} are kept for the reply,"
        f" {usage.free:,} are left. Before they are used up it is compressed by itself, whatever its policy."
    )
    words = (f"context nearly full: {usage.free:,} left", "context nearly full", "ctx near full")
    return Alarm("window", words, cause, moment.seq, ("compress", "policy", "model"))


def _policy(moment: Moment) -> Alarm | None:
    need = next((need for need in moment.view.needs.at(moment.at) if need.kind == "policy"), None)
    if need is None:
        return None
    words = ("automatic compression is off", "compression off", "no compacting")
    return Alarm("policy", words, _sentence(need.text), need.seq, ("policy", "compress"), past=True)


def _digest(moment: Moment) -> Alarm | None:
    mishap = moment.view.mishaps.digest.at(moment.at)
    if not moment.fresh(mishap.seq):
        return None
    cause = (
        f"The paragraph that a model wrote for the digest was not taken: {_sentence(mishap.what)} The digest is made of"
        " the log alone, so nothing false stands in the context."
    )
    words = (f"digest refused: {one_line(mishap.what, 60)}", "digest refused", "bad digest")
    return Alarm("digest", words, cause, mishap.seq, ("compress", "undo", "policy"), past=True)


def _stand_in(moment: Moment) -> Alarm | None:
    """Another model works than the one that was chosen; it has a place of its own in the status line."""
    state = moment.view.state
    name, since = state.stand_in.at(moment.at), state.stand_in.since(moment.at)
    if not name:
        return None
    own = f", {state.home.model}," if state.home is not None and moment.at is None else ""
    cause = _sentence(
        f"The session's own model{own} does not answer; {name} has worked in its place for"
        f" {lasted(moment.now_us - moment.view.timeline.at_us(since))}. Now and then its own is asked whether it"
        " answers again, and then it works on, unless the configuration forbids that"
    )
    words = ("another model steps in", "stand-in")
    return Alarm("stand-in", words, cause, since, ("model", "pause"), apart=True)


KINDS: dict[str, Callable[[Moment], Alarm | None]] = {
    "trouble": _trouble,
    "gone": _gone,
    "disk": _disk,
    "stopped": _stopped,
    "outage": _outage,
    "asks": _asks,
    "silent": _silent,
    "handwork": _handwork,
    "guard": _guard,
    "window": _window,
    "digest": _digest,
    "policy": _policy,
    "asleep": asleep,
    "cold": cold,
    "unseen": unseen,
    "stand-in": _stand_in,
}
"""How each is found, the most pressing first."""


def _sentence(text: str) -> str:
    """On one line, with a capital letter and a full stop."""
    text = one_line(text, LONGEST).rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."


def _bytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 999_500_000 else f"{count / 1e6:.0f} MB"
