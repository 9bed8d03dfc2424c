"""Guards over whole sessions: the ladder from the note to the pause, and a reply that is cut because it chants."""

from processes import command, until

from core.events import (
    CheckInMade,
    ConstraintBroken,
    ConstraintDeclared,
    GuardRaised,
    GuidanceDelivered,
    ModelFailed,
    SessionFinished,
    SessionPaused,
)

LOOP = [command("cat notes.txt") for _ in range(20)]


def bodies(events, kind):
    return [event.body for event in events if isinstance(event.body, kind)]


def test_a_loop_is_noted_then_told_and_at_last_stands_until_somebody_looks(longwatch):
    (longwatch.workspace / "notes.txt").write_text("nothing new\n")
    process = longwatch.run(longwatch.script(*LOOP))
    process.communicate(timeout=60)
    assert process.returncode == 3
    events = longwatch.events()
    raised = bodies(events, GuardRaised)
    assert [(body.rung, body.times) for body in raised] == [
        ("notice", 3),
        ("nudge", 4),
        ("reassess", 6),
        ("pause", 9),
    ]
    told = [body for body in bodies(events, GuidanceDelivered) if body.source == "guard"]
    assert len(told) == 2 and all(body.text.startswith("Automatic notice, not from the user:") for body in told)
    assert all(body.usd for body in told)
    ended = bodies(events, SessionFinished)[-1]
    assert (ended.state, ended.reason) == ("stopped", "guard")
    report = longwatch.report()
    assert report["corrections"] == 2
    assert report["guards"]["by_rung"] == {"notice": 1, "nudge": 1, "reassess": 1, "pause": 1}
    assert (report["guards"]["nudges_judged"], report["guards"]["nudges_that_worked"]) == (2, 0)


def test_thresholds_come_from_the_configuration(longwatch):
    longwatch.config.write_text(longwatch.config.read_text() + "[guards]\nrepetition = [0, 2, 0, 3]\n")
    process = longwatch.run(longwatch.script(*LOOP))
    process.communicate(timeout=60)
    assert [body.rung for body in bodies(longwatch.events(), GuardRaised)] == ["nudge", "pause"]


def test_guards_can_be_switched_off(longwatch):
    longwatch.config.write_text(longwatch.config.read_text() + "[guards]\nenabled = false\n")
    process = longwatch.run(longwatch.script(*LOOP))
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert bodies(longwatch.events(), GuardRaised) == []


def test_a_reply_that_repeats_itself_is_cut_and_told_and_the_third_one_stops(longwatch):
    chant = {"text": "I will look at the file once more. " * 400}
    process = longwatch.run(longwatch.script(command("echo 1"), chant))
    process.communicate(timeout=60)
    assert process.returncode == 3
    events = longwatch.events()
    cut = bodies(events, ModelFailed)
    assert [body.error for body in cut] == ["chanting"] * 3
    assert all(0 < body.partial < 5_000 for body in cut)
    assert [body.rung for body in bodies(events, GuardRaised)] == ["nudge", "reassess", "pause"]


def test_what_the_task_forbids_is_kept_from_running_and_what_happens_all_the_same_is_found(longwatch):
    (longwatch.workspace / "vendor").mkdir()
    (longwatch.workspace / "vendor" / "a.py").write_text("x = 1\n")
    hidden = "python3 -c \"open('vendor/a.py', 'w').write('x = 2')\""
    rows = [command("rm vendor/a.py"), command(hidden), command("echo fine")]
    longwatch.script(*rows)
    options = ["--headless", "--json", "--speed", "0", "--workspace", str(longwatch.workspace), "--approvals", "full"]
    task = "Do it. Never touch vendor/. Never be rude."
    model = longwatch.script(*rows)
    process = longwatch.start("run", task, "--model", model, *options)
    process.communicate(timeout=60)
    events = longwatch.events()
    declared = bodies(events, ConstraintDeclared)
    assert [(body.form, body.source) for body in declared] == [("touch", "task"), ("", "task")]
    broken = bodies(events, ConstraintBroken)
    assert [(body.constraint, body.prevented) for body in broken] == [("k1", True), ("k1", False)]
    assert "vendor/a.py" in broken[1].what
    assert [(body.guard, body.rung) for body in bodies(events, GuardRaised)] == [
        ("forbidden", "notice"),
        ("constraint", "nudge"),
    ]
    assert (longwatch.workspace / "vendor" / "a.py").read_text() == "x = 2"
    results = [event.body for event in events if event.kind == "tool.finished"]
    assert [body.ok for body in results] == [False, True, True]
    assert "The user's constraint k1 forbids this" in results[0].content


def test_the_configuration_forbids_for_every_session_and_the_model_is_told(longwatch):
    longwatch.config.write_text(longwatch.config.read_text() + '[constraints]\ndeclare = ["no network"]\n')
    process = longwatch.run(longwatch.script(command("curl http://127.0.0.1:1/"), command("echo 1")))
    process.communicate(timeout=60)
    events = longwatch.events()
    assert [body.prevented for body in bodies(events, ConstraintBroken)] == [True]
    told = next(body for body in bodies(events, GuidanceDelivered) if body.standing)
    assert "no network" in told.text


def test_a_constraint_of_the_configuration_that_nobody_can_check_is_said_at_once(longwatch):
    longwatch.config.write_text(longwatch.config.read_text() + '[constraints]\ndeclare = ["be nice"]\n')
    refused = longwatch.call("run", "Do.", "--headless", "--workspace", str(longwatch.workspace))
    assert refused.returncode == 2
    assert "'be nice' is no constraint that can be checked" in refused.stderr


def test_a_limit_of_the_day_ends_a_session_that_nobody_attends(longwatch):
    longwatch.config.write_text(longwatch.config.read_text() + "[limits]\nday_usd = 0.001\n")
    process = longwatch.run(longwatch.script(*(command(f"echo {n}") for n in range(5))))
    process.communicate(timeout=60)
    assert process.returncode == 3
    events = longwatch.events()
    ended = bodies(events, SessionFinished)[-1]
    assert ended.reason == "budget" and "$0.00 today are used up" in ended.detail
    assert sum(event.kind == "model.responded" for event in events) < 4
    warned = [event.body.percent for event in events if event.kind == "budget.crossed"]
    assert warned and all(event.body.words for event in events if event.kind == "budget.crossed")


def planned(*steps):
    uses = [{"name": "plan", "input": {"steps": [{"id": id, "intent": f"do {id}", **more} for id, more in steps]}}]
    return {"text": "Plan.", "tool_uses": uses}


def test_a_claim_to_be_done_is_held_against_the_plan_for_two_rounds_and_what_stays_open_is_named(longwatch):
    check = {"check": "`test -e made`"}
    rows = [
        planned(("1", {"status": "active", **check}), ("2", {})),
        planned(("1", {"status": "done", **check}), ("2", {"status": "active"})),
        command("touch made"),
        command("test -e made"),
        planned(("1", {"status": "done", **check}), ("2", {"status": "active"})),
    ]
    process = longwatch.run(longwatch.script(*rows))
    process.communicate(timeout=60)
    assert process.returncode == 0
    events = longwatch.events()
    results = [event.body for event in events if event.kind == "tool.finished" and event.body.name == "plan"]
    assert [body.ok for body in results] == [True, False, True]
    assert "Step 1 is not verified: its check has not run" in results[1].content
    again = [event.body for event in events if event.kind == "plan.reassessed"]
    assert [(body.step, body.verified) for body in again] == [("1", True)]
    told = [body for body in bodies(events, GuidanceDelivered) if "not done yet" in body.text]
    assert len(told) == 2 and all("step 2 is active: do 2" in body.text for body in told)
    assert bodies(events, SessionFinished)[-1].detail == "open: step 2 is active: do 2"


def test_a_pause_at_a_cost_waits_for_its_user_also_where_nobody_attends(longwatch):
    process = longwatch.run(longwatch.script(longwatch.gated("echo 1"), command("echo 2")))
    until(lambda: longwatch.count("tool.started"))
    assert longwatch.here("send", "", "pause-at", "soon").returncode != 0
    sent = longwatch.here("send", "", "pause-at", "00:00")
    assert sent.returncode == 0, sent.stderr
    sent = longwatch.here("send", "", "pause-at", "+$0.000001")
    assert sent.returncode == 0, sent.stderr
    longwatch.gate.touch()
    until(lambda: longwatch.count("session.paused"))
    (paused,) = bodies(longwatch.events(), SessionPaused)
    assert paused.reason == "scheduled" and paused.detail.endswith("are spent")
    assert longwatch.here("send", "", "stop").returncode == 0
    process.communicate(timeout=60)
    assert process.returncode == 4


def test_a_check_in_tells_what_was_done_and_stands_until_somebody_lets_it_go_on(longwatch):
    attention = '[attention]\ncheck_in_usd = 0.005\ncheck_in = "pause"\n'
    longwatch.config.write_text(longwatch.config.read_text() + attention)
    process = longwatch.run(longwatch.script(command("echo 1"), command("echo 2"), {"text": "Done."}))
    until(lambda: longwatch.count("session.paused"))
    assert longwatch.here("send", "", "check-in", "sometimes").returncode != 0
    assert longwatch.here("send", "", "check-in", "$50").returncode == 0
    assert longwatch.here("send", "", "continue").returncode == 0
    process.communicate(timeout=60)
    assert process.returncode == 0
    (told,) = bodies(longwatch.events(), CheckInMade)
    assert " call" in told.text and "no file changed" in told.text
    (paused,) = bodies(longwatch.events(), SessionPaused)
    assert paused.reason == "scheduled" and paused.detail == f"check-in: {told.text}"
