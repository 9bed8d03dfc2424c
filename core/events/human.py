"""Bodies of what the agent asks its user, and of what they say."""

from __future__ import annotations

from core.events.envelope import Body, kind


@kind("human.asked")
class HumanAsked(Body, frozen=True):
    """Keyed by call. `options` are answers to choose from, others are welcome too; `default` is what applies when
    nobody answers until `until_us` (None: it waits)."""

    question: str
    options: list[str] = []
    default: str | None = None
    until_us: int | None = None


@kind("human.answered")
class HumanAnswered(Body, frozen=True):
    """Keyed by call. `by_default`: nobody answered in time; `place`: by what way the answer came."""

    text: str
    by_default: bool = False
    place: str = ""


@kind("pause.scheduled")
class PauseScheduled(Body, frozen=True):
    """Keyed by command id: the session pauses at the next safe point once it is `at_us`, `usd` are spent in all, or
    step `step` of the plan is over; whichever is given. `unless_heard`: not when its user sends anything before.
    """

    words: str
    at_us: int | None = None
    usd: float | None = None
    step: str | None = None
    unless_heard: bool = False


@kind("checkin.set")
class CheckInsSet(Body, frozen=True):
    """From here on the session tells its user what was done, every so many minutes or dollars, whichever comes first;
    without either no more. `pause`: it then stands until somebody lets it go on, else it only calls."""

    minutes: float | None = None
    usd: float | None = None
    pause: bool = False


@kind("checkin.made")
class CheckInMade(Body, frozen=True):
    """Keyed `i<n>`. What was done since event `since`, in words."""

    text: str
    since: int = 0


@kind("pause.unscheduled")
class PauseUnscheduled(Body, frozen=True):
    """All pauses that were scheduled are off."""
