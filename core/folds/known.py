"""What was met before, by eight bytes each: a set of a hundred thousand texts in a megabyte, packed in no time.

Two texts with one fingerprint are as likely as a disk that errs unnoticed; where that would matter, the caller compares
what it finds.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from hashlib import blake2b
from typing import Final

FRESH: Final = 1_024
"""Entries that are kept apart before they are put in order."""


class Known:
    """A number for each text that was met: append-only, the first number of a text stays."""

    def __init__(self) -> None:
        self._fresh: dict[int, int] = {}
        self._runs: list[tuple[array[int], array[int]]] = []
        """Fingerprints in order, and their numbers; each run is at least twice as long as the next one."""

    def get(self, text: str) -> int | None:
        """Its number, None where it was never met."""
        return self._get(fingerprint(text))

    def setdefault(self, text: str, number: int) -> int:
        """Its number, which from now on is `number` where it had none."""
        print_ = fingerprint(text)
        found = self._get(print_)
        if found is not None:
            return found
        self._fresh[print_] = number
        if len(self._fresh) >= FRESH:
            self._settle()
        return number

    def _get(self, print_: int) -> int | None:
        found = self._fresh.get(print_)
        if found is not None:
            return found
        for prints, numbers in self._runs:
            place = bisect_left(prints, print_)
            if place < len(prints) and prints[place] == print_:
                return numbers[place]
        return None

    def _settle(self) -> None:
        pairs, self._fresh = list(self._fresh.items()), {}
        while self._runs and len(self._runs[-1][0]) < 2 * len(pairs):
            pairs += zip(*self._runs.pop(), strict=True)
        pairs.sort()
        self._runs.append((array("Q", [print_ for print_, _ in pairs]), array("I", [number for _, number in pairs])))


def fingerprint(text: str) -> int:
    """Eight bytes that stand for a text, lone surrogates and all."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
