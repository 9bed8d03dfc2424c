"""Recall over a real journal: anything ever seen, in one call, and nothing outdated as if it still held."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.agent.facts import Facts
from core.agent.recollection import EXCERPT_CHARS, WHOLE_CHARS, Recollection
from core.clock import VirtualClock
from core.events import (
    Body,
    Draft,
    Event,
    GuidanceDelivered,
    HeadMoved,
    MemoryForgotten,
    MemoryKept,
    MemoryWritten,
    SessionOpened,
    ToolFinished,
)
from core.journal import Journal, Reader
from core.journal.project_memory import ProjectMemory
from core.journal.recall_index import RecallIndex
from core.tools.base import ToolContext, ToolError
from core.tools.memory import Recall, Remember
from core.tools.recalled import page_lines
from core.tools.registry import parse_arguments


@dataclass
class Session:
    """A journal with the folds over it, and what tools may ask of it."""

    journal: Journal
    facts: Facts
    recall: Recollection
    folder: Path

    async def add(self, body: Body, key: str | None = None, blobs: tuple[bytes, ...] = ()) -> Event:
        (event,) = await self.journal.append(Draft(body, key=key), blobs=blobs)
        self.facts.apply(event)
        return event

    async def result(self, call: str, content: str, whole: str | None = None) -> Event:
        blobs = () if whole is None else (whole.encode(),)
        blob = Journal.hash_of(blobs[0]) if blobs else None
        body = ToolFinished(name="run_command", use_id="t", ok=True, content=content, blob=blob)
        return await self.add(body, call, blobs)

    async def rewind(self, to: Event) -> None:
        await self.add(HeadMoved(to=to.seq, origin=self.journal.head or 1, reason="rewind"))

    async def ask(self, **raw: object) -> str:
        """What the tool answers."""
        tool = Recall()
        context = ToolContext(self.folder, self.folder, "r9.1.0", self.recall)
        return (await tool.run(parse_arguments(tool, raw), context)).content


@asynccontextmanager
async def opened(folder: Path, session: str = "s1") -> AsyncIterator[Session]:
    async with await Journal.create(folder / session, VirtualClock()) as journal:
        with Reader(folder / session) as reader, RecallIndex(reader) as index:
            facts = Facts()
            recall = Recollection(facts, reader, index, ProjectMemory(folder, Path("/w"), session))
            one = Session(journal, facts, recall, folder / session)
            fields = {"model": "m", "endpoint": "e", "profile": "p", "app_version": "0", "workspace": "/w"}
            await one.add(SessionOpened(session=session, name="audit", task="Mend the parser.", **fields))
            yield one


@pytest.fixture
async def session(tmp_path: Path) -> AsyncIterator[Session]:
    async with opened(tmp_path) as one:
        yield one


async def test_the_newest_comes_first_and_older_ones_are_marked(session: Session) -> None:
    await session.result("r1.1.0", "gateway_port_main is 8081")
    await session.add(GuidanceDelivered(text="Correction: gateway_port_main is 9092"))
    assert (await session.ask(query="gateway_port_main")).splitlines() == [
        "#3 [guidance by the user] Correction: gateway_port_main is 9092",
        "out:r1.1.0 [result of run_command · earlier] gateway_port_main is 8081",
    ]


async def test_a_replaced_or_forgotten_entry_never_stands_as_current(session: Session) -> None:
    await session.result("r1.1.0", "listening on gateway_port_main")
    await session.add(MemoryWritten(text="gateway_port_main is 8081"), "m1")
    await session.add(MemoryWritten(text="gateway_port_main is 9092", replaces="m1"), "m2")
    await session.add(MemoryWritten(text="gateway_port_main may be 7"), "m3")
    await session.add(MemoryForgotten(id="m3", reason="a guess"))
    found = [(one.handle, one.label) for one in await session.recall.search("gateway_port_main", 10)]
    assert found == [("m2", ""), ("out:r1.1.0", "earlier"), ("m3", "forgotten"), ("m1", "replaced by m2")]
    assert await session.ask(handle="m1") == "m1 · lines 1-1 of 1\n[fact · replaced by m2] gateway_port_main is 8081"
    assert await session.ask(category="fact") == "m2 [fact] gateway_port_main is 9092"


async def test_an_abandoned_branch_is_labelled_and_never_crowds_out_what_holds(session: Session) -> None:
    back = await session.result("r1.1.0", "retry_budget_total = 3")
    for number in range(2, 30):
        await session.result(f"r{number}.1.0", f"retry_budget_total = {number * 100}")
    await session.add(MemoryWritten(text="the retry_budget_total was raised"), "m1")
    await session.add(GuidanceDelivered(text="go on"))
    await session.rewind(back)
    found = await session.recall.search("retry_budget_total", 9)
    assert (found[0].handle, found[0].label) == ("out:r1.1.0", "")
    assert [one.label for one in found[1:]] == ["abandoned branch"] * 3 and found[1].handle == "m1"
    assert (await session.recall.search("retry_budget_total", 1))[0].handle == "out:r1.1.0"
    assert "abandoned branch" in await session.ask(query="m1")
    await session.add(MemoryKept(id="m1"))
    assert (await session.recall.search("retry_budget_total", 9))[0].handle == "m1"


async def test_the_best_answer_is_whole_and_the_others_are_excerpts(session: Session) -> None:
    long = "\n".join(f"row {number} of the table" for number in range(200))
    await session.result("r1.1.0", f"{long}\nwidget_ledger_sum old\n{long}")
    await session.result("r2.1.0", f"{long}\nwidget_ledger_sum new\nand its reason\n")
    newest, older = await session.recall.search("widget_ledger_sum", 10)
    assert newest.whole and newest.text.startswith("row 0 ") and newest.text.endswith("and its reason\n")
    assert "widget_ledger_sum old" in older.text and not older.whole and len(older.text) <= EXCERPT_CHARS * 1.2


async def test_of_a_giant_output_the_passage_comes_with_the_line_to_go_on_from(session: Session) -> None:
    lines = [f"line {number} {'x' * 60}" for number in range(20_000)]
    lines[7_000], lines[15_000] = "checksum_first_seen 1", "checksum_first_seen 2"
    whole = "\n".join(lines)
    await session.result("r1.1.0", "line 0 …", whole)
    (passage,) = await session.recall.search("checksum_first_seen", 10)
    assert "checksum_first_seen 1\n" in passage.text and "\nchecksum_first_seen 2" in passage.text
    assert len(passage.text) <= WHOLE_CHARS * 1.2 and not passage.whole
    assert page_lines(whole)[passage.line - 1] == passage.text.splitlines()[0]
    page = await session.ask(handle="out:r1.1.0", query="checksum_first_seen 2", limit=1)
    assert page.splitlines()[:2] == ["out:r1.1.0 · lines 15001-15001 of 20,000", "checksum_first_seen 2"]


async def test_words_give_the_likest_passage_whole(session: Session) -> None:
    reason = "We keep SQLite and not Postgres, because the laptop is offline.\n" + "It was measured twice.\n" * 40
    await session.add(GuidanceDelivered(text=reason))
    for number in range(20):
        await session.result(f"r{number}.1.0", f"sqlite build {number} ok")
    found = await session.recall.search("why not postgres but sqlite when offline", 5)
    best = next(one for one in found if one.handle == "#2")
    assert best.text == reason


async def test_every_kind_of_handle_gives_the_whole(session: Session) -> None:
    await session.result("r1.1.0", "head … tail", "head middle tail")
    assert await session.recall.output("out:r1.1.0") == await session.recall.output("#2") == "head middle tail"
    assert await session.recall.output("#1") == "Mend the parser."
    for handle in ("out:r7.1.0", "#99", "m1", "p1", "nonsense", "#" + "9" * 40, "", "²"):
        assert await session.recall.output(handle) is None


async def test_what_never_was_is_said_with_what_is_near(session: Session) -> None:
    await session.add(MemoryWritten(text="x", topic="resolver_cache"), "m1")
    assert await session.ask(query="resolver_cahce") == (
        "nothing by that name: 'resolver_cahce'. Near it: resolver_cache."
    )
    with pytest.raises(ToolError, match=r"nothing by that name: 'out:r7\.1\.0'"):
        await session.ask(handle="out:r7.1.0")


async def test_earlier_sessions_of_the_workspace_are_recalled_with_their_source(tmp_path: Path) -> None:
    async with opened(tmp_path, "s1") as first:
        await first.add(MemoryWritten(text="port 81", topic="gateway", scope="project"), "m1")
        ProjectMemory(tmp_path, Path("/w"), "s1").sync("audit", first.facts.memories.known())
    async with opened(tmp_path, "s2") as second:
        await second.add(MemoryWritten(text="mine"), "m1")
        assert (await second.ask(category="fact")).splitlines() == [
            "m1 [fact] mine",
            "p1 [fact · gateway · from session audit] port 81",
        ]
        assert await second.ask(query="port 81") == "p1 [fact · gateway · from session audit] port 81"
        assert "port 81" in await second.ask(handle="p1")


async def test_an_entry_may_replace_only_what_is_known_and_ids_are_never_used_again(session: Session) -> None:
    await session.add(MemoryWritten(text="a"), "m4")
    assert session.recall.remembers("m4") and not session.recall.remembers("m1")
    await session.add(MemoryForgotten(id="m4"))
    assert not session.recall.remembers("m4")
    assert [session.recall.next_memory_id() for _ in range(2)] == ["m5", "m6"]
    tool = Remember()
    context = ToolContext(session.folder, session.folder, "r9.1.0", session.recall)
    with pytest.raises(ToolError, match="no memory entry 'm4'"):
        await tool.run(parse_arguments(tool, {"text": "x", "replaces": "m4"}), context)


async def test_recall_goes_on_where_the_folder_refuses_an_index(session: Session) -> None:
    (session.folder / "recall.db").mkdir()
    await session.result("r1.1.0", "resolver_cache")
    await session.recall.catch_up()
    assert await session.ask(query="resolver_cache") == "out:r1.1.0 [result of run_command] resolver_cache"
