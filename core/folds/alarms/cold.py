"""The cache that was lost and paid for anew, or has expired while the session stands, and soon will be."""

from __future__ import annotations

from decimal import Decimal

from core.folds.alarms.alarm import Alarm, Moment
from core.folds.alarms.words import LONGEST
from core.folds.cache import UNEXPLAINED, Miss
from core.folds.rent import NextCall
from core.folds.words import one_line

SPIKE_USD = Decimal("0.05")
"""What a lost cache must cost, or be about to cost, to be told."""


def cold(moment: Moment) -> Alarm | None:
    """A call that was dear for its lost cache; else one that soon will be."""
    miss = dear_miss(moment, after=0)
    if miss is None or not moment.fresh(miss.seq):
        return _expired(moment)
    said = "nobody can tell from here why" if miss.cause == UNEXPLAINED else miss.cause
    why = one_line(f"{said} ({miss.detail})" if miss.detail else said, LONGEST)
    usd = f"${miss.usd:,.2f}"
    cause = (
        f"The provider's cache did not have what it had before: {why}. {miss.tokens:,} tokens were written anew, which"
        f" cost {usd} more than reading them."
    )
    words = (f"cold cache: {usd} more for one call", f"cold cache {usd}", "cold cache")
    return Alarm("cold", words, cause, miss.seq, ("compress", "budget", "policy"), past=True)


def dear_miss(moment: Moment, after: int) -> Miss | None:
    """The last lost prefix since event `after`, where that was not planned and is worth a word."""
    miss = moment.view.cache.last_miss(moment.at)
    dear = miss is not None and not miss.planned and (miss.usd or 0) >= SPIKE_USD
    return miss if miss is not None and dear and miss.seq > after else None


def dear_call(moment: Moment) -> NextCall | None:
    """What the next call costs, where its cache has expired and that is worth a word."""
    forecast, lifetime = moment.view.rent.next_call.at(moment.at), moment.view.cache.lifetime.at(moment.at)
    if forecast.premium is None or lifetime.left_s(moment.now_us) != 0 or forecast.premium < SPIKE_USD:
        return None
    return forecast


def _expired(moment: Moment) -> Alarm | None:
    if moment.look is None or moment.running or moment.view.state.finished is not None:
        return None
    if (forecast := dear_call(moment)) is None:
        return None
    cause = (
        f"The cache has expired while it stands. The next call writes it anew, for ${forecast.cold:,.2f}, that is"
        f" ${forecast.premium:,.2f} more than with a warm one. A compression costs nothing extra now, and makes it"
        " cheaper."
    )
    words = (f"cold cache: next call ${forecast.cold:,.2f}", f"cold cache ${forecast.cold:,.2f}", "cold cache")
    return Alarm("cold", words, cause, moment.seq, ("compress", "continue", "budget"))
