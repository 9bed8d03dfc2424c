"""The context window: what fills it, in parts that add up to the total; its items; and what carrying them costs."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from textual.content import Content, Span

from core.folds.context_items import ContextItem
from core.folds.context_usage import PARTS, ContextUsage, ContextWindow
from core.folds.view import Changes, SessionView
from tui.messages import ItemChosen, ItemEvictAsked, ItemPinToggled
from tui.panes import figures
from tui.panes.bars import curve, curve_columns, gauge
from tui.panes.cost import guard_lines, rent_lines
from tui.panes.pane import foreign
from tui.panes.sheet import Sheet, SheetBody
from tui.panes.sheet_lines import MUTED, Later, fit, heading, paragraph, sentence, spread
from tui.safe import safe_text
from tui.widgets.gauge import Part, legend, shares, stacked

UNTOLD = "The transcript does not tell how full the window was. 1 shows what was said, 2 what was done."
NOTHING_SENT = "No request yet, so the window is empty. 1 shows what is said."
CURVE_ROWS = 4
ROOMY = 60
"""From this width on an item shows what it is and its age."""
SHOWN = 60
"""Items that are listed."""
ANCHOR_EVERY = 40_000
"""Tokens after which objective and constraints are repeated, unless the session says otherwise."""
LABELS = {
    "system": "system prompt",
    "tools": "tool definitions",
    "pinned": "task and pinned",
    "digest": "ledger and digest",
    "text": "conversation",
    "results": "tool results",
    "residual": "not accounted for",
    "reserve": "kept for the reply",
    "free": "free",
}
ROOM = ("reserve", "free")
"""Not content, but room that is left."""
_ROLES = {"residual": "secondary"}
KINDS = {"reply": "agent", "user": "you", "guard": "nudge"}
"""Kinds of items that have another name on the screen."""
MADE = {"digest": "what was compressed", "ledger": "decisions and corrections"}
"""Texts of ours: what is in them, for their own first words are always the same."""
PINNED, EVICTED, MASKED = "◆", "×", "▤"
MARKS = {PINNED: "stays word for word", EVICTED: "leaves next", MASKED: "a line stands for it"}


class ContextPane(Sheet):
    """The latest request's window, the items in it, and the sizes of all before it with the compressions marked.

    A cursor moves over the items; the chosen one can be pinned or evicted. `vary` lists them by rent or in order.
    """

    CONCERNS = Changes.CONTEXT | Changes.BRANCH
    LABEL = "Context"

    def __init__(self, *, id: str, key: str = "") -> None:
        super().__init__(id=id, key=key)
        self._in_order = False
        self._listed: dict[tuple[int, str], ContextItem] = {}
        self._first_row = 0

    def summary(self, view: SessionView, at: int | None) -> str:
        usage = view.context.usage.at(at)
        return figures.percent(usage.total / usage.window) if usage.window else figures.tokens(usage.total)

    def lines(self, view: SessionView, at: int | None, width: int) -> Sequence[Content]:
        self._listed = {}
        usage = view.context.usage.at(at)
        if not usage.total:
            return sentence(UNTOLD if foreign(view) and view.costs.total.at(at).replies else NOTHING_SENT, width)
        above = [
            *_total_lines(usage, width),
            *legend(filling(usage), width),
            *_overestimate_lines(usage, width),
            *rent_lines(view.rent.meter.at(at), width)[:1],
            *guard_lines(view, at, width),
            *_anchor_lines(view, at, width),
            *_curve_lines(view.context, at, width),
        ]
        items = self._chosen_items(view, at)
        self._listed = {(item.seq, item.kind): item for item in items}
        above += _head_of_items(items, self._in_order, width)
        self._first_row = first = len(above)

        def line(number: int) -> Content:
            return above[number] if number < first else _item_line(items[number - first], width)

        return Later(first + len(items), line)

    def stops(self) -> Mapping[Hashable, int]:
        return {name: row for row, name in enumerate(self._listed, start=self._first_row)}

    def vary(self) -> None:
        """By rent, or in the order in which they are sent."""
        self._in_order = not self._in_order
        self.redraw()

    @property
    def chosen(self) -> ContextItem | None:
        """The item under the cursor."""
        return next((item for key, item in self._listed.items() if key == self.query_one(SheetBody).chosen), None)

    def toggle_pin(self) -> bool:
        """Ask for the chosen item to be pinned, or not any more; False when none is chosen."""
        if (item := self.chosen) is None:
            return False
        self.post_message(ItemPinToggled(item.seq, not item.pinned))
        return True

    def ask_evict(self) -> bool:
        """Ask what it would cost to evict the chosen item; False when none is chosen that could be."""
        item = self.chosen
        if item is None or not self.evictable:
            return False
        self.post_message(ItemEvictAsked(item.seq, item.label, item.tokens))
        return True

    @property
    def evictable(self) -> bool:
        """Whether the chosen item can be evicted: a result that the next request holds whole."""
        item = self.chosen
        if item is None or item.kind != "result" or self.view is None:
            return False
        return any(block.seq == item.seq and not block.masked for block in self.view.context_items.blocks())

    def on_sheet_body_cursor_moved(self, message: SheetBody.CursorMoved) -> None:
        message.stop()
        self.post_message(ItemChosen())

    def _chosen_items(self, view: SessionView, at: int | None) -> list[ContextItem]:
        items = view.context_items
        return items.latest(SHOWN, at) if self._in_order else items.dearest(SHOWN, at)


def filling(usage: ContextUsage) -> list[Part]:
    """Everything in the window, the reserve and what is free included; adds up to the window where that is known.

    The parts are estimates. What was counted beyond them is a part of its own; what they have too many is taken off
    each of them in proportion, for nobody can make anything of a part below zero.
    """
    names = [name for name in dict.fromkeys((*PARTS, *usage.parts)) if usage.parts.get(name)]
    amounts = [usage.parts[name] for name in names]
    parts = list(zip(names, shares(amounts, usage.total) if usage.residual < 0 else amounts, strict=True))
    if usage.residual > 0 and usage.parts:
        parts.append(("residual", usage.residual))
    if usage.window is not None:
        room = max(0, usage.window - usage.total)
        parts += [("reserve", min(usage.reserve, room)), ("free", usage.free or 0)]
    return [Part(LABELS.get(name, name), count, _variable(name), empty=name in ROOM) for name, count in parts]


def _overestimate_lines(usage: ContextUsage, width: int) -> list[Content]:
    """Why the parts add up although their estimates did not."""
    if usage.residual >= 0:
        return []
    words = f"the parts are estimates; {-usage.residual:,} tokens too many are taken off in proportion"
    return paragraph(words, width, style=MUTED)


def _variable(name: str) -> str:
    return _ROLES.get(name) or (f"context-{name}" if name in LABELS else "secondary")


def _total_lines(usage: ContextUsage, width: int) -> list[Content]:
    window = f" of {usage.window:,}" if usage.window else ", window unknown"
    total = Content.styled(f"{usage.total:,}", "bold") + Content.styled(f"{window} tokens", MUTED)
    how = Content.styled("measured" if usage.measured else "estimated", "$success" if usage.measured else MUTED)
    return [spread(total, how, width), stacked(filling(usage), width), Content("")]


def _anchor_lines(view: SessionView, at: int | None, width: int) -> list[Content]:
    """How far back objective and constraints were said last."""
    since, title = view.context_items.since_anchor(at), "anchor  "
    every = anchor_every(view)
    far = since / every
    lines = [Content(title) + gauge(far, width - len(title), "cost-ok" if far < 0.8 else "cost-warn")]
    words = f"objective repeated {figures.tokens(since)} tokens ago; again after {figures.tokens(every)}"
    return [*lines, Content.styled(words, MUTED)] if len(words) <= width else lines


def anchor_every(view: SessionView) -> int:
    """Tokens after which this session repeats its objective."""
    opened = view.state.opened
    every = opened.settings.get("anchor_every") if opened else None
    return every if isinstance(every, int) and every > 0 else ANCHOR_EVERY


def _head_of_items(items: list[ContextItem], in_order: bool, width: int) -> list[Content]:
    if not items:
        return []
    title = "items, latest last" if in_order else "items, dearest first"
    head = "tokens   age       rent" if width >= ROOMY else "tokens     rent"
    return [
        Content(""),
        spread(heading(title), heading(head), width),
        *_marks_lines(items, width),
    ]


def _marks_lines(items: list[ContextItem], width: int) -> list[Content]:
    """What the marks mean, where there are any."""
    shown = {
        PINNED: any(item.pinned for item in items),
        EVICTED: any(item.evicted for item in items),
        MASKED: any(item.masked for item in items),
    }
    words = " · ".join(f"{mark} {MARKS[mark]}" for mark, there in shown.items() if there)
    return paragraph(words, width, style=MUTED) if words else []


def _item_line(item: ContextItem, width: int) -> Content:
    """Mark, label, tokens and rent; kind and age where there is room."""
    tokens, rent = figures.tokens(item.tokens), figures.usd(round(item.usd, 4))
    label = (f"{MASKED} " if item.masked else "") + safe_text(MADE.get(item.kind, item.label))
    if width >= ROOMY:
        label = f"{KINDS.get(item.kind, item.kind):<8}{label}"
        right = f"{tokens:>7}{item.age:>6}{rent:>11}"
    else:
        label = f"{item.kind}: {label}" if item.kind in MADE else label
        right = f"{tokens:>6}{rent:>9}"
    mark, style = (PINNED, "$warning") if item.pinned else (EVICTED, "$error") if item.evicted else ("·", MUTED)
    line = f"{mark} {fit(label, max(1, width - len(right) - 2))}{right}"
    return Content(line, [Span(0, len(mark) + 1, style)])


def _curve_lines(context: ContextWindow, at: int | None, width: int) -> list[Content]:
    count = context.sizes.count(at)
    if count < 2:
        return []
    cuts = [seq for seq, _before, _after in context.compressions if at is None or seq <= at]
    marks = [context.sizes.count(seq) / count for seq in cuts]
    labels = (figures.tokens(int(context.sizes.highest(0, count))), "0")
    title = "size, request by request" + (f" · ▲ {figures.plural(len(cuts), 'compression')}" if cuts else "")
    values = context.sizes.columns(curve_columns(width, labels), at)
    return [Content(""), heading(title), *curve(values, CURVE_ROWS, labels, marks)]
