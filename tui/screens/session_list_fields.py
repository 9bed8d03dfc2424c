"""The two places of the list where one writes: the search, and a name in its own line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input


class Field(Input):
    """A line without a frame and without a blinking cursor, which would be all that a quiet screen sends."""

    DEFAULT_CSS = """
    Field, Field:focus { border: none; padding: 0 1; height: 1; background: $surface; }
    """

    def on_mount(self) -> None:
        self.cursor_blink = False


class SearchField(Field):
    """Searches with each key; the arrows move in the list meanwhile, `enter` goes there, `escape` starts over."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "give_up", show=False),
        Binding("down", "step(1)", show=False),
        Binding("up", "step(-1)", show=False),
    ]

    class Left(Message):
        """Back to the list."""

    @dataclass
    class Stepped(Message):
        """The cursor of the list is to go up or down."""

        step: int

    def __init__(self) -> None:
        super().__init__(placeholder="/ search", compact=True, select_on_focus=False, id="search")

    def action_give_up(self) -> None:
        self.value = ""
        self.post_message(self.Left())

    def action_step(self, step: int) -> None:
        self.post_message(self.Stepped(step))

    @on(Input.Submitted)
    def _found(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Left())


class NameField(Field):
    """The name of session `id`, written where it stands in the list."""

    DEFAULT_CSS = """
    NameField, NameField:focus { layer: above; position: absolute; padding: 0; background: $panel; color: $accent; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", show=False)]

    @dataclass
    class Given(Message):
        """The session is to be called so; None: as before."""

        id: str
        name: str | None

    def __init__(self, id: str, name: str) -> None:
        super().__init__(name, compact=True, select_on_focus=True, id="name")
        self._session, self._before = id, name

    def action_give_up(self) -> None:
        self.post_message(self.Given(self._session, None))

    def on_blur(self) -> None:
        self.action_give_up()

    @on(Input.Submitted)
    def _written(self, event: Input.Submitted) -> None:
        event.stop()
        name = " ".join(event.value.split())
        self.post_message(self.Given(self._session, name if name and name != self._before else None))
