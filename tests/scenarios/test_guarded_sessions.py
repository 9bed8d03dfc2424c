"""Guards over whole sessions: the ladder from the note to the pause, and a reply that is cut because it chants."""

from processes import command

from core.events import GuardRaised, GuidanceDelivered, ModelFailed, SessionFinished

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
