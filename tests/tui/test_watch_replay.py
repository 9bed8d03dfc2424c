from hypothesis import given, settings
from hypothesis import strategies as st
from sample_sessions import audit_session, long_session
from watching_app import app_over, read, screen_text, status, until

from core.events import MachineSlept, SessionContinued, SessionFinished, SessionPaused
from core.folds.lanes import LANES
from core.folds.timeline import Timeline
from core.folds.view import SessionView
from tui.docks.playback import LONGEST_GAP_S, SPEEDS, Playback
from tui.docks.scrubber import Scrubber
from tui.docks.strip import GUTTER, lines, rows, target
from tui.screens.looking import Looking

SIZE = (120, 36)


def viewed(log=None):
    view = SessionView()
    view.apply_all((log or audit_session()).events)
    return view


async def test_stepping_shows_event_by_event_and_says_where_one_is():
    log = audit_session()
    async with app_over(log, mode="replay", start_at=20).run_test(size=SIZE) as pilot:
        await read(pilot)
        assert "REPLAY #20" in status(pilot)
        await pilot.press("]")
        assert "REPLAY #21" in status(pilot)
        assert f"#21 of {len(log.events)}" in screen_text(pilot)
        await pilot.press("[")
        await pilot.press("[")
        assert "REPLAY #19" in status(pilot)
        await pilot.press("}")
        checkpoint = next(event.seq for event in log.events if event.kind == "checkpoint.made")
        assert f"REPLAY #{checkpoint}" in status(pilot)
        assert f"#{checkpoint} of {len(log.events)}" in screen_text(pilot)
        await pilot.press("e")
        await until(pilot, lambda: "✗" in screen_text(pilot))


async def test_jumps_lead_from_mark_to_mark_of_all_kinds_or_of_one():
    log = audit_session()
    timeline = viewed(log).timeline
    first = min(mark.seq for mark in timeline.marks if mark.kind != "checkpoint")
    edit, rewind = (next(mark.seq for mark in timeline.marks if mark.kind == kind) for kind in ("edit", "rewind"))
    async with app_over(log, mode="replay", start_at=2).run_test(size=SIZE, notifications=True) as pilot:
        await read(pilot)
        await pilot.press("+")
        assert f"REPLAY #{first} " in status(pilot)
        await pilot.press("0", "*", "*", "+")
        assert f"REPLAY #{edit} " in status(pilot) and "Jumps lead to: " in screen_text(pilot)
        await pilot.press("-")
        await until(pilot, lambda: "There is no edit in that direction" in screen_text(pilot))
        await pilot.press("f", "*", "*", "*", "-")
        assert pilot.app.watch_screen.looking.kind == "rewind" and pilot.app.watch_screen.looking.at == rewind


async def test_a_film_goes_to_its_start_and_from_reply_to_reply():
    async with app_over(audit_session(), mode="replay", start_at=20).run_test(size=SIZE) as pilot:
        await read(pilot)
        await pilot.press("0")
        assert "REPLAY #1 " in status(pilot)
        await pilot.press(")")
        assert "REPLAY #4 " in status(pilot)
        await pilot.press(")", "(")
        assert "REPLAY #4 " in status(pilot)


async def test_a_replay_plays_from_its_start_to_its_end_and_holds_there():
    log = audit_session()
    async with app_over(log, mode="replay", speed=1000).run_test(size=SIZE) as pilot:
        await read(pilot)
        await until(pilot, lambda: f"REPLAY #{len(log.events)}" in status(pilot))
        await until(pilot, lambda: "held" in screen_text(pilot))
        assert "35 calls" in status(pilot)


async def test_a_film_of_what_has_ended_says_neither_that_it_needs_you_nor_that_something_is_wrong():
    log = audit_session()
    log.add(MachineSlept(seconds=3_600))
    asked = log.add(SessionPaused(reason="budget", detail="It is spent."))
    log.add(SessionContinued())
    log.add(SessionFinished(state="finished", reason="done"))
    async with app_over(log, mode="replay", start_at=len(log.events)).run_test(size=(200, 40)) as pilot:
        await read(pilot)
        assert "finished" in status(pilot) and "needs you" not in status(pilot) and "!" not in status(pilot)
        pilot.app.watch_screen.seek(asked.seq)
        await until(pilot, lambda: "paused" in status(pilot))
        assert "needs you" not in status(pilot)


async def test_a_film_of_a_session_that_still_runs_goes_on_with_it_from_its_end():
    log = audit_session()
    app = app_over(log, mode="replay", start_at=20)
    app.fake_source._ends = False
    async with app.run_test(size=SIZE) as pilot:
        await read(pilot)
        for at in ("#20 ", f"#{len(log.events) + 2} "):
            log.add(SessionContinued())
            app.fake_source.push()
            await until(pilot, lambda: app.view.last_seq == len(log.events))
            await until(pilot, lambda at=at: f"REPLAY {at}" in status(pilot))
            await pilot.press("f")
        await pilot.press("[")
        log.add(SessionContinued())
        app.fake_source.push()
        await until(pilot, lambda: app.view.last_seq == len(log.events))
        assert f"REPLAY #{len(log.events) - 2} " in status(pilot)


async def test_a_live_session_can_be_looked_back_at_while_it_goes_on():
    log = audit_session()
    async with app_over(log).run_test(size=SIZE) as pilot:
        await read(pilot)
        await pilot.press("[")
        there = f"PAST #{len(log.events) - 1}"
        assert there in status(pilot)
        log.call("read_file", {"path": "later.py"}, "x")
        pilot.app.fake_source.push()
        await until(pilot, lambda: f"persisted to #{len(log.events)}" in status(pilot))
        assert there in status(pilot)
        assert "later.py" not in screen_text(pilot)
        await pilot.press("f")
        await until(pilot, lambda: "later.py" in screen_text(pilot))
        assert "PAST" not in status(pilot)


async def test_a_click_on_the_track_seeks():
    log = audit_session()
    async with app_over(log, mode="replay", start_at=1).run_test(size=SIZE) as pilot:
        await read(pilot)
        await pilot.click("Track", offset=(60, 0))
        await until(pilot, lambda: "REPLAY #1 " not in status(pilot))


def test_waits_of_the_recording_are_cut():
    timeline = Timeline()
    timeline.times = [0, 1_000_000, 3_600_000_000, 3_600_500_000]
    playback = Playback(timeline, speed=1)
    playback.playing = True
    assert playback.advance(1, 1.0) == 2
    assert playback.advance(2, LONGEST_GAP_S) == 3
    assert playback.playing
    assert playback.advance(3, 0.5) == 4
    assert not playback.playing


@given(st.lists(st.floats(0, 1, allow_nan=False), min_size=1, max_size=60), st.sampled_from(SPEEDS))
@settings(max_examples=40, deadline=None)
def test_however_the_time_is_cut_the_film_goes_as_far(pieces, speed):
    timeline = viewed().timeline
    in_pieces, at_once = Playback(timeline, speed), Playback(timeline, speed)
    seq = 1
    for piece in pieces:
        seq = in_pieces.advance(seq, piece)
    assert abs(seq - at_once.advance(1, sum(pieces))) <= 1


def test_a_click_on_a_cell_leads_to_an_event_of_that_cell():
    lanes = viewed().lanes
    for axis in ("events", "time"):
        for cell in lanes.strip(60, axis=axis):
            if cell.first <= cell.last:
                assert cell.first <= target(lanes, cell) <= cell.last
            else:
                assert target(lanes, cell) == cell.last


def test_one_line_shows_the_moments_and_three_lines_also_edits_checkpoints_and_cost():
    lanes = viewed().lanes
    cells = lanes.strip(169)
    (line,) = lines(rows(cells, three=False), 100)
    assert line.cell_length == len(cells)
    assert {"×", "▼", "▲", "★", "↶"} <= set(line.plain)
    calls, marks, cost = (line.plain for line in lines(rows(cells, three=True), None))
    assert {"×", "+", "▲", "★", "↶", "·"} <= set(marks)
    assert calls.startswith("calls ") and cost.startswith("cost  ") and "█" in cost
    assert len(calls) == len(marks) == len(cost) == len(cells) + GUTTER


async def test_on_a_tall_terminal_the_timeline_is_there_and_a_click_leads_into_the_past():
    async with app_over(audit_session()).run_test(size=(120, 40)) as pilot:
        await read(pilot)
        assert "marks " in screen_text(pilot)
        await pilot.click("Track", offset=(30, 1))
        await until(pilot, lambda: "PAST #" in status(pilot))
        await until(pilot, lambda: "‖ held" in screen_text(pilot))


async def test_elsewhere_a_key_brings_the_timeline_by_time_by_events_by_how_it_went_and_takes_it_away():
    async with app_over(audit_session()).run_test(size=(80, 24)) as pilot:
        await read(pilot)
        scrubber = pilot.app.watch_screen.query_one(Scrubber)
        assert not scrubber.display
        shown = []
        for _ in range(4):
            await pilot.press("H")
            await pilot.pause()
            shown.append(screen_text(pilot).splitlines()[-2] if scrubber.display else "")
        assert "▲" in shown[0] and "▲" in shown[1] and shown[0] != shown[1]
        assert "▲" not in shown[2] and "▁" in shown[2] and shown[3] == ""


def test_drawing_the_strip_reads_as_much_of_a_long_session_as_of_a_short_one(monkeypatch):
    lengths = []
    for calls in (20, 200):
        lanes, reads = viewed(long_session(calls)).lanes, []
        monkeypatch.setattr("core.folds.lanes.bisect_right", lambda seqs, edge, reads=reads: reads.append(1) or 0)
        lanes.strip(60)
        lengths.append(len(reads))
        monkeypatch.undo()
    assert max(lengths) <= 61 * len(LANES)


def test_holding_a_key_goes_faster_and_faster():
    view = viewed()
    looking = Looking(view, replay=True, at=1)
    for press in range(10):
        looking.step(1, press * 0.05)
    assert looking.seq > 11
    slow = Looking(view, replay=True, at=1)
    for press in range(10):
        slow.step(1, press * 1.0)
    assert slow.seq == 11


def test_a_replay_never_leaves_the_recording_and_live_looks_return_to_now():
    view = viewed()
    replay, live = Looking(view, replay=True, at=1), Looking(view, replay=False)
    for seq in (-5, 0, 10**9):
        replay.seek(seq)
        assert 1 <= replay.seq <= view.last_seq
    assert replay.at == view.last_seq
    live.seek(10)
    assert live.at == 10
    live.seek(10**9)
    assert live.at is None
