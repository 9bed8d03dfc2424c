"""What the session changed, on the screen: each hunk under the call behind it; a comment on one begins guidance."""

from __future__ import annotations

from sample_sessions import FakeControls, FakeSource, audit_session
from textual.pilot import Pilot

from core.changes.course import Author
from core.changes.net import FileDiff, Hunk
from core.clock import SystemClock, pause_real
from core.journal.margin import MarginFile
from tui.app import LongwatchApp
from tui.docks.guidance import GuidanceDock
from tui.screens.changes import ChangesScreen
from tui.widgets.line_list import LineList

LINES = ("@@ -1,2 +1,2 @@\n", " keep\n", "-old \x1b[31mline\n", "+new line\n")


def session():
    log = audit_session()
    call = Author("call", 9, 0, "edit_file a.py", "I mend it", "Mind the twos", "count")
    hand = Author("hand", 12, 0, "changed by hand")
    hunks = (Hunk(LINES, (call,)), Hunk(("@@ -9 +9 @@\n", "+by hand\n"), (hand,)))
    log.changes = [
        FileDiff("a.py", "M", 2, 1, hunks, "patch"),
        FileDiff("b.bin", "A", 0, 0, (), "", "b.bin is binary and differs."),
    ]
    return log


async def opened(app: LongwatchApp, pilot: Pilot[object]) -> ChangesScreen:
    while not app.watch_screen.is_read:
        await pause_real(0.01)
    await pilot.press("D")
    await pilot.pause()
    assert isinstance(app.screen, ChangesScreen)
    while not len(app.screen._rows):
        await pause_real(0.01)
    return app.screen


async def test_enter_goes_to_the_call_behind_a_hunk() -> None:
    app = LongwatchApp(FakeSource(session()), FakeControls(), mode="replay", start_at=1)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(app, pilot)
        texts = [screen._rows.text(index) for index in range(len(screen._rows))]
        assert texts[1] == "M a.py" and "#9 edit_file a.py  “I mend it”" in texts[2] and "  +new line" in texts
        assert any("by hand: changed by hand" in text for text in texts) and "  b.bin is binary and differs." in texts
        await pilot.press("down", "down", "enter")
        await pilot.pause()
        assert app.screen is app.watch_screen and app.watch_screen.looking.at == 9


async def test_a_comment_on_a_hunk_begins_guidance_with_its_place_and_lines() -> None:
    app = LongwatchApp(FakeSource(session()), FakeControls(), mode="live")
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(app, pilot)
        screen.query_one(LineList).select(3)
        await pilot.press("c")
        await pilot.pause()
        field = app.watch_screen.query_one(GuidanceDock).field
        assert field.text.startswith("On a.py @@ -1,2 +1,2 @@\n-old ") and "+new line" in field.text


async def test_a_reviewed_change_is_folded_to_one_line_and_stays_so(tmp_path) -> None:
    def app() -> LongwatchApp:
        file = MarginFile(tmp_path, who="me", clock=SystemClock())
        return LongwatchApp(FakeSource(session()), FakeControls(), mode="live", margin=file)

    first = app()
    async with first.run_test(size=(80, 24)) as pilot:
        screen = await opened(first, pilot)
        screen.query_one(LineList).select(3)
        await pilot.press("space")
        while not screen._margin.reviewed:
            await pause_real(0.01)
        await pilot.pause()
        assert "1 of 3 changes reviewed" in str(screen.query_one(".changes--title").content)
        assert screen._rows.text(2) == "  ✓ reviewed: @@ -1,2 +1,2 @@ +1 −1" and "  -by hand" not in screen._rows.text(
            3
        )
        await pilot.press("escape", "A", *"odd", "enter")
        while not first.watch_screen.margin.notes:
            await pause_real(0.01)
    second = app()
    async with second.run_test(size=(80, 24)) as pilot:
        screen = await opened(second, pilot)
        assert "✓ reviewed" in screen._rows.text(2)
        assert [moment.text for moment in second.watch_screen.noted_moments()] == ["odd"]
