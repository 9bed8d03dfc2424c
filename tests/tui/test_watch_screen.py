import subprocess
import sys
import threading

import pytest
from sample_sessions import CODE, FakeControls, FakeSource, Log, audit_session, long_session
from watching_app import app_over, pane_text, read, screen_text, status, until

from core.events import CommandAccepted, CommandDone, CommandRefused, ContextPolicy, GuidanceDelivered, ItemPinned
from core.folds.view import Changes
from tui.panes.context import ContextPane
from tui.panes.memory import MemoryPane
from tui.widgets.status_line import StatusLine

WIDE = (200, 50)


async def test_everything_of_a_session_is_in_sight_on_a_wide_terminal():
    log = audit_session()
    async with app_over(log).run_test(size=WIDE) as pilot:
        await read(pilot)
        assert "● running" in status(pilot)
        assert "35 calls" in status(pilot)
        assert "$1.11 / $5" in status(pilot)
        assert f"persisted to #{len(log.events)}" in status(pilot)
        assert "3 interventions" in status(pilot)
        assert "python -m pytest -q" in pane_text(pilot, "tool_calls")
        assert "bandit needs -q and -r" in pane_text(pilot, "memory")
        assert "First guess" not in pane_text(pilot, "memory")
        assert "claude-opus-4-6" in pane_text(pilot, "cost")
        assert "● Run the backup without a shell" in pane_text(pilot, "plan")
        assert "27,650" in pane_text(pilot, "context") and "measured" in pane_text(pilot, "context")
        assert "running" in pane_text(pilot, "conversation").splitlines()[-1]


async def test_the_past_is_shown_in_every_pane_as_it_was():
    log = audit_session()
    rewound = next(event.seq for event in log.events if event.kind == "head.moved")
    async with app_over(log).run_test(size=WIDE) as pilot:
        await read(pilot)
        pilot.app.watch_screen.seek(rewound - 1)
        await pilot.pause()
        assert f"PAST #{rewound - 1}" in status(pilot)
        assert "25 calls" in status(pilot)
        assert "load() is also called" in pane_text(pilot, "memory")
        assert "Next is the loader." in pane_text(pilot, "conversation")
        await pilot.press("f")
        await pilot.pause()
        assert "35 calls" in status(pilot)
        assert "Next is the loader." not in screen_text(pilot)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50), (40, 12)])
async def test_the_screen_has_one_status_line_and_one_hint_line_at_every_size(size):
    async with app_over(audit_session()).run_test(size=size) as pilot:
        await read(pilot)
        lines = screen_text(pilot).splitlines()
        assert len(lines) == size[1]
        assert "● running" in lines[0]
        assert "pause" in lines[-1]
        assert "agent" in screen_text(pilot)


async def test_a_terminal_that_is_too_small_is_told_so_politely():
    async with app_over(audit_session()).run_test(size=(38, 10)) as pilot:
        await read(pilot)
        text = " ".join(screen_text(pilot).split())
        assert "Longwatch needs 40x12 cells" in text
        assert "The agent goes on" in text


@pytest.mark.parametrize("size", [WIDE, (80, 24)])
async def test_a_pane_alone_has_the_whole_screen(size):
    async with app_over(audit_session()).run_test(size=size) as pilot:
        await read(pilot)
        for key, name in (("1", "conversation"), ("2", "tool_calls"), ("3", "context"), ("6", "plan")):
            await pilot.press(key, "z")
            await pilot.pause()
            shown = pilot.app.watch_screen.query_one(f"#{name}")
            assert shown.region.width >= size[0] - 1
            assert shown.region.height >= size[1] - 8
            await pilot.press("z")


async def test_number_keys_bring_each_pane_to_the_front_of_a_small_terminal():
    async with app_over(audit_session()).run_test(size=(80, 24)) as pilot:
        await read(pilot)
        for key, words in (
            ("2", "what"),
            ("3", "tool results"),
            ("4", "constraint"),
            ("5", "cache hit"),
            ("6", "Write AUDIT.md"),
        ):
            await pilot.press(key)
            await until(pilot, lambda words=words: words in screen_text(pilot))
        await pilot.press("1")
        await until(pilot, lambda: "The tests again." in screen_text(pilot))


async def test_new_events_reach_the_panes_and_a_running_call_becomes_a_finished_one():
    log = audit_session()
    async with app_over(log).run_test(size=WIDE) as pilot:
        await read(pilot)
        log.call("read_file", {"path": "src/later.py"}, CODE, text="Something new.")
        pilot.app.fake_source.push()
        await until(pilot, lambda: "Something new." in pane_text(pilot, "conversation"))
        assert "src/later.py" in pane_text(pilot, "tool_calls")
        assert "36 calls" in status(pilot)


async def test_a_reply_is_streamed_and_then_replaced_by_what_the_log_says():
    log = audit_session(running=False)
    async with app_over(log).run_test(size=WIDE) as pilot:
        await read(pilot)
        source = pilot.app.fake_source
        source.say("I look at ", "the **loader**")
        await until(pilot, lambda: "I look at the loader" in pane_text(pilot, "conversation"))
        source.say(" once more.")
        await until(pilot, lambda: "the loader once more." in pane_text(pilot, "conversation"))
        log.responded(log.requested(), [{"type": "text", "text": "I look at the **loader** once more. Done."}])
        source.push()
        source.settle()
        await until(pilot, lambda: "once more. Done." in pane_text(pilot, "conversation"))
        assert pane_text(pilot, "conversation").count("I look at the loader") == 1


async def test_a_held_conversation_does_not_move_and_counts_what_is_new():
    log = audit_session()
    async with app_over(log).run_test(size=(120, 36)) as pilot:
        await read(pilot)
        await pilot.press("home")
        await pilot.pause()
        before = _without_scrollbar(pane_text(pilot, "conversation"))
        for index in range(3):
            log.add(GuidanceDelivered(text=f"note {index}", source="notice"))
        pilot.app.fake_source.push()
        await until(pilot, lambda: "3 new" in pane_text(pilot, "conversation"))
        assert _without_scrollbar(pane_text(pilot, "conversation")) == before


def _without_scrollbar(text: str) -> list[str]:
    return [line[:-2] for line in text.splitlines()[1:]]


async def test_a_pane_that_can_not_be_drawn_says_so_and_the_others_live(monkeypatch):
    def broken(self, view, at, width):
        raise ZeroDivisionError("no [bold]luck[/bold]")

    monkeypatch.setattr(ContextPane, "lines", broken)
    async with app_over(audit_session()).run_test(size=WIDE) as pilot:
        await read(pilot)
        assert "could not be drawn" in pane_text(pilot, "context")
        assert "no [bold]luck[/bold]" in " ".join(pane_text(pilot, "context").split())
        assert "bandit needs" in pane_text(pilot, "memory")
        monkeypatch.undo()
        pilot.app.watch_screen.show_moment(Changes.ALL)
        await until(pilot, lambda: "tool results" in pane_text(pilot, "context"))


HOSTILE = "\x1b]0;pwned\x07\x1b[2J[/][bold red]x[/bold red] \u202egnp.exe ] [@click=app.quit]go[/]"


async def test_foreign_text_can_neither_control_the_terminal_nor_be_read_as_markup():
    log = audit_session()
    log.call("run_command", {"command": HOSTILE}, HOSTILE, effect="command", ok=False, text=HOSTILE, thinking=HOSTILE)
    log.add(GuidanceDelivered(text=HOSTILE, source="guard"))
    async with app_over(log, title=HOSTILE).run_test(size=WIDE) as pilot:
        await read(pilot)
        text = screen_text(pilot)
        assert "[bold red]x[/bold red]" in text
        assert "␛" in text
        assert not set("\x1b\x07\u202e") & set(text)
        for key in ("2", "enter"):
            await pilot.press(key)
        await until(pilot, lambda: "arguments" in screen_text(pilot))
        assert not set("\x1b\x07\u202e") & set(screen_text(pilot))


async def test_the_first_paint_comes_before_the_runner_and_the_runner_has_a_thread_of_its_own():
    started: list[str] = []
    app = app_over(audit_session(), background=lambda: started.append(threading.current_thread().name))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: bool(started))
        assert started[0] != threading.main_thread().name


@pytest.mark.parametrize(("key", "how"), [("q", "quit"), ("d", "detached")])
async def test_leaving_the_screen_sends_nothing_to_the_agent(key, how):
    told: list[str] = []
    app = app_over(audit_session(), on_quit=told.append)
    async with app.run_test(size=(80, 24)) as pilot:
        await read(pilot)
        await pilot.press(key)
        await pilot.pause()
    assert app.return_value == how and told == [how]
    assert app.fake_controls.sent == []
    assert app.fake_source.closed


async def test_a_lost_terminal_ends_the_screen():
    app = app_over(audit_session())
    async with app.run_test(size=(80, 24)) as pilot:
        await read(pilot)
        app.on_terminal_lost("hangup")
        await pilot.pause()
    assert app.return_value == "lost"


async def test_what_keeps_the_runner_from_working_is_the_first_thing_said():
    app = app_over(audit_session(), trouble=lambda: "The disk is full; make room and it goes on.")
    async with app.run_test(size=WIDE) as pilot:
        await read(pilot)
        assert "The disk is full" in screen_text(pilot).splitlines()[0]


async def test_a_source_that_breaks_is_a_sentence_and_no_crash():
    class Broken(FakeSource):
        async def batches(self):
            yield self.log.events
            raise OSError("the file [went] away")

    from core.clock import VirtualClock
    from tui.app import LongwatchApp

    log = audit_session()
    app = LongwatchApp(Broken(log), FakeControls(), clock=VirtualClock(log.at_us))
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await until(pilot, lambda: "The log can't be read on" in screen_text(pilot))
        assert "35 calls" in screen_text(pilot)


async def test_an_empty_session_has_a_sentence_in_each_pane():
    log = Log()
    log.opened()
    async with app_over(log).run_test(size=WIDE) as pilot:
        await read(pilot)
        text = screen_text(pilot)
        for words in ("No request yet,", "No reply yet,", "No plan yet.", "Nothing remembered yet."):
            assert words in text


async def test_a_long_session_opens_at_its_end(capsys):
    log = long_session()
    app = app_over(log)
    async with app.run_test(size=(120, 36)) as pilot:
        await read(pilot)
        assert "1,158 calls" in status(pilot)
        assert "module_1156" in screen_text(pilot)


def test_the_app_comes_up_without_the_heavy_libraries():
    heavy = ("anthropic", "mcp", "genai_prices", "bandit", "starlette", "uvicorn")
    code = f"import sys, tui.app; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_a_control_is_pending_until_the_log_answers_it():
    log = audit_session()
    async with app_over(log).run_test(size=(120, 36)) as pilot:
        await read(pilot)
        await pilot.press("space")
        await until(pilot, lambda: "pause sent…" in screen_text(pilot))
        log.add(CommandAccepted(verb="pause"), key="cmd-1", actor="user")
        pilot.app.fake_source.push()
        await until(pilot, lambda: "pause taken #" in screen_text(pilot))
        log.add(CommandDone(verb="pause"), key="cmd-1")
        pilot.app.fake_source.push()
        await until(pilot, lambda: "pause taken #" not in screen_text(pilot))


async def test_a_refusal_says_its_reason():
    log = audit_session()
    async with app_over(log).run_test(size=(120, 36), notifications=True) as pilot:
        await read(pilot)
        await pilot.press("u")
        await until(pilot, lambda: bool(pilot.app.fake_controls.sent))
        log.add(CommandRefused(verb="undo", reason="There is nothing to undo."), key="cmd-1", actor="user")
        pilot.app.fake_source.push()
        await until(pilot, lambda: "undo refused: There is nothing to undo." in screen_text(pilot))


async def test_memory_ages_are_counted_at_the_moment_that_is_shown():
    log = audit_session()
    async with app_over(log).run_test(size=WIDE) as pilot:
        await read(pilot)
        pane = pilot.app.watch_screen.query_one(MemoryPane)
        written = next(event.seq for event in log.events if event.key == "m1")
        pilot.app.watch_screen.seek(written)
        assert "now" in pane.lines(pane.view, written, 60)[0].plain


async def test_the_time_of_a_session_stops_with_its_end_whatever_is_noted_later():
    log = audit_session(running=False)
    app = app_over(log)
    async with app.run_test(size=(120, 36)) as pilot:
        await read(pilot)
        elapsed = app.watch_screen.query_one(StatusLine).value("elapsed")
        log.add(ItemPinned(seq=4), actor="user", after_s=3_600)
        app.fake_source.push()
        await until(pilot, lambda: app.view.last_seq == len(log.events))
        app.watch_screen._second()
        assert app.watch_screen.query_one(StatusLine).value("elapsed") == elapsed


async def test_the_guard_says_once_that_it_switched_compressions_off():
    log = audit_session()
    app = app_over(log)
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await read(pilot)
        log.add(ContextPolicy(policy="off", reason="They freed too little.", tokens=41_000))
        app.fake_source.push()
        await until(pilot, lambda: app.view.last_seq == len(log.events))
        for _ in range(2):
            app.watch_screen._second()
        await until(pilot, lambda: "Automatic compression is off" in screen_text(pilot))
        assert len(app._notifications) == 1
