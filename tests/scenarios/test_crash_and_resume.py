"""Killed at any moment, a session resumes: nothing finished runs twice, nothing is lost, the history stays valid."""

import asyncio
import random
import sqlite3
import threading
from collections import Counter
from itertools import count

import pytest
from processes import command, until

from core.journal.reader import Reader
from core.journal.store import Store
from core.tools.jobs import Phase, job_status

STEPS = 12
KILLS = 6


def steps():
    """Replies whose effects can be counted: a line a step in a file, with reads in between."""
    rows = [command(f"echo step-{number} >> effects.log; sleep 0.02; echo done {number}") for number in range(STEPS)]
    rows[5]["tool_uses"] += [{"name": "list_files", "input": {"path": "."}}] * 2
    rows[7]["tool_uses"] = [{"name": "write_file", "input": {"path": "note.txt", "content": "seven\n"}}]
    return rows


def effects(longwatch):
    path = longwatch.workspace / "effects.log"
    return Counter(path.read_text().split()) if path.exists() else Counter()


def check(longwatch):
    """What must hold at the end, whatever happened on the way."""
    events = longwatch.events()
    with Reader(longwatch.folder()) as reader:
        assert reader.verify() is None
    started = Counter(event.key for event in events if event.kind == "tool.started")
    finished = Counter(event.key for event in events if event.kind == "tool.finished")
    assert set(finished.values()) == {1}
    assert started == finished
    outcomes = Counter(e.key for e in events if e.kind in ("model.responded", "model.failed"))
    assert set(outcomes.values()) == {1}
    expected = {f"step-{number}": 1 for number in range(STEPS) if number != 7}
    assert effects(longwatch) == expected
    assert (longwatch.workspace / "note.txt").read_text() == "seven\n"


@pytest.mark.parametrize("seed", range(2))
def test_killed_at_random_moments_it_ends_as_if_never_killed(longwatch, seed):
    rng = random.Random(seed)
    process = longwatch.run(longwatch.script(*steps()))
    for _ in range(KILLS):
        goal = len(longwatch.events()) + rng.randint(5, 16)
        until(lambda goal=goal, process=process: len(longwatch.events()) >= goal or process.poll() is not None)
        process.kill()
        process.communicate()
        process = longwatch.run_on()
    process.communicate(timeout=60)
    if process.returncode == 2:  # it had finished before the last kill
        assert longwatch.report()["state"] == "finished"
    else:
        assert process.returncode == 0
    check(longwatch)


def test_a_command_that_outlives_its_agent_is_taken_up_with_its_output_and_exit_code(longwatch):
    rows = [command("echo begun; sleep 1.5; echo ended; exit 3")]
    process = longwatch.run(longwatch.script(*rows))
    until(lambda: list(longwatch.home.glob("sessions/*/jobs/*/started")))
    process.kill()
    process.communicate()
    answer = longwatch.call("resume", "--headless", "--speed", "0")
    assert answer.returncode == 0, answer.stderr
    finished = [event for event in longwatch.events() if event.kind == "tool.finished"]
    assert len(finished) == 1
    assert finished[0].body.recovered
    assert finished[0].body.exit_code == 3
    assert finished[0].body.ms >= 1500, "what passed before the second runner came counts, too"
    assert "begun" in finished[0].body.content
    assert "ended" in finished[0].body.content
    recovered = next(event for event in longwatch.events() if event.kind == "runner.recovered")
    assert "run_command" in recovered.body.findings[0]


def test_a_stop_ends_also_the_command_that_outlived_its_agent(longwatch):
    process = longwatch.run(longwatch.script(longwatch.gated("echo begun")))
    until(lambda: list(longwatch.home.glob("sessions/*/jobs/*/started")))
    process.kill()
    process.communicate()
    interrupted = longwatch.here("send", "", "interrupt")
    assert interrupted.returncode == 1 and "Nobody runs this session" in interrupted.stderr
    stopped = longwatch.here("send", "", "stop")
    assert stopped.returncode == 0 and "longwatch resume" in stopped.stdout
    assert longwatch.here("send", "", "pause").returncode == 0
    (job,) = longwatch.home.glob("sessions/*/jobs/*")
    assert job_status(job).phase is Phase.RUNNING
    answer = longwatch.call("resume", "--headless", "--speed", "0")
    assert answer.returncode == 4, answer.stderr
    (finished,) = [event.body for event in longwatch.events() if event.kind == "tool.finished"]
    assert finished.recovered and finished.content.startswith("stopped") and "begun" in finished.content
    assert not job.exists() and longwatch.report()["state"] == "stopped"


def test_a_second_runner_is_refused_with_its_own_exit_code(longwatch):
    process = longwatch.run(longwatch.script(command("sleep 3")))
    until(lambda: longwatch.count("tool.started"))
    answer = longwatch.call("resume", "--headless")
    assert answer.returncode == 5
    assert answer.stderr.count("\n") == 1
    process.kill()
    process.communicate()


def test_a_pause_survives_a_crash(longwatch):
    process = longwatch.run(longwatch.script(*[longwatch.gated("echo on")] * 4))
    until(lambda: longwatch.count("tool.started"))
    assert longwatch.call("send", "", "pause").returncode == 0
    longwatch.gate.touch()
    until(lambda: longwatch.count("session.paused"))
    process.kill()
    process.communicate()
    process = longwatch.start("resume", "--headless", "--speed", "0")
    until(lambda: longwatch.count("runner.attached") == 2)
    requests = longwatch.count("model.requested")
    assert longwatch.call("send", "", "continue").returncode == 0
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert longwatch.count("model.requested") > requests


def test_a_session_whose_journal_is_removed_under_it_ends_and_says_so(longwatch):
    steps = [command(f"rm '{longwatch.home}'/sessions/*/session.db"), command("echo more > more")]
    options = ["--headless", "--workspace", str(longwatch.workspace), "--approvals", "full", "--sandbox", "off"]
    ended = longwatch.here("run", "Do it.", "--model", longwatch.script(*steps), "--speed", "0", *options)
    assert ended.returncode == 2 and "session.db was removed while the session ran" in ended.stderr
    assert not (longwatch.workspace / "more").exists()


def test_without_a_screen_it_is_told_that_nothing_can_be_recorded(longwatch, monkeypatch):
    commits, refused = count(), range(8, 11)
    write, told = Store._carry_out, threading.Event()

    def refuses(store, job):
        if next(commits) in refused:
            raise sqlite3.OperationalError("attempt to write a readonly database")
        write(store, job)

    monkeypatch.setattr(Store, "_carry_out", refuses)
    monkeypatch.setattr("core.agent.runner.pause_real", lambda seconds: asyncio.to_thread(told.wait, 20))
    monkeypatch.setattr("tui.commands.run.TROUBLE_S", 0.01)
    monkeypatch.setattr("tui.commands.run.say", lambda text, err=False: told.set() if "tries again" in text else None)
    options = ["--headless", "--workspace", str(longwatch.workspace), "--approvals", "full"]
    ended = longwatch.here("run", "Do it.", "--model", longwatch.script(command("true")), "--speed", "0", *options)
    assert told.is_set() and ended.returncode == 0
