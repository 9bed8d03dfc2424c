"""How well it went: counted by hour, first against last quarter, silence where there is too little."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from logbook import Logbook

from core.events import FileChange, GuidanceDelivered, PlanChanged, PlanStep
from core.folds.costs import Costs
from core.folds.fold import Dispatcher
from core.folds.quality import Quality, difference_interval

HOUR_S = 3_600.0


def folded(log):
    costs = Costs()
    quality = Quality(costs)
    dispatch = Dispatcher([costs, quality])
    for event in log.events:
        dispatch.apply(event)
    return quality


def call(log, name="read_file", ok=True, result="r", effect="read", files=(), **arguments):
    attempt = log.reply((name, arguments))
    log.start(attempt, 0, name, arguments, effect)
    log.finish(attempt, 0, name, result, ok, files=list(files), fingerprint=result, exit_code=0 if ok else 1)


def test_each_hour_has_its_own_row():
    log = Logbook()
    call(log, path="a")
    call(log, path="a")
    call(log, "run_command", ok=False, effect="command", command="pytest -q")
    log.add(GuidanceDelivered(text="again", source="guard"), after_s=2 * HOUR_S)
    log.add(PlanChanged(steps=[PlanStep(id="1", intent="a", status="done")]))
    call(log, path="b")
    first, later = folded(log).by_hour()
    assert (first["hour"], first["calls"], first["errors"], first["redundant"]) == (0, 3, 1, 1)
    assert (first["checks"], first["failed_checks"], first["error_rate"]) == (1, 1, 0.3333)
    assert (later["hour"], later["corrections"], later["steps_done"], later["calls"]) == (2, 1, 1, 1)
    assert first["usd"] == 0.03 and later["usd_per_step"] == 0.01


def test_lines_that_it_wrote_itself_and_takes_out_again_are_rework():
    log = Logbook()

    def change(added, removed):
        files = [FileChange(path="a.py", before="x", after=f"{log.requests}", added=added, removed=removed)]
        call(log, "edit_file", effect="write", files=files, path="a.py", n=log.requests)

    change(10, 3)
    change(4, 6)
    change(0, 20)
    (hour,) = folded(log).by_hour()
    assert hour["rework"] == 6 + 8  # the first three lines were not its own, nor were twelve of the last twenty


def test_a_short_session_says_that_there_is_too_little():
    log = Logbook()
    for number in range(20):
        call(log, path=str(number))
    assert folded(log).trend()["error_rate"] == {"verdict": "not enough data", "calls": 20, "needed": 120}


def test_a_session_that_gets_worse_is_told_with_its_interval():
    log = Logbook()
    for number in range(160):
        call(log, ok=number < 120 or number % 2 == 0, path=str(number))
    told = folded(log).trend()
    assert told["error_rate"]["verdict"] == "worse" and told["error_rate"]["low"] > 0
    assert told["redundant_rate"]["verdict"] == "no difference shown"


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_difference_and_turns_round_with_it(case):
    first, last, size = case
    low, high = difference_interval(first, last, size)
    assert -1.0001 <= low <= (last - first) / size <= high <= 1.0001
    back_low, back_high = difference_interval(last, first, size)
    assert abs(back_low + high) < 1e-9 and abs(back_high + low) < 1e-9
