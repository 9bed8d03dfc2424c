from sample_sessions import DIFF, audit_session
from watching_app import app_over, read, screen_text, until

from tui.screens.help import help_lines
from tui.screenshots import Scene, take

SIZE = (120, 36)


async def test_a_call_is_read_with_its_arguments_and_the_whole_of_its_output():
    log = audit_session(running=False)
    whole = "\n".join(f"line {number}" for number in range(30_000))
    log.blobs["b10b"] = whole.encode()
    log.call("run_command", {"command": "make all"}, "line 0\n… cut …", effect="command", blob="b10b", exit_code=0)
    async with app_over(log).run_test(size=SIZE) as pilot:
        await read(pilot)
        await pilot.press("2", "enter")
        await until(pilot, lambda: "line 25" in screen_text(pilot))
        text = screen_text(pilot)
        assert "make all" in text and "exit code 0" in text and "whole" in text
        await pilot.press("escape")
        await until(pilot, lambda: "Conversation" in screen_text(pilot))


async def test_an_edit_is_read_as_a_diff():
    log = audit_session(running=False)
    log.call("edit_file", {"path": "a.py", "old": "x = 1", "new": "x = 2"}, DIFF, effect="write")
    async with app_over(log).run_test(size=SIZE) as pilot:
        await read(pilot)
        await pilot.press("2", "enter")
        await until(pilot, lambda: "cursor.execute(query, (name,))" in screen_text(pilot))
        assert "-x = 1" in screen_text(pilot) and "+x = 2" in screen_text(pilot)


async def test_a_running_call_says_that_it_runs():
    async with app_over(audit_session()).run_test(size=(80, 24)) as pilot:
        await read(pilot)
        await pilot.press("2", "enter")
        await until(pilot, lambda: "still running" in screen_text(pilot))
        await pilot.press("tab")
        await until(pilot, lambda: "python -m pytest -q" in screen_text(pilot).split("arguments", 1)[-1])


async def test_what_the_agent_said_is_read_as_markdown():
    async with app_over(audit_session(running=False)).run_test(size=SIZE) as pilot:
        await read(pilot)
        await pilot.press("up", "up", "enter")
        await until(pilot, lambda: "agent · text" in screen_text(pilot))
        assert "All findings are fixed" in screen_text(pilot)


async def test_the_tool_calls_can_be_narrowed_to_failures():
    async with app_over(audit_session()).run_test(size=(80, 24)) as pilot:
        await read(pilot)
        await pilot.press("2", "v")
        await until(pilot, lambda: "read_file" not in screen_text(pilot))
        assert screen_text(pilot).count("✗") == 2


async def test_help_lists_every_action_and_closes():
    text = "\n".join(line.plain for line in help_lines(lambda action: action.keys))
    assert "guide" in text and "rewind" in text and "next checkpoint" in text
    async with app_over(audit_session()).run_test(size=SIZE) as pilot:
        await read(pilot)
        await pilot.press("?")
        await until(pilot, lambda: "Steer" in screen_text(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: "Steer" not in screen_text(pilot))


async def test_the_palette_runs_an_action():
    app = app_over(audit_session())
    async with app.run_test(size=SIZE) as pilot:
        await read(pilot)
        await pilot.press("ctrl+p", *"interrupt")
        await until(pilot, lambda: "Interrupt" in screen_text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.fake_controls.sent))
        assert app.fake_controls.sent[0][0] == "interrupt"


async def test_screenshots_are_the_same_each_time(tmp_path):
    scenes = [Scene("calls", (80, 24), ["2"], ready=read)]
    one, other = tmp_path / "one", tmp_path / "other"
    log = audit_session()
    await take(lambda: app_over(log), scenes, one)
    await take(lambda: app_over(log), scenes, other)
    assert (one / "calls.svg").read_text() == (other / "calls.svg").read_text()
    assert "DejaVu Sans Mono" in (one / "calls.svg").read_text()
