"""Text in flight: gathered, followed from an offset, gone when the outcome is there."""

from __future__ import annotations

from pathlib import Path

from journal_drafts import until

from core.journal.live import Delta, LiveTail, LiveText, clear_live


async def test_deltas_of_a_block_are_gathered_and_read_on(tmp_path: Path) -> None:
    live, tail = LiveText(tmp_path, "r1.1"), LiveTail(tmp_path)
    for piece in ("Let ", "me ", "see"):
        live.add("text", 0, piece)
    live.add("input", 1, '{"path":')
    assert tail.read() == [] and tail.attempt is None
    live.flush()
    assert tail.attempt is None
    assert tail.read() == [Delta("text", 0, "Let me see"), Delta("input", 1, '{"path":')]
    live.add("input", 1, '"a\ud800"}')
    live.close()
    assert tail.read() == [Delta("input", 1, '"a?"}')]
    live.close()
    live.discard()
    assert tail.read() == [] and tail.attempt is None


async def test_a_reply_that_is_over_before_the_first_flush_never_touches_the_disk(tmp_path: Path) -> None:
    live = LiveText(tmp_path, "r1.1")
    live.add("text", 0, "quick")
    live.discard()
    live.add("text", 0, "late")
    live.flush()
    assert list(tmp_path.iterdir()) == []


async def test_the_loop_flushes_by_itself(tmp_path: Path) -> None:
    live, tail, seen = LiveText(tmp_path, "r1.1"), LiveTail(tmp_path), list[Delta]()
    live.add("thinking", 0, "hm")
    await until(lambda: seen.extend(tail.read()) or seen)
    assert seen == [Delta("thinking", 0, "hm")]
    live.discard()


async def test_the_tail_goes_over_to_the_next_attempt(tmp_path: Path) -> None:
    tail = LiveTail(tmp_path)
    assert tail.read() == [] and tail.attempt is None
    first = LiveText(tmp_path, "r1.1")
    first.add("text", 0, "one")
    first.close()
    assert len(tail.read()) == 1
    first.discard()
    second = LiveText(tmp_path, "r1.2")
    second.add("text", 0, "two")
    second.close()
    assert tail.read() == [Delta("text", 0, "two")] and tail.attempt == "r1.2"
    second.discard()


def test_a_torn_line_waits_for_its_end_and_a_foreign_one_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    file, tail = tmp_path / "live" / "r1.1.jsonl", LiveTail(tmp_path)
    file.write_bytes(b'{"t":"text","i":0,"d":"whole"}\nnot json\n{"t":"te')
    assert tail.read() == [Delta("text", 0, "whole")]
    with file.open("ab") as more:
        more.write(b'xt","i":0,"d":"later"}\n')
    assert tail.read() == [Delta("text", 0, "later")]


async def test_leftovers_of_a_crash_are_cleared(tmp_path: Path) -> None:
    clear_live(tmp_path)
    left = LiveText(tmp_path, "r1.1")
    left.add("text", 0, "half a rep")
    left.close()
    assert [path.name for path in (tmp_path / "live").iterdir()] == ["r1.1.jsonl"]
    clear_live(tmp_path)
    assert list((tmp_path / "live").iterdir()) == []


async def test_a_disk_that_refuses_does_not_disturb_the_reply(tmp_path: Path) -> None:
    (tmp_path / "live").write_text("in the way")
    live = LiveText(tmp_path, "r1.1")
    live.add("text", 0, "unseen")
    live.flush()
    live.discard()
