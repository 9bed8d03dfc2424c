from sample_sessions import DIFF, FakeControls, FakeSource, audit_session
from watching_app import app_over, pane_text, read, screen_text, until

from core.events import ToolFinished, ToolStarted
from tui.screens.film import FilmScreen
from tui.screens.help import help_entries
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


async def test_a_call_that_was_handed_on_leads_to_the_session_that_does_it_and_back():
    log, below = audit_session(running=False), audit_session(running=False)
    intent = {"session": "abc", "model": "small"}
    log.add(
        ToolStarted(name="delegate", use_id="u", arguments={"task": "Part."}, effect="delegate", intent=intent), "d.0"
    )
    films = {"abc": (FakeSource(below), FakeControls(available=False))}
    async with app_over(log, films=films.get).run_test(size=SIZE) as pilot:
        await read(pilot)
        await pilot.press("2", "end", "enter")
        await until(pilot, lambda: "its session" in screen_text(pilot))
        await pilot.press("d")
        await until(pilot, lambda: isinstance(pilot.app.screen, FilmScreen) and pilot.app.screen.is_read)
        assert "task done" in screen_text(pilot)
        await pilot.press("q")
        await until(pilot, lambda: pilot.app.screen is pilot.app.watch_screen)


async def test_a_running_call_says_that_it_runs():
    async with app_over(audit_session()).run_test(size=(80, 24)) as pilot:
        await read(pilot)
        await pilot.press("2", "enter")
        await until(pilot, lambda: "still running" in screen_text(pilot))
        await pilot.press("tab")
        await until(pilot, lambda: "python -m pytest -q" in screen_text(pilot).split("arguments", 1)[-1])


async def test_the_output_of_a_running_call_is_followed_until_it_is_done():
    log = audit_session()
    key = next(call.key for call in reversed(log.events) if call.kind == "tool.started")
    log.outputs[key] = "collecting tests\n10%\r80%\n"
    async with app_over(log).run_test(size=SIZE) as pilot:
        await read(pilot)
        await pilot.press("2", "end", "enter")
        await until(pilot, lambda: "collecting tests" in screen_text(pilot))
        assert "80%" in screen_text(pilot) and "10%" not in screen_text(pilot)
        log.outputs[key] += "\n".join(f"test {number} ok" for number in range(100)) + "\n"
        await until(pilot, lambda: "test 99 ok" in screen_text(pilot))
        body = ToolFinished(name="run_command", use_id="u", ok=True, content="100 passed", exit_code=0, ms=5, size=9)
        log.add(body, key)
        pilot.app.fake_source.push()
        await until(pilot, lambda: "100 passed" in screen_text(pilot))
        assert "exit code 0" in screen_text(pilot) and "test 99 ok" not in screen_text(pilot)


async def test_the_reader_goes_on_to_the_next_call_finds_words_and_leads_to_their_place():
    log = audit_session(running=False)
    log.call("run_command", {"command": "make lint"}, "fine\n" * 40 + "needle here\n" + "a needle", effect="command")
    log.call("run_command", {"command": "make all"}, "all made", effect="command")
    app = app_over(log)
    async with app.run_test(size=SIZE) as pilot:
        await read(pilot)
        await pilot.press("2", "enter")
        await until(pilot, lambda: "all made" in screen_text(pilot))
        await pilot.press("right")
        await until(pilot, lambda: "That was the last one" in screen_text(pilot))
        await pilot.press("left")
        await until(pilot, lambda: "make lint" in screen_text(pilot) and "fine" in screen_text(pilot))
        await pilot.press("slash", *"NEEDLE", "enter")
        await until(pilot, lambda: "1 of 2" in screen_text(pilot))
        assert "needle here" in screen_text(pilot)
        await pilot.press("n")
        await until(pilot, lambda: "2 of 2" in screen_text(pilot))
        await pilot.press("y")
        await until(pilot, lambda: "Copied" in screen_text(pilot))
        await pilot.press("l")
        await until(pilot, lambda: app.watch_screen.front == "conversation" and app.screen is app.watch_screen)
        await until(pilot, lambda: app.watch_screen.conversation.selected.text == "run_command make lint")
        await pilot.press("l")
        await until(pilot, lambda: app.watch_screen.front == "tool_calls")
        await until(pilot, lambda: app.watch_screen.tool_calls.selected.target == "make lint")


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


async def test_the_tool_calls_are_narrowed_by_words_as_one_types_and_by_tool():
    app = app_over(audit_session())
    async with app.run_test(size=SIZE) as pilot:
        await read(pilot)
        pane = app.watch_screen.tool_calls
        await pilot.press("2", "slash", *"py TEST")
        await until(pilot, lambda: "“py TEST”" in screen_text(pilot))
        shown = list(pane._rows.calls[: pane._rows.count])
        assert shown and all("py" in f"{c.name} {c.target}" and "test" in f"{c.name} {c.target}" for c in shown)
        await pilot.press("escape")
        await until(pilot, lambda: "“py TEST”" not in screen_text(pilot) and not app.watch_screen.query("NarrowDock"))
        await pilot.press("up", "up", "equals_sign")
        await until(pilot, lambda: "only " in screen_text(pilot))
        assert {call.name for call in pane._rows.calls[: pane._rows.count]} == {pane.wanted.name}
        await pilot.press("equals_sign", *"vvvv")
        await until(pilot, lambda: "[slow" in screen_text(pilot))
        assert "No call is like that" in screen_text(pilot), pane_text(pilot, "tool_calls")
        running = app.watch_screen.view.tool_calls.running()
        assert running and f"● {running[0].name}" in pane_text(pilot, "tool_calls")


async def test_help_lists_every_action_and_closes():
    text = "\n".join(f"{left.plain}{sentence}" for left, sentence in help_entries(lambda action: action.keys))
    assert "guide" in text and "rewind" in text and "next checkpoint" in text
    async with app_over(audit_session()).run_test(size=SIZE) as pilot:
        await read(pilot)
        await pilot.press("?")
        await until(pilot, lambda: "Steer" in screen_text(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: "Steer" not in screen_text(pilot))


async def test_the_help_gets_shorter_as_one_types_and_scrolls_meanwhile():
    async with app_over(audit_session()).run_test(size=(80, 24)) as pilot:
        await read(pilot)
        await pilot.press("?", "pagedown", "down")
        await until(pilot, lambda: "retract" not in screen_text(pilot))
        await pilot.press(*"the checkpoint before")
        await until(pilot, lambda: "To the checkpoint before." in screen_text(pilot))
        assert "1 found" in screen_text(pilot) and "Replay" in screen_text(pilot) and "Steer" not in screen_text(pilot)
        await pilot.press(*"xx")
        await until(pilot, lambda: "No key and no action" in screen_text(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: "Steer" in screen_text(pilot))
        await pilot.press("?")
        await until(pilot, lambda: "Steer" not in screen_text(pilot))


def test_a_letter_alone_finds_the_actions_that_have_it_as_their_key():
    found = [left.plain.split() for left, sentence in help_entries(lambda action: action.keys, "y") if sentence]
    assert found and all("y" in words[0].lower() for words in found)


async def test_the_readers_keys_are_those_of_the_registry_and_can_be_changed():
    app = app_over(audit_session(running=False), keymap={"reader-copy": "f7"})
    async with app.run_test(size=SIZE) as pilot:
        await read(pilot)
        await pilot.press("2", "home", "down", "enter")
        await until(pilot, lambda: "other side" in screen_text(pilot))
        assert "f7 copy" in screen_text(pilot)
        await pilot.press("f7")
        await until(pilot, lambda: bool(app.clipboard))
        await pilot.press("?", *"its place")
        await until(pilot, lambda: "where the call was made" in screen_text(pilot))
        await pilot.press("escape", "escape", "ctrl+p", *"wide")
        await until(pilot, lambda: "whole width" in screen_text(pilot))


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
