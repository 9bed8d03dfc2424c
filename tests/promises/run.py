"""Try promises by shard, add the counts to the results file, and print the table of all that was ever tried.

.venv/bin/python -P tests/promises/run.py try P1 P3 --hours 2
.venv/bin/python -P tests/promises/run.py try P1 --shards 1 --size 40
.venv/bin/python -P tests/promises/run.py reach P4 P12 --until 18:30
.venv/bin/python -P tests/promises/run.py left
.venv/bin/python -P tests/promises/run.py table
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent.parent), str(HERE.parent), str(HERE.parent / "tui"), str(HERE)]

from promise import Promise, add, left, missing, results_file, rows, table  # noqa: E402

MODULES = {
    "P1": "p01_kills",
    "P2": "p02_power",
    "P3": "p03_hooks",
    "P4": "p04_histories",
    "P5": "p05_damage",
    "P6": "p06_terminals",
    "P7": "p07_disk",
    "P8": "p08_writers",
    "P9": "p09_hostile",
    "P10": "p10_escapes",
    "P11": "p11_secrets",
    "P12": "p12_inputs",
    "P13": "p13_soak",
    "P14": "p14_tools",
    "P15": "p15_wire",
}


def load(name: str) -> Promise:
    """The promise with that name; its module is imported only now, for some import half the product."""
    promise: Promise = importlib.import_module(MODULES[name]).PROMISE
    return promise


@click.group()
@click.option("--results", type=click.Path(path_type=Path), help="The file to which the counts are added.")
@click.pass_context
def main(ctx: click.Context, results: Path | None) -> None:
    """What is promised, and how it is tried."""
    ctx.obj = results or results_file()


@main.command("try")
@click.argument("names", nargs=-1, required=True, type=click.Choice(list(MODULES)))
@click.option("--hours", type=float, help="Go on with shard after shard for so long.")
@click.option("--shards", default=1, show_default=True, help="So many shards, where no hours are given.")
@click.option("--size", type=click.IntRange(1), help="How many a shard tries.")
@click.option("--quick", is_flag=True, help="As few as every run of the tests tries.")
@click.option("--control", is_flag=True, help="The negative control in place of the promise.")
@click.option("--seed", type=int, help="Begin with this seed; else with the first that was not tried yet.")
@click.pass_obj
def try_(
    file: Path,
    names: tuple[str, ...],
    hours: float | None,
    shards: int,
    size: int | None,
    quick: bool,
    control: bool,
    seed: int | None,
) -> None:
    """Try some promises; exits with 1 when one was broken, or a control was not caught."""
    end, wrong, done = time.monotonic() + (hours or 0) * 3600, False, 0
    while done < shards if hours is None else time.monotonic() < end:
        for name in names:
            promise = load(name)
            number = _next_seed(file, name, control) if seed is None else seed + done
            row = _tried(file, promise, size or _size(promise, quick, control), number, control)
            wrong |= (row["broken"] == 0) if control else (row["broken"] > 0)
        done += 1
    sys.exit(wrong)


@main.command()
@click.argument("names", nargs=-1, required=True, type=click.Choice(list(MODULES)))
@click.option("--until", type=click.DateTime(["%H:%M"]), help="No shard begins after that time, today or tomorrow.")
@click.pass_obj
def reach(file: Path, names: tuple[str, ...], until: datetime | None) -> None:
    """Try one promise after the other, in whole shards, until each has reached its full size, whatever breaks."""
    end = _next(until) if until else datetime.max
    for promise in map(load, names):
        while missing(promise, rows(file)) and datetime.now() < end:
            _tried(file, promise, promise.shard, _next_seed(file, promise.id, False))


def _next(time_of_day: datetime) -> datetime:
    now = datetime.now()
    end = now.replace(hour=time_of_day.hour, minute=time_of_day.minute, second=0)
    return end if end > now else end + timedelta(days=1)


def _tried(file: Path, promise: Promise, count: int, seed: int, control: bool = False) -> dict[str, Any]:
    row = promise.run(count, seed, control=control)
    add(file, row)
    print(json.dumps(row), flush=True)
    return row


def _size(promise: Promise, quick: bool, control: bool) -> int:
    if control:
        return promise.quick_control
    return promise.quick if quick else promise.shard


def _next_seed(file: Path, name: str, control: bool) -> int:
    tried = [row["seed"] for row in rows(file) if row["promise"] == name and row["control"] == control]
    return max(tried, default=0) + 1


@main.command("table")
@click.pass_obj
def table_(file: Path) -> None:
    """Print the table of the README from the counts in the results file."""
    print(table(map(load, MODULES), rows(file)))


@main.command("left")
@click.pass_obj
def left_(file: Path) -> None:
    """Print how many are left to try of each, and how long that takes."""
    print(left(map(load, MODULES), rows(file)))


if __name__ == "__main__":
    main()
