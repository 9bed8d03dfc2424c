"""The drift meter: quiet while the work goes on, loud where it is about something else, anew with the user."""

from __future__ import annotations

import random

from core.folds.guards.drift import THRESHOLD, WARM_UP, Called, DriftMeter


def work(about: str, count: int, dice: random.Random, every: int = 3) -> list[Called[str]]:
    """Calls that read and edit the files of a part and come back to them; one call in `every` opens a new one."""
    names: list[str] = []
    calls = []
    for number in range(count):
        if number % every == 0:
            names.append(f"{about}/module_{number}.py")
        used = dice.sample(names[-4:], min(len(names), 1))
        tool = dice.choice(["read_file", "edit_file", "run_command"])
        calls.append(Called(tool, used, used[:1], [*names[-3:], f"{about}_function_{number}"]))
    return calls


def highest(meter: DriftMeter[str], calls: list[Called[str]]) -> float:
    return max(meter.observe(call).score for call in calls)


def test_work_that_goes_on_is_no_drift_and_work_on_something_else_is() -> None:
    dice, meter = random.Random(1), DriftMeter[str]()
    meter.told(["billing/module_0.py"])
    assert highest(meter, work("billing", 120, dice)) < THRESHOLD
    readings = [meter.observe(call) for call in work("weather", 20, dice, every=1)]
    assert readings[-1].score > THRESHOLD
    assert "none of the names in your words" in readings[-1].reasons


def test_what_the_user_says_begins_it_anew() -> None:
    dice, meter = random.Random(1), DriftMeter[str]()
    meter.told(["billing/module_0.py"])
    highest(meter, work("billing", 120, dice))
    meter.told(["weather/module_0.py"])
    assert highest(meter, work("weather", WARM_UP - 1, dice)) == 0.0


def test_calls_without_names_say_nothing_and_break_nothing() -> None:
    meter = DriftMeter[str]()
    assert all(meter.observe(Called("plan", [], [], [])).score < THRESHOLD for _ in range(200))
