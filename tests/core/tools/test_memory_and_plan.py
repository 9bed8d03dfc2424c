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


async def test_a_fact_may_be_for_the_project_and_may_replace_one_that_is_known(bench: Bench) -> None:
    bench.recall.write("port 80")
    outcome = await bench(Remember(), text="port 81", scope="project", replaces="m1")
    (body, key), *_ = outcome.events
    assert isinstance(body, MemoryWritten) and (body.scope, body.replaces, key) == ("project", "m1", "m2")
    assert outcome.content == "remembered as m2 (fact, project), replaces m1"
    with pytest.raises(ToolError, match="no memory entry 'm5'"):
        await bench(Remember(), text="x", replaces="m5")
    with pytest.raises(ToolError, match="scope"):
        await bench(Remember(), text="x", scope="world")


async def test_entries_are_recalled_newest_first_by_category_or_words(bench: Bench) -> None:
    for number in range(30):
        bench.recall.write(f"note {number}", "finding" if number % 2 else "decision", "core")
    everything = (await bench(Recall())).content.splitlines()
    assert len(everything) == 10 and everything[0] == "m30 [finding · core] note 29"
    decisions = (await bench(Recall(), category="Decision", limit=2, offset=2)).content.splitlines()
    assert [line.split()[0] for line in decisions] == ["m27", "m25"]
    assert (await bench(Recall(), category="decision", query="note 12")).content == "m13 [decision · core] note 12"
    assert (await bench(Recall(), category="rumour")).content == "nothing is remembered about 'rumour'"
    assert (await bench(Recall(), offset=99)).content == "no more entries"


async def test_nothing_remembered_is_said(bench: Bench) -> None:
    assert (await bench(Recall())).content == "nothing is remembered yet"


async def test_a_query_gives_the_words_themselves(bench: Bench) -> None:
    bench.recall.outputs["out:r1.0.0"] = "Traceback:\n  KeyError: 'name'"
    answer = (await bench(Recall(), query="KeyError")).content
    assert answer == "out:r1.0.0 [result]\nTraceback:\n  KeyError: 'name'"


async def test_what_was_never_seen_is_said_with_what_is_near(bench: Bench) -> None:
    bench.recall.outputs["resolver_cache"] = "x"
    answer = (await bench(Recall(), query="resolver_cahce")).content
    assert answer == "nothing by that name: 'resolver_cahce'. Near it: resolver_cache."
    with pytest.raises(ToolError, match=r"nothing by that name: 'm7'\. Handles look like"):
        await bench(Recall(), query="m7")


async def test_a_query_that_is_a_handle_gives_what_is_behind_it(bench: Bench) -> None:
    bench.recall.write("an entry")
    assert (await bench(Recall(), query="m1")).content == "m1 · lines 1-1 of 1\n[fact] an entry"


async def test_a_query_within_a_handle_begins_the_page_there(bench: Bench) -> None:
    bench.recall.outputs["out:r1.0.0"] = "\n".join(f"line {number}" for number in range(1, 1_001))
    page = (await bench(Recall(), handle="out:r1.0.0", query="line 777", limit=2)).content
    assert page.splitlines()[:3] == ["out:r1.0.0 · lines 777-778 of 1,000", "line 777", "line 778"]
    with pytest.raises(ToolError, match="does not hold 'line 7777'"):
        await bench(Recall(), handle="out:r1.0.0", query="line 7777")


async def test_a_handle_gives_the_whole_in_pages(bench: Bench) -> None:
    bench.recall.outputs["out:r1.0.0"] = "\n".join(str(number) for number in range(1, 1_001))
    first = (await bench(Recall(), handle="out:r1.0.0")).content.splitlines()
    assert first[0] == "out:r1.0.0 · lines 1-200 of 1,000"
    assert first[1] == "1" and first[-1] == "[… 800 lines more; go on with offset=201 …]"
    last = (await bench(Recall(), handle="out:r1.0.0", offset=999, limit=50)).content
    assert last == "out:r1.0.0 · lines 999-1000 of 1,000\n999\n1000"
    bench.recall.write("an entry")
    assert "[fact] an entry" in (await bench(Recall(), handle="m1")).content
    for handle, reason in (("out:r9.9.9", "nothing by that name"), ("m7", "nothing by that name")):
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
