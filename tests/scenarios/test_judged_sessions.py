"""Judges over whole sessions: two that say no keep it at work, one does not, and nonsense holds up nothing."""

import json

from processes import command

from core.events import CourseJudged, GuidanceDelivered, SessionFinished


def bodies(events, kind):
    return [event.body for event in events if isinstance(event.body, kind)]


STEPS = (command("echo 1"), {"text": "All is done."}, {"text": "It is, truly."})


def judged_by(longwatch, *answers, steps=STEPS, settings=""):
    """Two judges, each of which always says the same."""
    scripts = []
    for number, answer in enumerate(answers):
        script = longwatch.home.parent / f"judge{number}.jsonl"
        script.write_text(json.dumps({"text": answer}) + "\n")
        scripts.append(f"simulated/script:{script}")
    longwatch.config.write_text(f"{longwatch.config.read_text()}[routing]\njudge = {json.dumps(scripts)}\n{settings}")
    process = longwatch.run(longwatch.script(*steps))
    process.communicate(timeout=60)
    assert process.returncode == 0
    return longwatch.events()


NO = '{"answer": "no", "why": "no test has run"}'


def test_an_end_that_two_judges_deny_is_held_against_the_agent_and_named_in_the_end(longwatch):
    events = judged_by(longwatch, NO, NO)
    judged = bodies(events, CourseJudged)
    assert [(body.about, body.verdict, len(body.models)) for body in judged] == [("done", "no", 2)] * 2
    told = [body.text for body in bodies(events, GuidanceDelivered) if "is not done yet" in body.text]
    assert len(told) == 2 and "no test has run" in told[0]
    assert bodies(events, SessionFinished)[-1].state == "finished"
    assert set(longwatch.report()["cost_by_purpose"]) == {"main", "judge"}


def test_one_judge_alone_or_nonsense_holds_up_nothing(longwatch):
    events = judged_by(longwatch, NO, "I like turtles.")
    assert [body.verdict for body in bodies(events, CourseJudged)] == ["unsure"]
    assert not [body for body in bodies(events, GuidanceDelivered) if body.source == "guard"]
    assert bodies(events, SessionFinished)[-1].detail == ""


def test_a_judge_for_whom_the_money_does_not_reach_is_not_asked_and_the_end_says_so(longwatch):
    events = judged_by(longwatch, NO, NO, steps=STEPS[1:2], settings="[limits]\nday_usd = 0.0001\n")
    (judged,) = bodies(events, CourseJudged)
    assert (judged.verdict, judged.models) == ("unsure", []) and "$0.00 today" in judged.why
    assert set(longwatch.report()["cost_by_purpose"]) == {"main"}
