"""Whatever the wire does, a session reaches its end: each attempt has one outcome, each wait is in the log, and
nothing runs twice."""

import subprocess
from collections import Counter

import pytest
from processes import command, prose, until

STEPS = 3
QUICK = """
[retry]
first_delay_s = 0.01
longest_delay_s = 0.02

[profiles.local]
stall_s = 2.0
"""


def steps():
    return [command(f"echo step-{number} >> effects.log", text=prose(120)) for number in range(STEPS)]


def against(longwatch, address, *more):
    """A session with the model at an address, run to its end; its exit code, output and errors."""
    longwatch.config.write_text(QUICK)
    options = ["--headless", "--workspace", str(longwatch.workspace), "--base-url", address, *more]
    return longwatch.here("run", "Do the steps.", "--model", "m", *options)


def attempts(longwatch):
    """Each attempt's outcomes by its key; every attempt that went out has exactly one."""
    events = longwatch.events()
    asked = [event.key for event in events if event.kind == "model.requested"]
    outcomes = Counter(event.key for event in events if event.kind in ("model.responded", "model.failed"))
    assert set(asked) == set(outcomes)
    assert len(asked) == len(set(asked))
    assert set(outcomes.values()) == {1}
    return asked


def failures(longwatch):
    return [event.body for event in longwatch.events() if event.kind == "model.failed"]


def check_effects(longwatch):
    """Each step's command ran once."""
    done = (longwatch.workspace / "effects.log").read_text().split()
    assert done == [f"step-{number}" for number in range(STEPS)]
    started = [event.key for event in longwatch.events() if event.kind == "tool.started"]
    assert len(started) == len(set(started)) == STEPS


@pytest.mark.parametrize(
    ("faults", "errors"),
    [
        (["1:429=0.1", "2:529x2", "6:foreign"], ["rate_limited", "overloaded", "overloaded", "server"]),
        (["2:500", "3:502", "4:plain"], ["server", "server", "server"]),
        (["1:drop", "3:dropx3"], ["network"] * 4),
        (["2:cut=2", "3:cut=9", "5:reset=4"], ["stream_cut"] * 3),
        (["2:stall", "4:error-event=3"], ["stalled", "overloaded"]),
        (["2:portalx3"], ["elsewhere"] * 3),
    ],
    ids=lambda value: " ".join(value),
)
def test_a_passing_fault_is_retried_and_counted(longwatch, faults, errors):
    longwatch.script(*steps())
    options = [word for fault in faults for word in ("--fault", fault)]
    answer = against(longwatch, longwatch.serve(*options))
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert [body.error for body in failures(longwatch)] == errors
    assert len(attempts(longwatch)) == STEPS + 1 + len(errors)
    assert longwatch.count("retry.waiting") == longwatch.report()["retries"] == len(errors)
    assert longwatch.report()["turns"] == STEPS + 1
    check_effects(longwatch)


def test_a_server_that_asks_for_time_gets_it(longwatch):
    longwatch.script(*steps())
    assert against(longwatch, longwatch.serve("--fault", "2:429=0.25")).returncode == 0
    waiting = next(event.body for event in longwatch.events() if event.kind == "retry.waiting")
    assert waiting.delay_s >= 0.25


@pytest.mark.parametrize("fault", ["*:closex*", "*:hang-upx*", "*:no-message-startx*"])
def test_an_odd_server_whose_replies_are_whole_costs_no_retry(longwatch, fault):
    longwatch.script(*steps())
    assert against(longwatch, longwatch.serve("--fault", fault)).returncode == 0
    assert failures(longwatch) == []
    check_effects(longwatch)


def test_an_unknown_tool_in_the_wire_is_answered_and_the_session_goes_on(longwatch):
    longwatch.script(*steps())
    assert against(longwatch, longwatch.serve("--fault", "2:unknown-tool=launch")).returncode == 0
    finished = [event.body for event in longwatch.events() if event.kind == "tool.finished"]
    assert [body.name for body in finished if not body.ok] == ["launch"]


def test_a_permanent_error_dressed_as_500_ends_at_once(longwatch):
    longwatch.script(*steps())
    answer = against(longwatch, longwatch.serve("--fault", "2:permanent-500x*"))
    assert answer.returncode == 2
    assert "does not exist" in answer.stderr
    assert [body.error for body in failures(longwatch)] == ["not_found"]
    assert longwatch.count("retry.waiting") == 0
    assert (longwatch.report()["state"], longwatch.report()["reason"]) == ("failed", "config")


def test_a_portal_in_place_of_a_server_that_never_answered_means_a_wrong_address(longwatch):
    longwatch.script(*steps())
    answer = against(longwatch, longwatch.serve("--fault", "1:portalx*"))
    assert answer.returncode == 2
    assert "it redirects to http://192.0.2.1/login" in answer.stderr
    assert longwatch.count("model.failed") == 1


def test_an_outage_ends_when_patience_does_and_resume_goes_on(longwatch):
    longwatch.script(*steps())
    address = longwatch.serve("--fault", "2:529x4")
    quick, longwatch_config = QUICK.replace("[retry]", "[retry]\noutage_s = 0.03"), longwatch.config
    options = ["--headless", "--workspace", str(longwatch.workspace), "--base-url", address]
    longwatch_config.write_text(quick)
    answer = longwatch.here("run", "Do the steps.", "--model", "m", *options)
    assert answer.returncode == 1
    assert longwatch.report()["reason"] == "outage"
    longwatch_config.write_text(QUICK)
    answer = longwatch.here("resume", "--headless")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    attempts(longwatch)
    check_effects(longwatch)


def test_a_refused_history_is_compressed_once_and_then_ends_with_its_reason(longwatch):
    longwatch.script(*steps())
    longwatch.config.write_text(QUICK)
    fault = "2:400=messages.1: tool_use ids were found without tool_result blocks"
    answer = against(longwatch, longwatch.serve("--fault", f"{fault}x*"))
    assert answer.returncode == 1
    assert longwatch.report()["reason"] == "history"
    attempts(longwatch)


def test_a_bad_request_is_not_sent_again(longwatch):
    longwatch.script(*steps())
    answer = against(longwatch, longwatch.serve("--fault", "2:400=temperature: unknown field"))
    assert answer.returncode == 1
    assert "temperature" in answer.stderr
    assert longwatch.report()["reason"] == "request"


def test_a_prompt_that_is_too_long_is_compressed_and_sent_again(longwatch):
    rows = [command(f"echo step-{number} >> effects.log; seq 1 900", text=prose(420)) for number in range(STEPS)]
    rows += [command("seq 1 900", text=prose(1_400))] * 6
    longwatch.script(*rows)
    longwatch.config.write_text(QUICK + "[context]\nkeep_turns = 2\n")
    fault = "8:400=prompt is too long: 210000 tokens > 200000 maximum"
    options = ["--headless", "--workspace", str(longwatch.workspace), "--base-url", longwatch.serve("--fault", fault)]
    answer = longwatch.here("run", "Do the steps.", "--model", "m", *options)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert [body.error for body in failures(longwatch)] == ["context_too_long"]
    assert longwatch.report()["compressions"] == 1
    sizes = {event.key: event.body.body_bytes for event in longwatch.events() if event.kind == "model.requested"}
    assert sizes["r8.2"] < sizes["r8.1"]
    attempts(longwatch)
    done = (longwatch.workspace / "effects.log").read_text().split()
    assert done == [f"step-{number}" for number in range(STEPS)]


def test_a_wrong_key_ends_with_2_and_the_right_one_goes_on(longwatch):
    longwatch.script(*steps())
    address = longwatch.serve("--api-key", "sk-right")
    longwatch.environment["TEST_MODEL_KEY"] = "sk-wrong"
    answer = against(longwatch, address, "--api-key-env", "TEST_MODEL_KEY")
    assert answer.returncode == 2
    assert "key" in answer.stderr
    assert "sk-wrong" not in answer.stdout + answer.stderr
    assert (longwatch.report()["state"], longwatch.report()["reason"]) == ("failed", "auth")
    del longwatch.environment["TEST_MODEL_KEY"]
    answer = longwatch.here("resume", "--headless")
    assert answer.returncode == 2
    assert "TEST_MODEL_KEY" in answer.stderr
    assert longwatch.report()["reason"] == "auth"
    longwatch.environment["TEST_MODEL_KEY"] = "sk-right"
    answer = longwatch.here("resume", "--headless")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    check_effects(longwatch)
    assert not [path for path in longwatch.folder().rglob("*") if path.is_file() and b"sk-right" in path.read_bytes()]


def test_a_pause_for_a_wrong_key_is_lifted_by_resume(longwatch):
    longwatch.script(*steps())
    address = longwatch.serve("--api-key", "sk-right")
    longwatch.config.write_text(QUICK)
    longwatch.environment["TEST_MODEL_KEY"] = "sk-wrong"
    options = ["--headless", "--wait", "--workspace", str(longwatch.workspace), "--api-key-env", "TEST_MODEL_KEY"]
    process = longwatch.start("run", "Do the steps.", "--model", "m", "--base-url", address, *options)
    for line in process.stdout:
        if "aused" in line:
            break
    process.kill()
    process.wait()
    longwatch.environment["TEST_MODEL_KEY"] = "sk-right"
    answer = longwatch.here("resume", "--headless")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    check_effects(longwatch)


def test_a_session_whose_key_was_refused_goes_on_by_itself_with_a_new_one(longwatch):
    longwatch.script(*steps())
    address = longwatch.serve("--api-key", "sk-right")
    longwatch.config.write_text(QUICK)
    longwatch.environment["TEST_MODEL_KEY"] = "sk-expired"
    options = ["--headless", "--wait", "--workspace", str(longwatch.workspace), "--api-key-env", "TEST_MODEL_KEY"]
    process = longwatch.start("run", "Do the steps.", "--model", "m", "--base-url", address, *options)
    until(lambda: longwatch.count("session.paused"))
    paused = next(event.body for event in longwatch.events() if event.kind == "session.paused")
    assert paused.reason == "auth"
    assert "longwatch key TEST_MODEL_KEY" in paused.detail
    stored = longwatch.start("key", "TEST_MODEL_KEY", stdin=subprocess.PIPE)
    told = stored.communicate("sk-right\n")
    assert stored.returncode == 0
    assert "sk-right" not in "".join(told)
    process.communicate(timeout=60)
    assert process.returncode == 0
    check_effects(longwatch)
    kept = longwatch.config.parent / "keys" / "TEST_MODEL_KEY"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert not [path for path in longwatch.folder().rglob("*") if path.is_file() and b"sk-right" in path.read_bytes()]
    assert longwatch.here("key", "TEST_MODEL_KEY", "--forget").returncode == 0
    assert not kept.exists()


@pytest.mark.parametrize("given", ["", "two words", "naïve"])
def test_what_can_be_no_key_is_not_stored(longwatch, given):
    process = longwatch.start("key", "TEST_MODEL_KEY", stdin=subprocess.PIPE)
    told = process.communicate(given + "\n")
    assert process.returncode == 2
    assert told[1].count("\n") == 1
    assert not (longwatch.config.parent / "keys").exists()


def test_a_session_with_a_mistyped_address_goes_on_at_the_right_one(longwatch):
    longwatch.script(command("echo once >> effects.log"))
    answer = against(longwatch, "http://127.0.0.1:9")
    assert answer.returncode == 2
    resumed = longwatch.here("resume", "--headless", "--base-url", longwatch.serve())
    assert resumed.returncode == 0, resumed.stderr
    assert (longwatch.workspace / "effects.log").read_text() == "once\n"
    assert [event.kind for event in longwatch.events()].count("model.switched") == 1
