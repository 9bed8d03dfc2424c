"""A slow command is told from one that hangs, by what it writes and computes; it is told and never touched."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from core.clock import VirtualClock
from core.tools import vitals
from core.tools.jobs import Job
from core.tools.vitals import Pulses, Vitals, judge, look_at


def seen(running_s, silent_s, cpu_s, *, at_s=1000.0, size=10):
    return Vitals(at_s, running_s, silent_s, size, cpu_s)


def two(seconds, cpu_s, **last):
    """A look and another one so many seconds later, in which so much CPU was used."""
    return [seen(600, 500, 40.0), seen(600 + seconds, 500 + seconds, 40.0 + cpu_s, at_s=1000.0 + seconds, **last)]


@pytest.mark.parametrize(
    ("looks", "words", "may_hang"),
    [
        ([seen(2, 2, 0.0)], None, False),
        ([seen(12 * 60, 3, 0.1)], "command 12 min, output 3 s ago", False),
        ([seen(7500, 3, None)], "command 2 h 5 min, output 3 s ago", False),
        (two(40, 38.0), "command silent for 9 min, CPU 95%", False),
        (two(40, 0.0), "command silent for 9 min, 0 CPU: may hang", True),
        (two(40, 0.19), "command silent for 9 min, 0 CPU: may hang", True),
        (two(40, 0.4), "command silent for 9 min, CPU 1%", False),
        ([seen(90, 90, 0.05)], "command silent for 1 min, 0 CPU", False),  # Not yet for long.
        ([seen(600, 600, 0.05, size=0)], "command silent for 10 min, 0 CPU: may hang", True),  # By its whole life.
        ([seen(600, 300, 200.0)], "command silent for 5 min, CPU 33%", False),
        ([seen(600, 600, None)], "command silent for 10 min", False),  # On another machine: nothing is claimed.
        ([], None, False),
    ],
)
def test_the_judgement_is_made_of_silence_and_cpu(looks, words, may_hang):
    pulse = judge(looks)
    assert (pulse.words if pulse else None) == words
    assert (pulse.may_hang if pulse else False) == may_hang


@pytest.fixture
def job(tmp_path):
    jobs = []

    def start(line, call="r1.1.0"):
        jobs.append(Job(tmp_path / "jobs" / call))
        jobs[-1].spawn(["/bin/sh"], line, tmp_path, {"PATH": os.environ["PATH"]})
        return jobs[-1]

    yield start
    for one in jobs:
        if (child := one._child) is not None:
            os.killpg(child.pid, 9)
            child.wait()


def until(condition):
    for _ in range(1000):
        if found := condition():
            return found
        threading.Event().wait(0.02)
    raise AssertionError("never came true")


def test_the_cpu_of_children_and_of_finished_ones_counts(tmp_path, job):
    busy = job("sh -c 'i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done'; echo one; sh -c 'while :; do :; done'")
    until(lambda: (look := look_at(busy.folder)) and look.size)
    first = look_at(busy.folder)
    later = until(lambda: (look := look_at(busy.folder)) and look.cpu_s > first.cpu_s + 0.1 and look)
    assert first.cpu_s > 0 and later.processes >= 2
    assert later.running_s >= first.running_s


def test_a_sleeping_command_uses_nothing_and_a_finished_one_is_not_looked_at(tmp_path, job):
    sleeping = job("sleep 600", "r1.1.0")
    look = until(lambda: look_at(sleeping.folder))
    assert look.size == 0 and look.cpu_s < 0.5
    assert Pulses(tmp_path).feel("r1.1.0") is None  # Too young to say anything.
    over = job("true", "r1.1.1")
    until(lambda: (over.folder / "rc").exists())
    assert until(lambda: look_at(over.folder) is None)
    assert look_at(Path("/nowhere")) is None


def test_a_night_in_which_the_machine_slept_is_not_held_against_a_command(tmp_path, monkeypatch):
    clock, looks = VirtualClock(), []
    monkeypatch.setattr(vitals, "look_at", lambda folder: looks.pop(0))
    pulses, night_s = Pulses(tmp_path, clock), 8 * 3600
    looks += [seen(600, 40, 1.0, size=7)]
    assert pulses.feel("r1.1.0").words == "command silent for 40 s, 0 CPU"
    clock.suspend(night_s)
    looks += [seen(604 + night_s, 44 + night_s, 1.1, at_s=1004.0 + night_s, size=7)]
    assert pulses.feel("r1.1.0").words == "command silent for 44 s, CPU 3%"
    looks += [seen(609 + night_s, 2, 1.1, at_s=1009.0 + night_s, size=9)]
    assert pulses.feel("r1.1.0").words == "command 10 min, output 2 s ago"
