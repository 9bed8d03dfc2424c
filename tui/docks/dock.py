"""What replaces the bottom row for a while: a title, what it is about, and, where the hints were, its keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from msgspec import Struct, field
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from tui.messages import ControlGiven, DockClosed
from tui.safe import safe_text
from tui.typing_ahead import TypingAheadApp
from tui.widgets.line import Line
from tui.widgets.live_label import LiveLabel

TOO_EARLY = "That key came before this was on your screen: press it again if you mean it."


Keys = Sequence[tuple[str, str]]
"""Keys and what they do, the most important first."""


def title_line(title: str, note: str = "") -> Content:
    """The dock's first line: what it does, and what one knows at once."""
    return Content.assemble((title, "bold $accent"), (f"   {note}" if note else "", "$muted"))


class Dock(Vertical):
    """Base of every dock. `escape` closes it; `give` sends a control and closes it.

    A key gives a control only when it was pressed after the dock could be seen, except where one may type ahead.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "close", show=False)]

    DEFAULT_CSS = """
    Dock {
        height: auto; max-height: 16; padding: 0 1; background: $panel;
        border-top: hkey $accent;
    }
    Dock Static { height: auto; }
    Dock .-empty { display: none; }
    """

    TITLE: ClassVar[str] = ""
    KEYS: ClassVar[Keys] = (("esc", "close"),)

    def compose(self) -> ComposeResult:
        yield LiveLabel(self.title(), classes="dock--title")
        yield from self.body()
        yield LiveLabel(keys_line(self.keys()), classes="dock--keys")

    def title(self) -> Content:
        """The first line."""
        return title_line(self.TITLE)

    def body(self) -> ComposeResult:
        """What stands between the title and the keys."""
        return ()

    def keys(self) -> Keys:
        """What can be pressed now; `show_keys` after a change."""
        return self.KEYS

    def show_keys(self) -> None:
        self.query_one(".dock--keys", LiveLabel).update(keys_line(self.keys()))

    _sighting: int | None = None

    def on_mount(self) -> None:
        self.shown_anew()

    def shown_anew(self) -> None:
        """What the user decides on has changed: a key from before it was seen does not count."""
        self._sighting = None
        self.call_after_refresh(self._ask_whether_seen)

    def _ask_whether_seen(self) -> None:
        if isinstance(self.app, TypingAheadApp):
            self._sighting = self.app.sight()

    @property
    def typed_ahead(self) -> bool:
        """Whether what is typed without looking is meant: words are, the answer to a question is not."""
        return False

    def too_early(self) -> bool:
        """Whether the key that acts now can't be an answer to what this dock asks; then it is said, too."""
        app = self.app
        if self.typed_ahead or not isinstance(app, TypingAheadApp) or app.pressed_after(self._sighting):
            return False
        self.say(TOO_EARLY)
        return True

    def say(self, text: str) -> None:
        """A sentence for the user, in the place of the title: a toast would lie over what is decided on."""
        self.query_one(".dock--title", LiveLabel).update(Content.styled(safe_text(text), "$warning"))

    def give(self, verb: str, **args: Any) -> None:
        """The user decided; where somebody else has taken the wheel meanwhile, what was written stays."""
        may_steer = getattr(self.screen, "may_steer", None)
        if self.too_early() or (may_steer is not None and not may_steer()):
            return
        self.post_message(ControlGiven(verb, args))
        self.post_message(DockClosed())

    def action_close(self) -> None:
        self.post_message(DockClosed())

    def focus_first(self) -> None:
        """Put the focus where the user goes on."""
        self.focus()


class Choice(Struct, frozen=True):
    """One way to go on: its key, what it says, and the control it sends (None: only close).

    A choice that `means` something worth a sentence has a line of its own.
    """

    key: str
    label: str
    verb: str | None = None
    args: Mapping[str, Any] = field(default_factory=dict)
    means: str = ""


def keys_line(keys: Iterable[tuple[str, str]]) -> Content:
    """Keys and what they do, side by side, as in the hint bar."""
    return Content("  ").join(
        Content.assemble((f"{key} " if key else "", "bold $hint-key"), (label, "$hint-label")) for key, label in keys
    )


class ChoiceDock(Dock, can_focus=True):
    """A question with what it would mean, answered by one key."""

    def __init__(self, title: str, facts: Sequence[str], choices: Sequence[Choice]) -> None:
        super().__init__()
        self._title, self._facts, self._choices = title, facts, {choice.key: choice for choice in choices}

    def title(self) -> Content:
        return title_line(self._title)

    def body(self) -> ComposeResult:
        yield Static(self._facts_and_choices(), markup=False, classes="dock--body")

    def keys(self) -> Keys:
        plain = [(choice.key, choice.label) for choice in self._choices.values() if not choice.means]
        return [*plain, ("esc", "close")]

    def ask(self, facts: Sequence[str], choices: Sequence[Choice]) -> None:
        """The same question, knowing more."""
        self._facts, self._choices = facts, {choice.key: choice for choice in choices}
        self.query_one(".dock--body", Static).update(self._facts_and_choices())
        self.show_keys()
        self.shown_anew()

    def _facts_and_choices(self) -> Content:
        own_line = [choice for choice in self._choices.values() if choice.means]
        widest = max((len(choice.label) for choice in own_line), default=0)
        rows = [
            keys_line([(choice.key, choice.label.ljust(widest))]) + Content.styled(f"  {choice.means}", "$muted")
            for choice in own_line
        ]
        return Content("\n").join([*(Content(safe_text(fact)) for fact in self._facts), *rows])

    def key_enter(self) -> None:
        """Enter is deliberately nothing here: a costly action needs its own key."""

    def on_key(self, event: Any) -> None:
        choice = self._choices.get(event.key)
        if choice is None:
            return
        event.stop()
        if choice.verb is None:
            self.action_close()
        else:
            self.give(choice.verb, **choice.args)


class LineDock(Dock):
    """One line of input; `accept` turns it into the arguments of `VERB` or says what is wrong with it."""

    VERB: ClassVar[str] = ""
    PLACEHOLDER: ClassVar[str] = ""
    KEYS: ClassVar[Keys] = (("enter", "send"), ("esc", "close"))

    typed_ahead = True

    def __init__(self, value: str = "") -> None:
        super().__init__()
        self._value = value

    def body(self) -> ComposeResult:
        yield Line(self._value, placeholder=self.PLACEHOLDER)
        yield Static("", markup=False, classes="dock--fault -empty")

    def focus_first(self) -> None:
        self.query_one(Line).focus()

    def accept(self, text: str) -> dict[str, Any]:
        """The arguments. Raises ValueError with a sentence for the user."""
        raise NotImplementedError

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.enter(event.value.strip())

    def enter(self, text: str) -> None:
        """Do what enter does, or say what is wrong."""
        try:
            self.submit(text)
        except ValueError as fault:
            said = self.query_one(".dock--fault", Static)
            said.update(Content.styled(str(fault), "$error"))
            said.remove_class("-empty")

    def submit(self, text: str) -> None:
        """What enter does. Raises ValueError with a sentence for the user."""
        self.give(self.VERB, **self.accept(text))


class RenameDock(LineDock):
    """What the session is called from now on."""

    TITLE = "Name of this session"
    VERB = "rename"

    def accept(self, text: str) -> dict[str, Any]:
        if not text:
            raise ValueError("Write the name by which the session is to be found.")
        return {"text": text}
