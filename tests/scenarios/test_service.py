"""Sessions that go on after a reboot: the mark, the unit, and what it does when the machine comes up."""

import os
import shutil
import signal
import subprocess

import pytest
from processes import command, until

from core.journal.lease import holder

SYSTEMCTL = """#!/bin/sh
echo "$@" >> "$CALLS"
[ -e "$CALLS.refuses" ] && exit 1
exit 0
"""


@pytest.fixture
def machine(longwatch, tmp_path):
    """A machine whose systemd manager writes down what it is told."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "systemctl").write_text(SYSTEMCTL)
    (tools / "systemctl").chmod(0o755)
    changes = {
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "CALLS": str(tmp_path / "calls"),
        "XDG_CONFIG_HOME": str(tmp_path / "etc"),
    }
    longwatch.environment.update(changes)
    longwatch.unit = tmp_path / "etc" / "systemd" / "user" / "longwatch.service"
    longwatch.calls = tmp_path / "calls"
    yield longwatch
    longwatch.gate.touch()
    for folder in longwatch.home.glob("sessions/*"):
        if (runner := holder(folder)) is not None:
            os.kill(runner.pid, signal.SIGKILL)


def test_the_unit_is_written_enabled_and_taken_away_again(machine):
    answer = machine.here("service", "install")
    assert answer.returncode == 0 and str(machine.unit) in answer.stdout
    assert machine.calls.read_text().splitlines()[-2:] == ["--user daemon-reload", "--user enable longwatch.service"]
    assert f'"--home" "{machine.home}" "service" "resume"' in machine.unit.read_text()
    assert "Installed: " in machine.here("service", "status").stdout
    machine.unit.write_text("[Unit]\n")
    assert "renews it" in machine.here("service", "status").stdout
    assert "Removed" in machine.here("service", "uninstall").stdout
    assert not machine.unit.exists()
    assert "no unit" in machine.here("service", "uninstall").stdout


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="nothing here can read units")
def test_systemd_finds_nothing_wrong_with_the_unit(machine):
    assert machine.here("service", "install").returncode == 0
    answer = subprocess.run(
        ["systemd-analyze", "--user", "verify", str(machine.unit)],
        capture_output=True, text=True, env={**os.environ, "XDG_RUNTIME_DIR": str(machine.home.parent)},
    )  # fmt: skip
    assert not [line for line in answer.stderr.splitlines() if "longwatch.service" in line], answer.stderr


def test_without_systemd_the_sentence_says_what_else_does_it(machine):
    machine.calls.with_name("calls.refuses").touch()
    answer = machine.here("service", "install")
    assert answer.returncode == 2
    assert "No systemd manager" in answer.stderr and "@reboot" in answer.stderr and "service resume" in answer.stderr
    assert not machine.unit.exists()
    assert "nothing will be resumed" in machine.here("service", "status").stdout


def test_only_marked_sessions_that_were_cut_off_are_resumed_and_go_on(machine):
    model = machine.script(command("echo first >> log"), machine.gated("echo second >> log"), command("echo 3 >> log"))
    place = ["--workspace", str(machine.workspace), "--speed", "0"]
    assert machine.call("run", "Do it.", "--model", model, "--detach", "--after-reboot", *place).returncode == 0
    until(lambda: machine.count("tool.started") == 2)
    assert "is running, so it stays" in machine.here("service", "status").stdout
    old = holder(machine.folder())
    os.kill(old.pid, signal.SIGKILL)  # As a reboot does it, but for the command, which is recovered here.
    until(lambda: holder(machine.folder()) is None)
    assert "would be resumed" in machine.here("service", "status").stdout
    machine.gate.touch()
    answer = machine.here("service", "resume")
    assert answer.returncode == 0 and "goes on" in answer.stdout, answer.stderr
    until(lambda: machine.report()["state"] == "finished")
    assert (machine.workspace / "log").read_text() == "first\nsecond\n3\n"
    assert machine.here("service", "resume").stdout == ""  # It has ended: there is nothing to resume.


def test_a_mark_is_set_and_taken_back_from_a_shell(machine):
    options = ["--headless", "--speed", "0", "--workspace", str(machine.workspace)]
    assert machine.here("run", "Do it.", "--model", machine.script(command("true")), *options).returncode == 0
    assert "No session is marked" in machine.here("service", "status").stdout
    assert machine.here("send", "", "after-reboot", "on").returncode == 0
    assert "is finished, so it stays" in machine.here("service", "status").stdout
    assert machine.here("send", "", "after-reboot", "off").returncode == 0
    assert "No session is marked" in machine.here("service", "status").stdout
    assert "after-reboot on, or" in machine.here("send", "", "after-reboot", "perhaps").stderr
