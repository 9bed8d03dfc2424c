"""Whatever comes from outside is taken or refused with a sentence: configuration, imports, streams, tool arguments."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))
from malformed import Targets, folder, good_export

from core.events import Event, GuidanceDelivered, ModelRequested, ModelResponded, Unknown, decode_body
from core.folds.view import SessionView

KINDS = ["config", "import", "stream", "arguments"]


@pytest.fixture(scope="module")
def targets():
    import asyncio

    with folder() as name:
        yield Targets(Path(name), asyncio.run(good_export(Path(name))))


def replied(**changes):
    """The stored body of a reply."""
    row = {"input": "2", "output": "10", "cache_read": "0.1", "cache_write": "2.5"}
    body = {"message_id": "m", "model": "m", "content": [], "stop_reason": "end_turn"}
    usage, price = {"fresh": 9, "cache_read": 7, "output": 5}, {"cost": "0.01", "source": "list", "row": row}
    return json.dumps({**body, "usage": usage | changes.get("usage", {}), "price": price | changes.get("price", {})})


@pytest.mark.parametrize("cost", ["0", "-0.25", "1E-7", "123456789012345.678901"])
def test_money_in_a_log_is_read_in_every_form_that_is_written(cost: str) -> None:
    body = decode_body("model.responded", replied(price={"cost": cost, "row": {"input": cost}}))
    assert isinstance(body, ModelResponded) and body.price.cost == cost


@pytest.mark.parametrize(
    "changes",
    [
        *({"usage": {"output": count}} for count in (-1, 2**32, 2**62, 2**70)),
        *({"price": {"cost": cost}} for cost in ("", "much", "NaN", "Infinity", "1e999999", "9" * 16, "\u0663", "1\n")),
        {"price": {"row": {"input": "NaN"}}},
    ],
)
def test_a_log_of_anybodys_with_absurd_money_or_tokens_is_shown_without_that_event(changes: dict) -> None:
    body = decode_body("model.responded", replied(**changes))
    assert isinstance(body, Unknown)
    view = SessionView()
    view.apply(
        Event(seq=1, parent=None, node=None, kind="model.responded", key="r1.1", at_us=1, actor="model", body=body)
    )
    assert view.last_seq == 1


@pytest.mark.parametrize("key", [None, "", "r1", "r1-1.1", "r1.x", "r1.1.1", "r" + "9" * 5000 + ".1"])
def test_a_request_in_a_log_of_anybodys_may_have_any_key(key: str | None) -> None:
    view, said = SessionView(), GuidanceDelivered(text="Go on.")
    asked = ModelRequested(
        model="m", body="", body_bytes=0, messages=0, marks=[], max_tokens=9, prompt_version="1", parts={}
    )
    for seq, (kind, name, body) in enumerate([("guidance.delivered", "g1", said), ("model.requested", key, asked)], 1):
        view.apply(Event(seq=seq, parent=None, node=None, kind=kind, key=name, at_us=seq, actor="a", body=body))
    assert view.last_seq == 2


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("machine.slept", {"seconds": 1e308}),
        ("retry.waiting", {"until_us": 1, "delay_s": 1e308, "error": "server", "attempt": 1}),
    ],
)
def test_times_in_a_log_that_no_clock_has_are_shown_without_that_event(kind: str, body: dict) -> None:
    assert isinstance(decode_body(kind, json.dumps(body)), Unknown)


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 2**64 - 1))
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_is_taken_or_refused_with_a_sentence(targets: Targets, kind: str, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(4):
        targets.all()[kind](chance)


@pytest.mark.parametrize("kind", KINDS)
def test_chance_makes_inputs_of_both_kinds(targets: Targets, kind: str) -> None:
    attack = targets.all()[kind]
    assert {attack(random.Random(seed)) for seed in range(80)} == {True, False}
