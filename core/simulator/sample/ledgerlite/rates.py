"""Exchange rates, kept on disk so that a report does not ask for the same day twice."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import date
from pathlib import Path

Fetch = Callable[[str, str, date], float]
Key = tuple[str, str, str]


class RateCache:
    """Rates by (from, to, day). A cache file that can't be read is started anew."""

    def __init__(self, path: Path, fetch: Fetch) -> None:
        self.path = path
        self._fetch = fetch
        self._rates: dict[Key, float] = self._load()

    def _load(self) -> dict[Key, float]:
        if not self.path.exists():
            return {}
        with open(self.path, "rb") as file:
            try:
                return pickle.load(file)
            except (pickle.UnpicklingError, EOFError):
                return {}

    def save(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "wb") as file:
            pickle.dump(self._rates, file)

    def rate(self, source: str, target: str, day: date) -> float:
        if source == target:
            return 1.0
        key = (source, target, day.isoformat())
        if key not in self._rates:
            self._rates[key] = self._fetch(source, target, day)
            self.save()
        return self._rates[key]

    def convert(self, cents: int, source: str, target: str, day: date) -> int:
        return round(cents * self.rate(source, target, day))

    def forget_before(self, day: date) -> int:
        """Drop old rates; returns how many."""
        old = [key for key in self._rates if key[2] < day.isoformat()]
        for key in old:
            del self._rates[key]
        if old:
            self.save()
        return len(old)
