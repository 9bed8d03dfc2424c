"""A reply as it is written: what was shown stays where it is, until the log takes over and after that."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recording import recording_driver, written
from sample_sessions import REPORT, START_US, audit_session
from textual import events
from textual.content import Content
from watching_app import PATIENCE_S, app_over, read, until

from core.clock import monotonic
from core.folds.conversation import Item
from core.protocols import LiveDelta
from tui.panes.conversation_rows import Manner, lines_of, margins, place_of
from tui.panes.growing import Growing
from tui.panes.light_markdown import Flow, light_markdown
from tui.panes.tail import LiveTail

TABLE = """\
| file | finding | state |
|---|:--:|--:|
| `inventory/store.py` | SQL by **formatting** | mended |
| load.py | unpickles what anybody may write, and says nothing of it | open |
"""
MARKED = st.text("*`#-_| ab\n", max_size=160)
MARKDOWN = MARKED | st.sampled_from([REPORT, TABLE, REPORT + "\n" + TABLE + "\nDone.", '```python\nx = """a\n\nb"""\n'])


def test_markdown_marks_become_styles():
    content = light_markdown("## Title\n- **bold** and `code`\n```python\nx = 1\n```\n```\nraw\n```", 80)
    assert content.plain == "Title\n• bold and code\n┌ python\n│ x = 1\n│ raw"
    styles = {str(span.style) for span in content.spans}
    assert styles >= {"bold", "$code-string", "$code-number"}


@given(st.text("*`#-_ ab\n", max_size=120))
@settings(max_examples=100, deadline=None)
def test_no_letter_is_lost_by_light_markdown(text):
    shown = light_markdown(text, 80).plain
    for letter in "ab":
        assert shown.count(letter) == text.count(letter) or "```" in text


def test_a_table_is_aligned_and_wraps_its_widest_cells_where_there_is_little_room():
    lines = light_markdown(TABLE.strip(), 80).plain.split("\n")
    assert len({line.rstrip().find("│") for line in lines if "│" in line}) == 1 and "**" not in lines[2]
    narrow = light_markdown(TABLE.strip(), 44).plain.split("\n")
    assert all(len(line) <= 44 for line in narrow) and len(narrow) > len(lines)
    words = " ".join(part for line in narrow[4:] for part in [line.split("│")[1].strip()])
    assert words == "unpickles what anybody may write, and says nothing of it"


@given(MARKDOWN, st.integers(12, 90))
@settings(max_examples=150, deadline=None)
def test_colours_change_no_character_and_line_by_line_comes_to_the_same(text, width):
    whole = light_markdown(text, width)
    assert light_markdown(text, width, colours=False).plain == whole.plain
    flow = Flow(width, growing=True)
    for line in text.split("\n"):
        flow.add(line)
    assert Content("\n").join(flow.finish()).plain == whole.plain


def settled_lines(text, kind, width):
    item = Item(1, START_US, "agent", kind, text.strip())
    return [line.plain.rstrip() for line in lines_of(item, place_of(item, None, Manner()), Manner(), width)]


@given(MARKDOWN, st.lists(st.integers(1, 12), min_size=1), st.sampled_from(["text", "thinking"]), st.integers(30, 90))
@settings(max_examples=150, deadline=None)
def test_a_reply_that_was_written_stands_as_the_log_will_have_it(text, steps, kind, width):
    text += "\nThe end.\n"
    item, manner = Item(0, 0, "agent", kind, ""), Manner()
    first, rest = margins(item, place_of(item, None, manner), manner)
    growing, at, turn = Growing(markdown=kind == "text"), 0, 0
    while at < len(text):
        step = steps[turn % len(steps)]
        growing.append(text[at : at + step])
        assert growing.lines(manner.room(width), first, rest)
        at, turn = at + step, turn + 1
    shown = [line.plain.rstrip() for line in growing.lines(manner.room(width), first, rest)]
    expected = settled_lines(text, kind, width)
    assert [line[9:] for line in shown] == [line[9:] for line in expected]


@pytest.mark.parametrize("kind", ["text", "thinking"])
def test_while_a_reply_is_written_no_line_changes_but_the_last_ones(kind):
    item, manner = Item(0, 0, "agent", kind, ""), Manner()
    first, rest = margins(item, place_of(item, None, manner), manner)
    growing, before = Growing(markdown=kind == "text"), []
    for word in REPORT.replace(" ", " \0").split("\0"):
        growing.append(word)
        lines = [line.plain for line in growing.lines(50, first, rest)]
        assert lines[: max(0, len(before) - 1)] == before[:-1]
        before = lines


@pytest.mark.parametrize("whole", ["It is **bold and** more", "- the `code` here", "| `a` | **b** |"])
def test_marks_that_are_not_closed_yet_never_show(whole):
    flow = Flow(60, growing=True)
    if whole.startswith("|"):
        flow.add("| one | two |")
    seen = [flow.peek(whole[:end]) for end in range(1, len(whole) + 1)]
    assert not any(mark in content.plain for content in seen if content is not None for mark in "*`")


def texts_of(tail):
    return [block.call_line().plain if block.kind == "tool" else block.text for block in tail.blocks()]


def test_the_tail_gathers_text_thinking_and_the_call_that_is_written():
    tail = LiveTail()
    tail.take([LiveDelta("r1.1", "thinking", 0, "Hm. "), LiveDelta("r1.1", "text", 1, "I wri")])
    tail.take([LiveDelta("r1.1", "text", 1, "te."), LiveDelta("r1.1", "tool", 2, "edit_file")])
    tail.take([LiveDelta("r1.1", "arguments", 2, '{"a": 1')])
    assert texts_of(tail) == ["Hm.", "I write.", "◌ edit_file  7 characters of arguments"]
    tail.take([LiveDelta("r1.2", "text", 0, "Again")])
    assert texts_of(tail) == ["Again"]
    tail.take([])
    tail.take([LiveDelta("r1.2", "text", 0, "anew")])
    assert texts_of(tail) == ["anew"]


def test_calls_that_were_written_wait_until_the_log_says_that_they_began():
    tail = LiveTail()
    tail.take([LiveDelta("r1.1", "text", 0, "I read.")])
    tail.take([LiveDelta("r1.1", "tool", at, name) for at, name in ((1, "read_file"), (2, "run_command"))])
    tail.settle([Item(1, 1, "agent", "text", "I read.")])
    assert texts_of(tail) == ["◌ read_file", "◌ run_command"]
    tail.settle([Item(2, 2, "agent", "call", "read_file a")], answered="r1.1")
    assert texts_of(tail) == ["◌ run_command  waits for its turn"]
    tail.settle([Item(3, 3, "system", "event", "Request failed", ok=False)])
    assert texts_of(tail) == []


SIZE = (120, 36)


async def test_what_comes_late_of_a_reply_that_the_log_has_is_not_shown_again():
    log = audit_session()
    app = app_over(log)
    async with app.run_test(size=SIZE) as pilot:
        await read(pilot)
        pane, attempt = app.watch_screen.conversation, log.requested()
        log.responded(attempt, [{"type": "tool_use", "id": "t", "name": "run_command", "input": {"command": "make"}}])
        app.fake_source.push()
        await until(pilot, lambda: app.view.conversation.answered == attempt)
        pane.stream([LiveDelta(attempt, "arguments", 0, '{"command": "make"}')])
        assert texts_of(pane._tail) == []
        pane.stream([LiveDelta(f"r{log.turn + 1}.1", "text", 0, "Next.")])
        assert texts_of(pane._tail) == ["Next."]


class Frames:
    """What a terminal shows of the conversation, frame by frame."""

    def __init__(self, app):
        self.app = app
        self._screen = pyte.Screen(*SIZE)
        self._stream = pyte.Stream(self._screen)

    async def next(self):
        self._stream.feed(await written(self.app))
        region = self.app.watch_screen.conversation.line_list.region
        rows = self._screen.display[region.y : region.bottom]
        return [row[region.x : region.right - 2].rstrip() for row in rows]


async def play(log, story):
    """Run a story over the app on a recorded terminal."""
    app = app_over(log)
    app.driver_class = recording_driver(*SIZE)

    async def pilot(_):
        limit = monotonic() + PATIENCE_S
        frames = Frames(app)
        while not app.watch_screen.is_read:
            assert monotonic() < limit
            await frames.next()
        await story(app, frames)
        app.exit()

    await app.run_async(auto_pilot=pilot)


def reply_in_pieces(attempt):
    thinking = "First I see what there is. " * 12
    yield [LiveDelta(attempt, "thinking", 0, thinking[:150])]
    yield [LiveDelta(attempt, "thinking", 0, thinking[150:])]
    for start in range(0, len(REPORT), 90):
        yield [LiveDelta(attempt, "text", 1, REPORT[start : start + 90])]
    yield [LiveDelta(attempt, "tool", 2, "run_command")]
    yield [LiveDelta(attempt, "arguments", 2, '{"command": "make"}')]


async def settle(app, log, attempt):
    """The log takes over what was streamed, and the call begins."""
    thinking = {"type": "thinking", "thinking": "First I see what there is. " * 12, "signature": "s"}
    use = {"type": "tool_use", "id": "toolu_1", "name": "run_command", "input": {"command": "make"}}
    log.responded(attempt, [thinking, {"type": "text", "text": REPORT}, use])
    app.fake_source.push()
    app.fake_source.settle()


async def test_no_frame_of_a_streamed_reply_moves_what_is_read_further_up():
    log = audit_session(running=False)

    async def story(app, frames):
        await frames.next()
        app.post_message(events.Key("pageup", None))
        before = await frames.next()
        assert sum(map(bool, before)) > 20
        attempt = log.requested()
        app.fake_source.push()
        for pieces in reply_in_pieces(attempt):
            app.fake_source._deltas.put_nowait(pieces)
            assert await frames.next() == before
        await settle(app, log, attempt)
        assert await frames.next() == before

    await play(log, story)


async def test_one_who_follows_sees_lines_stay_or_all_move_up_together():
    log = audit_session()

    async def story(app, frames):
        await frames.next()
        attempt = log.requested()
        app.fake_source.push()
        before, moves = await frames.next(), 0
        for pieces in reply_in_pieces(attempt):
            app.fake_source._deltas.put_nowait(pieces)
            after = await frames.next()
            moves += moved_by(before, after) > 0
            before = after
        await settle(app, log, attempt)
        assert moved_by(before, await frames.next()) == 0
        assert 0 < moves <= 5

    await play(log, story)


def moved_by(before, after):
    """By how many lines the whole view moved up; the last lines that were written may read on."""
    count = len("\n".join(before).rstrip().split("\n"))
    kept = before[: count - 2]
    for shift in range(len(kept)):
        if [bar(line) for line in kept[shift:]] == [bar(line) for line in after[: len(kept) - shift]]:
            return shift
    raise AssertionError("\n".join([*before, "became", *after]))


def bar(line):
    """A line without its time, without the mark of what can be folded, and without how long a call runs so far: the
    first two come with the log, the third with every second."""
    text = line[10:] if not line[:9].strip() or line[1:9].count(":") == 2 else line
    return text.replace("▾", "▎", 1).partition(" running ")[0].rstrip()
