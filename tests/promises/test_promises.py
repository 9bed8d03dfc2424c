"""Each promise is tried a little with every run of the tests, and each control is caught. `run.py` tries them fully.

A process of its own for each: kills fork from it, so it must have no thread, and nothing of the tests in it.
"""

import json
import os
import random
import sys
from pathlib import Path

import pytest
from pace import SLOWEST, paces
from promise import Count, Promise, add, left, missing, rows, table
from run import MODULES
from warm import Warm

HERE = Path(__file__).parent
QUICK = sorted(set(MODULES) - {"P2", "P5", "P10", "P12"})
"""Those four have tests of their own beside what they are about."""


FRESH = {"P9"}
"""Its control takes the filter off before anything imports it."""


def tried(warm: Warm, name: str, file: Path, *more: str) -> dict:
    """The row of a small shard."""
    words = ["--results", str(file), "try", name, "--seed", "1", *more]
    what, *line = [sys.executable, "-P", str(HERE / "run.py")] if name in FRESH else [str(HERE / "run.py")]
    process = warm.start(what, *line, *words, environment=os.environ, folder=HERE)
    with process:
        out, errors = process.communicate(timeout=400)
    assert out, errors
    return json.loads(out.splitlines()[-1])


@pytest.mark.parametrize("name", QUICK)
def test_a_promise_is_kept(name, tmp_path, warm):
    row = tried(warm, name, tmp_path / "results.jsonl", "--quick")
    assert row["tried"] > 0
    assert row["broken"] == 0, row["examples"]


@pytest.mark.parametrize("name", QUICK)
def test_what_does_not_keep_it_is_caught(name, tmp_path, warm):
    row = tried(warm, name, tmp_path / "results.jsonl", "--quick", "--control")
    assert row["broken"] > 0


def test_a_pace_counts_as_slower_only_where_chance_can_not_have_made_it():
    chance = random.Random(1)

    def steps(seconds: float, count: int, spread: float) -> list[float]:
        return [seconds + chance.uniform(-spread, spread) for _ in range(count)]

    assert paces(steps(0.30, 40, 0.02), steps(0.30, 40, 0.02))[1] >= SLOWEST
    assert paces(steps(0.33, 10, 0.20), steps(0.30, 10, 0.20))[1] >= SLOWEST
    assert paces(steps(0.36, 40, 0.02), steps(0.30, 40, 0.02))[1] < SLOWEST
    assert paces([0.3], steps(0.30, 40, 0.02)) == (0.0, 0.0)


def broken_by(count: int, seed: int) -> Count:
    found = Count()
    for number in range(count):
        found.note(["it fell over"] if number < seed else [])
    found.see("falls", seed)
    return found


def test_shards_add_up_in_the_table(tmp_path):
    promise = Promise("P0", "It stands", "days", 100, 5, 5, broken_by, broken_by, "a house of cards", 5)
    file = tmp_path / "deep" / "results.jsonl"
    for seed in (0, 1):
        add(file, promise.run(5, seed))
    add(file, promise.run(4, 4, control=True))
    line = table([promise], rows(file)).splitlines()[-1]
    assert line == "| P0 | It stands | 10 of 100 days, 1 falls | 1 | a house of cards: 4 of 4 |"
    assert rows(file)[1]["examples"] == ["it fell over"]
    assert missing(promise, rows(file)) == 90
    assert left([promise], rows(file)).splitlines()[-1].split()[:3] == ["P0", "90", "100"]
