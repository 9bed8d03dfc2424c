"""A part of the task done by a session of its own: its money, its bounds, and how it ends."""

import json
from decimal import Decimal

import pytest
from processes import command, until

from core.events import ConstraintBroken, ModelConsulted, ModelRequested, SessionFinished, SessionOpened, ToolFinished
from core.journal.reader import Reader


def delegate(task="Count the files.", text="I hand this on."):
    return {"text": text, "tool_uses": [{"name": "delegate", "input": {"task": task}}]}


def events_of(folder):
    with Reader(folder) as reader:
        return reader.events()


class Pair:
    """A session and the one that works for it."""

    def __init__(self, longwatch):
        self._longwatch = longwatch

    def folders(self):
        return [
            path for path in sorted((self._longwatch.home / "sessions").glob("*")) if (path / "session.db").exists()
        ]

    def of(self, below):
        for folder in self.folders():
            events = events_of(folder)
            opened = events[0].body if events else None
            if isinstance(opened, SessionOpened) and bool(opened.origin) is below:
                return folder
        return None

    @property
    def above(self):
        return events_of(self.of(False))

    @property
    def below(self):
        folder = self.of(True)
        return events_of(folder) if folder else []

    def count(self, kind):
        return sum(event.kind == kind for event in self.below)

    def usd(self):
        """What the one below cost by its own log, and by the ledger of the one above."""
        own = [event.body.price.cost for event in self.below if event.kind == "model.responded"]
        booked = [body.price.cost for body in bodies(self.above, ModelConsulted)]
        return sum(map(Decimal, own)), sum(map(Decimal, booked)), len(own), len(booked)


def bodies(events, kind):
    return [event.body for event in events if isinstance(event.body, kind)]


@pytest.fixture
def pair(longwatch):
    def configured(*rows, more=""):
        script = longwatch.home.parent / "below.jsonl"
        script.write_text("".join(json.dumps(row) + "\n" for row in rows))
        routing = f'[routing]\ndelegate = ["simulated/script:{script}"]\n{more}'
        longwatch.config.write_text(longwatch.config.read_text() + routing)
        return Pair(longwatch)

    return configured


def result(pair):
    (finished,) = [body for body in bodies(pair.above, ToolFinished) if body.name == "delegate"]
    return finished


def test_a_part_of_the_task_is_a_session_of_its_own_whose_money_stands_in_the_ledger(longwatch, pair):
    both = pair(command("echo made > made.txt"), command("cp made.txt vendor.txt"), {"text": "Two files, checked."})
    task = "Do it. Never touch vendor.txt."
    model = longwatch.script(delegate(), {"text": "All is done."})
    options = ["--headless", "--json", "--speed", "0", "--workspace", str(longwatch.workspace), "--approvals", "full"]
    process = longwatch.start("run", task, "--model", model, *options)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    told = result(both)
    assert told.ok and "finished after 3 replies and 2 calls" in told.content
    assert told.content.endswith("Two files, checked.")
    assert (longwatch.workspace / "made.txt").exists() and not (longwatch.workspace / "vendor.txt").exists()
    assert [body.prevented for body in bodies(both.below, ConstraintBroken)] == [True]
    opened = both.below[0].body
    assert opened.origin == {"delegated by": both.above[0].body.session, "call": "r1.1.0"}
    own, booked, replies, lines = both.usd()
    assert own == booked > 0 and replies == lines == 3
    offered = {tool["name"] for tool in tools_of(both.of(True))}
    assert not offered & {"delegate", "ask_human"} and "edit_file" in offered
    assert {body.purpose for body in bodies(both.above, ModelRequested)} == {"main", "delegate"}
    missed = longwatch.here("attach", both.of(True).name, "--plain")
    assert f"`longwatch resume {both.of(False).name[:10]}` goes on" in missed.stderr


def tools_of(folder):
    with Reader(folder) as reader:
        hash = next(body.tools for body in bodies(reader.events(), ModelRequested) if body.tools)
        return json.loads(reader.blob(hash))


def test_it_has_no_more_than_the_session_above_has_left_and_what_would_be_asked_about_is_refused(longwatch, pair):
    both = pair(command("curl https://example.org"), *(command(f"echo {n}") for n in range(15)))
    process = longwatch.run(longwatch.script(delegate()), "--approvals", "workspace", "--budget", "0.02")
    process.communicate(timeout=60)
    assert process.returncode == 3
    refused = bodies(both.below, ToolFinished)[0]
    assert not refused.ok and "here nobody can be asked" in refused.content
    assert "stopped: budget" in result(both).content
    assert bodies(both.above, SessionFinished)[-1].reason == "budget"
    report = json.loads(longwatch.here("report", both.of(False).name, "--format", "json").stdout)
    below = json.loads(longwatch.here("report", both.of(True).name, "--format", "json").stdout)
    assert (report["delegated_by"], below["delegated_by"]) == (None, both.of(False).name)
    assert longwatch.here("resume", both.of(True).name, "--headless").returncode != 0
    assert json.loads(longwatch.here("report", "--format", "json").stdout)["session"] == both.of(False).name
    assert 0.018 < report["cost_usd"] <= 0.0205


def test_after_a_crash_it_goes_on_where_it_was_and_nothing_is_done_or_booked_twice(longwatch, pair):
    both = pair(command("echo once >> log.txt"), longwatch.gated("echo twice >> log.txt"), {"text": "Done."})
    process = longwatch.run(longwatch.script(delegate(), {"text": "End."}))
    until(lambda: both.of(True) and both.count("tool.started") == 2)
    process.kill()
    process.wait()
    longwatch.gate.touch()
    again = longwatch.run_on(both.of(False).name)
    _, err = again.communicate(timeout=60)
    assert again.returncode == 0, err
    assert (longwatch.workspace / "log.txt").read_text() == "once\ntwice\n"
    assert len(both.folders()) == 2
    assert result(both).ok
    own, booked, replies, lines = both.usd()
    assert own == booked and replies == lines == 3


def test_a_pause_lays_it_down_and_an_interrupt_ends_it(longwatch, pair):
    rows = [longwatch.gated("echo a"), command("echo b"), command("sleep 60")]
    both = pair(*rows)
    process = longwatch.run(longwatch.script(delegate(), {"text": "End."}), "--wait")
    until(lambda: both.of(True) and both.count("tool.started") == 1)
    above = both.of(False).name
    assert longwatch.here("send", above, "pause").returncode == 0
    longwatch.gate.touch()
    until(lambda: any(event.kind == "session.paused" for event in both.above))
    assert both.count("tool.finished") == 1 and not bodies(both.above, ToolFinished)
    assert longwatch.here("send", above, "continue").returncode == 0
    until(lambda: both.count("tool.started") == 3)
    assert longwatch.here("send", above, "interrupt").returncode == 0
    process.communicate(timeout=60)
    assert process.returncode == 0
    told = result(both)
    assert not told.ok and "stopped: operator" in told.content
    ended = bodies(both.below, SessionFinished)[-1]
    assert (ended.state, ended.reason) == ("stopped", "operator")
