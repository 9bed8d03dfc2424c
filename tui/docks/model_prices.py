"""What each model would cost from here on: the request that switches, and those after it, against the present one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil

from textual.content import Content

from core.folds.rent import NextCall
from core.folds.view import SessionView
from core.protocols import ModelOffer
from tui.panes import figures
from tui.panes.sheet_lines import MUTED, fit
from tui.safe import one_line

DROPPED = "The old model's thinking is dropped."
FIGURES = (7, 9, 9, 9)
"""Cells of window, first request, each after, and against the present model."""
LEAST_NAME, MOST_NAME = 16, 48
READ_ANEW_AT = Decimal("0.99")
"""A cached token that costs as much as a fresh one and more is none."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Where the session stands: its model, the tokens of its prompt, what is kept for the reply and what a turn adds.

    `expired`: the cache of the present model is known to be gone.
    """

    present: str
    prompt: int
    reserve: int
    step: int
    expired: bool


@dataclass(frozen=True, slots=True)
class Cost:
    """One model: `first` is the next request, `each` one after it, in dollars; None: unknown.

    `fits`: whether the prompt and a reply fit into its window, None where that is unknown. `cached`: what was sent is
    read for less afterwards.
    """

    model: str
    window: int | None
    first: Decimal | None
    each: Decimal | None
    fits: bool | None
    cached: bool


def terms_of(view: SessionView, *, expired: bool) -> Terms:
    """As of now."""
    usage = view.context.usage.last
    return Terms(view.state.model, usage.total, usage.reserve, view.context.step, expired)


def cost_of(view: SessionView, terms: Terms, offer: ModelOffer) -> Cost:
    """Another model has nothing of this prompt in its cache; the present one has it, unless that has expired."""
    forecast, fits = view.rent.next_call, None
    if offer.window is not None:
        fits = terms.prompt + terms.reserve <= offer.window
    if not terms.prompt or not offer.rates:
        return Cost(offer.model, offer.window, None, None, fits, _caches(offer))
    anew = forecast.of(terms.prompt, 0, offer.rates, writes=offer.cached)
    after = forecast.of(terms.prompt + terms.step, terms.prompt, offer.rates, writes=offer.cached)
    now = forecast.last if offer.model == terms.present else NextCall()
    first = now.usd(expired=terms.expired) or anew.usd(expired=True)
    return Cost(offer.model, offer.window, first, after.warm, fits, _caches(offer))


def _caches(offer: ModelOffer) -> bool:
    fresh, read = (offer.rates[0], offer.rates[2]) if offer.rates else (Decimal(0), Decimal(0))
    return offer.cached and read < fresh * READ_ANEW_AT


def against(cost: Cost, present: Cost) -> str:
    """`×0.4`: what a request costs once the switch is paid, over what it costs with the present model."""
    if cost.each is None or not present.each:
        return ""
    factor = cost.each / present.each
    return f"×{factor:.2f}" if factor < 10 else f"×{factor:.0f}"


def columns(width: int) -> tuple[int, ...]:
    """The cells of the name and of the figures."""
    name = width - 2 - sum(FIGURES) - 2 * len(FIGURES)
    return (max(LEAST_NAME, min(MOST_NAME, name)), *FIGURES)


def head_line(width: int) -> Content:
    """What the columns are."""
    return Content.styled(_row(("model", "window", "next", "then each", "vs now"), width), MUTED)


def cost_line(cost: Cost, present: Cost, width: int, *, chosen: bool) -> Content:
    """One model on one line."""
    window = "?" if cost.window is None else figures.window(cost.window)
    ratio = "now" if cost.model == present.model else against(cost, present)
    cells = (one_line(cost.model), window, _usd(cost.first), _usd(cost.each), ratio)
    text = ("▸" if chosen else " ") + _row(cells, width)[1:]
    style = "bold $accent on $cursor-line" if chosen else MUTED if cost.fits is False else ""
    return Content.styled(fit(text, width) if chosen else text, style)


def _row(cells: Sequence[str], width: int) -> str:
    name, *numbers = columns(width)
    right = "  ".join(fit(cell, room, right=True) for cell, room in zip(cells[1:], numbers, strict=True))
    return f"  {fit(cells[0], name)}  {right}"


def _usd(amount: Decimal | None) -> str:
    return "?" if amount is None else figures.usd(amount)


def told(cost: Cost, present: Cost, terms: Terms) -> str:
    """The chosen model in sentences: what the switch costs, when that has paid for itself, what goes with it."""
    if cost.model == terms.present:
        return f"{cost.model} is the present model."
    if cost.fits is False:
        room = f"{figures.tokens(terms.prompt)} tokens and a reply of up to {figures.tokens(terms.reserve)}"
        return f"Too small: {room} don't fit into its window. Compress first."
    parts = [_switch(cost, present, terms)]
    if cost.first is not None and not cost.cached:
        parts.append("It reads everything anew in each request: no cheaper cache is known of it.")
    return " ".join([*parts, DROPPED])


def _switch(cost: Cost, present: Cost, terms: Terms) -> str:
    if not terms.prompt:
        return "Nothing was sent yet, so nothing is read anew."
    anew = f"The switch reads about {figures.tokens(terms.prompt)} tokens anew"
    if cost.first is None:
        return f"{anew}, at a price that nobody here knows."
    instead = f" instead of {figures.usd(present.first)}" if present.first is not None else ""
    return f"{anew}: {figures.usd(cost.first)} next{instead}{_pays(cost, present)}."


def _pays(cost: Cost, present: Cost) -> str:
    """After how many requests a cheaper model has made up for the switch; nothing where it never does."""
    if cost.first is None or cost.each is None or present.first is None or present.each is None:
        return ""
    more, less = cost.first - present.first, present.each - cost.each
    if less <= 0:
        return ""
    after = 1 + ceil(more / less) if more > 0 else 1
    return f", paid for after {figures.plural(after, 'request')}"
