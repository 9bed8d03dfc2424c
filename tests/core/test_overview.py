"""All sessions at a glance: what is read, what is read again, and what is kept for the next start."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from core.clock import SystemClock, VirtualClock
from core.events import (
    ContextCompressed,
    Draft,
    ModelRequested,
    ModelResponded,
    Price,
    RetryWaiting,
    SessionFinished,
    SessionOpened,
    ToolStarted,
    Usage,
)
from core.journal import Journal
from core.journal.catalogue import session_folder
from core.journal.lease import acquire
from core.overview import CACHE, Look, Overview, Overviews


def opened(name: str) -> Draft:
    return Draft(
        SessionOpened(
            session="s",
            name=name,
            task="t" * 900,
            workspace="/w",
            model="m",
            endpoint="e",
            profile="p",
            app_version="1",
        )
    )


def turn(number: int, cost: str | None = "0.10", tokens: int = 5_000) -> list[Draft]:
    asked = ModelRequested(
        model="m",
        body="b",
        body_bytes=1,
        messages=1,
        marks=[],
        max_tokens=9,
        prompt_version="1",
        parts={},
        window=20_000,
    )
    reply = ModelResponded(
        message_id=f"m{number}",
        model="m",
        content=[],
        stop_reason="tool_use",
        usage=Usage(fresh=tokens, output=9),
        price=Price(cost=cost),
    )
    call = ToolStarted(name="run_command", use_id=f"t{number}", arguments={"n": number}, effect="command")
    return [
        Draft(asked, key=f"r{number}.1"),
        Draft(reply, key=f"r{number}.1"),
        Draft(call, key=f"c{number}"),
    ]


async def make(home: Path, session: str, *drafts: Draft) -> Path:
    folder = session_folder(home, session)
    async with await Journal.create(folder, VirtualClock()) as journal:
        await journal.append(opened(session), *drafts)
    return folder


def last(looks: Overviews) -> Look:
    return list(looks.look())[-1]


def by_id(look: Look) -> dict[str, Overview]:
    return {one.id: one for one in look.sessions}


async def test_each_session_has_its_state_its_cost_and_its_context(tmp_path: Path) -> None:
    finished = Draft(SessionFinished(state="finished", reason="done"))
    await make(tmp_path, "01a", *turn(1), *turn(2, None, 7_000), finished)
    compressed = ContextCompressed(
        policy="rent", reason="r", digest="d", keep_from=None, tokens_before=5_000, tokens_after=900
    )
    waiting = RetryWaiting(until_us=1, delay_s=1.0, error="overloaded", attempt=1)
    running = await make(tmp_path, "01b", *turn(1), Draft(compressed), Draft(waiting, key="r2.1"))
    (session_folder(tmp_path, "01c")).mkdir()
    (session_folder(tmp_path, "01c") / "session.db").write_bytes(b"junk")
    with acquire(running):
        found = by_id(last(Overviews(tmp_path)))
    assert found.keys() == {"01a", "01b", "01c"}
    figures = found["01a"].figures
    assert (figures.calls, figures.usd, figures.unpriced, figures.context, figures.window) == (
        2,
        "0.10",
        1,
        7_000,
        20_000,
    )
    assert found["01a"].summary.state == "finished" and len(found["01a"].summary.task) == 500
    assert (found["01b"].summary.state, found["01b"].figures.waiting, found["01b"].summary.held) == (
        "running",
        True,
        True,
    )
    assert found["01b"].figures.context == 900 and found["01b"].trace.beat_ns
    assert found["01c"].summary.state == "damaged" and "not a database" in found["01c"].summary.detail


async def test_a_home_whose_name_is_no_utf8_is_read_all_the_same(tmp_path: Path) -> None:
    home = tmp_path / "\udcff"
    await make(home, "01a", *turn(1))
    overviews = Overviews(home)
    assert by_id(last(overviews))["01a"].figures.calls == 1
    overviews.keep()


async def test_only_what_changed_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for session in ("01a", "01b"):
        folder = await make(tmp_path, session, *turn(1))
        os.utime(folder / "session.db", (10_000, 10_000))
    overviews, read = Overviews(tmp_path), []
    reading = overviews.read
    monkeypatch.setattr(overviews, "read", lambda folder, found: read.append(folder.name) or reading(folder, found))
    before = by_id(last(overviews))
    assert sorted(read) == ["01a", "01b"]
    read.clear()
    assert by_id(last(overviews)) == before and read == []
    async with await Journal.open(session_folder(tmp_path, "01b"), VirtualClock()) as journal:
        await journal.append(*turn(2))
    after = by_id(last(overviews))
    assert read == ["01b"] and after["01b"].figures.calls == 2 and after["01a"] == before["01a"]


async def test_a_running_session_is_counted_on_and_seen_to_lose_its_runner(tmp_path: Path) -> None:
    folder, overviews = await make(tmp_path, "01a", *turn(1)), Overviews(tmp_path)
    with acquire(folder) as lease:
        async with await Journal.open(folder, SystemClock(), lease=lease) as journal:
            assert by_id(last(overviews))["01a"].figures.calls == 1
            for number in range(2, 5):
                await journal.append(*turn(number))
                assert by_id(last(overviews))["01a"].figures.calls == number
    assert by_id(last(overviews))["01a"].summary.state == "interrupted"
    shutil.rmtree(folder)
    assert last(overviews) == Look([])


async def test_what_is_known_is_kept_for_the_next_start_and_lost_without_harm(tmp_path: Path) -> None:
    folder = await make(tmp_path, "01a", *turn(1))
    os.utime(folder / "session.db", (10_000, 10_000))
    first = Overviews(tmp_path)
    known = last(first)
    first.keep()
    again = Overviews(tmp_path)
    again.read = None  # type: ignore[assignment, method-assign]  # nothing is to be read
    assert last(again) == known
    assert (tmp_path / CACHE).stat().st_mode & 0o777 == 0o600
    for junk in (b"", b"junk", b'{"version":[0,0],"sessions":[]}'):
        (tmp_path / CACHE).write_bytes(junk)
        assert by_id(last(Overviews(tmp_path)))["01a"].figures == by_id(known)["01a"].figures


async def test_a_home_that_was_moved_is_read_anew(tmp_path: Path) -> None:
    await make(tmp_path / "here", "01a", *turn(1))
    overviews = Overviews(tmp_path / "here")
    last(overviews)
    overviews.keep()
    (tmp_path / "here").rename(tmp_path / "there")
    (found,) = last(Overviews(tmp_path / "there")).sessions
    assert found.summary.folder == session_folder(tmp_path / "there", "01a")


async def test_what_runs_is_told_first_and_each_look_knows_how_much_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.overview.STEP_S", 0.0)
    for number in range(4):
        folder = await make(tmp_path, f"01{number}", *turn(1))
        os.utime(folder / "session.db", (10_000 + number, 10_000 + number))
    with acquire(session_folder(tmp_path, "011")):
        looks = list(Overviews(tmp_path).look())
    assert [look.unread for look in looks] == [4, 3, 2, 1, 0] and {look.total for look in looks} == {4}
    assert [one.id for one in looks[1].sessions] == ["011"]
    assert {one.id for one in looks[2].sessions} == {"011", "013"}


def test_an_empty_home_has_no_sessions(tmp_path: Path) -> None:
    overviews = Overviews(tmp_path)
    assert last(overviews) == Look([])
    overviews.keep()
    assert not (tmp_path / CACHE).exists()
