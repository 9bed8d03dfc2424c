"""What is typed faster than it can act goes where it was meant."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from recording import RecordingDriver, written
from sample_sessions import audit_session
from textual import events
from textual.app import ComposeResult
from textual.widgets import Input, Static
from watching_app import app_over

from tui import sightings
from tui.sightings import COLUMNS, ROW, Sightings
from tui.typing_ahead import BREATH_S, TypingAheadApp


class Asking(TypingAheadApp[None]):
    """`g` opens a line, slowly; enter closes it; `x` outside of it counts as a command."""

    BINDINGS = [("g", "ask", "ask"), ("x", "command", "command")]

    def __init__(self) -> None:
        super().__init__()
        self.commands = 0
        self.said: list[str] = []

    def compose(self) -> ComposeResult:
        yield Static("nothing yet")

    async def action_ask(self) -> None:
        await asyncio.sleep(0)
        field = Input()
        await self.mount(field)
        field.focus()

    def action_command(self) -> None:
        self.commands += 1

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        self.said.append(event.value)
        await event.input.remove()


def type_at_once(app: Asking, keys: str) -> None:
    for character in keys:
        key = {"\r": "enter", " ": "space"}.get(character, character)
        app.post_message(events.Key(key, None if key == "enter" else character))


async def settled(app: Asking, pilot: Any) -> None:
    await pilot.pause()
    while app._settling is not None:
        await pilot.pause()
    await pilot.pause()


async def test_a_burst_of_keys_goes_into_the_dialog_that_the_first_of_them_opens() -> None:
    app = Asking()
    async with app.run_test() as pilot:
        type_at_once(app, "gfix exactly this\r")
        await settled(app, pilot)
        assert app.said == ["fix exactly this"]
        assert app.commands == 0


async def test_keys_after_the_dialog_act_outside_of_it_again() -> None:
    app = Asking()
    async with app.run_test() as pilot:
        type_at_once(app, "gxx\rxgx\rx")
        await settled(app, pilot)
        assert app.said == ["xx", "x"]
        assert app.commands == 2


class Refusing(Asking):
    """The line is refused: somebody else drives."""

    async def action_ask(self) -> None:
        self.not_opened()


async def test_words_meant_for_a_dialog_that_was_refused_are_no_commands_until_they_pause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    monkeypatch.setattr("tui.typing_ahead.monotonic", lambda: now)
    app = Refusing()
    async with app.run_test() as pilot:
        type_at_once(app, "gfix x")
        await settled(app, pilot)
        now = BREATH_S - 0.1
        type_at_once(app, "x")
        await settled(app, pilot)
        now += BREATH_S - 0.1
        type_at_once(app, "x\r")
        await settled(app, pilot)
        assert app.commands == 0
        now += BREATH_S
        type_at_once(app, "x")
        await settled(app, pilot)
        assert app.commands == 1


async def test_a_key_pressed_alone_acts_at_once() -> None:
    app = Asking()
    async with app.run_test() as pilot:
        await pilot.press("x", "x")
        assert app.commands == 2


class Terminal(RecordingDriver):
    """Says where its cursor is only when `seen` is called: what was painted until then has arrived."""

    answers = True

    def seen(self) -> None:
        for row, column in re.findall(r"\x1b\[(\d+);(\d+)H\x1b\[6n", "".join(self.written)):
            self.send_message(events.CursorPosition(int(column) - 1, int(row) - 1))
        self.written.clear()


@asynccontextmanager
async def watched() -> AsyncIterator[tuple[Any, Terminal]]:
    """The watch screen on a terminal that answers when it is told to."""
    app: Any = app_over(audit_session())
    app.driver_class = Terminal
    task = asyncio.create_task(app.run_async())
    await true(lambda: app.is_running and app.watch_screen.is_mounted and app.watch_screen.is_read)
    yield app, app._driver
    app.exit()
    await task


async def typed(app: Any, *keys: str) -> None:
    """Keys that come now, and all that they lead to."""
    for key in keys:
        app._driver.send_message(events.Key(key, key if len(key) == 1 else None))
    await asyncio.sleep(0)
    await until_quiet(app)


async def until_quiet(app: Any) -> None:
    await written(app, keep=True)
    await true(lambda: app._settling is None)


async def true(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - the app has no event for it
        await asyncio.sleep(0.01)


async def test_an_answer_typed_before_the_question_was_on_the_terminal_does_nothing_and_says_so() -> None:
    async with watched() as (app, terminal):
        await typed(app, "ctrl+x", "s")
        await typed(app, "s")
        assert app.fake_controls.sent == []
        assert "press it again" in str(app.watch_screen.query_one(".dock--title").content)
        terminal.seen()
        await typed(app, "s")
        assert [verb for verb, *_ in app.fake_controls.sent] == ["stop"]


async def test_a_key_that_comes_before_the_terminals_answer_was_pressed_before_the_question_was_seen() -> None:
    async with watched() as (app, terminal):
        await typed(app, "ctrl+x")
        app._driver.send_message(events.Key("s", "s"))
        terminal.seen()
        await until_quiet(app)
        assert app.fake_controls.sent == []


async def test_words_typed_ahead_are_meant() -> None:
    async with watched() as (app, _):
        await typed(app, "g", *"stay", "enter")
        assert [(verb, args["text"]) for verb, args, _ in app.fake_controls.sent] == [("guide", "stay")]


async def test_a_terminal_that_never_answers_is_not_waited_for_forever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sightings, "PATIENCE_S", 0.05)
    async with watched() as (app, _):
        await typed(app, "ctrl+x")
        await true(lambda: app._sightings.seen == app._sightings.asked)
        await typed(app, "s")
        assert [verb for verb, *_ in app.fake_controls.sent] == ["stop"]


async def test_an_answer_settles_its_own_question_and_those_before_it_and_no_later_one() -> None:
    asked: list[str] = []
    known = Sightings(asked.append)
    for _ in range(40):
        known.ask()
    known.answered(38 % COLUMNS, ROW - 1)
    assert known.seen == 38
    known.answered(9 % COLUMNS, ROW - 1)
    assert known.seen == 38
    known.answered(40 % COLUMNS, ROW)
    assert known.seen == 38
