"""The watch screen: one session, live, attached or replayed. It holds the position and hands the view to its panes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from core.clock import monotonic
from core.events import CommandAccepted, Event
from core.folds.view import Changes
from core.protocols import LiveDelta
from tui.actions import ACTIONS, BY_ID, Action, KeyedApp, bindings, hinted
from tui.attention import Sight
from tui.docks.scrubber import Scrubber
from tui.frame import FramePump, stands
from tui.line_speed import ASIDE_S
from tui.messages import ItemChosen, LeaveRequested, PaneChosen
from tui.panes.context import ContextPane
from tui.panes.conversation import ConversationPane
from tui.panes.cost import SWITCHED_OFF, CostPane, switched_off
from tui.panes.memory import MemoryPane
from tui.panes.pane import Pane, foreign
from tui.panes.pane_tabs import PaneTabs, Tab
from tui.panes.plan import PlanPane
from tui.panes.tool_calls import ToolCallsPane
from tui.screens.alarming import Alarming
from tui.screens.gauging import SECOND_S
from tui.screens.opening import Opening
from tui.screens.seats import Seats
from tui.screens.status_facts import FIELDS
from tui.widgets.hint_bar import Hint, HintBar
from tui.widgets.status_line import StatusLine
from tui.widgets.strides import STEADY, THRIFTY

P = TypeVar("P", bound=Pane)

PANES = ("conversation", "tool_calls", "context", "memory", "cost", "plan")
"""Ids in the order of their keys 1 to 6."""
SHEETS = PANES[2:]
PROMPT = PANES[:2]
"""Drawn with every frame; the others only where they are in front, when the line is slow."""
MARGIN = ("bookmark", "rename")
"""What can be told to a session that another tool ran."""
CHOOSE = "Choose an item of the context first: 3, then down until one is marked."
TOO_SMALL = (
    "Longwatch needs 40x12 cells to show anything. The agent goes on. Make the terminal larger, or press q to leave."
)


class WatchScreen(Alarming, Opening):
    """Status line, panes, docks, hints. Panes and docks speak to it by messages; they never know each other."""

    CSS_PATH = "watch.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (40, "-narrow"), (104, "-normal"), (160, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (12, "-short"), (38, "-tall")]
    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("watch", "replay")]

    def __init__(
        self,
        *args: Any,
        driven: bool = False,
        sight: Sight | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.sight = sight or Sight()
        self._driven = driven
        self._front, self._sheet, self._zoomed = "conversation", "context", False
        self._guarded = False
        self._pump: FramePump[Changes] | None = None
        self._unsaid: list[LiveDelta] = []
        self._owed, self._paid_s = Changes.NONE, float("-inf")

    def compose(self) -> ComposeResult:
        self.wear_classes_of_size()
        yield StatusLine(FIELDS, id="status")
        yield PaneTabs(id="tabs")
        with Horizontal(id="body"):
            yield self._placed(ConversationPane(id="conversation", key="1", now_us=self.now_us))
            with Vertical(id="side"):
                yield self._placed(ToolCallsPane(id="tool_calls", key="2", now_us=self.now_us))
                yield PaneTabs(id="side-tabs")
                with Container(id="sheets"):
                    yield self._placed(ContextPane(id="context", key="3"))
                    yield self._placed(CostPane(id="cost", key="5", now_us=self._real_now_us))
                    yield self._placed(PlanPane(id="plan", key="6"))
                    yield self._placed(MemoryPane(id="memory", key="4"))
        yield Scrubber(id="scrubber")
        yield Vertical(id="dock")
        yield HintBar(id="hints")
        yield Static(TOO_SMALL, id="too-small")

    def on_mount(self) -> None:
        self._pump = FramePump(self.show_moment, self.line.frames_per_second, lambda: stands(self))
        self.set_interval(SECOND_S, self._second)
        self._bring("conversation")
        self.call_after_refresh(self.focus_pane)

    def raise_curtain(self) -> None:
        if not self.raised and self.tail is None and not self.is_read:
            self.show_moment()  # as it is: nothing is known yet
        super().raise_curtain()

    def on_unmount(self) -> None:
        if self._pump is not None:
            self._pump.stop()

    # What the log says

    def view_changed(self, changes: Changes) -> None:
        """The view took in events that concern `changes`; they are drawn with the next frame."""
        if self._pump is not None and self.is_read:
            self._pump.mark(changes)

    def note_command(self, event: Event) -> None:
        """A `command.*` event: perhaps the echo of one of ours."""
        verdict = self.orders.observe(event)
        if verdict is not None:
            self.say(verdict.text, wrong=not verdict.ok)
        if self.is_read and self._driven and isinstance(event.body, CommandAccepted) and event.body.verb == "detach":
            self.action_detach()

    def seats_changed(self, seats: Seats) -> None:
        """Somebody came or went."""
        if seats != self.seats:
            self.seats = seats
            self._show_status()
            self._show_hints()

    def stream(self, deltas: Sequence[LiveDelta]) -> None:
        """Pieces of the reply in flight; none: it is over."""
        self._token_us = self.clock.now_us() if deltas else None
        if self.line.thrifty and deltas:
            self._unsaid.extend(deltas)
        else:
            self._unsaid.clear()
            self.conversation.stream(deltas)

    def _second(self) -> None:
        if self.orders.tick():
            self._show_hints()
        self._look_at_the_guard()
        self._mind_the_line()
        if self._unsaid:
            self.conversation.stream(self._unsaid)
            self._unsaid.clear()
        if self.ticks:
            self._tick()
        self.heed_alarms()
        self.call_later(self.look_for_questions)

    def _mind_the_line(self) -> None:
        """Draw as often as the line bears."""
        super()._mind_the_line()
        if self._pump is not None:
            self._pump.rate = self.line.frames_per_second
        for items in (self.conversation.line_list, self.query_one(ToolCallsPane).line_list):
            items.stride = THRIFTY if self.line.thrifty else STEADY
        if self._owed and monotonic() - self._paid_s >= ASIDE_S:
            self._show_aside(Changes.NONE)

    def _tick(self) -> None:
        """What says how long something takes."""
        if self.looking.at is None:
            if not self.line.thrifty or self._front == "cost":
                self.query_one(CostPane).tick()
            if not self.ended and not self.orphaned:
                self.conversation.tick()
                self.query_one(ToolCallsPane).tick()
        self.show_gauges(now=not self.line.thrifty)

    def _look_at_the_guard(self) -> None:
        """That compressions were switched off is said once, wherever one looks."""
        before, self._guarded = self._guarded, switched_off(self.view, None)
        if self._guarded and not before:
            self.notify(SWITCHED_OFF, severity="warning", markup=False, timeout=30)

    # What is drawn

    @property
    def panes(self) -> dict[str, Pane]:
        """The panes by id."""
        return {pane: self.query_one(f"#{pane}", Pane) for pane in PANES}

    def show_moment(self, changes: Changes = Changes.ALL) -> None:
        at = self.looking.at
        for name, pane in self.panes.items():
            if name in PROMPT or name == self._front:
                pane.show(self.view_for(pane), at, changes)
        if self.line.thrifty and changes != Changes.ALL:
            self._owed |= changes
        else:
            self._show_aside(changes)
        self.show_gauges(now=changes == Changes.ALL)
        self._show_tabs()
        self._show_hints()
        self.call_later(self.look_for_questions)
        self.drawn_now()

    def _show_aside(self, changes: Changes) -> None:
        """The panes that can wait over a slow line, with what is owed to them."""
        changes, self._owed, self._paid_s = changes | self._owed, Changes.NONE, monotonic()
        for name, pane in self.panes.items():
            if name not in PROMPT and name != self._front:
                pane.show(self.view_for(pane), self.looking.at, changes)

    def _show_tabs(self) -> None:
        at = self.looking.at
        tabs = [
            Tab(name, str(number), pane.LABEL, pane.summary(self.view, at) if self.tail is None else "")
            for number, (name, pane) in enumerate(self.panes.items(), start=1)
        ]
        self.query_one("#tabs", PaneTabs).set_tabs(tabs, self._front)
        self.query_one("#side-tabs", PaneTabs).set_tabs(tabs[2:], self._sheet)

    def _show_hints(self) -> None:
        film = foreign(self.view)
        usable = [it for it in ACTIONS if not it.verbs or (self.controls.available and (not film or it.id in MARGIN))]
        replay = hinted(action for action in usable if action.scope == "replay") if self.looking.back else []
        others = hinted(action for action in usable if action.scope in ("watch", "global"))
        cancel = [BY_ID["cancel"]] if self.orders.latest() else []
        first = [*self.alarm_hints(), *cancel, *self._for_the_item()]
        hints = [self._hint(action) for action in dict.fromkeys([*first, *replay, *others])]
        chip = self.orders.receipt(self.view) or self.seats.advice(self.view.state.driver, self.wheel_key)
        notes = [note for note in (Content.styled(chip, "$warning"), self.search_chip) if note]
        self.query_one(HintBar).show(hints, Content("  ").join(notes))

    def _for_the_item(self) -> list[Action]:
        """What can be done with the chosen item of the context."""
        pane = self.query_one(ContextPane)
        if self._front != "context" or pane.chosen is None or not self.controls.available:
            return []
        return [BY_ID["pin"], BY_ID["evict"]] if pane.evictable else [BY_ID["pin"]]

    @property
    def wheel_key(self) -> str:
        return self.key_of(BY_ID["drive"])

    def keys_of(self, action: Action) -> tuple[str, ...]:
        return self.app.keys_of(action) if isinstance(self.app, KeyedApp) else action.keys

    def _hint(self, action: Action) -> Hint:
        goes_on = action.id == "pause" and (self.view.state.halts or self.ended or bool(self.orphaned))
        owner = "app" if action.scope == "global" else "screen"
        key = self.key_of(action)
        return Hint(key, "continue" if goes_on else action.label, f"{owner}.{action.method}")

    # Panes

    @property
    def front(self) -> str:
        return self._front

    def choose(self, name: str) -> None:
        """Bring a pane to the front, where only some are in sight, and focus it."""
        if self._owed:
            self._show_aside(Changes.NONE)
        self._bring(name)
        if not self._all_in_sight:
            self.update_node_styles(animate=False)
        self._show_tabs()
        self._show_hints()
        self.call_after_refresh(self.focus_pane)

    def _placed(self, pane: P) -> P:
        """The pane with the classes on which its place hangs; before it is mounted, it is styled by them at once."""
        pane.set_class(pane.id == self._front, "-front", update=False)
        pane.set_class(pane.id == self._sheet, "-sheet", update=False)
        return pane

    def _bring(self, name: str) -> None:
        self._front = name
        self._sheet = name if name in SHEETS else self._sheet
        for id, pane in self.panes.items():
            self._placed(pane).bring_to_front(id == self._front)
        self.set_class(name != "conversation", "-side-front", update=False)
        self.set_class(name in SHEETS, "-sheet-front", update=False)

    @property
    def _all_in_sight(self) -> bool:
        """Whether every pane has its place, whichever is in front: no rule of the layout hangs on that then."""
        return self.has_class("-wide", "-tall") and not self._zoomed

    def focus_pane(self) -> None:
        """Put the focus on what scrolls in the pane in front."""
        pane = self.panes[self._front]
        target = next((widget for widget in pane.query("*") if widget.focusable), None)
        if target is not None:
            target.focus(scroll_visible=False)

    def on_pane_chosen(self, message: PaneChosen) -> None:
        message.stop()
        self.choose(message.pane)

    def action_pane_conversation(self) -> None:
        self.choose("conversation")

    def action_pane_tools(self) -> None:
        self.choose("tool_calls")

    def action_pane_context(self) -> None:
        self.choose("context")

    def action_pane_memory(self) -> None:
        self.choose("memory")

    def action_pane_cost(self) -> None:
        self.choose("cost")

    def action_pane_plan(self) -> None:
        self.choose("plan")

    def action_next_pane(self) -> None:
        self.choose(PANES[(PANES.index(self._front) + 1) % len(PANES)])

    def action_previous_pane(self) -> None:
        self.choose(PANES[PANES.index(self._front) - 1])

    def action_zoom(self) -> None:
        """One pane on the whole screen, or the layout of the terminal's size again."""
        self._zoomed = not self._zoomed
        self.set_class(self._zoomed, "-zoomed")
        self._show_tabs()

    def action_timeline(self) -> None:
        """The session at a glance: by time, by events, and out of sight again."""
        self.query_one(Scrubber).change()

    def action_follow(self) -> None:
        """Back to the end: of the time, and of the lists."""
        self.seek(None)
        self.conversation.line_list.follow_end()
        self.query_one(ToolCallsPane).line_list.follow_end()

    def action_vary(self) -> None:
        """Another way to look at the pane in front, where it has one."""
        self.panes[self._front].vary()

    def action_pin(self) -> None:
        """Pin the chosen item of the context, or let it go again."""
        if not self.query_one(ContextPane).toggle_pin():
            self.say(CHOOSE)

    def action_evict(self) -> None:
        """Ask what it costs to let the chosen item of the context go."""
        pane = self.query_one(ContextPane)
        if not pane.ask_evict():
            self.say(CHOOSE if pane.chosen is None else "Only a tool result that is sent whole can be evicted.")

    def on_item_chosen(self, message: ItemChosen) -> None:
        message.stop()
        self._show_hints()

    # Leaving

    def action_leave(self) -> None:
        self.post_message(LeaveRequested("quit"))

    def action_detach(self) -> None:
        self.post_message(LeaveRequested("detached"))
