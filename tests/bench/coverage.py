"""How many calls of real sessions have all their names still in sight, by what is kept of the past.

    .venv/bin/python -P tests/bench/coverage.py [--data FOLDER] [--keep 10] [--period 28]

The data are numbers that stand for names (`entities-dev.jsonl.gz`; FOLDER/README.md defines them and the measure). A
compression comes before every `period`-th call and leaves the last `keep` calls, the names of the goal, and an index
within a budget. A listed name costs its mean length / 3.3 + 1 tokens; ours pays for its handles too, once for the names
of one place, the rivals have none. Deterministic.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from core.request.names import NameIndex

SHORTEST = 60
"""Calls of a session that is counted."""
CHARS_PER_TOKEN = 3.3
LENGTHS = (58, 16, 12, 5.5)
"""Mean characters of a path, an identifier, a hash and a number: the kinds of an id by its remainder."""
WEIGHTS = (1.0, 1.0, 0.25, 0.1)

Rows = list[dict[str, Any]]
Chooser = Callable[["Past", int, float], Collection[int]]


def tokens(name: int) -> float:
    return LENGTHS[name % 4] / CHARS_PER_TOKEN + 1


class Past:
    """What a session has shown so far: of each name the call of its last sight and of its last use, and the index."""

    def __init__(self, pinned: Collection[int]) -> None:
        self.pinned = frozenset(pinned)
        self.said: set[int] = set()
        self.seen: dict[int, int] = {}
        self.used: dict[int, int] = {}
        self.times: dict[int, int] = {}
        self.index: NameIndex[int] = NameIndex(tokens, lambda name: WEIGHTS[name % 4])

    def show(self, names: list[int], said: int, call: int) -> None:
        """Names in a result and, the first `said` of them, in what somebody said."""
        self.said.update(names[:said])
        self.seen.update(dict.fromkeys(names, call))
        self.index.seen(names, call)

    def use(self, names: Iterable[int], call: int) -> None:
        for name in names:
            self.seen[name] = self.used[name] = call
            self.times[name] = self.times.get(name, 0) + 1
        self.index.used(names, call)


@dataclass(slots=True)
class Score:
    calls: int = 0
    covered: int = 0
    names: int = 0
    visible: int = 0

    def count(self, known: list[int], in_sight: Callable[[int], bool]) -> None:
        """A call that uses these names of the past."""
        if known:
            visible = sum(map(in_sight, known))
            self.calls += 1
            self.covered += visible == len(known)
            self.names += len(known)
            self.visible += visible

    def __str__(self) -> str:
        return f"{100 * self.covered / self.calls:7.2f} {100 * self.visible / self.names:7.2f}"


def measure(
    sessions: Iterable[Rows], keep: int, period: int, choose: Chooser | None = None, budget: float = 0.0
) -> Score:
    """Coverage over all sessions; `choose` picks the names of the index out of those before the kept calls."""
    score = Score()
    for rows in sessions:
        past, start = Past(rows[0].get("pin", ())), -1
        pinned, listed = past.pinned, frozenset[int]()
        for call, row in enumerate(rows):
            past.show(row["see"], row["said"], call - 1)
            if call and (call + 1) % period == 0:
                start = max(start, call - keep)
                listed = frozenset(choose(past, start, budget)) if choose else listed
            known = [name for name in row["use"] if name in past.seen or name in pinned]
            score.count(known, lambda name: name in pinned or past.seen[name] >= start or name in listed)  # noqa: B023
            past.use(row["use"], call)
    return score


def ours(past: Past, start: int, budget: float) -> Collection[int]:
    chosen = past.index.best(budget, start, past.pinned)
    return [name for names in chosen.values() for name in names]


def _filled(ranked: Iterable[int], budget: float) -> Collection[int]:
    """The first names that fit, without handles."""
    chosen = []
    for name in ranked:
        if (cost := tokens(name)) <= budget:
            budget -= cost
            chosen.append(name)
    return chosen


def latest_used(past: Past, start: int, budget: float) -> Collection[int]:
    return _filled(sorted(past.used, key=lambda name: -past.used[name]), budget)


def latest_first(past: Past, start: int, budget: float) -> Collection[int]:
    """Those used or said first, then those only read; what the kept calls show is left out."""
    old = [name for name, call in past.seen.items() if call < start and name not in past.pinned]
    return _filled(
        sorted(old, key=lambda name: (name not in past.used and name not in past.said, -past.seen[name])), budget
    )


def most_frequent(past: Past, start: int, budget: float) -> Collection[int]:
    return _filled(sorted(past.seen, key=lambda name: -past.times.get(name, 0)), budget)


def read_sessions(folder: Path) -> list[Rows]:
    """The sessions that are long enough, each as its rows in order."""
    by_session: dict[int, Rows] = {}
    with gzip.open(folder / "entities-dev.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            by_session.setdefault(row["s"], []).append(row)
    return [rows for rows in by_session.values() if len(rows) >= SHORTEST]


def table(sessions: list[Rows], keep: int, period: int) -> list[tuple[str, Score]]:
    """The rows of the table: what is kept of the past, and its coverage."""
    rows: list[tuple[str, Score]] = [
        ("everything (append-only)", measure(sessions, 0, 10**9)),
        ("the last 100 calls, every call", measure(sessions, 100, 1)),
        ("25 calls, every 35, no index", measure(sessions, 25, 35)),
        (f"{keep} calls, every {period}, no index", measure(sessions, keep, period)),
    ]
    rivals: dict[str, Chooser] = {
        "used only, latest": latest_used,
        "most used": most_frequent,
        "used or said, then read, latest": latest_first,
    }
    for budget in (3_000, 6_000):
        rows += [
            (f"  {name}, {budget:,} tokens", measure(sessions, keep, period, choose, budget))
            for name, choose in rivals.items()
        ]
    rows += [
        (f"  ours, {budget:,} tokens", measure(sessions, keep, period, ours, budget))
        for budget in (3_000, 4_000, 5_000, 6_000, 8_000)
    ]
    other = [each for each in (28, 30, 32) if each != period]
    rows += [(f"{keep} calls, every {each}, ours, 6,000", measure(sessions, keep, each, ours, 6_000)) for each in other]
    return [*rows, ("25 calls, every 35, ours, 3,000 tokens", measure(sessions, 25, 35, ours, 3_000))]


@click.command()
@click.option("--data", envvar="LONGWATCH_DATA", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--keep", default=10, show_default=True)
@click.option("--period", default=28, show_default=True)
def main(data: Path, keep: int, period: int) -> None:
    """Print the table for the sessions in DATA (or LONGWATCH_DATA)."""
    rows = table(read_sessions(data), keep, period)
    click.echo(f"{rows[0][1].calls:,} calls that use a name seen before; % with all in sight, % of names in sight\n")
    for name, score in rows:
        click.echo(f"{name:<44} {score}")


if __name__ == "__main__":
    main()
