"""How one entry of the conversation looks: who speaks in the gutter, what was said beside it, line by line.

Every height is known without styling anything, so thousands of entries cost nothing until they are looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content

from core.folds.conversation import Item
from core.folds.tool_calls import Call
from tui.panes import figures
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
NAME_CELLS = 6
TIME_CELLS = 9
MERELY_READ = frozenset(("read", "network", "state"))
"""Effects of calls that changed nothing outside: one line of their results is enough until they are opened."""
CALL_GLYPHS = {"running": ("●", "$tool-running"), "ok": ("✓", "$tool-ok"), "failed": ("✗", "$tool-fail")}
THINKING = "$thinking italic"
SPOKEN = frozenset(("task", "guidance", "notice", "text", "thinking", "tail"))
"""Kinds that are set apart from what stands before by an empty line."""
WRAPPED = SPOKEN | {"event"}
"""Kinds that are read to their end, however many lines that takes."""
AUTOMATIC = {"anchor": "reminder, automatic", "memory": "notes of earlier sessions, unchecked"}
"""What is said above a notice that nobody wrote for this moment, by where it comes from."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How the reader wants it: elapsed times in the gutter, thinking whole or as one line."""

    times: bool = False
    thinking: bool = True
    start_us: int = 0

    def room(self, width: int) -> int:
        """Cells for the text: the gutter and one cell on the right are taken."""
        return max(8, width - NAME_CELLS - 4 - (TIME_CELLS if self.times else 0))


@dataclass(frozen=True, slots=True)
class Place:
    """An entry among its neighbours: `gap` lines before it, whether its speaker is named, whether other calls stand
    between a result and its own, whether a result is worth only one line (what was merely read)."""

    gap: int
    named: bool
    apart: bool
    brief: bool = False


@dataclass(frozen=True, slots=True)
class Running:
    """A call as of the moment that is shown; `waited_ms` is how long it runs so far."""

    call: Call
    status: str
    waited_ms: int


def place_of(item: Item, before: Item | None, call: Call | None = None) -> Place:
    """What the entry before it, and the call it belongs to, mean for how an entry is set."""
    if before is None:
        return Place(gap=0, named=True, apart=False)
    changed = before.speaker != item.speaker
    spoken, result = item.kind in SPOKEN, item.kind == "result"
    brief = result and item.ok and call is not None and call.effect in MERELY_READ
    return Place(int(spoken), named=changed or spoken, apart=result and before.call != item.call, brief=brief)


def height_of(item: Item, place: Place, manner: Manner, width: int, said: Content | None = None) -> int:
    """How many lines `lines_of` gives. `said`: the styled words, where they are known already."""
    if item.kind in WRAPPED:
        return place.gap + line_count((said or prose(item, manner)).plain, manner.room(width))
    if item.kind != "result":
        return place.gap + 1
    shown = 1 if place.brief else item.text.count("\n") + 1 if item.text else 0
    return place.gap + max(1, shown + (bool(item.hidden) and not place.brief)) + place.apart


def lines_of(
    item: Item, place: Place, manner: Manner, width: int, said: Content | None = None, running: Running | None = None
) -> list[Content]:
    """The entry as lines with their gutters. `running` is the call that a call or a result belongs to."""
    room = manner.room(width)
    if item.kind in WRAPPED:
        body = wrap(said or prose(item, manner), room)
    elif item.kind == "result":
        body = _result(item, running.call.target if running else "", room, place)
    else:
        body = [_call(item, running, room)]
    body = [within(line, room) for line in body]
    margins = [_margin(item, manner, named=place.named), *[_margin(item, manner, first=False)] * (len(body) - 1)]
    return [Content("")] * place.gap + [margin + line for margin, line in zip(margins, body, strict=True)]


def prose(item: Item, manner: Manner) -> Content:
    """The words of a spoken entry, styled; what is wrapped."""
    if item.kind == "thinking":
        text = safe_text(item.text) if manner.thinking else clip(one_line(item.text), 60)
        return Content.styled(text, THINKING)
    text = safe_text(item.text).expandtabs(4)
    if item.kind in ("text", "tail"):
        return light_markdown(text)
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
    changed = f"+{added} −{removed}  " if added or removed else ""
    if status == "failed":
        code = f"exit {call.exit_code}  " if call.exit_code is not None else "failed  "
        return f"{changed}{code}{figures.duration(call.ms)}", "$tool-fail"
    return f"{changed}{figures.duration(call.ms)}", MUTED


def _result(item: Item, target: str, width: int, place: Place) -> list[Content]:
    style = MUTED if item.ok else "$tool-fail"
    lines = [Content.styled(clip(one_line(f"↳ {item.name} {target}"), width), MUTED)] if place.apart else []
    text = safe_text(item.text).split("\n") if item.text else []
    if place.brief:
        return [*lines, _brief(text, item.hidden, width)]
    lines += [Content.styled("  " + clip(line.expandtabs(4), width - 2), _diff_style(line) or style) for line in text]
    if item.hidden:
        lines.append(Content.styled(f"  … {figures.plural(item.hidden, 'more line')}", MUTED))
    return lines if text or item.hidden else [*lines, Content.styled("  (no output)", MUTED)]


def _diff_style(line: str) -> str:
    if line.startswith(("+++", "---", "- ")):
        return ""
    return {"+": "$diff-add", "-": "$diff-del", "@": "$diff-hunk"}.get(line[:1], "")


def _brief(text: list[str], hidden: int, width: int) -> Content:
    told = next((line.strip() for line in text if line.strip()), "(no output)")
    rest = len(text) + hidden - 1
    more = Content.styled(f"… {figures.plural(rest, 'more line')}" if rest > 0 else "", "$muted")
    return spread(Content.styled(f"  {told.expandtabs(4)}", "$muted"), more, width)


def _margin(item: Item, manner: Manner, *, first: bool = True, named: bool = False) -> Content:
    """Time and name on the first line, a bar in the speaker's colour on all."""
    name, colour = SPEAKERS.get(item.speaker, SPEAKERS["system"])
    parts: list[tuple[str, str]] = []
    if manner.times:
        timed = first and item.at_us and item.kind != "result"
        time = figures.elapsed(item.at_us - manner.start_us) if timed else ""
        parts.append((time.ljust(TIME_CELLS), MUTED))
    shown = name if first and named else ""
    return Content.assemble(*parts, (shown.rjust(NAME_CELLS), f"bold {colour}"), (" ▎ ", colour))
