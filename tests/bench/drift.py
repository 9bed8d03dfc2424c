"""How soon drift is found, and how often it is seen where there is none: the calls of one session spliced into another.

Names are numbers here (a folder with sessions-dev.jsonl.gz and entities-dev.jsonl.gz, named by --data or
LONGWATCH_DATA). One half of the sessions is for fitting weights and threshold, the other for the report. A splice
begins `WARM_UP` calls or more after the user's last words, at a random call of a random other session.

.venv/bin/python -P tests/bench/drift.py report --data FOLDER
.venv/bin/python -P tests/bench/drift.py fit --data FOLDER      (prints what belongs into core/folds/guards/drift.py)
"""

from __future__ import annotations

import gzip
import json
import math
import random
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).parent))

from traces import real_traces

from core.folds.guards import drift
from core.folds.guards.drift import RISING, SIGNALS, THRESHOLD, WARM_UP, Called, DriftMeter

WITHIN = 20
"""Calls in which drift has to be found."""
SPLICES = 400
FALSELY = (0.02, 0.05, 0.1, 0.15, 0.2)
L2, ROUNDS = 3e-3, 6
SIGNS = [1.0 if name in RISING else -1.0 for name in SIGNALS for _ in range(2)]
"""A weight of the other sign would make what is said of it a lie."""


@dataclass
class Session:
    """Its calls, and before which of them the user spoke, with the names in their words."""

    number: int
    calls: list[Called[int]] = field(default_factory=list)
    words: dict[int, list[int]] = field(default_factory=dict)

    def spliced(self, at: int, other: Session, start: int) -> Session:
        words = {place: names for place, names in self.words.items() if place < at}
        return Session(-1, [*self.calls[:at], *other.calls[start : start + WITHIN]], words)


def sessions_of(data: Path) -> list[Session]:
    spoken = {int(trace.name.split()[1]): trace.words | trace.cuts for trace in real_traces(data)}
    found: defaultdict[int, Session] = defaultdict(lambda: Session(0))
    with gzip.open(data / "entities-dev.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            one = found[row["s"]]
            one.number = row["s"]
            said, shown = row["see"][: row["said"]], row["see"][row["said"] :]
            place = len(one.calls)
            if place in spoken[row["s"]] or row.get("pin"):
                one.words[place] = [*row.get("pin", []), *(said if place in spoken[row["s"]] else [])]
            one.calls.append(Called(row["tool"], row["use"], said, shown))
    return [found[number] for number in sorted(found)]


def halves(sessions: list[Session], swapped: bool) -> tuple[list[Session], list[Session]]:
    first = [one for one in sessions if one.number // 2 % 2 == swapped]
    return first, [one for one in sessions if one not in first]


def splices(pool: list[Session], count: int, dice: random.Random) -> Iterator[tuple[Session, Session, int]]:
    """(the session that it began as, the spliced one, the call at which the other begins)."""
    long = [one for one in pool if len(one.calls) >= WITHIN + 10]
    while count:
        one, other = dice.sample(long, 2)
        at = dice.randrange(WITHIN, len(one.calls) + 1)
        if at - max((place for place in one.words if place < at), default=0) < WARM_UP:
            continue
        yield one, one.spliced(at, other, dice.randrange(len(other.calls) - WITHIN + 1)), at
        count -= 1


def sums(session: Session) -> list[float]:
    """The sum after each call."""
    meter: DriftMeter[int] = DriftMeter()
    found = []
    for place, call in enumerate(session.calls):
        if place in session.words:
            meter.told(session.words[place])
        found.append(meter.observe(call).score)
    return found


def rows(session: Session) -> Iterator[tuple[int, list[float]]]:
    """(calls since the user's words, the values of all signals) of each call."""
    meter: DriftMeter[int] = DriftMeter()
    since = 0
    for place, call in enumerate(session.calls):
        if place in session.words:
            meter.told(session.words[place])
            since = 0
        since += 1
        yield since, [value for pair in meter.values(call) for value in pair]


def fitted(pool: list[Session], dice: random.Random) -> tuple[dict[str, tuple[float, float]], float]:
    """Weights and bias by logistic regression, both classes weighed alike."""
    there, none = [], []
    for _, spliced, at in splices(pool, 700, dice):
        there += [values for place, (_, values) in enumerate(rows(spliced)) if place >= at + 6]
    for one in pool:
        quiet = [values for since, values in rows(one) if since >= WARM_UP]
        none += dice.sample(quiet, min(len(quiet), 60))
    every, size = [*there, *none], 2 * len(SIGNALS)
    means = [sum(row[i] for row in every) / len(every) for i in range(size)]
    spreads = [math.sqrt(sum((row[i] - means[i]) ** 2 for row in every) / len(every)) or 1.0 for i in range(size)]
    labelled = [(row, 1.0, len(every) / 2 / len(there)) for row in there]
    labelled += [(row, 0.0, len(every) / 2 / len(none)) for row in none]
    scaled = [([(v - m) / s for v, m, s in zip(row, means, spreads, strict=True)], y, w) for row, y, w in labelled]
    weights, bias = [0.0] * size, 0.0
    for turn in range(ROUNDS):
        dice.shuffle(scaled)
        rate = 0.03 / (1 + turn)
        for row, label, weight in scaled:
            z = bias + sum(map(lambda a, b: a * b, weights, row))
            step = (1 / (1 + math.exp(-max(-30.0, min(30.0, z)))) - label) * weight
            bias -= rate * step
            weights = [a - rate * (step * b + L2 * a) for a, b in zip(weights, row, strict=True)]
            weights = [max(0.0, s * a) * s for a, s in zip(weights, SIGNS, strict=True)]
    raw = [a / s for a, s in zip(weights, spreads, strict=True)]
    bias -= sum(a * m for a, m in zip(raw, means, strict=True))
    return {name: (raw[2 * i], raw[2 * i + 1]) for i, name in enumerate(SIGNALS)}, bias


def threshold_for(highest: list[float], share: float) -> float:
    """Above which so large a share of the sessions, or less, would be called adrift."""
    return sorted(highest, reverse=True)[int(share * len(highest))] + 1e-9


def told(highest: list[float], spliced: list[tuple[list[float], int]], threshold: float) -> tuple[float, float]:
    """The share of sessions falsely alarmed, and of splices found in time (and not before they began)."""
    falsely = sum(top > threshold for top in highest) / len(highest)
    found = sum(max(found[:at], default=0) <= threshold < max(found[at:]) for found, at in spliced)
    return falsely, found / len(spliced)


@click.group()
def main() -> None: ...


_data = click.option("--data", envvar="LONGWATCH_DATA", type=click.Path(exists=True, path_type=Path), required=True)
_seed = click.option("--seed", default=1, show_default=True)
_swapped = click.option("--swapped", is_flag=True, help="Fit on the other half, report on this one.")


@main.command()
@_data
@_seed
@_swapped
@click.option("--share", default=0.05, show_default=True, help="Sessions that may be falsely alarmed while fitting.")
@click.option("--then-report", is_flag=True)
def fit(data: Path, seed: int, swapped: bool, share: float, then_report: bool) -> None:
    pool, _ = halves(sessions_of(data), swapped)
    weights, bias = fitted(pool, random.Random(seed))
    drift.WEIGHTS, drift.BIAS = {n: (round(a, 3), round(b, 3)) for n, (a, b) in weights.items()}, round(bias, 3)
    threshold = threshold_for([max(sums(one), default=0.0) for one in pool], share)
    print(f"WEIGHTS = {drift.WEIGHTS}\nBIAS = {drift.BIAS}\nTHRESHOLD = {threshold:.1f}")
    if then_report:
        _report(data, seed, swapped, threshold)


@main.command()
@_data
@_seed
@_swapped
def report(data: Path, seed: int, swapped: bool) -> None:
    _report(data, seed, swapped, THRESHOLD)


def _report(data: Path, seed: int, swapped: bool, threshold: float) -> None:
    _, pool = halves(sessions_of(data), swapped)
    highest = [max(sums(one), default=0.0) for one in pool]
    spliced = [(sums(one), at) for _, one, at in splices(pool, SPLICES, random.Random(seed + 1))]
    may = sum(any(since >= WARM_UP for since, _ in rows(one)) for one in pool)
    print(f"{len(pool)} sessions that nothing was fitted on, {may} of them long enough to be judged; {SPLICES} splices")
    falsely, found = told(highest, spliced, threshold)
    print(f"at the threshold {threshold:.1f}: {falsely:.1%} of the sessions falsely alarmed, {found:.1%} found")
    print("falsely alarmed   found within 20 calls")
    for share in FALSELY:
        falsely, found = told(highest, spliced, threshold_for(highest, share))
        print(f"{falsely:>14.1%} {found:>16.1%}")


if __name__ == "__main__":
    main()
