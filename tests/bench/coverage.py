"""How many calls of real sessions have all their names still in sight, by what is kept of the past.

    .venv/bin/python -P tests/bench/coverage.py [--data FOLDER] [--keep 8] [--period 25]

The data are numbers that stand for names (`entities-dev.jsonl.gz`; FOLDER/README.md defines them and the measure). A
compression comes before every `period`-th call, as on the uniform workload W1, and leaves the last `keep` calls, the
names of the goal, and an index within a budget; or it comes where the rent rule makes it in this very session
(`sessions-dev.jsonl.gz`), and leaves the last `keep` turns. A listed name costs its mean length / 3.3 + 1 tokens; ours
pays for its handles too, once for the names of one place, the rivals have none. Rows named `digest` are the index that
a digest of so many tokens has room for when its other sections are full. Deterministic.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, groupby
from pathlib import Path
from typing import Any

import click

from core.economy.billing import Till
from core.economy.context import DEFAULT_SHAPE, Context, Shape
from core.economy.policies import Auto, simulate
from core.economy.skeletons import read_skeletons
from core.economy.tariff import REFERENCE
from core.economy.workload import Turn, Workload, capped
from core.request.digest import INDEX_SHARE, LATEST, SHARES
from core.request.names import KINDS, NameIndex

SHORTEST = 60
"""Calls of a session that is counted."""
CHARS_PER_TOKEN = 3.3
LENGTHS = (58, 16, 12, 5.5)
"""Mean characters of a path, an identifier, a hash and a number: the kinds of an id by its remainder."""
FIRST_TOKENS = 360
"""What a digest says before its index and its sections: how to recall, and a plan of a few open steps."""
FILE_TOKENS, CALL_TOKENS, CALL_NAMES = 9, 25, 36
"""What a line on a file, and on a call, costs beside its names; and how many tokens of names a line on a call shows."""
EDITING = frozenset(("Edit", "MultiEdit", "NotebookEdit", "Write"))

Rows = list[dict[str, Any]]
Chooser = Callable[["Past", int, float], Collection[int]]
Schedule = Callable[[Rows], Mapping[int, int]]
"""The calls of a session before which a compression comes, and of each the first call that stays."""


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
        self.calls: list[tuple[str, list[int]]] = []
        self.index: NameIndex[int] = NameIndex(tokens, lambda name: KINDS[name % 4])

    def show(self, names: list[int], said: int, call: int) -> None:
        """Names in a result and, the first `said` of them, in what somebody said."""
        self.said.update(names[:said])
        self.seen.update(dict.fromkeys(names, call))
        self.index.seen(names, call)

    def use(self, names: list[int], call: int, tool: str = "") -> None:
        self.calls.append((tool, names))
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


def every(keep: int, period: int) -> Schedule:
    """A compression before every `period`-th call, which leaves `keep` calls."""
    return lambda rows: {call: call - keep for call in range(period - 1, len(rows), period) if call}


def measure(sessions: Iterable[Rows], schedule: Schedule, choose: Chooser | None = None, budget: float = 0.0) -> Score:
    """Coverage over all sessions; `choose` picks the names that a digest shows out of those before the kept calls."""
    score = Score()
    for rows in sessions:
        past, start, cuts = Past(rows[0].get("pin", ())), -1, schedule(rows)
        pinned, listed = past.pinned, frozenset[int]()
        for call, row in enumerate(rows):
            past.show(row["see"], row["said"], call - 1)
            if call in cuts:
                start = max(start, cuts[call])
                listed = frozenset(choose(past, start, budget)) if choose else listed
            known = [name for name in row["use"] if name in past.seen or name in pinned]
            score.count(known, lambda name: name in pinned or past.seen[name] >= start or name in listed)  # noqa: B023
            past.use(row["use"], call, row.get("tool", ""))
    return score


def ours(past: Past, start: int, budget: float) -> Collection[int]:
    chosen = past.index.best(budget, start, past.pinned)
    return [name for names in chosen.values() for name in names]


def digest(past: Past, start: int, budget: float) -> Collection[int]:
    """What a digest of `budget` tokens shows with all its sections full, of which two show names."""
    room = budget - FIRST_TOKENS
    files_room, calls_room = (SHARES[name] * (1 - INDEX_SHARE) * room for name in ("files", "calls"))
    files, files_cost = _files(past, start, files_room)
    calls, calls_cost = _latest(past, start, calls_room)
    shown = files | calls
    left = INDEX_SHARE * room + files_room + calls_room - files_cost - calls_cost
    listed = past.index.best(left, start, past.pinned | shown)
    return shown.union(*listed.values())


def _files(past: Past, start: int, room: float) -> tuple[set[int], float]:
    """The files changed last, and what their lines cost."""
    found, cost = set[int](), 0.0
    edits = (names for tool, names in reversed(past.calls[: max(0, start)]) if tool in EDITING)
    for name in (name for names in edits for name in names if name % 4 == 0 and name not in found):
        if cost + tokens(name) + FILE_TOKENS > room:
            break
        found.add(name)
        cost += tokens(name) + FILE_TOKENS
    return found, cost


def _latest(past: Past, start: int, room: float) -> tuple[set[int], float]:
    """The names on the lines of the latest calls that left, and what these lines cost."""
    found, cost = set[int](), 0.0
    for _, names in reversed(past.calls[max(0, start - LATEST) : max(0, start)]):
        line = _filled(names, CALL_NAMES)
        price = CALL_TOKENS + sum(map(tokens, line))
        if cost + price > room:
            break
        found.update(line)
        cost += price
    return found, cost


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


@dataclass
class Moments(Auto):
    """The rent rule; `taken` are the turns before which it compressed."""

    taken: list[int] = field(default_factory=list)

    def prepare(self, context: Context, till: Till) -> None:
        before = till.bill.compressions
        super().prepare(context, till)
        if till.bill.compressions > before:
            self.taken.append(len(context.turns))


def by_rule(folder: Path, shape: Shape = DEFAULT_SHAPE) -> Schedule:
    """Compressions where the rule makes them by each session's own sizes and gaps, results capped."""
    workloads = {int(one.name.rpartition("/")[2]): one for one in read_skeletons(folder / "sessions-dev.jsonl.gz")}
    calls = dict(_calls(folder))

    def cuts(rows: Rows) -> Mapping[int, int]:
        workload, policy = workloads[rows[0]["s"]], Moments(shape=shape)
        simulate(capped(workload), policy, REFERENCE)
        made = [0, *accumulate(_spread(workload, calls[rows[0]["s"]]))]
        return {made[turn]: made[max(0, turn - shape.keep)] for turn in policy.taken}

    return cuts


def _calls(folder: Path) -> Iterator[tuple[int, list[int]]]:
    """The calls that each reply of a session made, its side chains left out."""
    with gzip.open(folder / "sessions-dev.jsonl.gz", "rt", encoding="utf-8") as lines:
        for session, rows in groupby(map(json.loads, lines), key=lambda row: row["s"]):
            made: dict[int, int] = {}
            for row in rows:
                if row["k"] == "assistant":
                    calls = sum(block[0] == "tu" for block in row.get("b", ()))
                    made[row["m"]] = made.get(row["m"], 0) + (0 if row.get("side") else calls)
            yield session, list(made.values())


def _spread(workload: Workload, calls: Sequence[int]) -> Iterator[int]:
    """The calls of each turn where results are capped: a recall of the rest is a turn without a call of the session."""
    for turn, made in zip(workload.turns, calls, strict=True):
        yield made
        yield from [0] * (_parts(turn) - 1)


def _parts(turn: Turn) -> int:
    return len(capped(Workload("", (turn,))).turns)


def table(sessions: list[Rows], keep: int, period: int, rule: Schedule) -> Iterator[tuple[str, Score]]:
    """The rows of the table: what is kept of the past, and its coverage."""
    usual, title = every(keep, period), f"{keep} calls, every {period}"
    yield "everything (append-only)", measure(sessions, lambda rows: {})
    yield "the last 100 calls, every call", measure(sessions, every(100, 1))
    yield "25 calls, every 35, no index", measure(sessions, every(25, 35))
    yield f"{title}, no index", measure(sessions, usual)
    rivals: dict[str, Chooser] = {
        "used only, latest": latest_used,
        "most used": most_frequent,
        "used or said, then read, latest": latest_first,
    }
    for budget in (3_000, 6_000):
        for name, choose in rivals.items():
            yield f"  {name}, {budget:,} tokens", measure(sessions, usual, choose, budget)
    for budget in (3_000, 4_000, 5_000, 6_000, 8_000):
        yield f"  ours, {budget:,} tokens", measure(sessions, usual, ours, budget)
    for budget in (6_000, 7_000, DEFAULT_SHAPE.digest, 8_000):
        yield f"{title}, digest of {budget:,}", measure(sessions, usual, digest, budget)
        yield "  where the rule compresses", measure(sessions, rule, digest, budget)
    for other in (20, 22, 28, 32):
        size = DEFAULT_SHAPE.digest
        yield f"{keep} calls, every {other}, digest of {size:,}", measure(sessions, every(keep, other), digest, size)
    yield "10 calls, every 25, ours, 6,000 tokens", measure(sessions, every(10, 25), ours, 6_000)
    yield "25 calls, every 35, ours, 3,000 tokens", measure(sessions, every(25, 35), ours, 3_000)


@click.command()
@click.option("--data", envvar="LONGWATCH_DATA", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--keep", default=DEFAULT_SHAPE.keep, show_default=True)
@click.option("--period", default=25, show_default=True)
def main(data: Path, keep: int, period: int) -> None:
    """Print the table for the sessions in DATA (or LONGWATCH_DATA)."""
    sessions, rule = read_sessions(data), by_rule(data)
    count, calls = sum(len(rule(rows)) for rows in sessions), sum(map(len, sessions))
    click.echo(
        f"{len(sessions)} sessions, {calls:,} calls; the rule compresses before every {calls / count:.1f}th call"
    )
    for number, (name, score) in enumerate(table(sessions, keep, period, rule)):
        if not number:
            click.echo(f"{score.calls:,} calls use a name seen before; % with all in sight, % of names in sight\n")
        click.echo(f"{name:<44} {score}")


if __name__ == "__main__":
    main()
