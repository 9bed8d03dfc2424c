"""Another model from the next request on: what each one can hold and what it costs, the switch itself included."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from core.folds.view import SessionView
from core.protocols import ModelOffer
from tui.docks.dock import LineDock, title_line
from tui.docks.model_prices import Cost, Terms, cost_line, cost_of, head_line, told
from tui.panes import figures
from tui.panes.sheet_lines import MUTED
from tui.safe import safe_text
from tui.widgets.line import Line

TALL, ROWS, FEW = 32, 7, 4
"""Rows of the terminal from which more models are in sight at once."""
NAME_ONE = "Write the model's name as the provider spells it."

Ask = Callable[[], Awaitable[Sequence[ModelOffer]]]
"""Reads the price list; may raise, with a sentence."""


@dataclass
class ModelsListed(Message):
    """What the session could go on with; or, as a sentence, why that is unknown."""

    offers: Sequence[ModelOffer] | str


class ModelDock(LineDock):
    """Words narrow the list, the arrows choose, enter switches; a name that is not listed is taken as it is written."""

    TITLE = "Model from the next request on"
    VERB = "model"
    PLACEHOLDER = "words of a name, or a name that is not listed"
    KEYS = (("↑↓", "choose"), ("enter", "switch"), ("esc", "close"))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("pageup", "move(-5)", show=False),
        Binding("pagedown", "move(5)", show=False),
    ]
    DEFAULT_CSS = "ModelDock Line { margin-bottom: 1; } ModelDock .dock--facts { min-height: 2; }"

    def __init__(self, view: SessionView, terms: Terms, ask: Ask) -> None:
        super().__init__()
        self._view, self._terms, self._ask = view, terms, ask
        self._costs: tuple[Cost, ...] | None = None
        self._trouble = ""
        self._shown: tuple[Cost, ...] = ()
        self._cursor = 0
        self._entered = False
        """Enter was pressed before there was a list."""

    def title(self) -> Content:
        sent = f"  ·  prompt {figures.tokens(self._terms.prompt)} tokens" if self._terms.prompt else ""
        return title_line(self.TITLE, safe_text(f"now {self._terms.present}{sent}"))

    def body(self) -> ComposeResult:
        yield from super().body()
        yield Static(self._list(), markup=False, classes="dock--list")
        yield Static("", markup=False, classes="dock--facts")

    def on_mount(self) -> None:
        super().on_mount()
        self.run_worker(self._read(), exit_on_error=False)

    def on_resize(self) -> None:
        self._draw()

    async def _read(self) -> None:
        try:
            offers: Sequence[ModelOffer] | str = await self._ask()
        except Exception as fault:
            offers = str(fault) or "The price list could not be read."
        self.post_message(ModelsListed(offers))

    def on_models_listed(self, message: ModelsListed) -> None:
        message.stop()
        if isinstance(message.offers, str):
            self._trouble, self._costs = message.offers, ()
        else:
            self._costs = tuple(cost_of(self._view, self._terms, offer) for offer in message.offers)
        self._narrow()
        self.shown_anew()
        if self._entered and self._plainly_meant:
            self.enter(self._written)

    # Which one

    @property
    def _written(self) -> str:
        return self.query_one(Line).value.strip()

    @property
    def _plainly_meant(self) -> bool:
        """Whether the text is a name by itself, whatever the list shows: one in full, or none that is known."""
        return bool(self._written) and (not self._shown or self._shown[0].model == self._written)

    @property
    def typed_ahead(self) -> bool:  # type: ignore[override]
        return self._plainly_meant

    @property
    def _chosen(self) -> Cost | None:
        return self._shown[self._cursor] if self._cursor < len(self._shown) else None

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._narrow()

    def _narrow(self) -> None:
        """Models that have all the words in their name: the one that is named in full first, then those that fit."""
        written, costs = self._written, self._costs or ()
        words = written.lower().split()
        found = [cost for cost in costs if all(word in cost.model.lower() for word in words)]
        found.sort(key=lambda cost: (cost.model != written, bool(words) or cost is not costs[0], cost.fits is not True))
        self._shown, self._cursor = tuple(found), 0
        self._draw()

    def action_move(self, steps: int) -> None:
        self._cursor = min(max(self._cursor + steps, 0), max(0, len(self._shown) - 1))
        self._draw()

    def submit(self, text: str) -> None:
        if self._costs is None:
            self._entered = True
            return
        model = self._chosen.model if self._chosen else text
        if not model:
            raise ValueError(NAME_ONE)
        if model == self._terms.present:
            raise ValueError(f"{model} is the present model; choose another one, or write its name.")
        self.give(self.VERB, **self.accept(model))

    def accept(self, text: str) -> dict[str, Any]:
        return {"model": text}

    # What is drawn

    def _draw(self) -> None:
        if not self.is_mounted:
            return
        self.query_one(".dock--list", Static).update(self._list())
        facts = self.query_one(".dock--facts", Static)
        said = self._facts()
        facts.update(Content.styled(safe_text(said), MUTED))
        facts.set_class(not said, "-empty")
        self.query_one(".dock--fault").add_class("-empty")

    def _list(self) -> Content:
        width = max(40, self.app.size.width - 2)
        if self._costs is None:
            return Content.styled("reading the price list…", MUTED)
        if not self._shown:
            return Content("")
        rows = ROWS if self.app.size.height >= TALL else FEW
        top = max(0, min(self._cursor - rows // 2, len(self._shown) - rows))
        lines = [
            cost_line(cost, self._costs[0], width, chosen=index == self._cursor)
            for index, cost in enumerate(self._shown[top : top + rows], start=top)
        ]
        return Content("\n").join([head_line(width), *lines])

    def _facts(self) -> str:
        if self._costs is None:
            return ""
        if self._trouble:
            return f"{self._trouble} {NAME_ONE}"
        if chosen := self._chosen:
            return told(chosen, self._costs[0], self._terms)
        anew = f"; {figures.tokens(self._terms.prompt)} tokens are read anew" if self._terms.prompt else ""
        return f"No price list has this name: it is taken as it is written, at an unknown price{anew}."
