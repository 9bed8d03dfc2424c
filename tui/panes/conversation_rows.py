"""How one entry of the conversation looks: who speaks in the gutter, what was said beside it, line by line.

Every height is known without styling anything, so thousands of entries cost nothing until they are looked at.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct
from textual.content import Content

from core.folds.conversation import Item
from core.folds.guidance import Receipt
from core.folds.tool_calls import Call
from tui.panes import figures, moments
from tui.panes.growing import THINKING
from tui.panes.light_markdown import light_markdown
from tui.panes.sheet_lines import MUTED, clip, spread, within
from tui.safe import one_line, safe_text
from tui.widgets.wrapping import line_count, wrap

SPEAKERS = {
    "user": ("you", "$user"),
    "agent": ("agent", "$agent"),
    "guard": ("guard", "$guard"),
    "system": ("system", "$system"),
}
BARS = {"user": "┃", "agent": "▎", "guard": "╏", "system": "┊"}
"""Beside every line of an entry: who spoke is clear without colours, and in the middle of a long text."""
FOLDED, UNFOLDED = "▸", "▾"
NAME_CELLS = 6
TIME_CELLS = 9
MERELY_READ = frozenset(("read", "network", "state"))
"""Effects of calls that changed nothing outside: one line of their results is enough until they are opened."""
CALL_GLYPHS = {"running": ("●", "$tool-running"), "ok": ("✓", "$tool-ok"), "failed": ("✗", "$tool-fail")}
FATES = {"acted on": "$success", "answered": "$success", "apparently ignored": "$warning"}
"""Colours of what became of guidance; all else is quiet."""
BRIEF_CELLS = 60
"""Of folded thinking."""
SPOKEN = frozenset(("task", "guidance", "notice", "text", "thinking"))
"""Kinds that are set apart from what stands before by an empty line."""
WRAPPED = SPOKEN | {"event"}
"""Kinds that are read to their end, however many lines that takes."""
AUTOMATIC = {"anchor": "reminder, automatic", "memory": "notes of earlier sessions, unchecked"}
"""What is said above a notice that nobody wrote for this moment, by where it comes from."""


Times = Literal["off", "elapsed", "clock"]
Depth = Literal["usual", "brief", "open"]


class Manner(Struct, frozen=True):
    """How the reader wants it: what time stands in the gutter, and how much of each entry is shown.

    `depth`: usual (thinking whole, what was merely read on one line), brief (both on one line), open (both whole, as
    far as results are kept here). `turned` are the fold keys of the entries that are the other way.
    """

    times: Times = "off"
    depth: Depth = "usual"
    turned: frozenset[str] = frozenset()
    start_us: int = 0

    def gutter(self) -> int:
        """Cells before the text."""
        return NAME_CELLS + 3 + (TIME_CELLS if self.times != "off" else 0)

    def room(self, width: int) -> int:
        """Cells for the text: the gutter and one cell on the right are taken."""
        return max(8, width - 1 - self.gutter())

    def thinks(self, item: Item) -> bool:
        """Whether thinking is shown whole."""
        return (self.depth != "brief") != (fold_key(item) in self.turned)

    def brief(self, item: Item, call: Call | None) -> bool:
        """Whether a result is shown as one line."""
        read = item.ok and call is not None and call.effect in MERELY_READ
        usual = self.depth == "brief" or (self.depth == "usual" and read)
        return usual != (fold_key(item) in self.turned)


def fold_key(item: Item) -> str:
    """By what an entry is remembered as folded or unfolded; a call and its result are one."""
    return item.call or f"#{item.seq}"


def foldable(item: Item) -> bool:
    """Whether there is more of it than one line shows."""
    if item.kind == "thinking":
        return len(item.text) > BRIEF_CELLS or "\n" in item.text
    return item.kind == "result" and (bool(item.hidden) or "\n" in item.text)


class Place(Struct, frozen=True):
    """An entry among its neighbours: `gap` lines before it, whether its speaker is named, whether other calls stand
    between a result and its own, whether a result is worth only one line, the `day` that begins with it."""

    gap: int
    named: bool
    apart: bool
    brief: bool = False
    day: str = ""

    @property
    def above(self) -> int:
        """Lines before the entry's own."""
        return self.gap + (2 if self.day else 0)


class Running(Struct, frozen=True):
    """A call as of the moment that is shown; `waited_ms` is how long it runs so far, `repeats` the call it repeats."""

    call: Call
    status: str
    waited_ms: int
    repeats: int | None = None


def place_of(item: Item, before: Item | None, manner: Manner, call: Call | None = None) -> Place:
    """What the entry before it, and the call it belongs to, mean for how an entry is set."""
    brief = item.kind == "result" and manner.brief(item, call)
    if before is None:
        return Place(gap=0, named=True, apart=False, brief=brief)
    changed = before.speaker != item.speaker
    spoken, result = item.kind in SPOKEN, item.kind == "result"
    apart = result and before.call != item.call
    return Place(int(spoken), named=changed or spoken, apart=apart, brief=brief, day=_new_day(item, before))


def _new_day(item: Item, before: Item) -> str:
    if not item.at_us or not before.at_us:
        return ""
    day = moments.day_of(item.at_us)
    return moments.day_name(day) if day != moments.day_of(before.at_us) else ""


def height_of(item: Item, place: Place, manner: Manner, width: int) -> int:
    """How many lines `lines_of` gives."""
    if item.kind in WRAPPED:
        room = manner.room(width)
        return place.above + line_count(prose(item, manner, room, colours=False).plain, room)
    if item.kind != "result":
        return place.above + 1
    shown = 1 if place.brief else item.text.count("\n") + 1 if item.text else 0
    return place.above + max(1, shown + (bool(item.hidden) and not place.brief)) + place.apart


def lines_of(item: Item, place: Place, manner: Manner, width: int, running: Running | None = None) -> list[Content]:
    """The entry as lines with their gutters. `running` is the call that a call or a result belongs to."""
    room = manner.room(width)
    if item.kind in WRAPPED:
        body = wrap(prose(item, manner, room), room)
    elif item.kind == "result":
        body = _result(item, running.call.target if running else "", room, place)
    else:
        body = [_call(item, running, room)]
    body = [within(line, room) for line in body]
    first, rest = margins(item, place, manner)
    return [*above(place), first + body[0], *(rest + line for line in body[1:])]


def receipt_line(receipt: Receipt, item: Item, place: Place, manner: Manner, width: int) -> Content:
    """Below guidance, what became of it: always one line, so that nothing moves when it changes."""
    told = Content.styled(f"↳ {one_line(receipt.outcome)}", FATES.get(receipt.fate, MUTED))
    return margins(item, place, manner)[1] + within(told, manner.room(width))


def above(place: Place) -> list[Content]:
    """What stands before an entry: the day that begins, an empty line."""
    day = [Content(""), Content.styled(f" ── {place.day} ──", MUTED)] if place.day else []
    return [*day, *[Content("")] * place.gap]


def prose(item: Item, manner: Manner, room: int, *, colours: bool = True) -> Content:
    """The words of a spoken entry, styled; what is wrapped to `room` cells."""
    if item.kind == "thinking":
        whole = manner.thinks(item)
        text = safe_text(item.text).expandtabs(4) if whole else clip(one_line(item.text), min(room, BRIEF_CELLS))
        return Content.styled(text, THINKING)
    text = safe_text(item.text).expandtabs(4)
    if item.kind == "text":
        return light_markdown(text, room, colours=colours)
    if item.kind == "notice" and item.name in AUTOMATIC:
        return Content.assemble((AUTOMATIC[item.name], f"bold {MUTED}"), "\n", (text, MUTED))
    if item.kind == "event":
        return Content.styled(one_line(text), MUTED if item.ok else "$error")
    return Content.styled(text, "$user" if item.speaker == "user" else "$guard" if item.speaker == "guard" else MUTED)


def _call(item: Item, running: Running | None, width: int) -> Content:
    status = running.status if running else "running"
    glyph, colour = CALL_GLYPHS[status]
    name, _, target = one_line(item.text).partition(" ")
    left = Content.assemble((f"{glyph} ", colour), (name, "$tool-name"), f" {target}")
    return spread(left, Content.styled(*(_outcome(running) if running else ("", ""))), width)


def _outcome(running: Running) -> tuple[str, str]:
    call, status = running.call, running.status
    if status == "running":
        return f"running {figures.duration(running.waited_ms)}", "$tool-running"
    added, removed = sum(change.added for change in call.files), sum(change.removed for change in call.files)
    changed = (
        f"+{added} −{removed}  " if added or removed else f"repeats #{running.repeats}  " if running.repeats else ""
    )
    if status == "failed":
        code = f"exit {call.exit_code}  " if call.exit_code is not None else "failed  "
        return f"{changed}{code}{figures.took(call.ms, known=call.timed)}", "$tool-fail"
    return f"{changed}{figures.took(call.ms, known=call.timed)}", MUTED


def _result(item: Item, target: str, width: int, place: Place) -> list[Content]:
    style = MUTED if item.ok else "$tool-fail"
    lines = [Content.styled(clip(one_line(f"↳ {item.name} {target}"), width), MUTED)] if place.apart else []
    text = safe_text(item.text).split("\n") if item.text else []
    if place.brief:
        return [*lines, _brief(text, item.hidden, width, style)]
    lines += [Content.styled("  " + clip(line.expandtabs(4), width - 2), _diff_style(line) or style) for line in text]
    if item.hidden:
        lines.append(Content.styled(f"  … {figures.plural(item.hidden, 'more line')}", MUTED))
    return lines if text or item.hidden else [*lines, Content.styled("  (no output)", MUTED)]


def _diff_style(line: str) -> str:
    if line.startswith(("+++", "---", "- ")):
        return ""
    return {"+": "$diff-add", "-": "$diff-del", "@": "$diff-hunk"}.get(line[:1], "")


def _brief(text: list[str], hidden: int, width: int, style: str) -> Content:
    told = next((line.strip() for line in text if line.strip()), "(no output)")
    rest = len(text) + hidden - 1
    more = Content.styled(f"… {figures.plural(rest, 'more line')}" if rest > 0 else "", MUTED)
    return spread(Content.styled(f"  {told.expandtabs(4)}", style), more, width)


def margins(item: Item, place: Place, manner: Manner) -> tuple[Content, Content]:
    """The gutter of the first line and of the others: time and name, then a bar, or the mark of what can be folded."""
    name, colour = SPEAKERS.get(item.speaker, SPEAKERS["system"])
    bar = BARS.get(item.speaker, BARS["system"])
    mark = (UNFOLDED if _unfolded(item, place, manner) else FOLDED) if foldable(item) else bar
    time = [(_time(item, manner).ljust(TIME_CELLS), MUTED)] if manner.times != "off" else []
    blank = [(" " * TIME_CELLS, "")] if time else []
    shown = (name if place.named else "").rjust(NAME_CELLS)
    first = Content.assemble(*time, (shown, f"bold {colour}"), (f" {mark} ", colour))
    return first, Content.assemble(*blank, (" " * NAME_CELLS + f" {bar} ", colour))


def _unfolded(item: Item, place: Place, manner: Manner) -> bool:
    return manner.thinks(item) if item.kind == "thinking" else not place.brief


def _time(item: Item, manner: Manner) -> str:
    if not item.at_us or item.kind == "result":
        return ""
    return moments.clock_time(item.at_us) if manner.times == "clock" else figures.elapsed(item.at_us - manner.start_us)
