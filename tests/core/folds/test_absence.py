"""Since you left: one honest verdict, what waits for the user, and what happened."""

from decimal import Decimal

import pytest
from lives import Life

from core.clock import of_day
from core.events import (
    BudgetCrossed,
    CommandAccepted,
    CommandRefused,
    ContextPolicy,
    GuidanceDelivered,
    MachineSlept,
    Price,
    RunnerRecovered,
    ScreenCame,
    ScreenLost,
    Usage,
)
from core.folds.verdict import lasted

HOUR_US = 3_600_000_000


def account(log, seen=1, **more):
    return log.view.absence.since(seen, **more)


def verdict(log, **more):
    return account(log, **more).verdict


def verbs(log, **more):
    return [ask.verb for ask in account(log, **more).asks]


def told(log, kind, seen=1):
    return [line.text for line in account(log, seen).lines if line.kind == kind]


def test_done_and_verified_needs_a_check_that_passed_after_the_last_change():
    log = Life()
    log.edit("a.py")
    log.run("pytest -q")
    log.finish_session()
    assert verdict(log).standing == "verified" and "`pytest -q` passed" in verdict(log).text
    assert verbs(log) == []


@pytest.mark.parametrize(
    ("last", "why"),
    [
        (lambda log: log.edit("a.py"), "no check has run since the last change"),
        (lambda log: log.run("pytest", ok=False), "`pytest` fails"),
        (lambda log: log.run("pytest | tail", output="no idea"), "no check has run"),
    ],
)
def test_finished_without_a_proof_is_said_to_be_unverified_and_is_a_decision(last, why):
    log = Life()
    log.edit("a.py")
    last(log)
    log.finish_session()
    assert verdict(log).standing == "finished" and why in verdict(log).text
    assert verbs(log) == ["guide"]


def test_what_changed_after_the_last_check_had_passed_is_named():
    log = Life()
    log.edit("a.py")
    log.run("pytest")
    log.edit("b.py")
    log.edit("REPORT.md")
    log.finish_session()
    assert verdict(log).text == "Finished, not verified: REPORT.md and 1 more changed after `pytest` had passed."


def test_an_end_without_a_changed_file_has_nothing_to_prove():
    log = Life()
    log.run("ls")
    log.finish_session()
    assert verdict(log).standing == "finished" and verbs(log) == []


def test_money_that_is_not_known_is_not_called_zero():
    log = Life()
    log.answer(log.ask(900), 900, 0, Price())
    assert told(log, "cost") == ["1 reply of unknown price"]
    log.run("ls")
    assert told(log, "cost") == ["$0.0100 in 1 reply, and 1 reply of unknown price"]


def test_a_session_at_work_says_what_it_is_busy_with_and_how_long_it_has_been_silent():
    log = Life()
    attempt = log.reply(("run_command", {"command": "make world"}))
    started = log.start(attempt, 0, "run_command", {"command": "make world"}, "command")
    assert started and verdict(log).text == "Working: run_command make world."
    later = verdict(log, now_us=log.at_us + HOUR_US)
    assert later.standing == "working" and later.text.endswith("Nothing was heard of it for 1 h.")


def test_calls_that_fail_or_repeat_without_a_changed_file_are_being_stuck_since_the_first_of_them():
    log = Life()
    log.run("pytest", ok=False, output="new")
    first = len(log.events)
    for _ in range(4):
        log.run("pytest", ok=False, output="old")
    assert verdict(log).standing == "stuck"
    assert verdict(log).seq == first
    log.act("read_file", {"path": "a.py"}, output="never seen")
    assert verdict(log).standing == "working"


def test_repeats_that_say_the_same_are_vain_until_a_file_changes():
    log = Life()
    for _ in range(6):
        log.act("read_file", {"path": "a.py"}, output="same")
    assert verdict(log).standing == "stuck"
    log.edit("b.py")
    log.act("read_file", {"path": "a.py"}, output="same")
    assert verdict(log).standing == "working"


def test_a_request_that_does_not_succeed_is_being_stuck_since_its_first_wait():
    log = Life()
    first = log.fail(1)
    log.fail(2)
    stuck = verdict(log, now_us=log.at_us + 2 * HOUR_US)
    assert (stuck.standing, stuck.seq) == ("stuck", first)
    assert "overloaded" in stuck.text and "attempt 3 is next" in stuck.text
    log.answer("r2.2", 1_000, 0)
    assert verdict(log).standing == "working"


def test_waiting_for_the_user_says_since_when_and_what_it_cost():
    log = Life()
    log.run("ls")
    paused = log.pause("budget", "$5.00 of $5.00 are spent")
    log.aside("ping", Usage(cache_read=40_000))
    waiting = verdict(log, now_us=log.events[paused - 1].at_us + 2 * HOUR_US)
    assert (waiting.standing, waiting.seq, waiting.idle_s) == ("waiting", paused, 7200.0)
    assert waiting.pings_usd == Decimal("0.01")
    assert waiting.text == (
        "Waiting for you for 2 h: the budget does not allow the next request ($5.00 of $5.00 are spent). "
        "Keeping the cache warm cost $0.0100 meanwhile."
    )
    assert verbs(log) == ["budget"]


@pytest.mark.parametrize(
    ("reason", "verb"), [("operator", "continue"), ("refusal", "guide"), ("auth", "continue"), ("config", "model")]
)
def test_each_pause_names_the_control_that_answers_it(reason, verb):
    log = Life()
    log.pause(reason)
    assert verbs(log) == [verb]


def test_a_reason_that_its_detail_tells_is_told_once_and_no_wait_is_none():
    log = Life()
    log.pause("refusal", "The model declined to go on with the loader")
    assert verdict(log).text == "Waiting for you: the model declined to go on with the loader."


def test_a_session_that_gave_up_waits_to_be_resumed_and_one_that_the_user_stopped_does_not():
    log = Life()
    log.finish_session("failed", "outage")
    assert verdict(log).standing == "waiting" and verbs(log) == ["resume"]
    log = Life()
    log.finish_session("stopped", "operator")
    assert verdict(log).standing == "stopped" and verbs(log) == []


def test_what_was_cut_off_at_work_is_not_called_working():
    log = Life()
    log.run("ls")
    log.aside("ping", Usage(cache_read=40_000))
    cut = verdict(log, running=False, now_us=log.at_us + HOUR_US)
    assert (cut.standing, cut.idle_s, cut.pings_usd) == ("waiting", 3600.0, 0)
    assert verbs(log, running=False) == ["resume"]


def test_the_decisions_are_pressing_ones_first_and_gone_once_they_are_taken():
    log = Life()
    log.add(BudgetCrossed(percent=95, spent="4.8", budget="5"), "b")
    log.add(ContextPolicy(policy="off", tokens=90_000, reason="They freed too little."))
    log.add(CommandRefused(verb="rewind", reason="#3 is not on the current branch."), "k1", "user")
    log.pause()
    assert verbs(log) == ["continue", "budget", "policy", "rewind"]
    assert verbs(log, seen=len(log.events)) == ["continue", "budget", "policy"]
    log.add(CommandAccepted(verb="rewind"), "k2", "user")
    log.add(ContextPolicy(policy="auto"), actor="user")
    log.go_on()
    assert verbs(log) == ["budget"]


def test_at_most_five_decisions():
    log = Life()
    for verb in "abcdefgh":
        log.add(CommandRefused(verb=verb, reason="No."), f"k{verb}", "user")
    assert verbs(log) == ["h", "g", "f", "e", "d"]


def test_files_are_counted_the_most_changed_first_at_their_last_change():
    log = Life()
    log.edit("core/new.py", added=30, before=None)
    log.edit("core/a.py", added=5, removed=2)
    last = log.edit("core/a.py", added=1)
    lines = [line for line in account(log).lines if line.kind == "file"]
    assert [line.text for line in lines] == ["core/a.py: 2 changes, +6 −2", "core/new.py: 1 change, +30 −0, new"]
    assert lines[0].seq == last


def test_decisions_are_told_with_what_became_of_them():
    log = Life()
    back = log.head
    log.decide("Use SQLite\nfor the store.")
    log.run("ls")
    log.rewind(back)
    log.decide("Use files.")
    assert told(log, "decision") == ["Use SQLite for the store. (abandoned branch)", "Use files."]


def test_cost_is_told_by_purpose_and_only_what_came_since():
    log = Life()
    log.run("ls")
    seen = len(log.events)
    assert told(log, "cost", seen) == []
    log.run("ls")
    assert told(log, "cost", seen) == ["$0.0100 in 1 reply"]
    log.aside("ping", Usage(cache_read=40_000))
    assert told(log, "cost", seen) == ["$0.0200 in 2 replies: main $0.0100, ping $0.0100"]


def test_silences_and_retries_are_stalls_and_a_pause_is_none():
    log = Life()
    log.run("make world", minutes=31)
    log.fail(1)
    log.fail(2)
    log.pause()
    log.go_on(after_s=36_000)
    log.run("ls")
    log.attach(after_s=3600)
    log.add(RunnerRecovered(findings=["run_command: its result was found"]))
    assert told(log, "stall") == [
        "run_command make world took 31 min",
        "2 retries (overloaded), 2 min of waiting",
        "Nobody ran the session for 1 h",
        "Recovered: run_command: its result was found",
    ]


def test_checks_that_turned_compressions_rewinds_and_guards_are_told():
    log = Life()
    log.run("pytest", ok=False)
    log.run("pytest")
    log.compress()
    log.add(GuidanceDelivered(text="You repeat\nyourself.", source="guard"))
    log.rewind(1, ["M a.py"])
    assert told(log, "check") == ["pytest: passes now, it had failed"]
    assert told(log, "compression") == ["Context compressed (rent): 20,000 → 6,000 tokens"]
    assert told(log, "guard") == ["You repeat yourself."]
    assert told(log, "rewind") == ["Rewound to #1, 1 file restored"]


def test_what_is_too_much_to_tell_is_counted():
    log = Life()
    for number in range(30):
        log.edit(f"f{number:02}.py")
    lines = told(log, "file")
    assert len(lines) == 20 and lines[-1] == "and 11 more"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59, "59 s"), (3599, "59 min"), (3600, "1 h"), (8040, "2 h 14 min"), (90_000, "1 d 1 h")],
)
def test_durations_have_at_most_two_units(seconds, said):
    assert lasted(seconds * 1_000_000) == said


def test_a_night_and_a_lost_screen_are_told_with_their_times_of_day():
    log = Life()
    log.run("pytest")
    log.add(MachineSlept(seconds=8 * 3_600), after_s=8 * 3_600)
    woke = of_day(log.at_us)
    log.add(ScreenLost(viewer="a", who="anna on pts/3"))
    log.add(ScreenCame(viewer="b", who="anna on pts/9 from 10.0.0.9"), after_s=60)
    assert told(log, "stall") == [f"The machine slept for 8 h and woke at {woke}"]
    assert [text.partition(": ")[2] for text in told(log, "screen")] == [
        "the screen of anna on pts/3 was lost",
        "anna on pts/9 from 10.0.0.9 looks again",
    ]


def test_a_cold_cache_is_told_with_what_it_cost_or_will_cost():
    log = Life()
    log.spend(20_000, 0)
    log.spend(21_000, 0, after_s=400)
    assert "The cache was cold once (expired): $0.0575 more than with a warm one" in told(log, "cost")
    lines = account(log, now_us=log.at_us + HOUR_US).lines
    (said,) = [line.text for line in lines if "is cold" in line.text]
    assert said.startswith("The cache is cold: the next call costs $0.06")
