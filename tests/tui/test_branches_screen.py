"""The branches on the screen: looked at as they were, compared side by side, gone on with by a control."""

from __future__ import annotations

from sample_sessions import FakeControls, FakeSource, audit_session

from core.clock import pause_real
from core.events import CheckpointMade, GuidanceDelivered, HeadMoved
from tui.app import LongwatchApp
from tui.docks.switch import SwitchDock
from tui.screens.branches import BranchesScreen, ComparedScreen


def rewound():
    log = audit_session()
    origin = log.head
    fork = next(event.parent for event in reversed(log.events) if event.parent)
    log.add(CheckpointMade(tree="1" * 40, backend="git"), "c99")
    log.add(HeadMoved(to=fork, origin=origin, reason="rewind", tree_before="2" * 40, tree_after="1" * 40))
    log.add(GuidanceDelivered(text="Went back.", source="notice"))
    return log, origin


async def test_a_branch_is_compared_looked_at_and_gone_on_with() -> None:
    log, _ = rewound()
    controls = FakeControls()
    app = LongwatchApp(FakeSource(log), controls, mode="live")
    async with app.run_test(size=(100, 30)) as pilot:
        while not app.watch_screen.is_read:
            await pause_real(0.01)
        await pilot.press("R")
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, BranchesScreen)
        rows = [row.branch for row in screen._lines.rows]
        left, (current,) = rows[0], [branch for branch in rows if not branch.left]
        assert left.left and current.number == len(rows)
        await pilot.press("c", "home", "c")
        await pilot.pause()
        assert isinstance(app.screen, ComparedScreen)
        texts = [row.text for row in app.screen._rows.rows]
        assert texts[0].startswith("Both are the same up to #") and f"{left.number} first branch" in texts
        await pilot.press("escape", "enter")
        await pilot.pause()
        assert app.watch_screen.looking.at == left.ended
        await pilot.press("f", "R", "home", "s")
        await pilot.pause()
        assert "by hand" in str(app.watch_screen.query_one(SwitchDock)._facts())
        await pilot.press("h", "1")
        await pilot.pause()
        assert controls.sent[-1][:2] == ("switch", {"branch": 1, "overwrite": True})


async def test_the_film_of_a_session_of_ones_own_is_where_its_branches_get_their_names() -> None:
    controls = FakeControls()
    app = LongwatchApp(FakeSource(rewound()[0], ends=True), controls, mode="replay", start_at=9_999)
    async with app.run_test(size=(100, 30)) as pilot:
        while not app.watch_screen.is_read:
            await pause_real(0.01)
        await pilot.press("R", "home", "n")
        await pilot.pause()
        await pilot.press(*"brief", "enter")
        await pilot.pause()
        assert controls.sent[-1][:2] == ("name-branch", {"branch": 1, "text": "brief"})
