"""Malformed configuration, imports, streams and tool arguments: how many were refused with a sentence, how many broke.

    .venv/bin/python -P tests/bench/malformed_inputs.py --count 250000 --seed 0 --results FILE

Runs with other seeds add to the same results file. Ends with 1 when an input raised what it may not; its seed is named.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS.parent), str(TESTS), str(TESTS / "core"), str(TESTS / "bench")]

import results  # noqa: E402
from malformed import Targets, folder  # noqa: E402
from test_malformed_input import KINDS, good_export  # noqa: E402


def run(kind: str, targets: Targets, first: int, count: int) -> dict[str, object]:
    """So many inputs of one kind; a row of the table."""
    taken, broken = 0, []
    for seed in range(first, first + count):
        try:
            taken += targets.all()[kind](random.Random(seed))
        except Exception as error:
            broken.append(f"{seed} ({type(error).__name__}: {str(error)[:120]})")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    for line in broken[:5]:
        print(f"{kind}: seed {line}", file=sys.stderr)
    refused = count - taken - len(broken)
    counts = {"inputs": count, "taken": taken, "refused": refused, "broken": len(broken), "peak MB": peak}
    return {"kind": kind, **counts}


def main() -> int:
    """Run them and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2_000, help="inputs of each kind")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--results", type=Path, help="a file to add the rows to")
    arguments = parser.parse_args()
    with folder() as name:
        targets = Targets(Path(name), asyncio.run(good_export(Path(name))))
        rows = [run(kind, targets, arguments.seed, arguments.count) for kind in KINDS]
    results.add(arguments.results, rows)
    print(results.table(rows))
    return int(any(row["broken"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
