"""What hindsight would have paid: the cheapest moments of compression and pings, by dynamic programming.

A plan is a list of turns before which the context is compressed, and for each gap longer than the cache lives whether
it is pinged through. A cycle from one compression to the next costs the same whatever came before, since the ledger
depends on the turns that left and not on how often; so the best plan follows from the best plans of its beginnings.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from math import inf

from core.economy.billing import pings_through
from core.economy.context import DEFAULT_SHAPE, Shape
from core.economy.rule import REREAD_CALL, REREAD_TOKENS, REREADS
from core.economy.tariff import Tariff
from core.economy.workload import Workload


@dataclass(frozen=True, slots=True)
class Optimum:
    """The least that any plan of the class costs, in dollars, and the turns (from 0) before which it compresses."""

    usd: float
    moments: tuple[int, ...]


def optimum(workload: Workload, tariff: Tariff, shape: Shape = DEFAULT_SHAPE) -> Optimum:
    """The hindsight optimum for compressions of one shape, without a model's paragraph.

    O(n²) in time at worst, O(n) in space; a cycle is left as soon as a compression within it would have been cheaper
    already, so that a long session takes time in proportion to its length.
    """
    plan = _Plan(workload, tariff, shape)
    count = len(workload.turns)
    best, before = [0.0] + [inf] * (count - 1), [0] * count
    total, last = inf, 0
    for start in range(count):
        if best[start] == inf:
            continue
        ended = plan.cycle(start, best, before)
        if ended < total:
            total, last = ended, start
    moments = []
    while last:
        moments.append(last)
        last = before[last]
    return Optimum(total if count else 0.0, tuple(reversed(moments)))


class _Plan:
    """What is the same for all plans, turn by turn, in dollars and tokens."""

    def __init__(self, workload: Workload, tariff: Tariff, shape: Shape) -> None:
        turns = workload.turns
        self.system, self.tariff, self.shape = workload.system, tariff, shape
        self.minimum = inf if tariff.ttl_s is None else tariff.minimum
        self.sizes = [turn.size for turn in turns]
        self.sums = [0, *accumulate(self.sizes)]
        self.output_usd = [turn.output * tariff.output for turn in turns]
        self.pings_usd = [0.0] + [pings_through(turn.gap_s, tariff) * tariff.read for turn in turns[:-1]]
        self.old_usd = [min(pings + tariff.read, tariff.write) for pings in self.pings_usd]
        """Per token of the last prompt, kept or written anew, whichever is cheaper after the gap before a turn."""
        self.less_is_cheaper = tariff.ttl_s is None or self.system + shape.digest >= self.minimum

    def cycle(self, start: int, best: list[float], before: list[int]) -> float:
        """What the plan costs that compresses before `start` for the last time (inf: more than another one).

        `best[turn]`: the least up to and with the request of `turn`, if the context is compressed before it; lowered
        here where `start` is the best moment for the compression before that one, which `before` then holds.
        """
        sizes, output_usd, old_usd, write = self.sizes, self.output_usd, self.old_usd, self.tariff.write
        keep, minimum, stays = self.shape.keep, self.minimum, self.stays(start)
        prompt = self.after(start) + REREAD_TOKENS if start else self.system
        cost = best[start] if start else prompt * self._rate(prompt)
        for turn in range(start + 1, len(sizes)):
            cost += output_usd[turn - 1]
            if turn > keep and cost < best[turn]:
                whole = cost + self._compression_usd(turn, prompt, stays)
                if whole < best[turn]:
                    best[turn], before[turn] = whole, start
            size = sizes[turn - 1]
            if prompt >= minimum:
                cost += prompt * old_usd[turn] + size * write
            else:
                cost += (prompt + size) * self._rate(prompt + size)
            prompt += size
            if cost >= best[turn] and self.less_is_cheaper and prompt >= self.after(turn) + REREAD_TOKENS:
                return inf
        return cost + output_usd[-1]

    def after(self, turn: int) -> int:
        """The prompt right after a compression before `turn`."""
        return self.stays(turn) + self.shape.digest + self.sums[turn] - self.sums[turn - self.shape.keep]

    def stays(self, turn: int) -> int:
        """What later compressions don't rewrite: the system prompt, and the ledger of a compression before `turn`."""
        return self.system + (self.shape.ledger * (turn - self.shape.keep) if turn else 0)

    def _compression_usd(self, turn: int, last: int, stays: int) -> float:
        """A compression with its request and re-read, where the last prompt was `last` and began with `stays`."""
        after, tariff = self.after(turn), self.tariff
        again = REREADS * (
            REREAD_CALL * tariff.output + after * (tariff.read if after >= self.minimum else tariff.input)
        )
        prompt = after + REREAD_TOKENS
        if prompt < self.minimum:
            return again + prompt * tariff.input
        hit = stays if last >= self.minimum else 0
        old = min(self.pings_usd[turn] * last + hit * tariff.read, hit * tariff.write)
        return again + old + (prompt - hit) * tariff.write

    def _rate(self, prompt: int) -> float:
        return self.tariff.write if prompt >= self.minimum else self.tariff.input
