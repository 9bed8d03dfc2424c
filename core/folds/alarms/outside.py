"""What happened around the session while it went on, or could not: the machine slept, a screen was lost."""

from __future__ import annotations

from core.clock import MICROSECONDS, of_day
from core.folds.alarms.alarm import SINCE, Alarm, Moment
from core.folds.alarms.cold import dear_call, dear_miss
from core.folds.alarms.words import LONGEST
from core.folds.verdict import lasted
from core.folds.words import one_line

WORTH_US = 60 * MICROSECONDS
"""A line that is back sooner is worth no word."""


def asleep(moment: Moment) -> Alarm | None:
    """The machine slept: for how long, until when, and what that does to the cache."""
    slept = moment.view.mishaps.sleep.at(moment.at)
    if not moment.fresh(slept.seq):
        return None
    long, woke, price = lasted(slept.us), of_day(slept.at_us), _price(moment, slept.seq)
    cause = f"The machine slept for {long} and woke at {woke}: nothing of the session went on, and nothing is lost."
    shortest = " ".join(long.split()[:2])
    forms = (f"slept {long}, woke at {woke}", f"slept {long}", f"slept {shortest}")
    words = tuple(dict.fromkeys((*(f"{form}; {price}" for form in forms[:2] if price), *forms)))
    cold = f" Its cache is cold since: {price}, and a compression now costs nothing extra." if price else ""
    return Alarm("asleep", words, cause + cold, slept.seq, (SINCE, "compress", "pause"), past=True)


def _price(moment: Moment, seq: int) -> str:
    """What the cache that was lost over it has cost, or will cost."""
    if (miss := dear_miss(moment, after=seq)) is not None:
        return f"${miss.usd:,.2f} more for a cold cache"
    forecast = dear_call(moment)
    return f"next call ${forecast.cold:,.2f}" if forecast is not None else ""


def unseen(moment: Moment) -> Alarm | None:
    """A screen was lost, and somebody looks again."""
    lost = moment.view.mishaps.unseen.at(moment.at)
    if not lost.by or not moment.fresh(lost.seq) or lost.at_us - lost.lost_us < WORTH_US:
        return None
    when, long = of_day(lost.lost_us), lasted(lost.at_us - lost.lost_us)
    who, by = one_line(lost.who, LONGEST), one_line(lost.by, LONGEST)
    cause = (
        f"The screen of {who} was lost at {when}: its terminal or its line broke, or it was killed. Nobody looked for"
        f" {long}, until {by} came. The agent went on."
    )
    words = (f"screen lost at {when}, unseen for {long}", f"screen lost at {when}", "screen lost")
    return Alarm("unseen", words, cause, lost.lost, (SINCE,), past=True)
