"""What a session carries, by policy, over whole sessions with the real loop, tools and files."""

import json

import pytest
from processes import command, prose
from sent_requests import sent_requests

SMALL = "[context]\nkeep_turns = 3\ndigest_tokens = 800\n"
WORDS = prose(660)


def reads(longwatch, count, **more):
    """A session of so many turns with results of 2 KB each, run to its end; its events."""
    rows = [command(f"seq {n}000 {n}400", text=f"{n}. {WORDS}") for n in range(count)]
    process = longwatch.run(longwatch.script(*rows), *more.pop("options", ()))
    process.communicate(timeout=60)
    assert process.returncode == more.get("code", 0)
    return longwatch.events()


def compressions(events):
    return [event.body for event in events if event.kind == "context.compressed"]


def prompts(events):
    return [event.body.usage.sent for event in events if event.kind == "model.responded"]


def test_by_default_the_context_stays_small_because_the_rent_pays_for_compressions(longwatch):
    longwatch.config.write_text(SMALL)
    events = reads(longwatch, 50)
    made = compressions(events)
    assert len(made) >= 2
    assert {body.policy for body in made} == {"auto"}
    assert all(body.quote and body.quote.price for body in made)
    assert max(prompts(events)) < sum(prompts(events)[:2]) / 2 + 50 * 600
    report = longwatch.report()
    assert report["compressions"] == len(made)
    assert report["cache_hit_rate"] > 0.5


def test_off_never_compresses_by_itself(longwatch):
    events = reads(longwatch, 30, options=["--policy", "off"])
    assert compressions(events) == []
    assert prompts(events) == sorted(prompts(events))


def test_the_window_keeps_its_first_turn_and_the_latest(longwatch):
    longwatch.config.write_text("[context]\nwindow_turns = 5\nwindow_anchors = 1\n")
    events = reads(longwatch, 20, options=["--policy", "window"])
    assert len(compressions(events)) == 20 - 6
    last = json.loads(sent_requests(longwatch.folder())[-1].body)["messages"]
    replies = [message["content"][0]["text"].split(".")[0] for message in last if message["role"] == "assistant"]
    assert replies == ["0", "15", "16", "17", "18", "19"]


def test_masking_replaces_old_results_in_batches(longwatch):
    longwatch.config.write_text("[context]\nmask_turns = 4\nmask_batch = 5\n")
    events = reads(longwatch, 20, options=["--policy", "mask"])
    made = compressions(events)
    assert [len(body.masked) for body in made] == [5, 5, 5]
    last = json.loads(sent_requests(longwatch.folder())[-1].body)["messages"]
    assert sum(message["role"] == "assistant" for message in last) == 20


def test_summarize_asks_the_model_and_keeps_its_paragraph(longwatch):
    longwatch.config.write_text(SMALL)
    events = reads(longwatch, 12, options=["--policy", "summarize"])
    made = compressions(events)
    consulted = [event.body for event in events if event.kind == "model.consulted"]
    assert len(made) >= 2
    assert len(consulted) >= len(made)
    assert all(body.used for body in consulted), [body.detail for body in consulted]
    assert consulted[0].text in made[0].digest
    assert longwatch.report()["cost_by_purpose"]["digest"] > 0


@pytest.mark.parametrize("flaw", ["empty", "refuses", "invents"])
def test_a_flawed_paragraph_is_dropped_and_logged_and_the_digest_comes_from_the_log_alone(longwatch, flaw):
    longwatch.config.write_text(SMALL)
    rows = [command(f"seq {n}000 {n}400", text=f"{n}. {WORDS}") for n in range(9)]
    process = longwatch.run(f"{longwatch.script(*rows)}+{flaw}", "--policy", "summarize")
    process.communicate(timeout=60)
    assert process.returncode == 0
    events = longwatch.events()
    consulted = [event.body for event in events if event.kind == "model.consulted"]
    assert consulted
    assert not any(body.used for body in consulted)
    assert all(body.detail for body in consulted)
    made = compressions(events)
    assert made
    assert all(not body.text or body.text not in plan.digest for plan in made for body in consulted)


def test_a_policy_that_does_not_exist_and_a_negative_alpha_are_refused_in_one_sentence(longwatch):
    model = longwatch.script(command("true"))
    answer = longwatch.here("run", "Go.", "--headless", "--model", model, "--policy", "magic")
    assert answer.returncode == 2
    longwatch.config.write_text('[context]\npolicy = "magic"\n')
    answer = longwatch.here("run", "Go.", "--headless", "--model", model, "--workspace", str(longwatch.workspace))
    assert answer.returncode == 2
    assert "auto" in answer.stderr
    longwatch.config.write_text("[context]\nalpha = 0\n")
    answer = longwatch.here("run", "Go.", "--headless", "--model", model, "--workspace", str(longwatch.workspace))
    assert answer.returncode == 2
    assert "alpha" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_floor_above_the_window_is_refused_with_its_parts(longwatch):
    longwatch.config.write_text("[profiles.simulated]\nwindow = 12000\n")
    model = longwatch.script(command("true"))
    answer = longwatch.here("run", "Go.", "--headless", "--model", model, "--workspace", str(longwatch.workspace))
    assert answer.returncode == 2
    for part in ("system", "tools", "task", "digest 7,300", "8 turns", "12,000"):
        assert part in answer.stderr
    assert not longwatch.home.exists(), "a session was made of it"


def test_a_giant_result_is_capped_and_the_rest_is_behind_its_handle(longwatch):
    longwatch.config.write_text("[context]\nresult_tokens = 500\n")
    rows = [command("seq 1 2000"), {"text": "", "tool_uses": [{"name": "recall", "input": {"query": "1234"}}]}]
    process = longwatch.run(longwatch.script(*rows))
    process.communicate(timeout=60)
    results = [event for event in longwatch.events() if event.kind == "tool.finished"]
    assert len(results[0].body.content) < 2_600
    assert f"out:{results[0].key}" in results[0].body.content
    assert "1234" not in results[0].body.content
    assert "1234" in results[1].body.content


def test_what_is_pinned_is_sent_word_for_word_after_every_compression(longwatch):
    longwatch.config.write_text(SMALL)
    rows = [command("echo the-secret-of-the-parser", text="Look.")]
    rows += [command(f"seq {n}000 {n}400", text=f"{n}. {WORDS}") for n in range(40)]
    process = longwatch.run(longwatch.script(*rows), "--max-turns", "3", "--wait")
    from processes import until

    until(lambda: longwatch.count("session.paused"))
    pinned = next(event for event in longwatch.events() if event.kind == "tool.finished")
    assert longwatch.call("send", "", "pin", str(pinned.seq)).returncode == 0
    assert longwatch.call("send", "", "pin", "999999").returncode == 1
    process.kill()
    process.communicate()
    process = longwatch.run_on("--max-turns", "100")
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert compressions(longwatch.events())
    last = sent_requests(longwatch.folder())[-1].body.decode()
    assert "the-secret-of-the-parser" in last.split("seq")[0]


def test_an_evicted_result_leaves_with_a_price_at_once(longwatch):
    rows = [command(f"seq {n}000 {n}400", text=f"{n}. {WORDS}") for n in range(6)]
    process = longwatch.run(longwatch.script(*rows), "--max-turns", "4", "--wait")
    from processes import until

    until(lambda: longwatch.count("session.paused"))
    result = [event for event in longwatch.events() if event.kind == "tool.finished"][1]
    longwatch.call("send", "", "evict", str(result.seq), "--now")
    until(lambda: longwatch.count("context.compressed"))
    process.kill()
    process.communicate()
    plan = compressions(longwatch.events())[0]
    assert [stub.seq for stub in plan.masked] == [result.seq]
    assert plan.quote.price
    assert longwatch.call("send", "", "evict", str(result.seq)).returncode == 1


def test_what_one_session_remembers_for_the_project_is_offered_to_the_next(longwatch):
    note = {"text": "The parser drops trailing commas.", "scope": "project", "category": "finding"}
    row = {"text": "Note.", "tool_uses": [{"name": "remember", "input": note}]}
    longwatch.run(longwatch.script(row)).communicate(timeout=60)
    first = longwatch.folder()
    longwatch.run(longwatch.script(command("true"))).communicate(timeout=60)
    second = next(path for path in (longwatch.home / "sessions").iterdir() if path != first)
    offered = json.loads(sent_requests(second)[0].body)["messages"][0]["content"]
    assert "The parser drops trailing commas." in offered[1]["text"]
    assert "untrusted" in offered[1]["text"]
    assert "from session" in offered[1]["text"]


def test_compressions_in_vain_are_switched_off_with_a_sentence_and_come_back_when_the_context_has_doubled(longwatch):
    longwatch.config.write_text("[context]\nkeep_turns = 1\ndigest_tokens = 500\nalpha = 0.001\n")
    task = longwatch.workspace.parent / "task.md"
    task.write_text("Do the steps.\n" + prose(64_000))
    rows = [command(f"seq {n}000 {n}900", text=f"{n}. {WORDS}") for n in range(40)]
    place = ["--headless", "--speed", "0", "--workspace", str(longwatch.workspace)]
    process = longwatch.start("run", f"@{task}", "--model", longwatch.script(*rows), *place)
    process.communicate(timeout=60)
    assert process.returncode == 0
    events = longwatch.events()
    switched = [event.body for event in events if event.kind == "context.policy"]
    assert [body.policy for body in switched[:2]] == ["off", "auto"]
    assert "freed too little" in switched[0].reason
    assert "doubled" in switched[1].reason
    off, on, *_ = (event.seq for event in events if event.kind == "context.policy")
    assert not any(off < event.seq < on for event in events if event.kind == "context.compressed")


def test_the_reference_preset_is_taken_up_and_an_unknown_one_refused(longwatch):
    longwatch.run(longwatch.script(command("true")), "--preset", "reference").communicate(timeout=60)
    settings = longwatch.events()[0].body.settings
    assert settings["max_turns"] == 2000
    assert settings["budget_usd"] == "50.0"
    assert settings["context"] == {"keep_turns": 25, "window_turns": 100, "window_anchors": 0}
    answer = longwatch.here("run", "Go.", "--headless", "--model", "simulated/echo", "--preset", "magic")
    assert answer.returncode == 2
    assert "reference" in answer.stderr


def test_the_automatic_policy_may_have_a_paragraph_that_was_written_while_a_tool_ran(longwatch):
    longwatch.config.write_text(SMALL + "paragraph = true\n")
    events = reads(longwatch, 45)
    made = compressions(events)
    consulted = [event for event in events if event.kind == "model.consulted"]
    assert made
    assert consulted
    assert consulted[0].body.text in made[0].digest
    asked = next(index for index, event in enumerate(events) if event.key == consulted[0].key)
    beside = {event.kind for event in events[asked : events.index(consulted[0])]}
    assert "tool.started" in beside or "tool.finished" in {e.kind for e in events[asked : asked + 8]}
    assert not any(event.kind == "model.responded" for event in events[asked : events.index(consulted[0])])
