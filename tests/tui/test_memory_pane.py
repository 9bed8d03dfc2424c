"""The memory pane: what is known, what was left behind, at any width."""

from decimal import Decimal

import pytest
from sample_sessions import Log
from textual.app import App

from core.events import GuidanceDelivered, HeadMoved, MemoryForgotten, MemoryWritten
from core.folds.memory_use import Use
from core.folds.view import Changes, SessionView
from tui.panes.memory import MOST, MemoryPane, title_line
from tui.panes.sheet import SheetBody


def shown(log, width=60, at=None):
    view = SessionView()
    view.apply_all(log.events)
    pane = MemoryPane(id="memory")
    return view, pane, [line.plain for line in pane.fitted(view, at, width)]


def branched():
    """Two entries, one revised, and one that a rewind left behind."""
    log = Log()
    log.opened()
    log.add(MemoryWritten(text="port 80", topic="gateway"), key="m1")
    log.add(MemoryWritten(text="port 81", topic="gateway", scope="project", replaces="m1"), key="m2")
    back = log.add(GuidanceDelivered(text="go on")).seq
    log.add(MemoryWritten(text="a wrong \x1b[31midea", category="guess"), key="m3")
    end = log.add(GuidanceDelivered(text="go on")).seq
    log.add(HeadMoved(to=back, origin=end, reason="rewind"))
    return log


def test_an_entry_shows_its_category_topic_scope_and_what_it_replaces():
    _, _, lines = shown(branched())
    assert lines[0].split() == ["·", "fact", "gateway", "project", "for", "m1", "#3", "m2", "now"]
    assert lines[1] == "  port 81" and "port 80" not in "\n".join(lines)


def test_what_an_abandoned_branch_wrote_is_grey_and_says_how_to_keep_it():
    view, pane, lines = shown(branched())
    assert (pane.summary(view, None), pane.note(view, None)) == ("1", "1 hidden")
    hidden = lines.index("hidden with abandoned branches: 1")
    assert "keep memory" in lines[hidden + 1] and lines[-1] == "  a wrong ␛[31midea"
    last = pane.fitted(view, None, 60)[-1]
    assert all(str(span.style) == "$muted" for span in last.spans) and last.spans
    assert "hidden" not in "\n".join(shown(branched(), at=6)[2])


@pytest.mark.parametrize("width", [20, 38, 90])
def test_no_line_is_wider_than_the_pane(width):
    log = branched()
    log.add(MemoryWritten(text="x" * 300, topic="t" * 90, category="c" * 40, scope="project", pinned=True), key="m4")
    view, pane, _ = shown(log)
    assert all(line.cell_length <= width for line in pane.fitted(view, None, width))


def test_of_thousands_of_entries_the_newest_are_drawn_and_the_others_counted():
    log = Log()
    log.opened()
    for number in range(1, 2_001):
        log.add(MemoryWritten(text=f"fact {number}"), key=f"m{number}")
    log.add(MemoryForgotten(id="m2000"))
    view, pane, lines = shown(log)
    assert pane.summary(view, None) == "1999"
    assert lines[1] == "  fact 1999" and lines[-1] == f"… and {1_999 - MOST:,} older"


class MemoryApp(App[None]):
    """The memory pane alone."""

    def __init__(self, log) -> None:
        super().__init__()
        self.session = SessionView()
        self.session.apply_all(log.events)

    def compose(self):
        yield MemoryPane(id="memory")

    def on_mount(self) -> None:
        self.query_one(MemoryPane).show(self.session, None, Changes.ALL)


async def test_a_cursor_goes_from_entry_to_entry_and_vary_shows_one_category_after_the_other():
    log = branched()
    log.add(MemoryWritten(text="never touch the vault", category="constraint"), key="m4")
    async with MemoryApp(log).run_test(size=(60, 20)) as pilot:
        pane = pilot.app.query_one(MemoryPane)
        pilot.app.query_one(SheetBody).focus()
        assert pane.chosen is None
        chosen = []
        for _ in range(3):
            await pilot.press("down")
            chosen.append(pane.chosen.id)
        assert chosen == ["m4", "m2", "m3"]
        pane.vary()
        assert list(pane.stops()) == ["m4"] and "only constraint" in pane.note(pane.view, None)
        pane.vary()
        assert list(pane.stops()) == ["m2"]
        pane.vary()
        assert list(pane.stops()) == ["m4", "m2", "m3"]


def test_a_wide_pane_says_what_an_entry_was_good_for():
    log = branched()
    use = Use(uses=2, last=9, carried=True, usd=Decimal("0.00123"))
    view = SessionView()
    view.apply_all(log.events)
    words = [title_line(view.memories.get("m2"), use, 0, width).plain for width in (40, 80)]
    assert "2 uses  rent $0.0012  #3  m2" in words[1] and "uses" not in words[0]
