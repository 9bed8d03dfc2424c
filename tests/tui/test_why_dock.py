"""What is wrong stands in the status line of 80 cells without colour; one key tells why, and one more helps."""

import pytest
from sample_sessions import audit_session
from watching_app import app_over, read, screen_text, until

from core.events import FileChange, GuardRaised, SessionPaused, WorkspaceChanged
from core.folds.alarms.alarm import Look
from core.folds.alarms.finding import alarms
from core.folds.view import SessionView
from tui.docks.why import remedies
from tui.plain.answers import ANSWERS
from tui.screens.alarming import FINE
from tui.screens.state_line import state_forms

GUARD = GuardRaised(guard="failure", rung="nudge", subject="s", times=3, text="3 attempts failed in the same way")
SMALL = (80, 24)


def circling():
    log = audit_session()
    log.add(GUARD, key="g9")
    return log


async def test_one_key_says_why_and_one_more_helps():
    app = app_over(circling())
    async with app.run_test(size=SMALL) as pilot:
        await read(pilot)
        first, *_, last = screen_text(pilot).splitlines()
        assert " ● running ! the same failure 3 times " in first and " ! why  g guide  O is fine " in last
        await pilot.press("!")
        await until(pilot, lambda: "3 attempts failed in the same way. The agent was told." in screen_text(pilot))
        assert "O is fine" in screen_text(pilot) and "enter show where" in screen_text(pilot)
        await pilot.press("O")
        await until(
            pilot, lambda: ("guard-ok", {"id": "g9"}) in [(verb, args) for verb, args, *_ in app.fake_controls.sent]
        )
        assert "What is wrong" not in screen_text(pilot)


async def test_enter_shows_where_it_began_and_a_recording_offers_no_controls():
    app = app_over(circling(), mode="replay", available=False, start_at=10**6)
    async with app.run_test(size=SMALL) as pilot:
        await read(pilot)
        await until(pilot, lambda: "! why" in screen_text(pilot))
        assert "is fine" not in screen_text(pilot)
        await pilot.press("!")
        await until(pilot, lambda: "What is wrong" in screen_text(pilot))
        assert "is fine" not in screen_text(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: "What is wrong" not in screen_text(pilot))
        assert "g9 failure" in screen_text(pilot)


def test_the_plain_mode_tells_the_same_with_the_commands_that_help():
    log, view = circling(), SessionView()
    view.apply_all(log.events)
    assert any(line.startswith("wrong: the same failure 3 times") for line in ANSWERS["status"](view, None, log.at_us))
    (line,) = ANSWERS["why"](view, None, log.at_us)
    assert line.startswith("the same failure 3 times (#") and line.endswith("What helps: guide, guard-ok, interrupt.")


async def test_where_nothing_is_wrong_it_says_so():
    app = app_over(audit_session())
    async with app.run_test(size=SMALL, notifications=True) as pilot:
        await read(pilot)
        await pilot.press("!")
        await until(pilot, lambda: FINE in screen_text(pilot))


PAUSE = (
    GuardRaised(guard="repetition", rung="pause", subject="t", times=9, text="9 times"),
    SessionPaused(reason="guard", detail="9 times"),
)
CHANGED = WorkspaceChanged(files=[FileChange(path="a/long/name.py", before="1", after=None)])


@pytest.mark.parametrize(("bodies", "state"), [((), "running"), ((CHANGED,), "running"), (PAUSE, "paused")])
def test_words_are_chosen_whole_and_never_hide_the_state(bodies, state):
    log = circling()
    for body in bodies:
        log.add(body, key="g10" if isinstance(body, GuardRaised) else None)
    view = SessionView()
    view.apply_all(log.events)
    alarm = alarms(view, None, Look(log.at_us))[0]
    forms = state_forms(view, None, log.at_us, alarm, replay=False)
    for cells in range(25, 60):
        shown = next(form.plain for form in forms if len(form.plain) <= cells)
        assert state in shown and any(words in shown for words in alarm.words)
    assert remedies(alarm, steering=True)
