from __future__ import annotations

import pytest
from tool_helpers import Bench

from core.events import MemoryForgotten, MemoryWritten, PlanChanged
from core.tools.base import ToolError
from core.tools.memory import Forget, Recall, Remember
from core.tools.plan import Plan


async def test_a_fact_is_remembered_by_an_event_under_a_fresh_id(bench: Bench) -> None:
    outcome = await bench(Remember(), text=" eval in a.py:3 \n", category="Finding", topic="a.py")
    (body, key), *rest = outcome.events
    assert body == MemoryWritten(text="eval in a.py:3", category="finding", topic="a.py", call="r1.0.0")
    assert key == "m1" and not rest and outcome.content == "remembered as m1 (finding)"
    with pytest.raises(ToolError, match="empty"):
        await bench(Remember(), text="   ")


async def test_forgetting_names_an_entry_that_exists_and_a_reason(bench: Bench) -> None:
    bench.recall.write("old")
    outcome = await bench(Forget(), id="m1", reason="fixed")
    assert outcome.events == ((MemoryForgotten(id="m1", reason="fixed"), None),)
    with pytest.raises(ToolError, match="no memory entry 'm9'"):
        await bench(Forget(), id="m9", reason="x")


async def test_entries_are_recalled_newest_first_by_category_or_words(bench: Bench) -> None:
    for number in range(30):
        bench.recall.write(f"note {number}", "finding" if number % 2 else "decision", "core")
    everything = (await bench(Recall())).content.splitlines()
    assert len(everything) == 20 and everything[0] == "m30 [finding · core] note 29"
    decisions = (await bench(Recall(), category="Decision", limit=2, offset=2)).content.splitlines()
    assert [line.split()[0] for line in decisions] == ["m27", "m25"]
    assert (await bench(Recall(), query="note 12")).content == "m13 [decision · core] note 12"
    assert (await bench(Recall(), query="unheard")).content == "nothing is remembered about 'unheard'"
    assert (await bench(Recall(), offset=99)).content == "no more entries"


async def test_a_query_also_finds_events_that_hold_the_text(bench: Bench) -> None:
    bench.recall.outputs["out:r1.0.0"] = "Traceback:\n  KeyError: 'name'"
    assert (await bench(Recall(), query="KeyError")).content == "out:r1.0.0 Traceback: KeyError: 'name'"


async def test_a_handle_gives_the_whole_in_pages(bench: Bench) -> None:
    bench.recall.outputs["out:r1.0.0"] = "\n".join(str(number) for number in range(1, 1_001))
    first = (await bench(Recall(), handle="out:r1.0.0")).content.splitlines()
    assert first[0] == "out:r1.0.0 · lines 1-200 of 1,000"
    assert first[1] == "1" and first[-1] == "[… 800 lines more; go on with offset=201 …]"
    last = (await bench(Recall(), handle="out:r1.0.0", offset=999, limit=50)).content
    assert last == "out:r1.0.0 · lines 999-1000 of 1,000\n999\n1000"
    bench.recall.write("an entry")
    assert "m1 [fact] an entry" in (await bench(Recall(), handle="m1")).content
    for handle, reason in (("out:r9.9.9", "Nothing is stored"), ("m7", "Nothing is stored")):
        with pytest.raises(ToolError, match=reason):
            await bench(Recall(), handle=handle)
    with pytest.raises(ToolError, match="has 1,000 lines; offset 5000 is beyond"):
        await bench(Recall(), handle="out:r1.0.0", offset=5_000)


async def test_every_part_of_one_very_long_line_can_be_reached(bench: Bench) -> None:
    whole = "".join(f"{number:07}" for number in range(100_000))
    bench.recall.outputs["out:r1.0.0"] = whole
    collected, offset = "", 1
    while len(collected) < len(whole):
        lines = (await bench(Recall(), handle="out:r1.0.0", offset=offset, limit=2_000)).content.splitlines()
        page = [line for line in lines[1:] if not line.startswith("[…")]
        collected += "".join(page)
        offset += len(page)
        assert sum(map(len, page)) <= 30_000
    assert collected == whole


async def test_a_plan_is_answered_as_lines_and_becomes_an_event(bench: Bench) -> None:
    steps = [
        {"id": "1", "intent": "look", "status": "done", "note": "4 findings"},
        {"id": "2", "intent": "fix", "check": "pytest -q", "status": "active"},
        {"id": "3", "intent": "polish", "status": "dropped", "note": "not needed"},
    ]
    outcome = await bench(Plan(), steps=steps, reason="scan is in")
    assert outcome.content.splitlines() == [
        "plan: 1 of 2 done",
        "[x] 1. look · 4 findings",
        "[>] 2. fix · check: pytest -q",
        "[-] 3. polish · not needed",
    ]
    ((body, key),) = outcome.events
    assert isinstance(body, PlanChanged) and key is None
    assert body.reason == "scan is in" and [step.id for step in body.steps] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ([{"id": "1", "intent": "a"}, {"id": "1", "intent": "b"}], "'1' is used more than once"),
        (
            [{"id": "1", "intent": "a", "status": "active"}, {"id": "2", "intent": "b", "status": "active"}],
            "At most one step can be active; 1, 2 are",
        ),
        ([{"id": "1", "intent": "a", "status": "finished"}], r"steps\[0\]\.status"),
        ([{"id": "1"}], "intent"),
        ([], "steps"),
    ],
)
async def test_a_plan_that_makes_no_sense_is_refused(bench: Bench, steps: list[dict[str, str]], reason: str) -> None:
    with pytest.raises(ToolError, match=reason):
        await bench(Plan(), steps=steps)
