"""Since you left: told once, by itself or by a key; its keys answer, its lines lead to their places."""

import pytest
from sample_sessions import Log, audit_session
from watching_app import Mark, app_over, read, screen_text, status, until

from core.clock import MICROSECONDS, VirtualClock
from core.events import (
    BudgetCrossed,
    CommandRefused,
    ContextPolicy,
    GuidanceDelivered,
    MachineSlept,
    MemoryWritten,
    SessionFinished,
    SessionPaused,
)
from core.folds.view import SessionView
from tui.account_words import told_plainly
from tui.attention import Attention, Sight
from tui.screens.returning import SHORT_US
from tui.screens.since import SinceScreen

HOUR_S = 3_600


def waiting_session() -> Log:
    """A session that waits for five decisions."""
    log = audit_session()
    log.add(BudgetCrossed(percent=95, spent="4.80", budget="5.00"), key="5.00@95")
    log.add(ContextPolicy(policy="off", tokens=90_000, reason="Two compressions in a row freed too little."))
    for verb in ("rewind", "model"):
        log.add(CommandRefused(verb=verb, reason=f"The {verb} names a moment that is gone " * 8), key=f"c-{verb}")
    log.add(MemoryWritten(text="Keep the public names.", category="decision"), key="m9")
    log.add(SessionPaused(reason="refusal", detail="The model declined to go on with the loader"))
    return log


def returning(log: Log, seen: int, *, hours: float = 3, **options):
    """An app for somebody who had seen everything up to event `seen`, and was away for so long."""
    mark = Mark(seen, log.at_us - int(hours * HOUR_S * MICROSECONDS))
    app = app_over(log, sight=Sight(mark), clock=VirtualClock(log.at_us), **options)
    app.watch_screen.grace_s = 0.0
    return app, mark


def told(pilot) -> bool:
    return isinstance(pilot.app.screen, SinceScreen) and pilot.app.screen.open


async def test_on_coming_to_a_session_the_verdict_and_five_decisions_fit_a_small_terminal():
    app, mark = returning(waiting_session(), 20)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: told(pilot))
        text = screen_text(pilot)
        assert "Since you left, 3 h ago" in text
        assert "WAITING FOR YOU" in text and "the model declined" in text.lower()
        for key in ("g", "b", "P", "r", "M"):
            assert f" {key} " in text
        assert len([entry for entry in app.screen.entries if entry.decision]) == 5
        assert "decided" in text
        assert mark.seq == app.view.last_seq


async def test_what_happens_while_it_is_read_is_counted_in_its_title():
    log = waiting_session()
    app, _ = returning(log, 20)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: told(pilot))
        assert "more since" not in screen_text(pilot)
        for number in range(3):
            log.add(MemoryWritten(text="Later.", category="fact"), key=f"later{number}")
        app.fake_source.push()
        await until(pilot, lambda: "3 more since" in screen_text(pilot))


async def test_asked_for_where_nothing_is_new_it_says_so_and_counts_no_events_backwards():
    log = waiting_session()
    app, _ = returning(log, log.events[-1].seq)
    async with app.run_test(size=(80, 24)) as pilot:
        await read(pilot)
        await pilot.press("L")
        await until(pilot, lambda: told(pilot))
        last = log.events[-1].seq
        assert f"nothing since #{last}" in screen_text(pilot) and f"#{last + 1}" not in screen_text(pilot)


async def test_a_key_of_a_decision_does_what_answers_it():
    app, _ = returning(waiting_session(), 20)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: told(pilot))
        await pilot.press("b")
        await until(pilot, lambda: "Budget: dollars" in screen_text(pilot))
        assert app.screen is app.watch_screen


async def test_keys_typed_when_it_comes_by_itself_decide_nothing():
    app, _ = returning(waiting_session(), 20)
    app.watch_screen.grace_s = 60.0
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(pilot.app.screen, SinceScreen))
        await pilot.press("b", "g", "enter", "q")
        await pilot.pause()
        assert isinstance(app.screen, SinceScreen) and app.fake_controls.sent == []
        assert "Keys count in a moment" in screen_text(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.watch_screen)


async def test_a_line_leads_to_its_place_in_the_conversation():
    app, _ = returning(audit_session(), 5)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: told(pilot))
        wanted = next(entry for entry in app.screen.entries if entry.kind == "files")
        await pilot.press("home", "enter")
        await until(pilot, lambda: app.screen is app.watch_screen)
        await pilot.pause()
        items, cursor = app.watch_screen.conversation._rows.items, app.watch_screen.conversation.line_list.cursor
        assert items[cursor].seq <= wanted.seq < items[cursor + 1].seq


async def test_a_line_of_an_abandoned_branch_leads_to_the_past():
    log = audit_session()
    rewound = next(event.seq for event in log.events if event.kind == "head.moved")
    app, _ = returning(log, 5)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: told(pilot))
        app.watch_screen.jump(rewound - 3)
        assert app.watch_screen.looking.at == rewound - 3


@pytest.mark.parametrize("why", ["nothing new", "a moment ago", "never kept"])
async def test_it_does_not_come_by_itself_without_an_absence(why):
    log = audit_session()
    hours = 0.001 if why == "a moment ago" else 3
    app, _ = returning(log, len(log.events) if why == "nothing new" else 20, hours=hours)
    if why == "never kept":
        app.watch_screen.sight = Sight()
    async with app.run_test(size=(80, 24)) as pilot:
        await read(pilot)
        assert app.screen is app.watch_screen
        await pilot.press("L")
        await until(pilot, lambda: told(pilot))


async def test_it_comes_when_the_terminal_is_looked_at_again_and_tells_only_what_came_since():
    log = audit_session()
    app, mark = returning(log, len(log.events))
    async with app.run_test(size=(120, 40)) as pilot:
        await read(pilot)
        app._focused(False)
        log.add(GuidanceDelivered(text="You repeat yourself.", source="guard"), after_s=HOUR_S)
        app.fake_source.push()
        await until(pilot, lambda: app.view.last_seq == len(log.events))
        app.watch_screen.clock.advance(HOUR_S)
        app._focused(True)
        await until(pilot, lambda: told(pilot))
        assert [entry.text for entry in app.screen.entries if entry.kind == "guards"] == ["You repeat yourself."]
        assert "1 h" in screen_text(pilot)
        assert mark.seq == len(log.events)


async def test_it_comes_when_the_machine_of_the_screen_woke_and_says_what_the_night_did():
    log = audit_session()
    app, _ = returning(log, len(log.events))
    app.watch_screen.waking_s = 0.001
    async with app.run_test(size=(80, 24)) as pilot:
        await read(pilot)
        app.watch_screen.clock.suspend(8 * HOUR_S)
        log.add(MachineSlept(seconds=8 * HOUR_S), after_s=8 * HOUR_S)
        app.fake_source.push()
        await until(pilot, lambda: app.view.last_seq == len(log.events))
        assert "! slept 8 h" in status(pilot)
        app._tick()
        await until(pilot, lambda: told(pilot))
        assert "Since you left, 8 h ago" in screen_text(pilot) and "slept for 8 h and woke at" in screen_text(pilot)
        app._tick()
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is app.watch_screen


async def test_over_an_open_dialog_it_only_says_that_there_is_something():
    log = audit_session()
    app, _ = returning(log, len(log.events))
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await read(pilot)
        await pilot.press("b")
        app._focused(False)
        log.add(GuidanceDelivered(text="You repeat yourself.", source="guard"), after_s=HOUR_S)
        app.fake_source.push()
        await until(pilot, lambda: app.view.last_seq == len(log.events))
        app.watch_screen.clock.advance(HOUR_S)
        app._focused(True)
        await until(pilot, lambda: "L tells them" in screen_text(pilot))
        assert app.screen is app.watch_screen


async def test_what_came_while_nobody_looked_is_not_marked_as_seen():
    log = audit_session()
    app, mark = returning(log, len(log.events))
    async with app.run_test(size=(80, 24)) as pilot:
        await read(pilot)
        seen = len(log.events)
        app._focused(False)
        log.add(SessionFinished(state="finished", reason="done"))
        app.fake_source.push()
        await until(pilot, lambda: app.view.last_seq == len(log.events))
    app.watch_screen.sight.keep()
    assert mark.seq == seen


async def test_a_recording_has_nobody_who_was_away():
    app, mark = returning(audit_session(), 5, mode="replay")
    async with app.run_test(size=(80, 24)) as pilot:
        await read(pilot)
        assert app.screen is app.watch_screen and mark.seq == 5


def test_a_terminal_that_tells_of_its_focus_is_believed_and_another_one_is_away_without_keys():
    clock = VirtualClock(1_000_000_000_000)
    attention = Attention(clock, away_s=120)
    assert attention.away_since() is None
    clock.advance(121)
    assert attention.away_since() is not None
    assert attention.acted() == 121 * MICROSECONDS and attention.away_since() is None
    attention.focused(False)
    left_us = clock.now_us()
    clock.advance(SHORT_US // MICROSECONDS)
    assert attention.away_since() == left_us
    assert attention.focused(True) == SHORT_US and attention.focused(True) == 0
    clock.advance(HOUR_S)
    assert attention.away_since() is None


def test_an_absence_begins_where_was_last_seen_and_stays_until_the_next():
    sight = Sight(Mark(7, 70))
    assert (sight.since, sight.left_us, sight.seen) == (7, 70, 7)
    sight.shown(20)
    assert sight.since == 7
    sight.left(200)
    assert (sight.since, sight.left_us) == (20, 200)
    sight.shown(12)
    sight.keep()
    assert sight.mark.seq == 20


def test_an_account_in_lines_names_no_event_where_there_is_none():
    log, view = Log(), SessionView()
    log.opened()
    view.apply_all(log.events)
    told = told_plainly(view.absence.since(1, now_us=log.at_us, running=True), log.at_us, log.at_us, "01abc")
    assert told[0].endswith(": Working.")
