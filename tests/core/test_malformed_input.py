"""Whatever comes from outside is taken or refused with a sentence: configuration, imports, streams, tool arguments."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))
from malformed import Targets, folder, good_export

KINDS = ["config", "import", "stream", "arguments"]


@pytest.fixture(scope="module")
def targets():
    import asyncio

    with folder() as name:
        yield Targets(Path(name), asyncio.run(good_export(Path(name))))


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
