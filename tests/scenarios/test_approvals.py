"""Questions before calls, with real processes: they outlive a crash, no time approves them, the agent can't either."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from processes import ROOT, command, until
from terminals import Terminal

from core.journal.inbox import Command, post
from core.journal.lease import holder


@pytest.fixture
def outside():
    """A folder beside the workspace, not below /tmp, of which sandboxed commands have one of their own."""
    roomy = [place for place in (ROOT, Path.home()) if not str(place).startswith(("/tmp", "/var/tmp"))]
    if not roomy:
        pytest.skip("there is no folder but in /tmp here")
    with tempfile.TemporaryDirectory(prefix=".outside-", dir=roomy[0]) as name:
        yield Path(name).resolve()


OUTSIDE = "cat /etc/hostname"
ASKING = ("--approvals", "workspace", "--sandbox", "off")


def bodies(longwatch, kind):
    return [event.body for event in longwatch.events() if event.kind == kind]


def test_a_question_outlives_a_kill_and_its_answer_is_not_asked_again(longwatch):
    process = longwatch.run(longwatch.script(command(OUTSIDE)), *ASKING)
    until(lambda: longwatch.count("approval.asked"))
    assert " waiting " in longwatch.here("ls").stdout
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert " interrupted " in longwatch.here("ls").stdout
    again = longwatch.run_on("--wait")
    until(lambda: longwatch.count("runner.recovered"))
    assert "still waits for your answer" in bodies(longwatch, "runner.recovered")[0].findings[0]
    again.send_signal(signal.SIGKILL)
    again.communicate()
    assert Terminal(longwatch, "send", "", "approve").ends() == 0
    last = longwatch.run_on()
    last.communicate(timeout=60)
    assert last.returncode == 0
    assert (longwatch.count("approval.asked"), longwatch.count("approval.answered")) == (1, 1)
    (result,) = bodies(longwatch, "tool.finished")
    assert result.ok and os.uname().nodename in result.content
    (answer,) = [event for event in longwatch.events() if event.kind == "approval.answered"]
    assert answer.actor == "user" and answer.body.place.startswith("send, ")


def test_a_time_out_ends_with_4_and_runs_nothing_and_a_denial_reaches_the_model(longwatch):
    script = longwatch.script(command(f"{OUTSIDE} > made"))
    process = longwatch.run(script, *ASKING, "--approval-timeout", "0.2")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 4 and "(approval)" in errors
    assert longwatch.report()["reason"] == "approval" and longwatch.count("tool.started") == 0
    assert longwatch.call("send", "", "deny", "--reason", "Stay", "inside.").returncode == 0
    last = longwatch.run_on()
    last.communicate(timeout=60)
    assert last.returncode == 0 and not (longwatch.workspace / "made").exists()
    (result,) = bodies(longwatch, "tool.finished")
    assert not result.ok and "Stay inside." in result.content
    approvals = longwatch.report()["approvals"]
    assert (approvals["asked"], approvals["approved"], approvals["denied"]) == (1, 0, 1)


def test_an_approval_opens_the_sandbox_for_exactly_what_was_asked_and_for_that_call_alone(longwatch, outside):
    sandboxed = ["--approvals", "workspace"]
    target, beside = outside / "made", outside / "beside"
    again = command(f"echo twice > {target}")
    process = longwatch.run(longwatch.script(command(f"echo once > {target}; date > {beside}"), again), *sandboxed)
    until(lambda: longwatch.count("approval.asked") or process.poll() is not None)
    (asked,) = bodies(longwatch, "approval.asked")
    if not asked.confined:
        process.kill()
        pytest.skip("no sandbox here")
    assert asked.granted == {"granted": {"network": False, "writable": [str(outside)]}}
    assert f"needs: to write {outside}" in asked.facts and asked.rules == []
    assert longwatch.call("send", "", "approve").returncode == 0
    until(lambda: longwatch.count("approval.asked") == 2)
    assert target.read_text() == "once\n" and beside.exists()
    assert longwatch.call("send", "", "deny", "--reason", "Once is enough.").returncode == 0
    process.communicate(timeout=60)
    first, second = bodies(longwatch, "tool.finished")
    assert first.ok and not second.ok and "Once is enough." in second.content
    assert target.read_text() == "once\n"
    started = bodies(longwatch, "tool.started")
    assert [body.intent.get("granted", {}).get("writable") for body in started] == [[str(outside)], None]


ATTACK = """
import json, os, pathlib, subprocess, sys, time

if sys.argv[1:] != ["away"]:
    # A command's end takes all that is still in its group; this returns once the child has left it.
    apart = {"start_new_session": True, "stdin": subprocess.DEVNULL, "stdout": open("attack.log", "w")}
    subprocess.Popen([sys.executable, __file__, "away"], stderr=subprocess.STDOUT, **apart)
    sys.exit()
home, python, root = PLACES

def drop(folder, number, verb, args):
    name = f"{number:026d}"
    text = json.dumps({"id": name, "verb": verb, "args": args, "actor": "user", "at": 1, "origin": "root on pts/0"})
    inbox = folder / "inbox"
    inbox.mkdir(exist_ok=True)
    (inbox / f".{name}").write_text(text)
    (inbox / f".{name}").rename(inbox / f"{name}.json")

while not (found := list(pathlib.Path(home).glob("sessions/*/session.db"))):
    time.sleep(0.05)
folder = found[0].parent
while not pathlib.Path("asked").exists():
    time.sleep(0.05)
for number, (verb, args) in enumerate([
    ("approve", {"id": "r2.1.0"}), ("approve", {}), ("approve", {"id": "r2.1.0", "always": True}),
    ("budget", {"usd": "1000"}), ("budget", {"usd": None}),
]):
    drop(folder, number, verb, args)
for words in (["approve", "r2.1.0"], ["approve", "r2.1.0", "--keep"], ["budget", "1000"]):
    subprocess.run([python, "-P", "-m", "tui.cli", "send", "", *words], cwd=root, env={**os.environ})
pathlib.Path("attacked").touch()
"""


def test_the_agent_can_not_approve_itself_nor_raise_its_budget(longwatch):
    """A background process of the agent's does all that a command of the same user can do at the inbox."""
    (longwatch.workspace / "attack.py").write_text(
        ATTACK.replace("PLACES", repr([str(longwatch.home), sys.executable, str(ROOT)]))
    )
    rows = [command("python3 attack.py"), command(f"{OUTSIDE} > made")]
    process = longwatch.run(longwatch.script(*rows), *ASKING, "--budget", "5")
    until(lambda: longwatch.count("approval.asked"))
    (longwatch.workspace / "asked").touch()
    until(lambda: (longwatch.workspace / "attacked").exists())
    refused = [body for body in bodies(longwatch, "command.refused") if body.verb in ("approve", "budget")]
    assert len(refused) == 8 and all("only from the screen" in body.reason for body in refused)
    assert longwatch.count("approval.answered") == longwatch.count("budget.changed") == 0
    assert longwatch.count("command.accepted") == 0 and not (longwatch.workspace / "made").exists()
    assert "approvals" not in longwatch.config.read_text()
    process.kill()
    process.communicate()


def test_what_an_agent_left_behind_can_not_answer_while_no_runner_lives_and_a_person_can(longwatch):
    """Commands of a session that ran without a sandbox are in sessions of their own, without a terminal."""
    process = longwatch.run(longwatch.script(command(f"{OUTSIDE} > made")), *ASKING, "--budget", "5")
    until(lambda: longwatch.count("approval.asked"))
    process.kill()
    process.communicate()
    post(longwatch.folder(), Command(id="0" * 26, verb="approve"))
    for words in ("send  approve", "send  budget 1000", "resume --headless --budget 1000"):
        answer = longwatch.start(*words.split(" "), start_new_session=True)
        _, errors = answer.communicate(timeout=60)
        assert answer.returncode != 0 and "from a terminal" in errors
    order = json.dumps({"session": "", "verb": "approve", "who": "me", "person": True})
    answer = longwatch.start("box", "--order", stdin=subprocess.PIPE, start_new_session=True)
    assert "from a terminal" in answer.communicate(f"{order}\n", timeout=60)[0]
    assert len(bodies(longwatch, "command.refused")) == 4
    assert longwatch.count("approval.answered") == longwatch.count("budget.changed") == 0
    assert Terminal(longwatch, "send", "", "approve").ends() == 0
    assert Terminal(longwatch, "send", "", "budget", "7").ends() == 0
    assert Terminal(longwatch, "resume", "--headless", "--speed", "0", "--budget", "9").ends() == 0
    assert (longwatch.workspace / "made").exists() and longwatch.count("budget.changed") == 2


def test_the_screen_of_the_runner_answers_and_says_from_where(longwatch):
    script = longwatch.script(command(OUTSIDE), command("echo on"))
    place = ["--workspace", str(longwatch.workspace), "--speed", "0", *ASKING]
    screen = Terminal(longwatch, "run", "Do the steps.", "--model", script, *place)
    try:
        screen.shows("The agent asks before it runs run_command", OUTSIDE, "approve")
        screen.press("K")
        until(lambda: longwatch.count("tool.finished"))
        (answer,) = bodies(longwatch, "approval.answered")
        assert (answer.answer, answer.kept, answer.rules) == ("approved", True, [f"run_command: {OUTSIDE}"])
        assert answer.place.startswith("screen, ") and "pts/" in answer.place
        assert until(lambda: json.dumps(answer.rules[0]) in longwatch.config.read_text())
    finally:
        screen.close()
        for folder in longwatch.home.glob("sessions/*"):
            if (runner := holder(folder)) is not None:
                os.kill(runner.pid, signal.SIGKILL)
