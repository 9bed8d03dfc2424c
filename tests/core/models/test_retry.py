from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.config import RetryPolicy
from core.models.errors import ErrorClass, ModelError
from core.models.retry import CompressThen, Decision, GiveUp, WaitFor, decide_retry

POLICY = RetryPolicy()


def decide(
    error_class: ErrorClass,
    attempt: int = 1,
    waited_s: float = 0.0,
    retry_after_s: float | None = None,
    jitter: Callable[[], float] = lambda: 0.5,
    compressions: int = 0,
    proven: bool = True,
) -> Decision:
    error = ModelError(error_class, "x", retry_after_s=retry_after_s)
    return decide_retry(error, attempt, waited_s, POLICY, jitter, compressions=compressions, proven=proven)


@pytest.mark.parametrize(
    ("error_class", "reason"),
    [
        (ErrorClass.AUTH, "auth"),
        (ErrorClass.BILLING, "billing"),
        (ErrorClass.NOT_FOUND, "config"),
        (ErrorClass.BAD_REQUEST, "request"),
    ],
)
def test_what_would_fail_the_same_way_is_given_up_at_once(error_class: ErrorClass, reason: str) -> None:
    decision = decide(error_class)
    assert isinstance(decision, GiveUp)
    assert decision.reason == reason


def test_a_page_in_place_of_a_server_that_answered_before_is_waited_out_and_else_means_a_wrong_address() -> None:
    assert decide(ErrorClass.ELSEWHERE, proven=False) == GiveUp("config")
    assert decide(ErrorClass.ELSEWHERE, attempt=3) == WaitFor(6.0)


@pytest.mark.parametrize("error_class", [ErrorClass.NETWORK, ErrorClass.STREAM_CUT])
def test_the_first_retry_of_a_broken_connection_is_immediate(error_class: ErrorClass) -> None:
    assert decide(error_class) == WaitFor(0.0)
    assert decide(error_class, attempt=2) == WaitFor(3.0)


def test_waits_double_up_to_a_cap_and_become_long_in_a_long_outage() -> None:
    delays = [decide(ErrorClass.OVERLOADED, attempt, jitter=lambda: 1.0) for attempt in range(1, 13)]
    assert delays == [WaitFor(s) for s in (2, 4, 8, 16, 32, 60, 60, 60, 60, 300, 300, 300)]


def test_the_servers_wish_is_respected() -> None:
    assert decide(ErrorClass.RATE_LIMITED, retry_after_s=900) == WaitFor(900)
    assert decide(ErrorClass.RATE_LIMITED, attempt=6, retry_after_s=1) == WaitFor(45.0)


def test_an_outage_is_borne_for_hours_and_not_for_ever() -> None:
    assert decide(ErrorClass.SERVER, attempt=70, waited_s=6 * 3600 - 400) == WaitFor(225.0)
    assert decide(ErrorClass.SERVER, attempt=80, waited_s=6 * 3600 - 100) == GiveUp("outage")


def test_a_wish_beyond_all_patience_does_not_end_it() -> None:
    assert decide(ErrorClass.RATE_LIMITED, attempt=12, retry_after_s=7 * 3600) == WaitFor(225.0)
    assert decide(ErrorClass.RATE_LIMITED, attempt=20, waited_s=5 * 3600, retry_after_s=2 * 3600) == WaitFor(225.0)
    assert decide(ErrorClass.RATE_LIMITED, attempt=80, waited_s=6 * 3600 - 100, retry_after_s=1e300) == GiveUp("outage")


def test_a_request_that_is_too_long_is_compressed_a_few_times() -> None:
    made = [decide(ErrorClass.CONTEXT_TOO_LONG, compressions=count) for count in range(4)]
    assert made == [CompressThen()] * 3 + [GiveUp("context")]


def test_a_refused_history_is_repaired_once() -> None:
    assert decide(ErrorClass.BAD_HISTORY) == CompressThen()
    assert decide(ErrorClass.BAD_HISTORY, compressions=1) == GiveUp("history")


def test_unreadable_replies_are_borne_a_few_times() -> None:
    assert isinstance(decide(ErrorClass.MALFORMED, attempt=3), WaitFor)
    assert decide(ErrorClass.MALFORMED, attempt=4) == GiveUp("malformed")


def test_a_server_that_was_never_reached_is_soon_taken_for_a_wrong_address() -> None:
    assert isinstance(decide(ErrorClass.NETWORK, attempt=2, proven=False), WaitFor)
    assert decide(ErrorClass.NETWORK, attempt=3, proven=False) == GiveUp("config")
    assert isinstance(decide(ErrorClass.SERVER, attempt=3, proven=False), WaitFor)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(list(ErrorClass)),
    st.integers(1, 10_000),
    st.floats(0, 1e6),
    st.none() | st.floats(0, 1e9),
    st.floats(0, 1, exclude_max=True),
)
def test_no_wait_is_shorter_than_can_be_borne_or_leads_beyond_the_outage(
    error_class: ErrorClass, attempt: int, waited_s: float, retry_after_s: float | None, chance: float
) -> None:
    decision = decide(error_class, attempt, waited_s, retry_after_s, lambda: chance)
    if isinstance(decision, WaitFor):
        asked = retry_after_s or 0.0
        assert asked <= decision.delay_s or waited_s + asked > POLICY.outage_s
        assert waited_s + decision.delay_s <= POLICY.outage_s
