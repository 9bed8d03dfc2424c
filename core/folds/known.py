"""What was met before, by eight bytes each: a hundred thousand texts in a megabyte, packed in no time.

Two texts with one fingerprint are as likely as a disk that errs unnoticed; where that would matter, the caller compares
what it finds.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

import msgspec

FRESH: Final = 1_024
"""Entries that are kept apart before they are put in order."""
FEW: Final = 256
"""The same where they are stored as text every so often."""


class Met(msgspec.Struct):
    """The set of the texts that were met, of plain parts: it may be stored as text."""

    fresh: set[int] = set()
    runs: list[bytes] = []
    """Fingerprints in order, as this machine writes them; each run is at least twice as long as the next one."""

    def add(self, text: str) -> bool:
        """Note a text; whether it is new."""
        print_ = fingerprint(text)
        if print_ in self.fresh or any(_holds(memoryview(run).cast("Q"), print_) for run in self.runs):
            return False
        self.fresh.add(print_)
        if len(self.fresh) >= FEW:
            self._settle()
        return True

    def clear(self) -> None:
        """Nothing was met."""
        self.fresh, self.runs = set(), []

    def _settle(self) -> None:
        prints, self.fresh = array("Q", self.fresh), set()
        while self.runs and len(self.runs[-1]) < 2 * len(prints) * prints.itemsize:
            prints.frombytes(self.runs.pop())
        self.runs.append(array("Q", sorted(prints)).tobytes())


def _holds(prints: Sequence[int], print_: int) -> bool:
    place = bisect_left(prints, print_)
    return place < len(prints) and prints[place] == print_


class Known:
    """A number for each text that was met."""

    def __init__(self) -> None:
        self._fresh: dict[int, int] = {}
        self._runs: list[tuple[array[int], array[int]]] = []
        """Fingerprints in order, and their numbers; each run is at least twice as long as the next one."""

    def get(self, text: str) -> int | None:
        """Its number, None where it was never met."""
        return self._get(fingerprint(text))

    def put(self, text: str, number: int) -> None:
        """From now on that is its number."""
        self._put(fingerprint(text), number)

    def setdefault(self, text: str, number: int) -> int:
        """Its number, which from now on is `number` where it had none."""
        print_ = fingerprint(text)
        found = self._get(print_)
        if found is not None:
            return found
        self._put(print_, number)
        return number

    def _put(self, print_: int, number: int) -> None:
        self._fresh[print_] = number
        if len(self._fresh) >= FRESH:
            self._settle()

    def _get(self, print_: int) -> int | None:
        found = self._fresh.get(print_)
        if found is not None:
            return found
        for prints, numbers in reversed(self._runs):  # The latest number first.
            place = bisect_left(prints, print_)
            if place < len(prints) and prints[place] == print_:
                return numbers[place]
        return None

    def _settle(self) -> None:
        latest, self._fresh = self._fresh, {}
        while self._runs and len(self._runs[-1][0]) < 2 * len(latest):
            latest = {**dict(zip(*self._runs.pop(), strict=True)), **latest}
        prints = sorted(latest)
        self._runs.append((array("Q", prints), array("I", [latest[print_] for print_ in prints])))


def fingerprint(text: str) -> int:
    """Eight bytes that stand for a text, lone surrogates and all."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
