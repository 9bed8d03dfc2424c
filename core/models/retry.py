"""Whether a failed request is sent again, and when: a pure decision from the class of the error.

Patient where time heals (hours, if the policy says so), quick where a retry costs nothing, and never where the same
request would fail the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from core.config import RetryPolicy
from core.models.errors import ErrorClass

Reason = Literal["auth", "billing", "config", "context", "history", "request", "malformed", "outage"]


class Failure(Protocol):
    """What a decision looks at: a `ModelError`, or the same facts read back from the journal."""

    error_class: ErrorClass
    retry_after_s: float | None


@dataclass(frozen=True, slots=True)
class WaitFor:
    """Send the same request again after `delay_s` seconds of journal time."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class CompressThen:
    """Compress the context, then send the new request at once."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Pause or end: `auth`, `billing` and `config` need the user, `outage` has lasted longer than the policy allows."""

    reason: Reason


Decision = WaitFor | CompressThen | GiveUp

_FINAL: dict[ErrorClass, Reason] = {
    ErrorClass.AUTH: "auth",
    ErrorClass.BILLING: "billing",
    ErrorClass.NOT_FOUND: "config",
    ErrorClass.BAD_REQUEST: "request",
}
_QUICK = (ErrorClass.NETWORK, ErrorClass.STREAM_CUT)
UNPROVEN_ATTEMPTS = 3
"""Attempts at a server that was never reached: its address is more likely wrong than its network down."""


def decide_retry(
    error: Failure,
    attempt: int,
    waited_s: float,
    policy: RetryPolicy,
    jitter: Callable[[], float],
    *,
    compressions: int = 0,
    proven: bool = True,
) -> Decision:
    """What to do after attempt number `attempt` (from 1) of a request failed.

    `waited_s`: seconds since its first attempt. `jitter` gives numbers in [0, 1). `compressions`: how many have been
    made for its sake. `proven`: this endpoint has answered before in this session.
    """
    error_class = error.error_class
    if error_class in _FINAL:
        return GiveUp(_FINAL[error_class])
    if error_class is ErrorClass.CONTEXT_TOO_LONG:
        return CompressThen() if compressions < policy.compressions else GiveUp("context")
    if error_class is ErrorClass.BAD_HISTORY:
        return CompressThen() if compressions == 0 else GiveUp("history")
    if error_class is ErrorClass.MALFORMED and attempt >= policy.malformed_attempts:
        return GiveUp("malformed")
    if error_class is ErrorClass.ELSEWHERE and not proven:
        return GiveUp("config")
    if error_class is ErrorClass.NETWORK and not proven and attempt >= UNPROVEN_ATTEMPTS:
        return GiveUp("config")
    delay = _delay(error, attempt, policy, jitter, policy.outage_s - waited_s)
    return WaitFor(delay) if waited_s + delay <= policy.outage_s else GiveUp("outage")


def _delay(error: Failure, attempt: int, policy: RetryPolicy, jitter: Callable[[], float], left_s: float) -> float:
    """Doubling waits up to a cap, then the long ones, half of each left to chance; never less than the server asked.

    What it asks beyond all patience (`left_s`) is a mistake as likely as not, as of milliseconds or a date for
    seconds: that is no reason to give up before patience ends, so it is tried again as if nothing had been asked.
    """
    asked = error.retry_after_s or 0.0
    asked = asked if asked <= left_s else 0.0
    if attempt == 1 and error.error_class in _QUICK:
        return asked
    if attempt >= policy.patient_after:
        step = policy.patient_delay_s
    else:
        step = min(policy.longest_delay_s, policy.first_delay_s * 2.0 ** min(attempt - 1, 60))
    return max(asked, step * (0.5 + jitter() / 2))
