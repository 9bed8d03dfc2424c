"""The till: bills requests one after another as vendors do, with a cache that lives so long after its last use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil

from core.economy.rule import PING_AFTER
from core.economy.tariff import Tariff


@dataclass(slots=True)
class Bill:
    """What a session came to. Tokens may be fractions where events are expected rather than certain.

    `sent`: all prompts. `fresh`: tokens that had never been sent before. `read`, `written`: by the cache; `uncached`:
    neither (no cache, or a prompt too small for it). `misses`: requests whose cache had expired. `curve`: dollars spent
    after each turn. `usd`: dollars by class (uncached, read, write, output, pings).
    """

    requests: float = 0
    sent: float = 0
    fresh: int = 0
    read: float = 0
    written: int = 0
    uncached: float = 0
    output: float = 0
    pings: int = 0
    misses: int = 0
    compressions: int = 0
    peak: int = 0
    usd: dict[str, float] = field(
        default_factory=lambda: dict.fromkeys(("uncached", "read", "write", "output", "pings"), 0.0)
    )
    curve: list[float] = field(default_factory=list)

    @property
    def total(self) -> float:
        """Dollars."""
        return sum(self.usd.values())

    @property
    def hit_rate(self) -> float:
        """The share of all prompt tokens that was read from the cache."""
        return self.read / self.sent if self.sent else 0.0


class Till:
    """Bills a session in time. A request refreshes the cache for the tariff's lifetime, counted from its start."""

    def __init__(self, tariff: Tariff) -> None:
        self.tariff = tariff
        self.bill = Bill()
        self.cached = 0
        """Tokens of the last prompt that the cache still holds."""

    @property
    def warm(self) -> bool:
        return self.cached > 0

    def send(self, prompt: int, shared: int, output: float) -> None:
        """A request whose first `shared` tokens are those of the request before it."""
        bill, tariff = self.bill, self.tariff
        bill.requests += 1
        bill.sent += prompt
        bill.peak = max(bill.peak, prompt)
        self._reply(output)
        if self._too_small(prompt):
            self._uncached(prompt)
            self.cached = 0
            return
        hit = min(shared, self.cached)
        bill.read += hit
        bill.written += prompt - hit
        bill.usd["read"] += hit * tariff.read
        bill.usd["write"] += (prompt - hit) * tariff.write
        self.cached = prompt

    def consult(self, prompt: int, instruction: int, shared: int, answer: int) -> None:
        """A request of its own about the whole context; the next one shares its `prompt` but not the `instruction`."""
        self.send(prompt + instruction, shared, answer)
        self.bill.fresh += instruction
        self.cached = min(self.cached, prompt)

    def send_again(self, share: float, prompt: int, output: int) -> None:
        """A further request over the same prompt, to be expected with probability `share`."""
        self.bill.requests += share
        self.bill.sent += share * prompt
        self._reply(share * output)
        if self._too_small(prompt):
            self._uncached(share * prompt)
        else:
            self.bill.read += share * prompt
            self.bill.usd["read"] += share * prompt * self.tariff.read

    def wait(self, gap_s: float, pays: Callable[[int], bool]) -> None:
        """Time passes; whenever the cache is about to expire, `pays(pings so far)` decides whether to refresh it."""
        if self.tariff.ttl_s is None or not self.warm:
            return
        left, pings = gap_s, 0
        while left > PING_AFTER * self.tariff.ttl_s and pays(pings):
            left -= PING_AFTER * self.tariff.ttl_s
            pings += 1
        self._pinged(pings)
        if left > self.tariff.ttl_s:
            self.bill.misses += 1
            self.cached = 0

    def _too_small(self, prompt: float) -> bool:
        return self.tariff.ttl_s is None or prompt < self.tariff.minimum

    def _pinged(self, pings: int) -> None:
        self.bill.pings += pings
        self.bill.usd["pings"] += pings * self.cached * self.tariff.read

    def _reply(self, output: float) -> None:
        self.bill.output += output
        self.bill.usd["output"] += output * self.tariff.output

    def _uncached(self, prompt: float) -> None:
        self.bill.uncached += prompt
        self.bill.usd["uncached"] += prompt * self.tariff.input


def pings_through(gap_s: float, tariff: Tariff) -> int:
    """The fewest pings that keep the cache over a gap, by one who knows how long it will be."""
    if tariff.ttl_s is None or gap_s <= tariff.ttl_s:
        return 0
    return ceil(gap_s / tariff.ttl_s) - 1
