"""Since you left: the verdict in plain words, what waits for you with its keys, and what happened, line by line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from core.folds.absence import Account
from tui.account_words import NOTHING, Entry, entries, headline, title
from tui.actions import ACTIONS, Action, display
from tui.panes import figures
from tui.panes.sheet_lines import MUTED, spread
from tui.safe import safe_text
from tui.widgets.hint_bar import Hint, HintBar
from tui.widgets.line_list import LineList
from tui.widgets.live_label import LiveLabel
from tui.widgets.wrapping import line_count, wrap

LOOKS = {
    "verified": ("✓", "$state-finished"),
    "finished": ("✓", "$warning"),
    "working": ("●", "$state-running"),
    "stuck": ("✗", "$state-failed"),
    "waiting": ("‖", "$state-waiting"),
    "stopped": ("■", "$state-paused"),
}
LABEL_CELLS, KEY_CELLS, TIME_CELLS = 9, 5, 10
LOOK_EVERY_S = 1.0
MOST_LINES = 2
"""Lines of one decision: five of them and the verdict fit a terminal of 24 lines."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What to do after the screen: show event `seq` in its place, or do `action`."""

    seq: int | None = None
    action: Action | None = None


class AccountRows:
    """The entries, each with its label or its key at the left and its time at the right."""

    def __init__(
        self, found: Sequence[Entry], start_us: int, keys: Callable[[Action], tuple[str, ...]], *, steering: bool
    ) -> None:
        self.entries, self._start_us = found, start_us
        self.keys = {entry.verb: _key(entry, keys) if steering else "" for entry in found if entry.decision}
        widest = max((len(key) + 4 for key in self.keys.values() if key), default=0)
        self._key_cells = max(KEY_CELLS, widest) if widest else 2

    def __len__(self) -> int:
        return len(self.entries)

    def text(self, index: int) -> str:
        return self.entries[index].text

    def height(self, index: int, width: int) -> int:
        entry = self.entries[index]
        lines = line_count(self._said(entry).plain, self._room(width))
        return self._gap(index) + (min(MOST_LINES, lines) if entry.decision else lines)

    def render(self, index: int, width: int) -> list[Content]:
        entry, room = self.entries[index], self._room(width)
        lines = wrap(self._said(entry), room)
        if entry.decision and len(lines) > MOST_LINES:
            cut = Content(" ").join(lines[MOST_LINES - 1 :])
            lines = [*lines[: MOST_LINES - 1], cut.truncate(room, ellipsis=True)]
        first = spread(self._margin(entry) + lines[0], Content.styled(self._beside(entry), MUTED), width - 1)
        indent = Content(" " * (LABEL_CELLS + self._key_cells))
        return [Content("")] * self._gap(index) + [first, *(indent + line for line in lines[1:])]

    def _room(self, width: int) -> int:
        return max(16, width - LABEL_CELLS - self._key_cells - TIME_CELLS)

    def _gap(self, index: int) -> int:
        return int(bool(index) and self.entries[index].first)

    def _said(self, entry: Entry) -> Content:
        text = safe_text(entry.text) + (f" {entry.command}" if entry.command else "")
        return Content.styled(text, "bold") if entry.decision else Content(text)

    def _beside(self, entry: Entry) -> str:
        """At the right end: what the key does, or when it happened."""
        if entry.decision:
            action = answer(entry)
            return action.label if action and self.keys[entry.verb] else ""
        return figures.elapsed(entry.at_us - self._start_us)

    def _margin(self, entry: Entry) -> Content:
        style = "bold $warning" if entry.decision else MUTED
        key = self.keys.get(entry.verb, "")
        chip = Content.styled(f" {key} ", "bold reverse") if key else Content("")
        label = Content.styled((entry.kind if entry.first else "").ljust(LABEL_CELLS), style)
        return label + Content(" " * max(0, self._key_cells - 1 - chip.cell_length)) + chip + Content(" ")


def answer(entry: Entry) -> Action | None:
    """The action that answers a decision; None for what is none, or is answered elsewhere."""
    return next((action for action in ACTIONS if entry.verb in action.verbs), None)


def _key(entry: Entry, keys: Callable[[Action], tuple[str, ...]]) -> str:
    action = answer(entry)
    own = keys(action) if action is not None else ()
    return display(own[0]) if own else ""


class SinceScreen(Screen[Chosen | None]):
    """Dismissed with what to do next, None for nothing. `grace_s`: no key but escape counts before, when it came by
    itself. `shown` is called once it was painted; `newest` tells the last event meanwhile."""

    DEFAULT_CSS = """
    SinceScreen { align: center top; background: $surface; }
    SinceScreen > Vertical { width: 100%; max-width: 124; height: 100%; }
    SinceScreen .since--title { padding: 0 1; background: $panel; }
    SinceScreen .since--verdict { height: auto; padding: 1 2; }
    SinceScreen LineList { padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "close", show=False)]

    def __init__(
        self,
        account: Account,
        *,
        session: str,
        left_us: int,
        now_us: int,
        start_us: int,
        keys: Callable[[Action], tuple[str, ...]],
        steering: bool,
        shown: Callable[[], object],
        newest: Callable[[], int],
        grace_s: float = 0.0,
    ) -> None:
        super().__init__()
        self._account, self._shown, self._grace_s = account, shown, grace_s
        self._newest, self._more = newest, 0
        self._title = title(account, left_us, now_us)
        self.entries = entries(account, session)
        self._keys, self._steering = keys, steering
        self._rows = AccountRows(self.entries, start_us, keys, steering=steering)
        self.open = False
        """Whether keys count."""

    def compose(self) -> ComposeResult:
        with Vertical():
            yield LiveLabel(self._title_line(), classes="since--title")
            yield Static(self._verdict(), markup=False, classes="since--verdict")
            yield LineList(self._rows)
            yield HintBar()

    def on_mount(self) -> None:
        self.query_one(LineList).can_focus = False
        self.query_one(LineList).hold_at(0)
        self.query_one(HintBar).show([], "Keys count in a moment.")
        self.call_after_refresh(self._painted)
        self.set_interval(LOOK_EVERY_S, self._look)

    def _look(self) -> None:
        """Say how much has happened since it was told."""
        more = self._newest() - self._account.seq
        if more != self._more:
            self._more = more
            self.query_one(".since--title", LiveLabel).update(self._title_line())

    def _painted(self) -> None:
        self._shown()
        if self._grace_s:
            self.set_timer(self._grace_s, self._let_keys_count)
        else:
            self._let_keys_count()

    def _let_keys_count(self) -> None:
        self.open = True
        lines = self.query_one(LineList)
        lines.can_focus = True
        lines.focus()
        hints = [Hint("esc", "close", "screen.close"), Hint("↑↓", "choose", ""), Hint("enter", "show where", "")]
        self.query_one(HintBar).show(hints if self.entries else hints[:1])

    def on_resize(self) -> None:
        self.query_one(".since--title", LiveLabel).update(self._title_line())

    def _title_line(self) -> Content:
        account, left = self._account, Content.styled(self._title, "bold $accent")
        more = f", {self._more:,} more since" if self._more > 0 else ""
        news = account.seq > account.seen
        span = f"#{account.seen + 1:,} to #{account.seq:,}" if news else f"nothing since #{account.seq:,}"
        told = Content.styled(f"{span}{more}", MUTED)
        return spread(left, told, max(left.cell_length, min(122, self.size.width - 2)))

    def _verdict(self) -> Content:
        verdict = self._account.verdict
        head, rest = headline(verdict)
        glyph, style = LOOKS[verdict.standing]
        chip = Content.styled(f" {glyph} {safe_text(head).upper()} ", f"bold reverse {style}")
        lines = [chip, Content.styled(safe_text(rest), "bold")] if rest else [chip]
        if not self.entries:
            lines.append(Content.styled(NOTHING, MUTED))
        return Content("\n").join(lines)

    def on_key(self, event: events.Key) -> None:
        """The key of a decision does what answers it; any other one does nothing."""
        action = self._action_of({event.key, *event.aliases, event.character or event.key})
        if self.open and action is not None:
            event.stop()
            self.dismiss(Chosen(action=action))
        elif self.open and not self._steering and event.key == "q":
            event.stop()
            self.action_close()

    def _action_of(self, pressed: set[str]) -> Action | None:
        offered = [answer(entry) for entry in self.entries if self._steering]
        return next((action for action in offered if action and not pressed.isdisjoint(self._keys(action))), None)

    def on_line_list_item_opened(self, event: LineList.ItemOpened) -> None:
        event.stop()
        if self.open:
            self.dismiss(Chosen(seq=self.entries[event.index].seq))

    def action_close(self) -> None:
        self.dismiss(None)
