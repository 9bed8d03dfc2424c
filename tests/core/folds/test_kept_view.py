"""A view that was kept and goes on is the view folded from the first event, whatever happened to its files."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lives import Life, lives
from logbook import Logbook, sessions
from msgspec.structs import replace
from test_view_as_of import picture

from core.clock import VirtualClock
from core.events import Draft, Event, MemoryForgotten, MemoryWritten
from core.folds import pages
from core.folds.view import SessionView
from core.journal import kept_view
from core.journal.kept_view import PAGES, STATE, KeptView
from core.journal.reader import Reader
from core.journal.writer import Journal
from core.source import SessionSource


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(pages, "PAGE", 2)
    monkeypatch.setattr(kept_view, "WORTH_KEEPING", 1)


class Log:
    """Events as a reader gives them, without a disk."""

    def __init__(self, events: list[Event], chain: bytes = bytes(32)) -> None:
        self.events, self.chain = events, chain

    def event(self, seq: int) -> Event | None:
        return replace(self.events[seq - 1], chain=self.chain) if seq <= len(self.events) else None


def everything(view: SessionView, seq: int) -> dict[str, Any]:
    """What the screen can ask of a view as of an event."""
    return {
        **picture(view, seq),
        "strip": view.lanes.strip(20, seq),
        "shelves": {name: [call.key for call in shelf.calls] for name, shelf in view.tool_calls.shelves.items()},
        "running": [call.key for call in view.tool_calls.running(seq)],
        "found": [view.tool_calls.get(call.key) for call in view.tool_calls.rows],
        "since": view.absence.since(seq // 2, seq),
        "steps": view.step_costs.at(seq),
        "misses": view.cache.misses(seq),
        "next": view.rent.next_call.at(seq),
        "meter": view.rent.meter.at(seq),
        "context": view.context_items.items(seq),
        "tally": view.tallies.series.at(seq),
        "workload": view.workload.turns(),
        "marks": list(view.timeline.marks),
        "totals": view.totals,
        "guidance": view.guidance.receipts(seq),
    }


def fresh(events: list[Event]) -> SessionView:
    view = SessionView()
    view.apply_all(events)
    return view


@settings(max_examples=60, deadline=None)
@given(st.one_of(lives(), sessions()), st.data())
def test_a_view_that_was_kept_twice_and_went_on_equals_a_fresh_fold(log: Life | Logbook, data):
    events = log.events
    cuts = sorted(data.draw(st.lists(st.integers(0, len(events)), min_size=2, max_size=2)))
    with tempfile.TemporaryDirectory() as folder:
        for first, last in zip((0, *cuts), (*cuts, len(events)), strict=True):
            kept = KeptView(Path(folder))
            view = kept.restored(Log(events))
            assert view.last_seq == first
            view.apply_all(events[first:last])
            keep_now(kept, view, events)
            kept.close()
        kept = KeptView(Path(folder))
        view = kept.restored(Log(events))
        seq = data.draw(st.integers(1, len(events)))
        assert view.last_seq == len(events) and everything(view, seq) == everything(fresh(events), seq)
        kept.close()


def keep_now(kept: KeptView, view: SessionView, events: list[Event]) -> None:
    if (taken := kept.picture(view)) is not None:
        kept.save(taken, Log(events))


def test_what_was_pictured_is_kept_though_the_view_grows_on_meanwhile_and_an_earlier_picture_comes_too_late(tmp_path):
    events = audit()
    kept = KeptView(tmp_path)
    view, pictures = kept.restored(Log(events)), []
    for end in (20, 30, 40):
        view.apply_all(events[view.last_seq : end])
        pictures.append(kept.picture(view))
    pictures[2].view.close()
    for taken in (pictures[1], pictures[0]):
        kept.save(taken, Log(events))
    kept.close()
    again = KeptView(tmp_path)
    view = again.restored(Log(events))
    assert everything(view, 25) == everything(fresh(events[:30]), 25)
    again.close()


def test_a_view_is_kept_again_only_once_it_is_longer_by_a_part_of_what_is_kept(tmp_path):
    events = audit()
    kept = KeptView(tmp_path)
    view = kept.restored(Log(events))
    view.apply_all(events[:20])
    keep_now(kept, view, events)
    view.apply_all(events[20:24])
    assert kept.picture(view, longer_by=0.25) is None
    view.apply_all(events[24:25])
    later = kept.picture(view, longer_by=0.25)
    assert later is not None
    later.view.close()
    kept.close()


def keep(folder: Path, events: list[Event]) -> None:
    kept = KeptView(folder)
    view = kept.restored(Log(events))
    view.apply_all(events[view.last_seq :])
    keep_now(kept, view, events)
    kept.close()


def restored(folder: Path, events: list[Event], chain: bytes = bytes(32)) -> int:
    kept = KeptView(folder)
    try:
        return kept.restored(Log(events, chain)).last_seq
    finally:
        kept.close()


def audit() -> list[Event]:
    log = Logbook()
    for number in range(12):
        log.turn(("read_file", {"path": f"{number}.py"}), text=f"step {number}")
    return log.events


def test_what_is_forgotten_after_a_view_was_kept_is_forgotten_in_it(tmp_path):
    log = Logbook()
    log.add(MemoryWritten(text="Use tabs."), key="m1")
    kept_until = len(log.events)
    log.add(MemoryForgotten(id="m1"))
    keep(tmp_path, log.events[:kept_until])
    kept = KeptView(tmp_path)
    view = kept.restored(Log(log.events))
    view.apply_all(log.events[view.last_seq :])
    kept.close()
    assert kept_until > 0 and not view.memories.known()


def test_another_log_under_the_same_name_is_folded_anew(tmp_path):
    keep(tmp_path, audit())
    assert restored(tmp_path, audit(), b"another chain".ljust(32)) == 0


def test_another_version_of_the_folds_folds_anew(tmp_path, monkeypatch):
    keep(tmp_path, audit())
    monkeypatch.setattr(kept_view, "version", lambda: b"another version!")
    assert restored(tmp_path, audit()) == 0


def test_what_a_screen_keeps_after_an_upgrade_under_it_is_of_the_code_that_it_runs(tmp_path, monkeypatch):
    events, kept = audit(), KeptView(tmp_path)
    view = kept.restored(Log(events))
    view.apply_all(events)
    monkeypatch.setattr(kept_view, "version", lambda: b"of new code now!")
    keep_now(kept, view, events)
    kept.close()
    assert (tmp_path / STATE).exists() and restored(tmp_path, events) == 0


@pytest.mark.parametrize("name", [PAGES, STATE])
@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
def test_damaged_files_are_made_again(tmp_path, name, damage):
    events = audit()
    keep(tmp_path, events)
    file = tmp_path / name
    data = file.read_bytes()
    match damage:
        case "cut":
            file.write_bytes(data[: len(data) // 2])
        case "changed" if name == STATE:
            file.write_bytes(data[:-200] + bytes(100) + data[-100:])
        case "changed":
            file.write_bytes(b"another name is here" + data[20:])
        case _:
            file.unlink()
    assert restored(tmp_path, events) == 0
    keep(tmp_path, events)
    assert restored(tmp_path, events) == len(events)


def test_a_second_screen_reads_what_the_first_one_keeps_and_leaves_it_alone(tmp_path):
    events = audit()
    keep(tmp_path, events[:30])
    first, second = KeptView(tmp_path), KeptView(tmp_path)
    views = [kept.restored(Log(events)) for kept in (first, second)]
    for view, kept in zip(views, (first, second), strict=True):
        assert view.last_seq == 30
        view.apply_all(events[30:])
        kept.put_away(view)
    keep_now(second, views[1], events)
    assert everything(views[0], 40) == everything(views[1], 40) == everything(fresh(events), 40)
    assert restored(tmp_path, events) == 30
    first.close()
    second.close()


def test_a_folder_that_may_not_be_written_costs_only_time(tmp_path):
    (tmp_path / PAGES).mkdir()
    events = audit()
    keep(tmp_path, events)
    assert restored(tmp_path, events) == 0


async def test_a_source_goes_on_after_the_view_that_it_gave_back(tmp_path):
    folder = tmp_path / "s1"
    async with await Journal.create(folder, VirtualClock()) as journal:
        await journal.append(*(Draft(event.body, key=event.key) for event in audit()))
    first = SessionSource(folder)
    view = first.restored()
    async for batch in first.batches():
        if not batch:
            break
        view.apply_all(batch)
    await first.keep(view)
    await first.close()
    second = SessionSource(folder)
    assert second.restored().last_seq == len(audit())
    assert [len(batch) async for batch in stopping(second)] == [0]
    with Reader(folder) as reader:
        assert reader.last_seq() == len(audit())
    await second.close()


async def test_a_view_is_kept_though_whoever_waits_for_that_goes_away(tmp_path):
    folder = tmp_path / "s1"
    async with await Journal.create(folder, VirtualClock()) as journal:
        await journal.append(*(Draft(event.body, key=event.key) for event in audit()))
    source = SessionSource(folder)
    view = source.restored()
    view.apply_all([event async for batch in stopping(source) for event in batch])
    waiting = asyncio.create_task(source.keep(view))
    await asyncio.sleep(0)
    waiting.cancel()
    await source.keep(view)
    await source.close()
    again = SessionSource(folder)
    assert again.restored().last_seq == len(audit())
    await again.close()


async def stopping(source: SessionSource):
    async for batch in source.batches():
        yield batch
        if not batch:
            return
