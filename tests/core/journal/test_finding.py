"""Words anywhere in a session: every kind of text, whole outputs, newest first, and given up when nobody asks on."""

from __future__ import annotations

from pathlib import Path

import pytest
from journal_drafts import finished, opened

from core.clock import VirtualClock
from core.events import (
    Draft,
    FileChange,
    GuidanceDelivered,
    MemoryWritten,
    ModelResponded,
    PlanChanged,
    PlanStep,
    Price,
    ToolFinished,
    Usage,
)
from core.journal import Journal, Reader
from core.journal.finding import CHUNK, find
from core.protocols import Hit


async def written(folder: Path, *drafts: Draft) -> Path:
    async with await Journal.create(folder, VirtualClock()) as journal:
        await journal.append(opened(), *drafts)
    return folder


async def hits(folder: Path, words: str) -> list[Hit]:
    with Reader(folder) as reader:
        return [hit async for found in find(reader, words) for hit in found.hits]


async def test_every_kind_of_text_is_found_whatever_its_case_the_newest_first(tmp_path: Path) -> None:
    tool = {"type": "tool_use", "id": "t", "name": "edit_file", "input": {"path": "a.py", "new": ["the NEEDLE"]}}
    blocks = [{"type": "thinking", "thinking": "A Needle?"}, {"type": "text", "text": "One\nsmall needle."}, tool]
    reply = ModelResponded(
        message_id="m", model="m", content=blocks, stop_reason="end_turn", usage=Usage(), price=Price()
    )
    file = FileChange(path="needle/a.py", before=None, after=None, added=1, removed=0)
    folder = await written(
        tmp_path / "s",
        Draft(reply, key="r1.1"),
        Draft(ToolFinished(name="edit_file", use_id="t", ok=True, content="done", files=[file]), key="r1.1.0"),
        Draft(GuidanceDelivered(text="Mind the needle.")),
        Draft(MemoryWritten(text="needle, needle", category="finding"), key="m1"),
        Draft(PlanChanged(steps=[PlanStep(id="1", intent="Find the needle")])),
    )
    found = await hits(folder, "nEEdle")
    assert [hit.kind for hit in found] == ["plan", "memory", "guidance", "file", "thinking", "said", "call"]
    assert [hit.times for hit in found] == [1, 2, 1, 1, 1, 1, 1]
    assert [hit.line for hit in found if hit.kind == "said"] == ["small needle."]
    assert all(hit.line[hit.start : hit.start + 6].lower() == "needle" for hit in found)


async def test_a_whole_output_behind_its_handle_is_found_by_its_line(tmp_path: Path) -> None:
    whole = "".join(f"line {number}\n" for number in range(9_000)) + "x" * 900 + ' the needle "quoted"\n'
    async with await Journal.create(tmp_path / "s", VirtualClock()) as journal:
        body = ToolFinished(name="run", use_id="t", ok=True, content="capped", blob=journal.hash_of(whole.encode()))
        await journal.append(opened(), Draft(body, key="r1.1.0"), blobs=[whole.encode()])
    (hit,) = await hits(tmp_path / "s", 'needle "quoted"')
    assert (hit.kind, hit.line[hit.start :]) == ("output", 'needle "quoted"')
    assert len(hit.line) < 200
    assert [hit.line for hit in await hits(tmp_path / "s", "line 8999")] == ["line 8999"]


async def test_a_search_reads_in_chunks_from_the_end_and_stops_when_nobody_asks_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = await written(tmp_path / "s", *(finished(f"r{number}.1.0") for number in range(2 * CHUNK)))
    with Reader(folder) as reader:
        asked: list[int] = []
        raw = reader.raw

        def counted(after: int, limit: int | None):
            asked.append(after)
            return raw(after, limit)

        monkeypatch.setattr(reader, "raw", counted)
        search = find(reader, "nowhere to be found")
        first = await anext(search)
        await search.aclose()
        assert (first.hits, first.reached, asked) == ([], CHUNK + 2, [CHUNK + 1])
        assert [found.reached async for found in find(reader, "nowhere to be found")] == [CHUNK + 2, 2, 1]
