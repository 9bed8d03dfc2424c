"""The memory pane: what is known, what was left behind, at any width."""

import pytest
from sample_sessions import Log

from core.events import GuidanceDelivered, HeadMoved, MemoryForgotten, MemoryWritten
from core.folds.view import SessionView
from tui.panes.memory import MOST, MemoryPane


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
    assert lines[0].split() == ["·", "fact", "gateway", "project", "for", "m1", "m2", "now"]
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
