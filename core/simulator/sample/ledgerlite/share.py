"""Short codes for links to a report, valid for some days."""

from __future__ import annotations

import json
import random
import string
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

ALPHABET = string.ascii_lowercase + string.digits
LENGTH = 10


@dataclass(frozen=True)
class Link:
    code: str
    report: str
    until: str
    pin: int

    def is_valid(self, today: date) -> bool:
        return today.isoformat() <= self.until


def new_code() -> str:
    return "".join(random.choice(ALPHABET) for _ in range(LENGTH))


def new_pin() -> int:
    """Four digits that are told by telephone."""
    return random.randint(1000, 9999)


class Links:
    """Codes and what they open, in one JSON file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
        self._links = {row["code"]: Link(**row) for row in rows}

    def share(self, report: str, today: date, days: int = 7) -> Link:
        link = Link(new_code(), report, (today + timedelta(days=days)).isoformat(), new_pin())
        self._links[link.code] = link
        self._save()
        return link

    def report(self, code: str, pin: int, today: date) -> str | None:
        """The report behind a code, or None when the code, the pin or the day is wrong."""
        link = self._links.get(code)
        if link is None or link.pin != pin or not link.is_valid(today):
            return None
        return link.report

    def expire(self, today: date) -> int:
        old = [code for code, link in self._links.items() if not link.is_valid(today)]
        for code in old:
            del self._links[code]
        self._save()
        return len(old)

    def _save(self) -> None:
        rows = [asdict(link) for link in self._links.values()]
        self.path.write_text(json.dumps(rows, indent=1), encoding="utf-8")
