"""Damaged journals: copies of a session, each damaged in one way, examined and rescued.

`changed`: a reader gets something else than was written, or nothing. `unnamed`: of these, what the doctor missed.
`untrue`: rescued journals that hold anything but whole events from the first on; `short`: that hold less than the
events before the damage. The last column is the negative control: what SQLite's own check misses, without the chain.

.venv/bin/python -P tests/bench/damaged_databases.py --count 2000 --seed 1 --results damaged_databases.jsonl
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(Path(__file__).parent)]

import results  # noqa: E402
from damage import Damage, Outcome, content, outcomes, write  # noqa: E402


def row(kind: str, judged: list[Outcome], events: int) -> dict[str, Any]:
    rescued = [one.kept for one in judged if one.kept is not None]
    return {
        "damage": kind,
        "copies": len(judged),
        "changed": sum(one.changed for one in judged),
        "unnamed": sum(one.changed and not one.named for one in judged),
        "untrue": sum(not one.true for one in judged),
        "short": sum(not one.prefix for one in judged),
        "nothing left": sum(one.kept is None for one in judged),
        "events kept": f"{sum(rescued) / (events * len(judged)):.1%}",
        "SQLite alone misses": sum(one.changed and not one.by_sqlite for one in judged),
    }


@click.command()
@click.option("--count", type=click.IntRange(1), default=200, show_default=True, help="Damaged copies in all.")
@click.option("--seed", default=1, show_default=True, help="Another one gives other damage: one for each shard.")
@click.option("--results", "file", type=click.Path(path_type=Path), help="Add the counts to this file.")
def main(count: int, seed: int, file: Path | None) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        asyncio.run(write(place / "s"))
        asyncio.run(write(place / "other", 55))
        whole = content(place / "s")
        (place / "copy").mkdir()
        found = outcomes(Damage(place / "s", place / "other", seed), place / "copy" / "s", whole, count)
    events = len(whole.events)
    rows = [row(kind, judged, events) for kind, judged in found.items() if judged]
    every = row("all", [one for judged in found.values() for one in judged], events)
    results.add(file, [{"test": "damaged databases", "seed": seed, **every}])
    print(results.table([*rows, every]))
    sys.exit(bool(every["unnamed"] or every["untrue"] or every["short"] or not every["SQLite alone misses"]))


if __name__ == "__main__":
    main()
