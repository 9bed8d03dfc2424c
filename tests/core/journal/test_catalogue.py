"""The list of sessions, and how one of them is named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from journal_drafts import opened, paused, said

from core.clock import VirtualClock
from core.events import Draft, SessionContinued, SessionFinished, SessionRenamed
from core.journal import Journal, JournalError
from core.journal.catalogue import SessionNotFound, find_session, list_sessions, session_folder, summarize, trace
from core.journal.lease import acquire
from core.journal.schema import database


async def make(home: Path, session: str, *drafts: Draft, age: int = 0) -> Path:
    folder = session_folder(home, session)
    async with await Journal.create(folder, VirtualClock()) as journal:
        await journal.append(*drafts)
    os.utime(database(folder), (10_000 - age, 10_000 - age))
    return folder


async def test_sessions_are_listed_with_their_state_newest_first(tmp_path: Path) -> None:
    finished = SessionFinished(state="finished", reason="done", detail="all green")
    await make(tmp_path, "01a", opened("first"), Draft(SessionRenamed(name="better name")), Draft(finished), age=30)
    await make(tmp_path, "01b", opened("second"), paused(), Draft(SessionContinued()), paused("budget"), age=20)
    await make(tmp_path, "01c", opened("third"), paused(), Draft(SessionContinued()), said("x"), age=10)
    running = await make(tmp_path, "01d", opened("fourth", task="do it"), said("y"))
    with acquire(running):
        found = list_sessions(tmp_path)
    assert [(one.id, one.name, one.state, one.reason) for one in found] == [
        ("01d", "fourth", "running", ""),
        ("01c", "third", "interrupted", ""),
        ("01b", "second", "paused", "budget"),
        ("01a", "better name", "finished", "done"),
    ]
    with acquire(session_folder(tmp_path, "01a")):
        assert summarize(session_folder(tmp_path, "01a")).state == "finished", "its screen is still open"
    assert (found[0].task, found[0].events, found[0].opened_us) == ("do it", 2, VirtualClock().now_us())


async def test_damaged_sessions_are_listed_as_damaged(tmp_path: Path) -> None:
    await make(tmp_path, "01a", opened())
    await make(tmp_path, "01b")
    for session, content in (("01c", b""), ("01d", b"garbage" * 500)):
        session_folder(tmp_path, session).mkdir()
        database(session_folder(tmp_path, session)).write_bytes(content)
    session_folder(tmp_path, "no journal").mkdir()
    states = {one.id: one.state for one in list_sessions(tmp_path)}
    assert states == {"01a": "interrupted", "01b": "damaged", "01c": "damaged", "01d": "damaged"}
    assert all(one.detail for one in list_sessions(tmp_path) if one.state == "damaged")


async def test_a_session_is_found_by_id_name_start_or_as_the_latest(tmp_path: Path) -> None:
    await make(tmp_path, "01aa", opened("audit"), age=5)
    await make(tmp_path, "01ab", opened("port"), age=9)
    await make(tmp_path, "02", opened("01aa"), age=7)
    assert find_session(tmp_path).id == "01aa"
    assert find_session(tmp_path, "01aa").id == "01aa"
    assert find_session(tmp_path, "port").id == "01ab"
    assert find_session(tmp_path, "01AB").id == "01ab"
    assert find_session(tmp_path, "02").name == "01aa"


async def test_no_match_and_several_name_the_candidates(tmp_path: Path) -> None:
    with pytest.raises(SessionNotFound, match="no sessions"):
        find_session(tmp_path)
    for n in range(7):
        await make(tmp_path, f"01a{n}", opened("same"), age=n)
    with pytest.raises(SessionNotFound, match=r"'01a' names 7 sessions: 01a0 \(same\), .* and 2 more"):
        find_session(tmp_path, "01a")
    with pytest.raises(SessionNotFound, match="names 7 sessions"):
        find_session(tmp_path, "same")
    with pytest.raises(SessionNotFound, match="No session is called 'zzz'; the latest are 01a0"):
        find_session(tmp_path, "zzz")


def test_a_home_that_can_not_be_listed_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "sessions").write_text("a file")
    with pytest.raises(JournalError, match="can't be listed"):
        list_sessions(tmp_path)
    assert list_sessions(tmp_path / "nowhere") == []


async def test_the_trace_of_a_session_changes_with_every_commit_and_not_by_reading(tmp_path: Path) -> None:
    folder = await make(tmp_path, "01a", opened())
    seen = [trace(folder)]
    assert summarize(folder).state == "interrupted"
    assert trace(folder) == seen[0]
    async with await Journal.open(folder, VirtualClock()) as journal:
        for _ in range(3):
            await journal.append(said("more"))
            seen.append(trace(folder))
    with acquire(folder) as lease:
        seen.append(trace(folder))
        assert summarize(folder).held
        os.utime(folder / "lease.beat", (1, 1))
        seen.append(trace(folder))
        lease.beat()
        seen.append(trace(folder))
    assert len(set(seen)) == len(seen) and None not in seen
    assert trace(tmp_path) is None and trace(tmp_path / "nowhere") is None
