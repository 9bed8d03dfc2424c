"""A call waits for its user: what it would do, why it asks, what "always" would allow, and the keys that answer.

One question at a time, never another one in its place: those that come meanwhile are counted. Where it appears by
itself, its keys count only after a moment, so that what is typed just then approves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from core.clock import monotonic
from core.folds.approvals import Question
from core.folds.words import call_line
from tui.docks.dock import Dock, Keys, title_line
from tui.messages import DockClosed
from tui.safe import exactly, one_line, safe_text
from tui.widgets.code_view import code_lines
from tui.widgets.line import Line
from tui.widgets.live_label import LiveLabel
from tui.widgets.wrapping import wrap

GRACE_S = 0.8
"""How long the keys of a question that appears by itself mean nothing."""
LABEL = 8
"""Cells of the words in front of the facts."""
PINNED = 4
"""Lines of rules that stay in sight; where there are more, all of them are in what can be scrolled."""


class ApprovalDock(Dock, can_focus=True):
    """The question `question`, one of `waiting`; with `grace` its keys wait for a moment."""

    TITLE = "The agent asks"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "turn(-1)", show=False),
        Binding("down,j", "turn(1)", show=False),
        Binding("pageup", "turn(-8)", show=False),
        Binding("pagedown", "turn(8)", show=False),
    ]
    DEFAULT_CSS = """
    ApprovalDock { max-height: 67vh; border-top: hkey $warning; }
    ApprovalDock VerticalScroll {
        height: auto; max-height: 34vh; scrollbar-size-vertical: 1; scrollbar-color: $faint;
        scrollbar-background: $panel;
    }
    ApprovalDock .approval--rule { margin-top: 1; max-height: 4; }
    ApprovalDock Input { display: none; margin-top: 1; }
    ApprovalDock.-reasoning Input { display: block; }
    ApprovalDock .dock--keys { margin-top: 1; }
    .-short ApprovalDock VerticalScroll { max-height: 8; }
    .-short ApprovalDock .approval--rule, .-short ApprovalDock .dock--keys { margin-top: 0; }
    """

    def __init__(self, question: Question, waiting: int, *, grace: bool) -> None:
        super().__init__()
        self.question = question
        self._waiting = waiting
        self._ready_s = monotonic() + GRACE_S if grace else 0.0

    def body(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            yield Static("", markup=False, classes="approval--body")
        yield Static("", markup=False, classes="approval--rule")
        yield Line(placeholder="why not, for the agent · enter denies · esc goes back")

    def on_mount(self) -> None:
        if not self._ready:
            self.set_timer(GRACE_S, self.show_keys)

    def on_resize(self) -> None:
        room = max(20, self.size.width - LABEL - 4)
        rules = list(_rules(self.question, room))
        pinned = len(rules) <= PINNED
        body = Content("\n").join(_body(self.question, room, [] if pinned else rules))
        self.query_one(".approval--body", Static).update(body)
        count = len(self.question.asked.rules)
        above = _labelled("A, K", [Content(f"allows all of the {count:,} rules above")], room)
        self.query_one(".approval--rule", Static).update(Content("\n").join(rules if pinned else above))

    def count(self, waiting: int) -> None:
        """So many questions wait now, this one among them."""
        self._waiting = waiting
        self.query_one(".dock--title", LiveLabel).update(self.title())

    @property
    def _ready(self) -> bool:
        return monotonic() >= self._ready_s

    def title(self) -> Content:
        more = f"   {self._waiting - 1} more behind it" if self._waiting > 1 else ""
        return title_line(f"{self.TITLE} before it runs {one_line(self.question.asked.name)}", more)

    def keys(self) -> Keys:
        if not self._ready:
            return [("", "a moment, so that no key is taken that was meant for something else…")]
        if self.has_class("-reasoning"):
            return [("enter", "deny with this reason"), ("esc", "back")]
        always = [("A", "this session"), ("K", "for good")] if self.question.asked.rules else []
        return [("y", "approve once"), *always, ("n", "deny"), ("r", "deny, why"), ("esc", "later")]

    def on_key(self, event: events.Key) -> None:
        if self.has_class("-reasoning"):
            return
        id, always = self.question.key, bool(self.question.asked.rules)
        match event.key:
            case "y" | "n" | "A" | "K" | "r" if not self._ready:
                event.stop()
            case "y":
                self._answer(event, "approve", id=id)
            case "n":
                self._answer(event, "deny", id=id)
            case "A" if always:
                self._answer(event, "approve", id=id, always=True)
            case "K" if always:
                self._answer(event, "approve", id=id, keep=True)
            case "r":
                event.stop()
                self._reason(True)

    def _answer(self, event: events.Key, verb: str, **args: Any) -> None:
        event.stop()
        self.give(verb, **args)

    def _reason(self, writing: bool) -> None:
        self.set_class(writing, "-reasoning")
        self.show_keys()
        field = self.query_one(Input)
        field.cursor_blink = False
        (field if writing else self).focus()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.give("deny", id=self.question.key, reason=event.value.strip())

    def action_close(self) -> None:
        if self.has_class("-reasoning"):
            self._reason(False)
        elif self._ready:
            self.post_message(DockClosed())

    def action_turn(self, lines: int) -> None:
        """Scroll what it is about."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


def _body(question: Question, room: int, rules: list[Content]) -> Iterable[Content]:
    """The whole call, why it asks, where it leads, `rules`, what it would change; `room`: cells behind the labels."""
    asked = question.asked
    command = asked.arguments.get("command")
    if isinstance(command, str):
        yield from _labelled("runs", code_lines(command, "bash"), room)
    else:
        yield from _labelled("wants", [Content(safe_text(call_line(asked.name, asked.arguments)))], room)
    yield from _labelled("because", [Content.styled(safe_text(asked.reason), "$warning")], room)
    for fact in asked.facts:
        name, _, rest = fact.partition(": ")
        known = rest and len(name) < LABEL
        yield from _labelled(name if known else "also", [Content(one_line(rest if known else fact))], room)
    confined = f"confined by {asked.confined}" if asked.confined else "with your rights, not confined"
    if asked.effect == "command":
        yield from _labelled("", [Content.styled(one_line(confined), "$muted")], room)
    yield from rules
    if asked.diff:
        yield from code_lines(asked.diff, "diff")


def _labelled(label: str, lines: list[Content], room: int) -> Iterable[Content]:
    """Lines behind a muted word, aligned, also where they are wrapped."""
    wrapped = [part for line in lines for part in wrap(line, room)]
    for index, line in enumerate(wrapped or [Content("")]):
        head = one_line(label if index == 0 else "").ljust(LABEL)[:LABEL]
        yield Content.assemble((head + " ", "$muted"), line)


def _rules(question: Question, room: int) -> Iterable[Content]:
    """What "always" would write, to the letter."""
    if not question.asked.rules:
        yield Content.styled("Only once: no rule could allow exactly this.", "$muted")
    for rule in question.asked.rules:
        yield from _labelled("A, K", [Content.assemble("allows ", (exactly(rule), "$accent"))], room)
