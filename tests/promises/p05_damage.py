"""P5: what is damaged in a journal is named, and what was whole before the damage opens."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from damage import Damage, Outcome, content, outcomes, write
from promise import Count, Promise


def trial(count: int, seed: int) -> Count:
    found = Count()
    for kind, one in _judged(count, seed):
        problems = []
        if one.changed and not one.named:
            problems.append(f"{kind}: nobody says that it is damaged")
        if not one.true:
            problems.append(f"{kind}: the rescued journal holds what never was")
        if not one.prefix:
            problems.append(f"{kind}: the rescued journal lacks what came before the damage")
        found.note(problems)
        found.see("with content changed", one.changed)
    return found


def control(count: int, seed: int) -> Count:
    found = Count()
    for kind, one in _judged(count, seed):
        if one.changed:
            found.note([] if one.by_sqlite else [f"{kind}: SQLite says ok"])
    return found


def _judged(count: int, seed: int) -> list[tuple[str, Outcome]]:
    with tempfile.TemporaryDirectory(prefix="damage-") as scratch:
        place = Path(scratch)
        asyncio.run(write(place / "s"))
        asyncio.run(write(place / "other", 55))
        (place / "copy").mkdir()
        whole = content(place / "s")
        found = outcomes(Damage(place / "s", place / "other", seed), place / "copy" / "s", whole, count)
    return [(kind, one) for kind, judged in found.items() for one in judged]


PROMISE = Promise(
    id="P5",
    says="All damage to a journal's content is named, and a rescue holds every whole event before it and nothing else",
    unit="damaged copies",
    aim=2_000,
    shard=400,
    quick=24,
    trial=trial,
    control=control,
    control_says="SQLite's own `integrity_check`",
    quick_control=40,
)
