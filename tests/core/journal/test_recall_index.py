"""The index for recall: everything findable, incremental as at once, and rebuilt whenever it is not sound."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journal_drafts import finished, opened, said

from core.clock import VirtualClock
from core.events import (
    Draft,
    GuidanceDelivered,
    MemoryWritten,
    ModelResponded,
    PlanChanged,
    PlanStep,
    Price,
    ToolFinished,
    Usage,
)
from core.journal import Journal, JournalError, Reader, passages, recall_index
from core.journal.recall_index import DATABASE, RecallIndex


async def write(folder: Path, *drafts: Draft, blobs: list[bytes] | None = None) -> None:
    async with await Journal.create(folder, VirtualClock()) as journal:
        await journal.append(opened(), *drafts, blobs=blobs or [])


async def more(folder: Path, *drafts: Draft) -> None:
    async with await Journal.open(folder, VirtualClock()) as journal:
        await journal.append(*drafts)


def replied(key: str, *content: dict[str, Any]) -> Draft:
    body = ModelResponded(
        message_id="i", model="m", content=list(content), stop_reason="end_turn", usage=Usage(), price=Price()
    )
    return Draft(body, key=key)


def use(name: str, **arguments: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": "t", "name": name, "input": arguments}


def handles(index: RecallIndex, text: str, limit: int = 10) -> list[str]:
    return [place.handle for place in index.find(text, limit).places]


def stored(folder: Path) -> list[list[Any]]:
    with closing(sqlite3.connect(folder / DATABASE)) as db:
        tables = ("tip", "source", "chunk", "name", "term")
        return [db.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in tables]


async def test_everything_that_was_said_is_found_under_its_handle(tmp_path: Path) -> None:
    await write(
        tmp_path / "s",
        said("never touch legacy_module"),
        replied(
            "r1.1", {"type": "text", "text": "I look at core/agent/loop.py."}, use("edit_file", old='say "hi"\n\tx')
        ),
        finished("r1.1.0", "E4471 in resolver_cache: 1,158 times"),
        Draft(MemoryWritten(text="the port is 8081", topic="gateway"), key="m1"),
        Draft(PlanChanged(steps=[PlanStep(id="1", intent="mend it", check="pytest -q tests/test_loop.py")])),
    )
    with Reader(tmp_path / "s") as reader, RecallIndex(reader) as index:
        assert handles(index, "look at it") == ["#1"]
        assert handles(index, "legacy_module") == ["#2"]
        assert handles(index, "core/agent/loop.py") == handles(index, "./core/agent/loop.py") == ["#3"]
        assert handles(index, 'say "hi"\n\tx') == ["#3"]
        assert handles(index, "1,158") == handles(index, "E4471") == ["out:r1.1.0"]
        assert handles(index, "8081") == ["m1"]
        assert handles(index, "tests/test_loop.py") == ["#6"]
        assert handles(index, "nothing_like_this") == handles(index, " ") == handles(index, "\ud800") == []
        assert stat.S_IMODE(index.path.stat().st_mode) == 0o600


async def test_what_repeats_older_words_is_not_found_and_cannot_look_new(tmp_path: Path) -> None:
    echo = ToolFinished(name="recall", use_id="t", ok=True, content="out:r1.1.0 [x] widget_total is 7")
    await write(
        tmp_path / "s",
        finished("r1.1.0", "widget_total is 7"),
        replied("r2.1", use("recall", query="widget_total"), use("remember", text="widget_total is 7")),
        Draft(echo, key="r2.1.0"),
        Draft(GuidanceDelivered(text="Reminder: widget_total", source="anchor")),
    )
    with Reader(tmp_path / "s") as reader, RecallIndex(reader) as index:
        assert handles(index, "widget_total") == ["out:r1.1.0"]


async def test_names_come_newest_first_one_place_an_event(tmp_path: Path) -> None:
    results = [finished(f"r{n}.1.0", f"run {n}: retry_budget = {n}\n" * 200) for n in range(1, 6)]
    await write(tmp_path / "s", *results)
    with Reader(tmp_path / "s") as reader, RecallIndex(reader) as index:
        assert handles(index, "retry_budget", 3) == ["out:r5.1.0", "out:r4.1.0", "out:r3.1.0"]
        assert handles(index, "retry_budget = 2") == ["out:r2.1.0"]
        finding = index.find("retry_budget", 2, lambda place: place.seq % 2 == 0)
        assert [place.seq for place in finding.places] == [6, 5, 4]


async def test_strings_that_no_word_begins_are_found_too(tmp_path: Path) -> None:
    await write(tmp_path / "s", finished("r1.1.0", "=> xq7-alphabetical <="), said("Alphabetical order"))
    with Reader(tmp_path / "s") as reader, RecallIndex(reader) as index:
        assert handles(index, "q7-alph") == handles(index, "=>") == ["out:r1.1.0"]
        assert handles(index, "alphabetical ORDER") == ["#3"]


async def test_words_find_what_is_most_like_them(tmp_path: Path) -> None:
    filler = [finished(f"r{n}.1.0", f"step {n} of the build ran without a warning") for n in range(1, 40)]
    wanted = said("We chose SQLite over Postgres because the laptop is offline.")
    await write(tmp_path / "s", *filler[:20], wanted, *filler[20:])
    with Reader(tmp_path / "s") as reader, RecallIndex(reader) as index:
        finding = index.find("why did we choose postgres or sqlite offline", 5)
        assert not finding.exact and finding.places[0].text.startswith("We chose SQLite")


async def test_output_beyond_the_cap_is_found_and_binary_output_is_not(tmp_path: Path) -> None:
    whole = "".join(f"line {n} {'x' * 40}\n" for n in range(5_000)) + "checksum_of_everything 99\n"
    blob, noise = whole.encode(), b"\x89PNG\x00" + b"named_inside_noise" * 9
    capped = [
        ToolFinished(name="run_command", use_id="t", ok=True, content="line 0 …", blob=Journal.hash_of(data))
        for data in (blob, noise)
    ]
    drafts = [Draft(body, key=f"r{n}.1.0") for n, body in enumerate(capped, 1)]
    await write(tmp_path / "s", *drafts, blobs=[blob, noise])
    with Reader(tmp_path / "s") as reader, RecallIndex(reader) as index:
        (place,) = index.find("checksum_of_everything", 5).places
        assert whole[place.start : place.start + len(place.text)] == place.text
        assert handles(index, "line 2501 ") == ["out:r1.1.0"]
        assert handles(index, "named_inside_noise") == []


async def test_near_names_are_offered(tmp_path: Path) -> None:
    await write(tmp_path / "s", said("see core/journal/recall_index.py and resolver_cache"))
    with Reader(tmp_path / "s") as reader, RecallIndex(reader) as index:
        assert index.near("resolver_cahce") == ["resolver_cache"]
        assert "core/journal/recall_index.py" in index.near("core/journal/recal_index.py")
        assert index.near("gatewey", others=["gateway"]) == ["gateway"]
        assert index.near("zzz") == []


PIECES = st.lists(
    st.sampled_from(["alpha_beta_gamma", "core/a.py", "8081", "deadbeef77", "é☃", "x" * 700, " ", "\n", "."]),
    max_size=30,
).map(" ".join)


@settings(max_examples=15, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=12), st.data())
def test_an_index_that_caught_up_in_pieces_equals_one_built_at_once(tmp_path_factory, texts, data) -> None:
    folder = tmp_path_factory.mktemp("index") / "s"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(texts)), max_size=3)))

    async def pieces() -> None:
        await write(folder)
        with Reader(folder) as reader, RecallIndex(reader) as index:
            for start, end in zip([0, *cuts], [*cuts, len(texts)], strict=True):
                await more(folder, *[said(text) for text in texts[start:end]])
                index.catch_up()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recall_index, "BATCH", data.draw(st.integers(1, 5)))
        asyncio.run(pieces())
    gradual = stored(folder)
    (folder / DATABASE).unlink()
    with Reader(folder) as reader, RecallIndex(reader) as index:
        index.catch_up()
    assert stored(folder) == gradual


@settings(max_examples=60, deadline=None)
@given(PIECES)
def test_chunks_cover_a_text_in_order_and_overlap_little(text: str) -> None:
    end = 0
    for start, piece in passages._chunks(text):
        assert text[start : start + len(piece)] == piece and len(piece) <= passages.CHUNK
        assert end - passages.OVERLAP <= start <= end
        end = start + len(piece)
    assert end == len(text)


@settings(max_examples=60, deadline=None)
@given(PIECES)
def test_every_name_of_a_text_is_whole_in_one_of_its_chunks(text: str) -> None:
    found = {name for _, piece in passages._chunks(text) for name in passages.names_in(piece)}
    assert {name for name in passages.names_in(text) if len(name) <= passages.OVERLAP} <= found


def test_a_name_is_known_without_what_a_sentence_puts_around_it() -> None:
    assert passages.names_in("(see ./core/a.py.)") == {"./core/a.py.", "core/a.py"}
    assert passages.name_of("`core/a.py:`") == passages.name_of("/core/a.py") == "core/a.py"
    assert passages.name_of("core/a.py core/b.py") is passages.name_of("a b") is passages.name_of("") is None


async def spoil(path: Path, how: str) -> None:
    if how == "deleted":
        path.unlink()
    elif how == "no database":
        path.write_bytes(b"nonsense" * 1000)
    elif how == "damaged":
        data = bytearray(path.read_bytes())
        data[4096:] = b"\xff" * (len(data) - 4096)
        path.write_bytes(data)
    else:
        with closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA user_version=99" if how == "another version" else "UPDATE tip SET chain = x'00'")
            db.commit()


@pytest.mark.parametrize("how", ["deleted", "no database", "damaged", "another version", "another log"])
async def test_an_index_that_is_not_sound_is_built_again(tmp_path: Path, how: str) -> None:
    await write(tmp_path / "s", said("resolver_cache"), *[said(f"filler_{n} " * 200) for n in range(20)])
    with Reader(tmp_path / "s") as reader:
        with RecallIndex(reader) as index:
            index.catch_up()
        await spoil(tmp_path / "s" / DATABASE, how)
        with RecallIndex(reader) as index:
            assert handles(index, "resolver_cache") == ["#2"]
        with RecallIndex(reader) as index:
            assert index._as_it_is().execute("SELECT seq FROM tip").fetchone() == (22,)


async def test_where_the_disk_refuses_the_index_is_kept_in_memory(tmp_path: Path) -> None:
    await write(tmp_path / "s", said("resolver_cache"))
    (tmp_path / "s" / DATABASE).mkdir()
    with Reader(tmp_path / "s") as reader, RecallIndex(reader) as index:
        assert handles(index, "resolver_cache") == ["#2"]
        await more(tmp_path / "s", said("resolver_cache again"))
        assert handles(index, "resolver_cache") == ["#3", "#2"]
    assert (tmp_path / "s" / DATABASE).is_dir()


async def test_a_closed_index_says_so(tmp_path: Path) -> None:
    await write(tmp_path / "s")
    with Reader(tmp_path / "s") as reader:
        index = RecallIndex(reader)
        index.close()
        index.close()
        with pytest.raises(JournalError, match="closed"):
            index.catch_up()
