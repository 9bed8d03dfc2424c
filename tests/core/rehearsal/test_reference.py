"""A tiny reference rehearsal through the real loop: the same town, tools, journal and clock, only less of them."""

import ast
from pathlib import Path

from core.events import SessionFinished
from core.journal.reader import Reader
from core.rehearsal.stage import Wanted, play, prepare, staged_at
from core.rehearsal.table import lines, outcome
from core.rehearsal.verdict import Share

TINY = Wanted(lines=1_500, calls=48, hours=1.45, known=2, aside=0, decoys=4, disturbed=False)
POLICIES = Path(__file__).parents[3] / "core" / "simulator" / "policies"


async def test_the_surveyor_finds_and_mends_in_virtual_time_what_was_planted(tmp_path):
    staged = await prepare(tmp_path / "home", tmp_path / "stage", TINY)
    assert await play(staged_at(tmp_path / "stage")) == 0
    with Reader(staged.folder) as reader:
        events = reader.events()
    run = outcome(staged)
    found = run.verdict
    assert found.found["known"] == found.fixed["known"] == Share(2, 2)
    assert not found.false_findings and not found.false_fixes and found.suite
    assert found.codes == Share(1, 1)
    hours = (events[-1].at_us - events[0].at_us) / 3.6e9
    assert 1.3 < hours < 1.6
    assert any(isinstance(event.body, SessionFinished) and event.body.state == "finished" for event in events)
    calls = sum(event.kind == "tool.finished" for event in events)
    assert TINY.calls - 3 <= calls <= TINY.calls
    table = "\n".join(lines([run, run]))
    assert "known flaws found" in table and table.count("2 of 2") == 6 and "ours, auto" in table


def test_no_policy_knows_the_room_that_makes_the_town():
    modules = [ast.parse(path.read_text()) for path in POLICIES.rglob("*.py")]
    named = [node for tree in modules for node in ast.walk(tree) if isinstance(node, ast.ImportFrom | ast.Import)]
    assert not [node for node in named if "rehearsal" in ast.unparse(node)]
