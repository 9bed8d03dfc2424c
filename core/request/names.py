"""Which names a digest should list: those most likely to be needed again, for the tokens that they take.

Names (paths, identifiers, hashes, numbers) are cheap to carry and make everything else reachable: what is known by name
can be recalled. The choice is measured by tests/bench/coverage.py: the share of a session's calls whose names are all
still in sight. On real sessions the odds that a name is used again grow with the times it was used, are several times
higher if it was used at all than if it was only read, and fall with a power of its age.
"""

from __future__ import annotations

import heapq
import math
import re
import sys
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from typing import Generic, TypeVar

from core.request.pieces import BYTES_PER_TOKEN

HANDLE_TOKENS = 2.5
"""What the handle costs under which names are listed, its separators included: `#12345: ` and the end of the line."""
LONGEST_NAME = 200
"""Characters from which on a name is noise (or hostile) and is not kept."""
MOST_NAMES = 24_000
"""Names of one session that are kept; beyond it the oldest go that no call ever used."""
USED = 5.0
"""How much likelier a name is used again that was used, next to one that was only read."""
AGING = 0.4
"""The power of its age, in calls, with which the odds of a name fall; 0.3 is as good, 0.5 covers 0.1 % fewer calls."""
KINDS = (1.0, 1.6, 0.4, 0.1)
"""How likely a name is needed again if it is a path, an identifier, a hash, a number. Logistic odds over the 411,000
names that were out of sight at a compression of a real session: 1, 1.4, 0.4 and 0.1."""

_NAME = re.compile(r"(?<![\w.\-])(?:[\w.\-]++/)+[\w.\-]++|[A-Za-z_][A-Za-z0-9_]{8,}+|\b[0-9a-f]{7,40}\b|\b\d{4,}\b")
_USED_FIRST = 1 << 40
"""More than the number of any call."""
_HEX = frozenset("0123456789abcdef")
"""What hashes and numbers begin with."""
_IS_HASH = re.compile(r"(?=.*\d)[0-9a-f]{7,40}")

N = TypeVar("N", bound=Hashable)


class _Known:
    """`weight`: the odds of its kind; `uses`: times used, weighed; `call`: number of its last call."""

    __slots__ = ("call", "place", "tokens", "uses", "weight")

    def __init__(self, tokens: float, weight: float) -> None:
        self.tokens = tokens
        self.weight = weight
        self.uses = 1.0
        self.call = self.place = 0

    @property
    def worth(self) -> float:
        """The odds for what it costs."""
        return self.weight / (self.tokens + HANDLE_TOKENS)

    @property
    def standing(self) -> int:
        """The higher, the longer it is kept. Of most names a number that is there anyway."""
        return self.call if self.uses == 1 else self.call + _USED_FIRST


class NameIndex(Generic[N]):
    """Names in the order of a session, and the best of them for a budget. A mention costs the same at any length.

    `tokens` says what listing a name costs, `weight` how likely names of its kind are needed. A `place` is a number
    that never falls (the seq of an event): where the name was mentioned, and the handle under which it is listed.
    """

    def __init__(self, tokens: Callable[[N], float], weight: Callable[[N], float]) -> None:
        self._tokens = tokens
        self._weight = weight
        self._known: dict[N, _Known] = {}
        self._alike: dict[float, float] = {}
        """What names cost: few numbers, each kept once."""
        self._calls = 0

    def __len__(self) -> int:
        return len(self._known)

    def __iter__(self) -> Iterator[N]:
        return iter(self._known)

    def __contains__(self, name: object) -> bool:
        return name in self._known

    @property
    def tokens(self) -> float:
        """What all of them would take, each with a handle of its own: no index is longer."""
        return sum(known.tokens for known in self._known.values()) + HANDLE_TOKENS * len(self)

    def used(self, names: Iterable[N], place: int) -> None:
        """One call, and the names in its arguments."""
        self._calls += 1
        self._mention(names, place)
        for name in names:
            known = self._known[name]
            known.uses += USED if known.uses > 1 else 2 * USED - 1

    def seen(self, names: Iterable[N], place: int) -> None:
        """Names in a result, or in what somebody said."""
        self._mention(names, place)
        if len(self._known) > MOST_NAMES:
            self._thin()

    def best(self, budget: float, keep_from: int | None = None, without: Collection[N] = ()) -> dict[int, list[N]]:
        """Names to list by the place of their last mention, the latest place first, within `budget` tokens.

        Left out are those `without`, and those mentioned at `keep_from` or later, which are in sight anyway.
        """
        found = self._likeliest(int(budget / 2) + 1, keep_from, without)
        at_place: dict[int, list[tuple[float, int, N]]] = {}
        for order, (odds, name) in enumerate(found):
            at_place.setdefault(self._known[name].place, []).append((odds, order, name))
        heap = [(-odds / self._cost(name, False), order, name) for order, (odds, name) in enumerate(found)]
        heapq.heapify(heap)
        chosen: dict[int, list[N]] = {}
        listed: set[N] = set()
        while heap and budget > 1:
            name = heapq.heappop(heap)[2]
            place = self._known[name].place
            cost = self._cost(name, place in chosen)
            if name in listed or cost > budget:
                continue
            budget -= cost
            listed.add(name)
            if place not in chosen:  # Its handle is paid for: the other names of this place are cheaper now.
                chosen[place] = []
                for odds, order, other in at_place[place]:
                    heapq.heappush(heap, (-odds / self._cost(other, True), order, other))
            chosen[place].append(name)
        return {place: chosen[place] for place in sorted(chosen, reverse=True)}

    def _likeliest(self, most: int, keep_from: int | None, without: Collection[N]) -> list[tuple[float, N]]:
        """(odds, name) of the `most` names with the best odds for what they cost."""
        end = math.inf if keep_from is None else keep_from
        left_out, now = frozenset(without), self._calls
        ranked = (
            (known.uses * (now - known.call + 1) ** -AGING * known.worth, order, name)
            for order, (name, known) in enumerate(self._known.items())
            if known.place < end and name not in left_out
        )
        # A sort of all would keep every other thread waiting, and take memory that a long session never gives back.
        best = heapq.nlargest(most, ranked)
        return [(odds * (self._known[name].tokens + HANDLE_TOKENS), name) for odds, _, name in best]

    def _mention(self, names: Iterable[N], place: int) -> None:
        find, calls = self._known.get, self._calls
        for name in names:
            known = find(name)
            if known is None:
                tokens = self._tokens(name)
                known = self._known[name] = _Known(self._alike.setdefault(tokens, tokens), self._weight(name))
            known.call, known.place = calls, place

    def _cost(self, name: N, handle_paid: bool) -> float:
        return self._known[name].tokens + (0.0 if handle_paid else HANDLE_TOKENS)

    def _thin(self) -> None:
        """Forget half of the names, first the oldest that were only read."""
        standings = sorted((known.standing for known in self._known.values()), reverse=True)[: MOST_NAMES // 2]
        least, room = standings[-1], standings.count(standings[-1])
        kept = {}
        for name, known in self._known.items():
            if (standing := known.standing) > least or (standing == least and room):
                kept[name] = known
                room -= standing == least
        self._known = kept


def names_in(text: str, most: int = 400) -> tuple[str, ...]:
    """The distinct names in a text in order of appearance: paths, long identifiers, hashes, numbers. Linear in it."""
    found: dict[str, None] = {}
    for match in _NAME.finditer(text):
        if len(name := match[0].rstrip(".")) <= LONGEST_NAME:
            found[sys.intern(name)] = None
            if len(found) == most:
                break
    return tuple(found)


def name_tokens(name: str) -> float:
    """What listing a name costs, its separator included, by the estimate for all that is not counted yet."""
    return (len(name.encode()) + 2) / BYTES_PER_TOKEN


def name_weight(name: str) -> float:
    """How likely names of this kind are needed again."""
    path, identifier, hash, number = KINDS
    if "/" in name:
        return path
    if name[0] not in _HEX:
        return identifier
    if name.isdecimal():
        return number
    return hash if _IS_HASH.fullmatch(name) else identifier


def name_lines(listed: dict[int, list[str]]) -> list[str]:
    """The index as it stands in a digest: `#214: parse_config, core/config.py`."""
    return [f"#{place}: {', '.join(names)}" for place, names in listed.items()]


def listed_in(text: str) -> set[str]:
    """The names that index lines in a text list."""
    lines = (line.partition(": ") for line in text.splitlines())
    return {name for head, _, rest in lines if re.fullmatch(r"#\d+", head) for name in rest.split(", ") if name}
