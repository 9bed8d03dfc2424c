"""The surveyor sees what is planted and leaves alone what only looks like it; its standing survives its own words."""

import pytest

from core.rehearsal.town import Sizes, found
from core.simulator.policies.places import progress_line, read_line
from core.simulator.policies.surveyor import SurveyorPolicy
from core.simulator.policies.surveyor.guidance import follow
from core.simulator.policies.surveyor.kinds import repaired, spots
from core.simulator.policies.surveyor.progress import Progress

TOWN = found(11, Sizes(lines=9_000, known=25, aside=0, decoys=42))


def test_it_sees_every_known_flaw_in_its_function_and_nothing_else_in_the_whole_town():
    planted = {(one.path, one.kind): one.function for one in TOWN.flaws}
    seen = {
        (path, spot.kind): spot.function
        for path, text in TOWN.files.items()
        if path.startswith("town/")
        for spot in spots(text)
    }
    assert seen == planted


def test_it_has_a_repair_that_still_is_python_for_each_of_them():
    for one in TOWN.flaws:
        text = TOWN.files[one.path]
        (spot,) = spots(text)
        fix = repaired(one.kind, text, spot.lines, 1)
        assert fix is not None and fix[1].text != text
        compile(fix[1].text, one.path, "exec")


def test_its_standing_is_read_back_from_its_own_line():
    progress = Progress("check", area=3, todo=("a_records", "b_store"), open=("town/x/c.py",), calls=17, closing=True)
    assert read_line([f"Some words.\n\n{progress_line(progress)}"], Progress) == progress


@pytest.mark.parametrize(
    ("words", "skip", "again"),
    [
        ("please leave out water", ("roads", "water"), ()),
        ("take roads in after all", (), ("roads",)),
        ("hello", ("roads",), ()),
    ],
)
def test_guidance_may_take_back_what_was_said_before(words, skip, again):
    progress, _ = follow(Progress("sweep", area=2, skip=("roads",)), [words])
    assert (progress.skip, progress.again) == (skip, again)


def test_with_an_empty_history_it_begins_with_the_tree():
    tools = [{"name": "list_files", "input_schema": {"properties": {"path": {}, "depth": {}, "limit": {}}}}]
    request = {"tools": tools, "messages": [{"role": "user", "content": "<task>Audit.</task>"}]}
    calls = [block for block in SurveyorPolicy().reply(request).blocks if block["type"] == "tool_use"]
    assert [call["name"] for call in calls] == ["list_files"]
