"""What is told of a session from its whole log: what it would have cost otherwise, the guards, how well it went."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from core.economy.context import DEFAULT_SHAPE, Shape
from core.economy.counterfactual import counterfactuals
from core.economy.tariff import Tariff
from core.economy.workload import Turn
from core.folds.context_usage import ContextWindow
from core.folds.costs import Costs
from core.folds.fold import Dispatcher, Fold
from core.folds.guards.log import GuardLog
from core.folds.quality import Quality
from core.folds.workload import Workload
from core.journal.reader import Reader

LEAST_TURNS = 10
"""Of a shorter session nothing can be told."""
READ_CHUNK = 2_000
PRICES = ("input", "output", "cache_read", "cache_write")


class Hindsight(NamedTuple):
    """`counterfactuals`: (what if, dollars) rows, none where prices are unknown or the session is short."""

    counterfactuals: list[tuple[str, float]]
    guards: dict[str, Any]
    quality: dict[str, Any]
    """`by_hour` and `trend` of `core.folds.quality`."""


def hindsight(folder: Path) -> Hindsight:
    """Read the log once, from its start. Blocks. Raises JournalError."""
    window, guards, costs = ContextWindow(), GuardLog(), Costs()
    workload, quality = Workload(window), Quality(costs)
    _read(folder, window, workload, guards, costs, quality)
    told = {"by_hour": quality.by_hour(), "trend": quality.trend()}
    return Hindsight(_otherwise(window, workload), guards.counts(), told)


def _read(folder: Path, *folds: Fold) -> None:
    dispatch, after = Dispatcher(folds), 0
    with Reader(folder) as reader:
        while batch := reader.events(after, READ_CHUNK):
            for event in batch:
                dispatch.apply(event)
            after = batch[-1].seq


def _otherwise(window: ContextWindow, workload: Workload) -> list[tuple[str, float]]:
    """The same turns, priced under other policies."""
    tariff, turns = tariff_of(workload), turns_of(workload)
    if len(turns) < LEAST_TURNS or tariff is None:
        return []
    rows = counterfactuals(turns, tariff, workload.first_prompt, window.usage.last.window, shape_of(workload))
    return [(row.name if row.fits else f"{row.name} (beyond the window)", row.usd) for row in rows]


def tariff_of(workload: Workload) -> Tariff | None:
    """The latest prices that the log knows; None where one is missing.

    Of a cache whose lifetime nobody told it is known how long it lived at least.
    """
    row, lived_s = workload.row, workload.lived_s
    if not all(name in row for name in PRICES):
        return None
    input, output, read, write = (float(row[name]) for name in PRICES)
    ttl_s = workload.ttl_s if workload.ttl_s is not None or lived_s is None else lived_s + 1
    return Tariff.per_million(input, output, read, write, ttl_s)


def shape_of(workload: Workload) -> Shape:
    """What compressions of this session left behind; what they usually do where there was none."""
    usual, turns = DEFAULT_SHAPE, len(workload.turns())
    if not workload.compressions or turns <= usual.keep:
        return usual
    digest = max(1, workload.digest // workload.compressions)
    return Shape(usual.keep, digest, max(1, round(workload.ledger / (turns - usual.keep))))


def turns_of(workload: Workload) -> list[Turn]:
    """The turns with the gap that followed each, where the log has the one before."""
    found = workload.turns()
    if not found:
        return []
    later = [gap for _, (_, _, gap) in pairwise(found)]
    return [Turn(output, result, gap) for (output, result, _), gap in zip(found, [*later, 0.0], strict=True)]
