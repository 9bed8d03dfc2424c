"""What is wrong now, each with its cause, and the keys that help: one look, and one key more."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from core.folds.alarms.alarm import CHANGES, SINCE, Alarm
from core.folds.verdict import RESUME
from tui.actions import ACTIONS, BY_ID, Action, display
from tui.docks.dock import Dock, Keys
from tui.messages import DockClosed, PlaceWanted, RemedyChosen
from tui.safe import one_line, safe_text

MOST = 3
"""Alarms that are told at once: on a small terminal no more fit."""
HEAD = 60
"""Cells of an alarm's own line."""
LOOKS = {CHANGES: BY_ID["changes"], SINCE: BY_ID["since"]}
"""What helps without steering anything: a look at the files, or at what happened meanwhile."""
GOES_ON = BY_ID["pause"]
"""The key that goes on, which also finds a runner."""


def remedies(alarm: Alarm, *, steering: bool) -> list[Action]:
    """What helps, the best first; only looks where nothing can be steered."""
    return [_helping(verb) for verb in alarm.helps if steering or verb in LOOKS]


def _helping(verb: str) -> Action:
    if verb == RESUME:
        return GOES_ON
    return LOOKS.get(verb) or next(action for action in ACTIONS if verb in action.verbs)


class WhyDock(Dock, can_focus=True):
    """`found`: the most pressing first. `keys_of` an action: the user's own."""

    TITLE = "What is wrong"

    def __init__(
        self, found: Sequence[Alarm], keys_of: Callable[[Action], tuple[str, ...]], *, steering: bool, paused: bool
    ) -> None:
        super().__init__()
        self._found, self._keys_of, self._paused = list(found[:MOST]), keys_of, paused
        offered = (action for alarm in self._found for action in remedies(alarm, steering=steering))
        self._remedies = [action for action in dict.fromkeys(offered) if keys_of(action)]
        self._place = next((alarm.seq for alarm in self._found if alarm.seq), 0)

    def body(self) -> ComposeResult:
        yield Static(self._causes(), markup=False, classes="dock--body")

    def tell(self, found: Sequence[Alarm]) -> None:
        """The same alarms as they are now; others only when one looks again, so that no key changes its meaning."""
        now = {alarm.kind: alarm for alarm in found}
        known = [now.get(alarm.kind, alarm) for alarm in self._found]
        if known != self._found:
            self._found = known
            for body in self.query(".dock--body").results(Static):  # none as long as it is being put there
                body.update(self._causes())

    def _causes(self) -> Content:
        return Content("\n").join(map(_told, self._found))

    def keys(self) -> Keys:
        keys = [(display(self._keys_of(action)[0]), self._label(action)) for action in self._remedies]
        return [*keys, *([("enter", "show where")] if self._place else []), ("esc", "close")]

    def _label(self, action: Action) -> str:
        return "continue" if action.id == "pause" and self._paused else action.label

    def on_key(self, event: events.Key) -> None:
        pressed = {event.key, *event.aliases, event.character or event.key}
        action = next((one for one in self._remedies if not pressed.isdisjoint(self._keys_of(one))), None)
        if action is not None:
            event.stop()
            if not self.too_early():
                self.post_message(RemedyChosen(action.id))

    def key_enter(self) -> None:
        if self._place:
            self.post_message(DockClosed())
            self.post_message(PlaceWanted(self._place))


def _told(alarm: Alarm) -> Content:
    """A line of few words, and the cause below it."""
    head = one_line(next((words for words in alarm.words if len(words) <= HEAD), alarm.words[-1]))
    where = f"  #{alarm.seq:,}" if alarm.seq else ""
    first = Content.assemble((f"{head[:1].upper()}{head[1:]}", "bold $warning"), (where, "$muted"))
    return first + Content(f"\n{safe_text(alarm.cause)}")
