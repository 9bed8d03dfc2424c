"""Sessions that go on after a reboot: the mark, the unit, and what it does when the machine comes up."""

import asyncio
import os
import shutil
import signal
import subprocess

import pytest
from processes import command, until

from core import service
from core.config import Config
from core.journal.lease import holder
from core.models.profiles import resolve_endpoint
from core.session import NewSession, create

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


def test_only_the_user_can_change_what_runs_as_the_user_whatever_the_umask_says(machine):
    del machine.environment["LONGWATCH_CONFIG"]
    before = os.umask(0)
    try:
        assert machine.here("service", "install").returncode == machine.here("config", "--write").returncode == 0
    finally:
        os.umask(before)
    made = [machine.unit.parent.parent.parent, *machine.unit.parent.parent.parent.rglob("*")]
    assert {path.name for path in made} >= {"longwatch", "config.toml", "systemd", "longwatch.service"}
    assert [path for path in made if path.stat().st_mode & 0o077] == []


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


def test_the_unit_and_the_line_for_cron_find_the_configuration_where_the_shell_has_it(machine):
    place = {"XDG_CONFIG_HOME": '/home/anna/50% "ours" $HOME', "HOME": "/home/anna"}
    lines = service.unit_text(machine.home, place).splitlines()
    assert 'Environment="XDG_CONFIG_HOME=/home/anna/50%% \\"ours\\" $HOME"' in lines
    assert not [line for line in service.unit_text(machine.home, {}).splitlines() if line.startswith("Environment=")]
    assert service.cron_line(machine.home, {"LONGWATCH_CONFIG": "/a b%"}).startswith(
        "@reboot LONGWATCH_CONFIG='/a b\\%' "
    )


def test_a_key_that_is_stored_is_not_said_to_be_missing(machine):
    endpoint = resolve_endpoint(Config(), "claude-opus-4-6", api_key_env="SPECIAL_KEY")
    wanted = NewSession("Do it.", machine.workspace, endpoint, settings={"after_reboot": True})
    asyncio.run(create(machine.home, wanted))
    assert "longwatch key SPECIAL_KEY" in machine.here("service", "status").stdout
    (machine.config.parent / "keys").mkdir()
    (machine.config.parent / "keys" / "SPECIAL_KEY").write_text("sk-ant-1234567890\n")
    assert "SPECIAL_KEY" not in machine.here("service", "status").stdout


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
