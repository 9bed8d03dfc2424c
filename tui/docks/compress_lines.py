"""What a compression would do, in lines: its price, what leaves, what stays, and what must survive it. No widgets."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import ceil

from msgspec.structs import replace
from textual.content import Content

from core.protocols import Preview
from core.request.fidelity import Fact
from core.request.names import listed_in
from core.request.pieces import BYTES_PER_TOKEN
from tui.panes import figures
from tui.panes.sheet_lines import MUTED, heading, within
from tui.safe import one_line
from tui.widgets.gauge import Part, stacked

LABEL = 7
"""Cells of the word in front of a row."""
GAP = 1
"""At least so many cells between the two columns, however long the left one is."""
TWO_COLUMNS = 74
"""Cells from which price and effect stand side by side, where rows are scarce."""
INDENT = "  "
"""In front of the entries of a list."""
LEAST_DETAIL = 3
"""Rows below which the lists are left out."""


def as_edited(preview: Preview, before: str, digest: str) -> Preview:
    """The preview with its digest edited from `before`: what it now lists, and about how long the context becomes."""
    if digest == before:
        return preview
    grown = (len(digest.encode()) - len(before.encode())) // BYTES_PER_TOKEN
    return replace(preview, names=len(listed_in(digest)), tokens_after=max(0, preview.tokens_after + grown))


def change_note(preview: Preview) -> str:
    """`41,236 → 12,310 tokens, 70% less`."""
    before, after = preview.tokens_before, preview.tokens_after
    share = f", {figures.percent(1 - after / before)} less" if 0 < after < before else ""
    return f"{before:,} → {after:,} tokens{share}"


def price(preview: Preview) -> Content:
    """What it costs, and after how many turns that is back."""
    if preview.price is None:
        return Content.styled("an unknown price", "$warning")
    return Content.assemble((figures.usd(preview.price), "bold"), _back(preview))


def _back(preview: Preview) -> str:
    each, turns = preview.saves_per_turn, preview.payback_turns
    if not preview.price and each:
        return " · the cache has expired"
    if turns is not None:
        return f" · back after {figures.plural(max(1, ceil(turns)), 'turn')}"
    return " · never pays back" if each is not None and each <= 0 else ""


def compact(preview: Preview, width: int) -> list[Content]:
    """The preview in as few lines as possible: price at the left, effect at the right, what is held below."""
    money, effect = _money(preview), _effect(preview)
    if width < TWO_COLUMNS:
        rows = [*money, *effect]
    else:
        left = width // 2 + 3
        cut = [within(one, left - GAP) for one in money]
        rows = [one.pad_right(left - one.cell_length) + two for one, two in zip(cut, effect, strict=True)]
    held = " · ".join(one_line(text) for text in preview.held)
    lines = [_bar(preview, width), *rows, *([_row("held", (held, MUTED))] if held else [])]
    return [within(line, width) for line in lines]


def roomy(preview: Preview, lost: Sequence[Fact], width: int, rows: int) -> list[Content]:
    """The preview one fact a line, then, in what is left of `rows`, what is looked for and what is held."""
    brief = [_bar(preview, width), *_money(preview), *_effect(preview)]
    return [within(line, width) for line in [*brief, *_details(preview, lost, rows - len(brief))]]


def check_line(preview: Preview, lost: Sequence[Fact]) -> Content:
    """How much of what must survive does, and the name of what doesn't."""
    count = len(preview.facts)
    if not count:
        return _row("check", ("no constraint, no open step and no request to look for", MUTED))
    if not lost:
        return _row("check", (f"✓ {count} of {count} survive", "$success"))
    names = ", ".join(one_line(fact.name) for fact in lost)
    return _row("check", (f"✗ {count - len(lost)} of {count} survive", "bold $warning"), f" · lost: {names}")


def _row(label: str, *parts: Content | str | tuple[str, str]) -> Content:
    return Content.assemble((label.ljust(LABEL), MUTED), *parts)


def _bar(preview: Preview, width: int) -> Content:
    left = max(0, preview.tokens_before - preview.tokens_after)
    parts = [Part("then", preview.tokens_after, "context-text"), Part("leaves", left, "context-free", empty=True)]
    return stacked(parts, width)


def _money(preview: Preview) -> list[Content]:
    return [_row("now", price(preview)), _row("saves", _saves(preview)), _row("next", _next_call(preview))]


def _saves(preview: Preview) -> Content:
    """Over the turns that are planned, else for each turn; where it costs more, that is said."""
    if preview.saves is not None and preview.planned_turns is not None:
        return _saved(preview.saves) + f" in {figures.plural(preview.planned_turns, 'turn')}"
    if preview.saves_per_turn is not None:
        return _saved(preview.saves_per_turn) + " a turn"
    return Content(f"{preview.tokens_before - preview.tokens_after:,} tokens a call")


def _saved(usd: Decimal) -> Content:
    amount = Content.styled(figures.usd(abs(usd)), "bold")
    return amount if usd >= 0 else Content.styled("nothing: ", "$warning") + amount + " more"


def _next_call(preview: Preview) -> Content:
    """The next call if nothing is done, and how much less each one costs afterwards, unless that is said above."""
    if preview.next_call is None:
        return Content(f"{preview.tokens_after:,} tokens, unknown price")
    each = preview.saves_per_turn if preview.saves is not None else None
    then = f" · then {figures.usd(abs(each))} {'less' if each > 0 else 'more'}" if each else ""
    return Content.assemble((figures.usd(preview.next_call), "bold"), f" as is{then}")


def _effect(preview: Preview) -> list[Content]:
    left = figures.tokens(max(0, preview.tokens_before - preview.tokens_after))
    texts = f", {figures.plural(len(preview.held), 'text')} verbatim" if preview.held else ""
    return [
        _row("leaves", f"{figures.plural(preview.turns_leaving, 'turn')}, {left} tokens"),
        _row("stays", f"{figures.plural(preview.turns_kept, 'turn')}{texts}"),
        _row("names", f"{preview.names:,} listed · {preview.names_known:,} by recall"),
    ]


def _details(preview: Preview, lost: Sequence[Fact], rows: int) -> list[Content]:
    """The facts with what becomes of each, the lost ones first, then the texts that are held."""
    gone = {fact.name for fact in lost}
    kept = [fact for fact in preview.facts if fact.name not in gone]
    facts = [*(_fact(fact, kept=False) for fact in lost), *(_fact(fact, kept=True) for fact in kept)]
    held = [Content.assemble((f"{INDENT}◆ ", "$context-pinned"), one_line(text)) for text in preview.held]
    lists = [("looked for afterwards", facts), ("stays word for word", held)]
    lines = [line for title, rest in lists if rest for line in (Content(""), heading(title), *rest)]
    if rows < LEAST_DETAIL:
        return []
    if len(lines) <= rows:
        return lines
    more = sum(line.plain.startswith(INDENT) for line in lines[rows - 1 :])
    return [*lines[: rows - 1], heading(f"{INDENT}and {more} more")]


def _fact(fact: Fact, *, kept: bool) -> Content:
    mark = (f"{INDENT}✓ ", "$success") if kept else (f"{INDENT}✗ ", "bold $warning")
    return Content.assemble(mark, one_line(fact.name), ("" if kept else "  lost", "$warning"))
