"""The context window: what fills it at each request, in parts that add up to the total that was billed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean, median
from typing import NamedTuple

from msgspec import Struct, field

from core.events import ContextCompressed, Event, ModelRequested, ModelResponded
from core.folds.fold import Handler, Series, series_of
from core.folds.peaks import Peaks

PARTS = ("system", "tools", "pinned", "digest", "text", "results")
"""pinned: the task and what is held verbatim; digest: ledger and digest of what was compressed."""

REMEMBERED = 9
"""Replies whose counts calibrate our estimate: the median of so few follows a change and ignores an odd one."""

LEAST_GROWTH = 25
"""Estimated tokens below which a request's growth, or two growths' difference, says nothing about the ratio."""

REMEMBERED_GROWTHS = 15
"""Growths that calibrate the next one; with counts that scatter by a tenth, 9 and 25 err more."""


class Growth(NamedTuple):
    """What is added to a prompt, in the provider's tokens: `fixed` a request and `ratio` for each of ours."""

    fixed: float
    ratio: float

    def tokens(self, estimated: int) -> int:
        """So many tokens of ours in the provider's."""
        return max(0, round(self.fixed + self.ratio * estimated))


def fitted(growths: Sequence[tuple[int, int]]) -> Growth:
    """The line through growths, each as we estimated it and as it was counted; at least one.

    It is the median of the slopes of all pairs (Theil 1950, Sen 1968), which an odd count does not move. Where they are
    all about as long, they say nothing of a fixed part.
    """
    rising, slopes = sorted(growths), list[float]()
    for place, (x, y) in enumerate(rising, start=1):
        slopes += [(above - y) / (right - x) for right, above in rising[place:] if right - x >= LEAST_GROWTH]
    if len(slopes) >= 3 and (slope := median(slopes)) > 0:
        return Growth(median(counted - slope * estimated for estimated, counted in growths), slope)
    return Growth(0.0, median(counted / estimated for estimated, counted in growths))


class ContextUsage(Struct, frozen=True):
    """Tokens of one request by part, as we estimate them in the provider's tokens.

    `measured` says that the total is the provider's; `residual` is what its count has more (or less) than the parts.
    `reserve` is kept for the reply; `window` is None when the model's window is unknown.
    """

    parts: Mapping[str, int] = field(default_factory=dict)
    window: int | None = None
    reserve: int = 0
    measured: bool = False
    residual: int = 0

    @property
    def total(self) -> int:
        return sum(self.parts.values()) + self.residual

    @property
    def free(self) -> int | None:
        """Tokens left beside the reserve, None when the window is unknown."""
        return None if self.window is None else max(0, self.window - self.total - self.reserve)


class ContextWindow:
    """The usage as of any event, where it was compressed, and what our estimates are in the provider's tokens.

    Two estimates are kept: of whole prompts, and of what a prompt grew by. The next prompt is the last count and the
    growth since, which errs by a hundredth of what a ratio of whole prompts does. Without `history` usage and ratio are
    those of now alone, the sizes of all requests are known in any case.
    """

    def __init__(self, history: bool = True) -> None:
        self.usage: Series[ContextUsage] = series_of(ContextUsage(), history)
        self.sizes = Peaks()
        self.ratios: Series[float] = series_of(1.0, history)
        self.compressions: list[tuple[int, int, int]] = []
        self._requested: dict[str, ModelRequested] = {}
        self._wholes: list[float] = []
        self._growths: list[tuple[int, int]] = []
        self._growth: Growth | None = None
        self._steps: list[int] = []
        self._counted: tuple[int, int] | None = None

    @property
    def ratio(self) -> float:
        """Tokens as the provider counts them, over our estimate: the median of the last replies."""
        return self.ratios.last

    @property
    def growth_ratio(self) -> float:
        """The same for what is added to a prompt: replies and tool results."""
        return self._growth.ratio if self._growth else self.ratio

    @property
    def step(self) -> int:
        """Tokens by which the latest prompts grew, each over the one before: their mean; 0 before there were two."""
        return round(fmean(self._steps)) if self._steps else 0

    def tokens(self, estimated: int) -> int:
        """A prompt that we estimate at so many tokens of ours, in the provider's tokens."""
        if self._counted is None or estimated < self._counted[1]:
            return round(estimated * self.ratio)
        counted, basis = self._counted
        grown = estimated - basis
        return counted + (self._growth.tokens(grown) if self._growth and grown else round(grown * self.ratio))

    def handlers(self) -> dict[str, Handler]:
        return {
            "model.requested": self._request,
            "model.responded": self._reply,
            "model.failed": self._failed,
            "context.compressed": self._compressed,
            **dict.fromkeys(("context.restored", "head.moved", "model.switched"), self._moved),
        }

    def _request(self, event: Event) -> None:
        body = event.body
        if isinstance(body, ModelRequested) and body.purpose == "main" and event.key:
            self._requested[event.key] = body
            self._use(event.seq, body, self.tokens(sum(body.parts.values())), measured=False)

    def _reply(self, event: Event) -> None:
        body, request = event.body, self._requested.pop(event.key or "", None)
        if not isinstance(body, ModelResponded) or request is None or not body.usage.sent:
            return
        self._calibrate(event.seq, body.usage.sent, sum(request.parts.values()))
        self._use(event.seq, request, body.usage.sent, measured=True)

    def _calibrate(self, seq: int, counted: int, estimated: int) -> None:
        if estimated <= 0:
            return
        self._wholes = [*self._wholes, counted / estimated][-REMEMBERED:]
        self.ratios.append(seq, median(self._wholes))
        if self._counted is not None and counted > self._counted[0]:
            self._steps = [*self._steps, counted - self._counted[0]][-REMEMBERED:]
        if self._counted is not None and (grown := estimated - self._counted[1]) >= LEAST_GROWTH:
            growth = (grown, max(0, counted - self._counted[0]))
            self._growths = [*self._growths, growth][-REMEMBERED_GROWTHS:]
            self._growth = fitted(self._growths)
        self._counted = (counted, estimated)

    def _use(self, seq: int, request: ModelRequested, total: int, *, measured: bool) -> None:
        parts = {name: round(tokens * self.ratio) for name, tokens in request.parts.items()}
        residual = total - sum(parts.values())
        self.usage.append(seq, ContextUsage(parts, request.window, request.max_tokens, measured, residual))
        self.sizes.append(seq, total)

    def _failed(self, event: Event) -> None:
        self._requested.pop(event.key or "", None)

    def _moved(self, event: Event) -> None:
        """Another history, or another tokenizer: the last count is no basis for the next prompt."""
        self._counted = None
        if event.kind == "model.switched":
            self._wholes, self._growths, self._growth = [], [], None

    def _compressed(self, event: Event) -> None:
        body = event.body
        self._moved(event)
        if isinstance(body, ContextCompressed):
            self.compressions.append((event.seq, body.tokens_before, body.tokens_after))
