"""What is typed faster than it can act goes where it was meant."""

from __future__ import annotations

import asyncio
from typing import Any

from textual import events
from textual.app import ComposeResult
from textual.widgets import Input, Static

from tui.typing_ahead import TypingAheadApp


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


async def test_a_key_pressed_alone_acts_at_once() -> None:
    app = Asking()
    async with app.run_test() as pilot:
        await pilot.press("x", "x")
        assert app.commands == 2
