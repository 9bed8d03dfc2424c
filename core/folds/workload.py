"""The session as a workload: what each turn wrote and read, and how long after the one before; for what-if prices."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from core.clock import MICROSECONDS
from core.events import (
    ContextCompressed,
    Event,
    GuidanceDelivered,
    ModelRequested,
    ModelResponded,
    ToolFinished,
    is_aside,
)
from core.folds.context_items import BYTES_PER_TOKEN
from core.folds.context_usage import ContextWindow
from core.folds.fold import Handler
from core.folds.pages import Pages


class Turn(Struct, frozen=True):
    """`output`: tokens of the reply; `result`: what the prompt grew by beside it until the next request.

    `gap_s`: seconds from the start of the request before to the start of this one, 0 for the first.
    """

    output: int
    result: int
    gap_s: float
    at_us: int


class Workload:
    """Every answered main request, abandoned branches included: all of them were paid for.

    What a fork was copied from was paid for elsewhere: its first prompt is the first that it sent itself.
    """

    def __init__(self, window: ContextWindow) -> None:
        self.row: Mapping[str, str] = {}
        """The latest prices per million tokens; empty while none are known."""
        self.ttl_s: int | None = None
        """The lifetime of the provider's cache in seconds, as last known."""
        self.lived_s: float | None = None
        """The longest pause in seconds after which most of the prompt before was still read from the cache."""
        self.first_prompt = 0
        """Tokens of the first prompt: system, tools and task; of a fork, what it began with."""
        self.digest, self.ledger = 0, 0
        """Tokens of all digests together, and of all that compressions added to the ledger."""
        self.compressions = 0
        self._window = window
        self._turns: Pages[Turn] = Pages()
        self._starts: dict[str, int] = {}
        self._start_us = 0
        self._sent = 0
        self._bytes = 0
        self._continuous = True

    def handlers(self) -> dict[str, Handler]:
        return {
            "model.requested": self._request,
            "model.responded": self._reply,
            "model.failed": self._failed,
            "tool.finished": self._grown,
            "guidance.delivered": self._grown,
            "context.compressed": self._compressed,
            "session.forked": self._forked,
            **dict.fromkeys(("context.restored", "head.moved"), self._broken),
        }

    @property
    def fixed(self) -> int:
        """Tokens of system prompt and tools, that every request carries."""
        parts = self._window.usage.last.parts
        return parts.get("system", 0) + parts.get("tools", 0)

    def all_turns(self) -> list[Turn]:
        """Every turn so far; the results of the last one are estimated."""
        if not self._turns:
            return []
        *earlier, last = self._turns
        return [*earlier, Turn(last.output, self._estimated(), last.gap_s, last.at_us)]

    def turns(self) -> list[tuple[int, int, float]]:
        """(output tokens, result tokens, gap in seconds) of every turn so far."""
        return [(turn.output, turn.result, turn.gap_s) for turn in self.all_turns()]

    def _request(self, event: Event) -> None:
        body = event.body
        if isinstance(body, ModelRequested) and body.purpose == "main" and event.key:
            self._starts[event.key] = event.at_us
            self.ttl_s = body.outlook.ttl_s if body.outlook else self.ttl_s

    def _failed(self, event: Event) -> None:
        self._starts.pop(event.key or "", None)

    def _reply(self, event: Event) -> None:
        body, start_us = event.body, self._starts.pop(event.key or "", None)
        if not isinstance(body, ModelResponded) or start_us is None:
            return
        if self._turns:
            self._settle(body.usage.sent)
        else:
            self.first_prompt = body.usage.sent
        gap_s = max(0, start_us - self._start_us) / MICROSECONDS if self._turns else 0.0
        if self._turns and body.usage.cache_read > self._sent / 2:
            self.lived_s = max(gap_s, self.lived_s or 0.0)
        self._turns.append(Turn(body.usage.output, 0, gap_s, start_us))
        self.row = body.price.row or self.row
        self._sent, self._bytes, self._continuous, self._start_us = body.usage.sent, 0, True, start_us

    def _settle(self, sent: int) -> None:
        """The last turn's results are known now: the growth beyond its output, or an estimate across a break."""
        last = self._turns[-1]
        grown = sent - self._sent - last.output if self._continuous else self._estimated()
        self._turns[-1] = Turn(last.output, max(0, grown), last.gap_s, last.at_us)

    def _estimated(self) -> int:
        return round(self._bytes / BYTES_PER_TOKEN * self._window.growth_ratio)

    def _grown(self, event: Event) -> None:
        body = event.body
        if isinstance(body, ToolFinished) and is_aside(event.key):
            return
        if isinstance(body, ToolFinished | GuidanceDelivered):
            text = body.content if isinstance(body, ToolFinished) else body.text
            self._bytes += len(text.encode("utf-8", "replace"))

    def _compressed(self, event: Event) -> None:
        body = event.body
        if isinstance(body, ContextCompressed):
            texts = (body.digest, body.ledger + "".join(held.text for held in body.held))
            digest, ledger = (len(text.encode("utf-8", "replace")) / BYTES_PER_TOKEN for text in texts)
            self.digest += round(digest * self._window.ratio)
            self.ledger += round(ledger * self._window.ratio)
            self.compressions += 1
        self._broken(event)

    def _forked(self, event: Event) -> None:
        self._turns = Pages()
        self.first_prompt = self.digest = self.ledger = self.compressions = 0
        self._starts.clear()

    def _broken(self, event: Event) -> None:
        self._continuous = False
