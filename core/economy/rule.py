"""When to compress, and when to keep the cache warm: the rent rule and its companions, as pure decisions.

The rule is ski rental: each turn pays rent for the tokens that a compression would do away with, and once the rent
comes to `alpha` times what a compression costs, it is made. With constant growth it compresses at the optimal period;
with a constant price of a compression and a warm cache, `alpha` 1 never pays twice what hindsight would.

Sizes of turns are anything but constant. Where the turns that would stay are known, the rule looks for a calm moment
around that point: it waits while a big result is about to leave the tail by itself, and goes early when none is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from core.economy.tariff import Tariff

REREADS, REREAD_CALL, REREAD_TOKENS = 0.85, 120, 1_887
"""After a compression real sessions read 0.85 files again that they had read: tokens of such a call, and what is to be
expected to come in (0.85 of a call with a result of 2,100)."""
SEARCH_FROM, SEARCH_UNTIL = 0.75, 2.25
"""Between these shares of the rent that is due, a calm moment is looked for; at the end any moment will do."""
PING_AFTER = 0.95
"""The share of the cache's lifetime after which a waiting session's cache is refreshed: 4:45 of five minutes.

At 4:30 the real sessions cost 1.031 times hindsight instead of 1.029; at 4:54 1.028, with six seconds for the ping.
"""
PATIENCE = 0.5
"""The share of what an expiry costs that may go into pings: who stayed away for so long stays away.

At a read of 10 % and a write of 125 % that is five pings; on the real sessions eight cost 1.032 times hindsight, eleven
1.037.
"""


@dataclass(frozen=True, slots=True)
class Rule:
    """How eager the automatic policy is. `alpha` weighs the rent against the price of a compression (above 0)."""

    alpha: float = 1.0
    cold: bool = True
    """Compress when the cache has expired anyway."""
    keep_alive: bool = True
    """Refresh the cache of a waiting session while that is cheaper than writing it anew."""

    def __post_init__(self) -> None:
        if not self.alpha > 0:
            raise ValueError("alpha must be above 0")


DEFAULT_RULE = Rule()


@dataclass(frozen=True, slots=True)
class Moment:
    """A session before its next request; all sizes in tokens.

    `prompt`: what it would send now. `floor`: what it would send right after a compression. `readable`: how much of
    that the cache would still hold (system, tools, what compressions never rewrite). `meter`: rent since the last
    compression, in dollars. `warm`: whether the last request's prefix is still cached. `extra_usd`: what else the
    compression would cost (a paragraph by a model). `tail`: sizes of the turns that would stay, oldest first, and
    `growth`: the mean size of the latest turns (40, say); left out, no calm moment is looked for.
    """

    prompt: int
    floor: int
    readable: int
    meter: float
    warm: bool
    extra_usd: float = 0.0
    tail: tuple[int, ...] = ()
    growth: float = 0.0


def rereads_usd(floor: float, tariff: Tariff) -> float:
    """The re-reads to be expected after a compression: a further request over `floor` tokens, what it asks and gets."""
    return REREADS * (REREAD_CALL * tariff.output + floor * tariff.read) + REREAD_TOKENS * tariff.write


def compression_usd(moment: Moment, tariff: Tariff) -> float:
    """K: what a model-free compression costs now, in dollars: a new prefix written, and the re-reads to be expected.

    On a cold cache the next request is written whole in any case: what it has less to write pays for the re-reads.
    """
    if moment.warm or tariff.ttl_s is None:
        return _cost_at(moment.floor, moment, tariff)
    after = rereads_usd(moment.floor, tariff) + moment.extra_usd
    return max(0.0, after - (moment.prompt - moment.floor) * tariff.write)


def rent_usd(moment: Moment, tariff: Tariff) -> float:
    """What the excess over the floor costs with one more request."""
    return max(0, moment.prompt - moment.floor) * tariff.read


def due(moment: Moment, tariff: Tariff, rule: Rule) -> str | None:
    """Why the context is to be compressed now (a plain phrase for the log), or None."""
    if moment.prompt <= moment.floor:
        return None
    price = compression_usd(moment, tariff)
    if not moment.warm and tariff.ttl_s is not None:
        return "the cache has expired, so shortening is free" if rule.cold and not price and tariff.write else None
    share = moment.meter / (rule.alpha * price) if price else 0.0
    searching = bool(moment.tail) and moment.growth * tariff.read > 0 and SEARCH_FROM <= share < SEARCH_UNTIL
    if (searching and is_calm(moment, tariff)) or (not searching and share >= 1):
        return "the rent of the past has paid for it"
    return None


def is_calm(moment: Moment, tariff: Tariff) -> bool:
    """Whether no moment within the tail's length would be a cheaper one, if the session goes on at its mean growth.

    Costs are counted against those of the best steady cycle, so that moments of different cycles can be compared.
    """
    per_turn = moment.growth * tariff.read
    usual = round(len(moment.tail) * moment.growth)
    tail = float(sum(moment.tail))
    base = moment.floor - tail
    steady = REREAD_TOKENS * tariff.read + sqrt(2 * _cost_at(base + usual, moment, tariff) * per_turn)

    def from_here(tail: float) -> float:
        """Compressing at this tail, and the cycle after it until its rent per turn has risen to the steady cost."""
        turns = max(0.0, (steady - (tail - usual + REREAD_TOKENS) * tariff.read) / per_turn)
        return _cost_at(base + tail, moment, tariff) - per_turn * turns * turns / 2

    now, waited = from_here(tail), 0.0
    for ahead, leaving in enumerate(moment.tail):
        waited += (moment.prompt - base - usual + ahead * moment.growth) * tariff.read - steady
        tail += moment.growth - leaving
        if waited + from_here(tail) < now:
            return False
    return True


def _cost_at(floor: float, moment: Moment, tariff: Tariff) -> float:
    """A compression on a warm cache that leaves `floor` tokens."""
    return max(0.0, floor - moment.readable) * tariff.rewrite + rereads_usd(floor, tariff) + moment.extra_usd


def most_pings(tariff: Tariff) -> int:
    """Pings of one wait after which the cache is let go: by how much dearer writing a token is than reading it."""
    return int(PATIENCE * tariff.rewrite / tariff.read) if tariff.read else 0


def pays_to_ping(moment: Moment, pings: int, tariff: Tariff, rule: Rule) -> bool:
    """Whether one more ping (after `pings` since the last real request) is worth it, with the cache about to expire.

    A warm cache is worth what the next request would cost more without it: all of its prompt written, or a compression
    on the cold cache, whichever is cheaper. The nearer the next compression is anyway, the less it is worth.
    """
    if not rule.keep_alive or not moment.warm or tariff.ttl_s is None or pings >= most_pings(tariff):
        return False
    ping = moment.prompt * tariff.read
    due_anyway = min(moment.meter, compression_usd(moment, tariff))
    shortened = moment.floor * tariff.write + rereads_usd(moment.floor, tariff) - due_anyway
    expired = min(moment.prompt * tariff.write, shortened) if rule.cold else moment.prompt * tariff.write
    return 2 * ping <= expired  # The ping, and the next request that reads as much.


def break_even_turns(moment: Moment, tariff: Tariff) -> float | None:
    """After how many further turns a compression now has paid for itself; None: never, there is nothing to gain."""
    rent = rent_usd(moment, tariff)
    return compression_usd(moment, tariff) / rent if rent else None


def optimal_period(price_usd: float, growth: float, tariff: Tariff) -> float:
    """Turns between compressions of a session that grows by `growth` (above 0) tokens a turn: the order quantity."""
    return sqrt(2 * price_usd / (growth * tariff.read))
