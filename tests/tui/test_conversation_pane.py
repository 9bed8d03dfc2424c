"""Folding, times, days and hits: what a reader does to the conversation, and that nothing else moves for it."""

from sample_sessions import Log, audit_session
from watching_app import app_over, pane_text, read, screen_text, until

from core.events import GuidanceDelivered


def two_days():
    log = Log()
    log.opened("Port the service.")
    log.call("run_command", {"command": "make"}, "\n".join(f"line {n}" for n in range(9)), effect="command")
    log.call("read_file", {"path": "a.py"}, "\n".join(f"code {n}" for n in range(9)))
    log.add(GuidanceDelivered(text="The needle is near.", source="user"), after_s=26 * 3600)
    log.call("read_file", {"path": "b.py"}, "a needle", text="I found a needle.")
    return log


async def test_a_key_and_a_click_fold_one_entry_and_it_stays_so():
    app = app_over(two_days())
    async with app.run_test(size=(80, 40)) as pilot:
        await read(pilot)
        assert "code 1" not in screen_text(pilot) and "line 1" in screen_text(pilot)
        pane = app.watch_screen.conversation
        pane.select_call(app.view.tool_calls.rows[1])
        await pilot.press("o")
        await until(pilot, lambda: "code 1" in screen_text(pilot))
        y = next(at for at, line in enumerate(screen_text(pilot).splitlines()) if "▾   line 0" in line)
        await pilot.click(offset=(8, y))
        await until(pilot, lambda: "line 1" not in screen_text(pilot))
        app.fake_source.log.call("read_file", {"path": "c.py"}, "more", text="On I go.")
        app.fake_source.push()
        await until(pilot, lambda: "On I go." in screen_text(pilot))
        assert "code 1" in screen_text(pilot) and "line 1" not in screen_text(pilot)
        await pilot.press("v")
        await until(pilot, lambda: "code 1" not in screen_text(pilot))


async def test_days_part_a_long_session_and_times_are_since_the_start_or_of_the_day():
    app = app_over(two_days())
    async with app.run_test(size=(100, 40)) as pilot:
        await read(pilot)
        await pilot.press("z")
        await until(pilot, lambda: "26:00:0" in screen_text(pilot))
        assert sum("── " in line and " January ──" in line for line in screen_text(pilot).splitlines()) == 1
        await pilot.press("T")
        await until(pilot, lambda: "26:00:0" not in screen_text(pilot))
        assert screen_text(pilot).count(":00:0") >= 2
        await pilot.press("T")
        await until(pilot, lambda: ":00:0" not in pane_text(pilot, "conversation"))


async def test_hits_are_counted_and_gone_through():
    app = app_over(two_days())
    async with app.run_test(size=(120, 36)) as pilot:
        await read(pilot)
        await pilot.press("slash", *"needle", "enter")
        await until(pilot, lambda: "“needle” 3 of 3" in screen_text(pilot))
        await pilot.press("N")
        await until(pilot, lambda: "“needle” 2 of 3" in screen_text(pilot))
        assert app.watch_screen.conversation.selected.text == "I found a needle."
        await pilot.press("n", "n")
        await until(pilot, lambda: "“needle” 1 of 3" in screen_text(pilot))
        await pilot.press("slash", *["backspace"] * 6, "enter")
        await until(pilot, lambda: "“needle”" not in screen_text(pilot))


async def test_lists_move_by_the_keys_of_vim():
    app = app_over(audit_session())
    async with app.run_test(size=(80, 24)) as pilot:
        await read(pilot)
        rows = app.watch_screen.conversation.line_list
        await pilot.press("k", "k", "j")
        assert rows.cursor == len(rows.rows) - 1
        top = rows.scroll_offset.y
        await pilot.press("ctrl+u")
        assert 8 <= top - rows.scroll_offset.y <= 11 and rows.cursor is None
        await pilot.press("ctrl+d", "G")
        assert rows.cursor is None and rows.follow.__class__.__name__ == "Following"


async def test_below_guidance_stands_what_became_of_it_and_nothing_moves_when_that_changes():
    log = Log()
    log.opened("Port the service.")
    log.add(GuidanceDelivered(text="Mind core/limits.py.", source="user"), key="g1")
    app = app_over(log)
    async with app.run_test(size=(80, 24)) as pilot:
        await read(pilot)
        assert "↳ goes with the next request" in screen_text(pilot)
        pane = app.watch_screen.conversation
        heights = pane._rows.height(1, 80)
        log.call("edit_file", {"path": "core/limits.py"}, "done", effect="write")
        app.fake_source.push()
        await until(pilot, lambda: "acted on by 1 call" in screen_text(pilot))
        assert pane._rows.height(1, 80) == heights
        app.watch_screen.seek(2)
        await until(pilot, lambda: "goes with the next request" in screen_text(pilot))
