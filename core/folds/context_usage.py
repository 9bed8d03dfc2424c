"""The context window: what fills it at each request, in parts that add up to the total that was billed."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.events import ContextCompressed, Event, ModelRequested, ModelResponded
from core.folds.fold import Handler, Series

PARTS = ("system", "tools", "pinned", "digest", "text", "results")


@dataclass(frozen=True, slots=True)
class ContextUsage:
    """Tokens of one request by part. `measured` says that the total is the provider's, not our estimate.

    `reserve` is kept for the reply; `window` is None when the model's window is unknown.
    """

    parts: dict[str, int] = field(default_factory=dict)
    window: int | None = None
    reserve: int = 0
    measured: bool = False

    @property
    def total(self) -> int:
        return sum(self.parts.values())

    @property
    def free(self) -> int | None:
        """Tokens left beside the reserve, None when the window is unknown."""
        return None if self.window is None else max(0, self.window - self.total - self.reserve)


class ContextWindow:
    """The usage as of any event, and where it was compressed.

    A request in flight is estimated with the ratio that the provider's last count had to ours.
    """

    def __init__(self) -> None:
        self.usage: Series[ContextUsage] = Series(ContextUsage())
        self.compressions: list[tuple[int, int, int]] = []
        self._requested: dict[str, ModelRequested] = {}
        self.ratio = 1.0
        """Tokens as the provider counted them last, over our estimate of the same request."""

    def handlers(self) -> dict[str, Handler]:
        return {
            "model.requested": self._request,
            "model.responded": self._reply,
            "model.failed": self._failed,
            "context.compressed": self._compressed,
        }

    def _request(self, event: Event) -> None:
        body = event.body
        if isinstance(body, ModelRequested) and body.purpose == "main" and event.key:
            self._requested[event.key] = body
            likely = scaled(body.parts, round(sum(body.parts.values()) * self.ratio))
            self.usage.append(event.seq, ContextUsage(likely, body.window, body.max_tokens))

    def _reply(self, event: Event) -> None:
        body, request = event.body, self._requested.pop(event.key or "", None)
        if not isinstance(body, ModelResponded) or request is None or not body.usage.sent:
            return
        parts = scaled(request.parts, body.usage.sent)
        self.ratio = body.usage.sent / max(1, sum(request.parts.values()))
        self.usage.append(event.seq, ContextUsage(parts, request.window, request.max_tokens, measured=True))

    def _failed(self, event: Event) -> None:
        self._requested.pop(event.key or "", None)

    def _compressed(self, event: Event) -> None:
        body = event.body
        if isinstance(body, ContextCompressed):
            self.compressions.append((event.seq, body.tokens_before, body.tokens_after))


def scaled(parts: dict[str, int], total: int) -> dict[str, int]:
    """The same proportions, adding up to `total` exactly (largest remainder)."""
    estimate = sum(parts.values())
    if not estimate:
        return dict(parts)
    exact = {name: tokens * total / estimate for name, tokens in parts.items()}
    whole = {name: int(tokens) for name, tokens in exact.items()}
    missing = total - sum(whole.values())
    for name in sorted(exact, key=lambda name: whole[name] - exact[name])[:missing]:
        whole[name] += 1
    return whole
