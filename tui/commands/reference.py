"""`rehearse reference`: a code base is made, a session of 35 virtual hours audits it, a table says what came of it."""

from __future__ import annotations

import asyncio
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import click
import msgspec

from core.config.settings import Policy
from core.rehearsal.company import run_through
from core.rehearsal.stage import Staged, Wanted, prepare
from core.rehearsal.table import Outcome, lines, outcome
from tui.say import say, say_json

NAME = "reference"
SHORTEST = 40
"""Calls, below which there is no time for anything."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """What the command line asks for. `policies` are rehearsed one after the other and stand side by side."""

    policies: tuple[str, ...]
    seed: int
    lines: int
    calls: int
    supervised: bool
    undisturbed: bool
    into: Path | None
    as_json: bool


def rehearse_reference(home: Path, ordered: Ordered) -> int:
    """Run it through and print the table. Raises UsageError for what can't be."""
    wanted = [_wanted(ordered, policy) for policy in ordered.policies]
    runs = [_run(home, one, ordered) for one in wanted]
    if ordered.as_json:
        say_json(json.dumps([msgspec.to_builtins(run) for run in runs], indent=2))
    else:
        for line in ["", *lines(runs)]:
            say(line)
    return 0 if all(_holds(run) for run in runs) else 1


def _run(home: Path, wanted: Wanted, ordered: Ordered) -> Outcome:
    place = ordered.into / wanted.policy if ordered.into else _place(home, wanted.policy)
    _tell(ordered, f"A code base of about {wanted.lines:,} lines is made in {place}.")
    try:
        staged = asyncio.run(prepare(home, place, wanted))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    except OSError as error:
        raise click.UsageError(f"{place} can't be used: {error.strerror}.") from None
    _tell(ordered, f"Watch it from another terminal: longwatch attach {staged.folder.name[:14]}")
    return _played(staged, place, ordered)


def _played(staged: Staged, place: Path, ordered: Ordered) -> Outcome:
    used = run_through(place, lambda line: _tell(ordered, f"{staged.wanted.policy}, {line}"))
    return outcome(staged, **used)


def _wanted(ordered: Ordered, policy: str) -> Wanted:
    if policy not in get_args(Policy):
        raise click.UsageError(f"There is no policy {policy!r}; there are {', '.join(get_args(Policy))}.")
    if ordered.calls < SHORTEST:
        raise click.UsageError(f"{ordered.calls} calls are too few; {SHORTEST} are the least.")
    full = Wanted()
    part = min(1.0, ordered.lines / full.lines)
    known, aside, decoys = (math.ceil(part * number) for number in (full.known, full.aside, full.decoys))
    return Wanted(
        seed=ordered.seed,
        lines=ordered.lines,
        calls=ordered.calls,
        hours=full.hours * ordered.calls / full.calls,
        supervised=ordered.supervised,
        disturbed=not ordered.undisturbed,
        policy=policy,  # type: ignore[arg-type]
        known=known,
        aside=aside,
        decoys=decoys,
    )


def _place(home: Path, policy: str) -> Path:
    """A folder that is not there yet, beside the sessions."""
    names = (f"{NAME}-{policy}{f'-{number}' if number > 1 else ''}" for number in range(1, 10_000))
    return next(place for place in (home / "rehearsals" / name for name in names) if not place.exists())


def _tell(ordered: Ordered, line: str) -> None:
    say(line, err=ordered.as_json)


def _holds(run: Outcome) -> bool:
    """Whether the house held: every known flaw found, nothing claimed that is not so, the tests green."""
    judged = run.verdict
    known = judged.found["known"]
    return known.count == known.of and judged.suite and not judged.false_findings and not judged.false_fixes
