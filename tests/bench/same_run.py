"""A small rehearsal of the reference session twice, mishaps and all: are the two the same in the compared form?

    .venv/bin/python tests/bench/same_run.py [--calls 120] [--lines 8000] [--supervised]

Ends with 1 where they are not, and prints the first rows that differ.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

import click

from core.journal.reader import Reader
from core.rehearsal.company import run_through
from core.rehearsal.compared import Row, compared
from core.rehearsal.stage import Wanted, prepare


def rehearsed(wanted: Wanted) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="same-") as scratch:
        place = Path(scratch)
        staged = asyncio.run(prepare(place / "home", place / "stage", wanted))
        used = run_through(place / "stage", lambda line: None)
        with Reader(staged.folder) as reader:
            events = reader.events()
        print(f"{len(events):,} events, {used['cpu_s']:.0f} s of CPU, {used['wall_s']:.0f} s", flush=True)
        return compared(events, staged.workspace)


@click.command()
@click.option("--calls", default=120)
@click.option("--lines", default=8_000)
@click.option("--supervised", is_flag=True)
def main(calls: int, lines: int, supervised: bool) -> None:
    hours = Wanted().hours * calls / Wanted().calls
    wanted = Wanted(calls=calls, lines=lines, hours=hours, known=8, aside=2, decoys=10, supervised=supervised)
    first, second = rehearsed(wanted), rehearsed(wanted)
    differing = [pair for pair in zip(first, second, strict=False) if pair[0] != pair[1]]
    for one, other in differing[:3]:
        print(f"- {str(one)[:1_000]}\n+ {str(other)[:1_000]}")
    print(f"{len(first):,} and {len(second):,} rows, {len(differing):,} differ")
    sys.exit(0 if first == second else 1)


if __name__ == "__main__":
    main()
