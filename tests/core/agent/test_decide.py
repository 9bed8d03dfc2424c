"""What to do next, decided from the log alone."""

from dataclasses import replace
from decimal import Decimal

from logbook import Logbook

from core.agent import decisions as do
from core.agent.decide import Circumstances, decide
from core.config import RetryPolicy
from core.events import (
    CommandAccepted,
    CommandDone,
    GuidanceDelivered,
    GuidanceQueued,
    HeadMoved,
    HumanAnswered,
    HumanAsked,
    ModelFailed,
    ModelSwitched,
    RetryWaiting,
    SessionContinued,
    SessionFinished,
    SessionPaused,
)
from core.folds.allowances import Taken
from core.folds.fold import Dispatcher
from core.folds.state import RunState

NOW = Circumstances(
    now_us=0,
    spent=Decimal(0),
    budget=None,
    max_turns=None,
    prompt_tokens=1000,
    room=100_000,
    retry=RetryPolicy(),
    concurrent=frozenset({"read_file"}),
)


def decided(log, **changes):
    state = RunState()
    dispatch = Dispatcher([state])
    for event in log.events:
        state.observe(event)
        dispatch.apply(event)
    return decide(state, replace(NOW, **changes))


def test_a_new_session_sends_its_first_request():
    assert decided(Logbook()) == do.Send()


def test_another_model_is_tried_when_one_has_failed_for_long_or_for_good_and_each_only_once():
    log = Logbook()
    log.add(ModelFailed(error="overloaded", message="Overloaded."), log.request())
    patient = decided(log, routes=("other",), elsewhere_after_s=60.0)
    assert isinstance(patient, do.Announce)
    assert decided(log, routes=("other",)) == do.GoElsewhere("other", "m does not answer: Overloaded")
    assert isinstance(decided(log), do.Announce)
    log = Logbook()
    log.add(ModelFailed(error="auth", message="No."), log.request())
    assert decided(log, routes=("other",), elsewhere_after_s=1e9) == do.GoElsewhere("other", "m does not answer: No")
    log = Logbook()
    log.add(ModelFailed(error="bad_request", message="No."), log.request())
    assert decided(log, routes=("other",)) == do.Pause("request", "No.")
    assert decided(Logbook(), home_up=True) == do.GoElsewhere("", "m answers again")


def test_while_another_model_steps_in_it_is_named_and_the_one_it_stands_for_is_kept():
    log = Logbook()
    log.add(ModelSwitched(model="other", reason="down", route="other"))
    log.request()
    state = RunState()
    dispatch = Dispatcher([state])
    for event in log.events:
        state.observe(event)
        dispatch.apply(event)
    assert state.stand_in.last == state.model == "other"
    assert state.home is not None and state.home.model == "m" and state.tried == {""}
    state.handlers()["model.switched"](log.add(ModelSwitched(model="m", reason="back")))
    assert state.stand_in.last == "" and state.stand_in.at(2) == "other"


def test_reads_of_one_reply_run_together_and_the_write_after_them_alone():
    log = Logbook()
    attempt = log.reply(("read_file", {}), ("read_file", {}), ("edit_file", {}), ("read_file", {}))
    assert [call.name for call in decided(log).calls] == ["read_file", "read_file"]
    for index in (0, 1):
        log.start(attempt, index, "read_file", {})
        log.finish(attempt, index, "read_file")
    assert [call.name for call in decided(log).calls] == ["edit_file"]
    log.start(attempt, 2, "edit_file", {})
    log.finish(attempt, 2, "edit_file")
    assert [call.name for call in decided(log).calls] == ["read_file"]


def test_a_pause_comes_before_the_next_call_of_a_reply():
    log = Logbook()
    log.reply(("edit_file", {}), ("edit_file", {}))
    log.add(CommandAccepted(verb="pause"), "c1")
    assert isinstance(decided(log), do.Obey)
    log.add(SessionPaused(reason="operator"))
    log.add(CommandDone(verb="pause"), "c1")
    assert decided(log) == do.Hold()
    log.add(SessionContinued())
    assert isinstance(decided(log), do.RunTools)


def test_a_compression_waits_until_no_call_is_open():
    log = Logbook()
    attempt = log.reply(("edit_file", {}))
    log.add(CommandAccepted(verb="compress"), "c1")
    assert isinstance(decided(log), do.RunTools)
    log.start(attempt, 0, "edit_file", {})
    log.finish(attempt, 0, "edit_file")
    assert isinstance(decided(log), do.Obey)


def test_guidance_is_delivered_after_the_results_and_before_the_next_request():
    log = Logbook()
    attempt = log.reply(("edit_file", {}))
    log.add(GuidanceQueued(text="Skip vendor."), "g1")
    assert isinstance(decided(log), do.RunTools)
    log.start(attempt, 0, "edit_file", {})
    log.finish(attempt, 0, "edit_file")
    assert decided(log) == do.Deliver(("g1",))
    log.add(GuidanceDelivered(text="Skip vendor."), "g1")
    assert decided(log) == do.Send()


def test_an_end_of_turn_finishes_unless_guidance_waits():
    log = Logbook()
    log.reply(text="All done.")
    assert decided(log) == do.Finish("finished", "done")
    log.add(SessionFinished(state="finished", reason="done"))
    assert decided(log) == do.End()
    log.add(GuidanceQueued(text="And the docs?"), "g1")
    assert decided(log) == do.Resume()


def test_a_reply_cut_at_its_limit_goes_on_and_a_refusal_pauses():
    log = Logbook()
    log.reply(text="half a", stop="max_tokens")
    assert isinstance(decided(log), do.Remind)
    log = Logbook()
    log.reply(text="no", stop="refusal")
    assert decided(log).reason == "refusal"


def test_a_cut_call_is_marked_and_its_earlier_neighbours_are_not():
    log = Logbook()
    log.reply(("read_file", {}), ("read_file", {}), stop="max_tokens")
    assert [call.cut for call in decided(log).calls] == [False, True]


def test_a_failure_is_announced_then_waited_for_then_tried_again():
    log = Logbook()
    log.add(ModelFailed(error="overloaded", message="busy"), log.request())
    announced = decided(log)
    assert isinstance(announced, do.Announce)
    until_us = log.at_us + 3_000_000
    log.add(RetryWaiting(until_us=until_us, delay_s=2.0, error="overloaded", attempt=1))
    assert decided(log, now_us=log.at_us) == do.Wait(until_us)
    assert decided(log, now_us=until_us) == do.Send()


def test_a_clock_that_was_set_back_by_hours_makes_no_wait_longer():
    log = Logbook()
    log.add(ModelFailed(error="overloaded", message="busy"), log.request())
    log.add(RetryWaiting(until_us=log.at_us + 3_000_000, delay_s=2.0, error="overloaded", attempt=1))
    assert decided(log, now_us=log.at_us - 36_000_000_000) == do.Send()


def test_trying_now_ends_the_wait():
    log = Logbook()
    log.add(ModelFailed(error="overloaded", message="busy"), log.request())
    log.add(RetryWaiting(until_us=10**18, delay_s=300.0, error="overloaded", attempt=1))
    log.add(CommandAccepted(verb="retry-now"), "c1")
    assert decided(log, now_us=log.at_us) == do.Send()


def test_a_wrong_key_pauses_at_once():
    log = Logbook()
    log.add(ModelFailed(error="auth", message="invalid key"), log.request())
    assert decided(log).reason == "auth"


def test_an_interrupted_request_is_simply_sent_again():
    log = Logbook()
    log.add(ModelFailed(error="interrupted", message="cut"), log.request())
    assert decided(log) == do.Send()


def test_limits_pause_before_the_next_request():
    log = Logbook()
    log.turn(("read_file", {}))
    assert decided(log, max_turns=1).reason == "turn_limit"
    assert decided(log, spent=Decimal(2), budget=Decimal(2)).reason == "budget"


def test_a_full_window_compresses_and_when_that_is_futile_pauses():
    log = Logbook()
    log.turn(("read_file", {}))
    assert isinstance(decided(log, prompt_tokens=200_000), do.Compress)
    assert decided(log, prompt_tokens=200_000, can_compress=False).reason == "context"


def test_rewinding_a_finished_session_leaves_it_paused_where_it_went():
    log = Logbook()
    log.turn(("read_file", {}))
    boundary = log.head
    log.reply(text="All done.")
    log.add(SessionFinished(state="finished", reason="done"))
    log.add(HeadMoved(to=boundary, origin=log.head, reason="rewind"))
    assert decided(log) == do.Hold()
    log.add(SessionContinued())
    assert decided(log) == do.Send()


def test_a_policy_that_is_due_compresses_before_the_next_request_and_is_named():
    assert decided(Logbook(), due="the rent has paid for it", policy="auto") == do.Compress(
        "the rent has paid for it", "auto"
    )
    assert decided(Logbook(), due="every 10 turns", policy="summarize", consult=True) == do.Consult()
    assert decided(Logbook(), due="the rent has paid for it", can_compress=False) == do.Send()


def test_compressions_that_free_too_little_are_switched_off_and_come_back_when_the_context_has_doubled():
    assert isinstance(decided(Logbook(), due="rent", spiralling=True), do.GiveUpCompressing)
    assert isinstance(decided(Logbook(), doubled=True), do.CompressAgain)


def test_between_the_attempts_of_a_request_the_context_stays_as_it_is():
    log = Logbook()
    log.add(ModelFailed(error="overloaded", message="busy"), log.request())
    log.add(RetryWaiting(until_us=0, delay_s=0.0, error="overloaded", attempt=1))
    assert decided(log, due="rent", anchor=True) == do.Send()


def test_the_budget_gate_asks_what_the_next_request_costs():
    def gate(spent):
        return decided(Logbook(), spent=Decimal(spent), budget=Decimal("1.00"), next_usd=Decimal("0.06"))

    assert gate("0.93") == do.Send()
    assert gate("0.95") == do.Pause("budget", "the next request costs about $0.0600, of the budget $0.0500 is left")


def test_a_reminder_comes_before_the_request_that_needs_it():
    assert decided(Logbook(), anchor=True) == do.Anchor()
    assert isinstance(decided(Logbook(), anchor=True, due="rent"), do.Compress)


def test_guidance_that_was_queued_before_a_stop_waits_and_does_not_reopen_the_session():
    log = Logbook()
    log.add(GuidanceQueued(text="Later."), "g1", actor="user")
    log.add(SessionFinished(state="stopped", reason="operator"), actor="user")
    assert decided(log) == do.End()
    log.add(GuidanceQueued(text="Go on after all."), "g2", actor="user")
    assert decided(log) == do.Resume()


def test_a_question_waits_until_its_default_applies_and_an_answer_lets_it_run():
    log = Logbook()
    attempt = log.reply(("ask_human", {}), ("edit_file", {}))
    asked = HumanAsked(question="Which?", options=["a", "b"], default="a", until_us=1_000)
    log.add(asked, f"{attempt}.0")
    assert decided(log, now_us=500) == do.AwaitAnswer(1_000)
    late = decided(log, now_us=1_000)
    assert isinstance(late, do.AnswerByDefault) and late.call.question.default == "a"
    log.add(HumanAnswered(text="a", by_default=True), f"{attempt}.0")
    assert [call.name for call in decided(log).calls] == ["ask_human"]


def test_a_question_without_a_default_waits_as_long_as_it_takes():
    log = Logbook()
    attempt = log.reply(("ask_human", {}))
    log.add(HumanAsked(question="Which?"), f"{attempt}.0")
    assert decided(log) == do.AwaitAnswer(None)
    assert decided(log, answer_by_us=0).reason == "approval"


def test_a_limit_is_announced_to_the_agent_before_it_pauses_the_session():
    log = Logbook()
    log.turn(("read_file", {}))
    near, over = Taken("minutes", 58.0, 60.0), Taken("minutes", 60.0, 60.0)
    assert decided(log, allowances=(near,)) == do.WindDown(near)
    assert decided(log, allowances=(near,), told=frozenset({"minutes:60"})) == do.Send()
    assert decided(log, allowances=(over,)) == do.Pause("budget", "1 h of 1 h are used up")
    money = Taken("usd", 20.0, 20.0)
    assert (
        decided(log, allowances=(money,), told=frozenset({money.key})) == do.Send()
    )  # judged by what the next one costs


def test_a_claim_to_be_done_is_answered_with_what_is_open_for_some_rounds():
    log = Logbook()
    log.reply(text="All done.")
    points = ("step 2 is todo: test it",)
    assert decided(log, open_points=points, rounds_left=1) == do.Insist(points)
    assert decided(log, open_points=points) == do.Finish("finished", "done", "open: step 2 is todo: test it")
    assert decided(log, unverified="`make` failed in its last run").detail == "open: `make` failed in its last run"


def test_orders_wait_for_a_command_that_an_earlier_runner_left_running_but_a_stop_does_not():
    log = Logbook()
    log.start(log.reply(("run_command", {"command": "make"})), 0, "run_command", {"command": "make"}, "command")
    log.add(CommandAccepted(verb="rewind", args={"to": 1}), "k1")
    assert isinstance(decided(log), do.Obey)
    for changes in ({}, {"scheduled": "it is 02:00"}):
        found = decided(log, runs_on=True, **changes)
        assert isinstance(found, do.RunTools) and found.calls[0].started
    log.add(CommandAccepted(verb="stop"), "k2")
    found = decided(log, runs_on=True)
    assert isinstance(found, do.Obey) and found.order.verb == "stop"


def test_a_pause_holds_the_next_act_and_not_the_command_that_an_earlier_runner_left_running():
    log = Logbook()
    reply = log.reply(("run_command", {"command": "make"}), ("run_command", {"command": "make install"}))
    log.start(reply, 0, "run_command", {"command": "make"}, "command")
    log.add(SessionPaused(reason="operator"))
    assert isinstance(decided(log), do.Hold)
    found = decided(log, runs_on=True)
    assert isinstance(found, do.RunTools)
    assert [call.arguments["command"] for call in found.calls] == ["make"]
