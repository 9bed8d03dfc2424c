"""One process of a rehearsal: plays the session in the folder that is named until it ends, or until it is killed.

    python -P -m core.rehearsal PLACE

It is started again after a kill, by whoever began the rehearsal, and goes on from where the log stands.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from core.rehearsal.stage import play, staged_at


class _Told:
    """Says how far it is, a line for each twentieth of the calls."""

    def __init__(self, calls: int) -> None:
        self._every = max(1, calls // 20)
        self._next = 0

    def observe(self, hours: float, calls: int) -> None:
        if calls >= self._next:
            print(f"hour {hours:4.1f}: {calls:,} calls", flush=True)
            self._next = calls - calls % self._every + self._every


def main(place: Path) -> int:
    staged = staged_at(place)
    return asyncio.run(play(staged, _Told(staged.wanted.calls).observe))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
