"""Text-free skeletons of real sessions, read as workloads: characters become tokens by a calibrated estimate."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

from core.economy.workload import SYSTEM_TOKENS, Turn, Workload, WorkloadError

PER_CALL, PER_RESULT, PER_CHAR_OUT, PER_CHAR_IN = 65, 65, 0.305, 0.347
"""tokens = 130 + 0.305 x characters written + 0.347 x characters read, the constant shared by call and result."""


def read_skeletons(path: Path, system: int = SYSTEM_TOKENS) -> Iterator[Workload]:
    """The sessions of a `sessions-*.jsonl.gz`, in order, those without a call left out. Raises WorkloadError."""
    for session, rows in groupby(_rows(path), key=lambda row: row["s"]):
        turns = tuple(_turns(list(rows)))
        if turns:
            yield Workload(f"{path.name.split('.')[0]}/{session}", turns, system)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    number = 1
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):  # noqa: B007 (the sentence on a broken line names it)
                row = json.loads(line)
                yield {"s": row["s"], "t": float(row["t"]), "k": row["k"], "m": row.get("m"), "b": _blocks(row)}
    except (OSError, EOFError) as error:
        raise WorkloadError(f"{path} can't be read ({error}); name a file of skeletons, gzipped JSON lines.") from None
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        raise WorkloadError(f"{path}, line {number}: this is not a row of a skeleton.") from None


def _blocks(row: dict[str, Any]) -> int:
    """Characters in a row. A summary that the original harness wrote is left out: here other policies decide."""
    if row.get("compact_summary"):
        return 0
    return sum(int(block[2] if block[0] == "tu" else block[1]) for block in row.get("b", ()))


def _turns(rows: list[dict[str, Any]]) -> Iterator[Turn]:
    """One turn a message number. A request starts when the last thing that it answers had come in."""
    written: dict[int, int] = {}
    read: dict[int, int] = {}
    starts: dict[int, float] = {}
    message, arrived = None, None
    for row in rows:
        if row["k"] == "assistant":
            message = row["m"]
            starts.setdefault(message, row["t"] if arrived is None else arrived)
            written[message] = written.get(message, 0) + row["b"]
        elif row["k"] == "user":
            arrived = row["t"]
            if message is not None:
                read[message] = read.get(message, 0) + row["b"]
    times = list(starts.values())
    gaps = [max(0.0, after - before) for before, after in pairwise(times)]
    for number, gap in zip(starts, [*gaps, 0.0], strict=False):
        yield Turn(
            round(PER_CALL + PER_CHAR_OUT * written[number]), round(PER_RESULT + PER_CHAR_IN * read.get(number, 0)), gap
        )
