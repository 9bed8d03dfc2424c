"""`rehearse reference` and its smaller companions: what they play, and what came of it."""

from __future__ import annotations

import asyncio
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import click
import msgspec

from core.config.settings import Policy
from core.rehearsal.befell import befallen
from core.rehearsal.company import RehearsalFailed, begin, follow, run_through, until_it_runs
from core.rehearsal.stage import Staged, Wanted, prepare
from core.rehearsal.table import Outcome, befallen_lines, definitions, lines, outcome, small_rows
from tui.commands.exporting import redaction
from tui.commands.watch import show
from tui.say import say, say_json
from tui.terminal import has_terminal, is_dumb

SMALLER: dict[str, tuple[int, int]] = {"research": (200, 260), "migration": (24, 150)}
"""Papers or modules of the smaller pieces, and about how many calls they take."""
DEFINED = ("repetition:", "cost:", "retries:", "alarm:")
"""Definitions that the smaller pieces need, too."""
SHORTEST = 40
"""Calls, below which there is no time for anything."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """What the command line asks for. `policies` are rehearsed one after the other and stand side by side."""

    piece: str
    policies: tuple[str, ...]
    seed: int
    lines: int
    calls: int
    supervised: bool
    undisturbed: bool
    screen: bool
    record: Path | None
    into: Path | None
    as_json: bool


def rehearse_reference(home: Path, ordered: Ordered) -> int:
    """Run it through and print the table. Raises UsageError for what can't be."""
    if ordered.screen and (ordered.as_json or not has_terminal() or is_dumb()):
        raise click.UsageError("--screen needs a terminal, and no --json; without it the rehearsal runs headless.")
    wanted = [_wanted(ordered, policy) for policy in ordered.policies]
    try:
        return (_smaller if ordered.piece in SMALLER else _large)(home, wanted, ordered)
    except RehearsalFailed as failed:
        say(f"longwatch: {failed}", err=True)
        return 1


def _large(home: Path, wanted: list[Wanted], ordered: Ordered) -> int:
    """The table with a column for each."""
    runs = [_run(home, one, ordered) for one in wanted]
    if ordered.as_json:
        say_json(json.dumps([msgspec.to_builtins(run) for run in runs], indent=2))
    else:
        for line in ["", *lines(runs)]:
            say(line)
    return 0 if all(_holds(run) for run in runs) else 1


def _smaller(home: Path, wanted: list[Wanted], ordered: Ordered) -> int:
    """The rows of each, one under the other."""
    code = 0
    for one in wanted:
        staged, _ = _through(home, one, ordered)
        rows, befell = small_rows(staged), befallen(staged) if one.disturbed else []
        if ordered.as_json:
            say_json(json.dumps(dict(rows) | {"befell": msgspec.to_builtins(befell)}, indent=2))
        else:
            told = ["", *(f"{what:<24}{result}" for what, result in rows)]
            for line in [*told, *(befallen_lines(befell) if befell else []), "", *definitions(*DEFINED)]:
                say(line)
        code = max(code, 0 if dict(rows)["false claims"] == "0" else 1)
    return code


def _run(home: Path, wanted: Wanted, ordered: Ordered) -> Outcome:
    staged, used = _through(home, wanted, ordered)
    if ordered.record is not None:
        _recorded(staged, ordered)
    return outcome(staged, **used)


def _recorded(staged: Staged, ordered: Ordered) -> None:
    """The film of the run, its paths, names and hosts taken out."""
    from tui.filming import film

    assert ordered.record is not None
    name = staged.wanted.piece if len(ordered.policies) == 1 else f"{staged.wanted.piece}-{staged.wanted.policy}"
    for path in film(staged.folder, ordered.record, name, redaction(staged.folder, covered=True)):
        _tell(ordered, str(path))


def _through(home: Path, wanted: Wanted, ordered: Ordered) -> tuple[Staged, dict[str, Any]]:
    """Prepare it and play it to its end: where it is, and what it used."""
    place = ordered.into / wanted.policy if ordered.into else _place(home, f"{wanted.piece}-{wanted.policy}")
    _tell(ordered, f"The workspace is made in {place}.")
    try:
        staged = asyncio.run(prepare(home, place, wanted))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    except OSError as error:
        raise click.UsageError(f"{place} can't be used: {error.strerror}.") from None
    if ordered.screen:
        return staged, _watched(staged, place)
    _tell(ordered, f"Watch it from another terminal: longwatch attach {staged.folder.name[:14]}")
    return staged, run_through(place, lambda line: _tell(ordered, f"{wanted.policy}, {line}"))


def _watched(staged: Staged, place: Path) -> dict[str, Any]:
    """On the screen for as long as somebody looks; the run goes on beside it. What it used."""
    process = begin(place)
    until_it_runs(staged.folder, process)
    show(staged.folder, "attached")
    say("The table follows when it has ended. Until then ctrl+c gives the prompt back; it goes on.")
    try:
        return follow(place, process, say)
    except KeyboardInterrupt:
        say(f"It goes on. Come back: longwatch attach {staged.folder.name[:14]}")
        raise


def _wanted(ordered: Ordered, policy: str) -> Wanted:
    if policy not in get_args(Policy):
        raise click.UsageError(f"There is no policy {policy!r}; there are {', '.join(get_args(Policy))}.")
    if ordered.calls < SHORTEST:
        raise click.UsageError(f"{ordered.calls} calls are too few; {SHORTEST} are the least.")
    full = Wanted()
    size, about = SMALLER.get(ordered.piece, (0, ordered.calls))
    part = min(1.0, ordered.lines / full.lines)
    known, aside, decoys = (math.ceil(part * number) for number in (full.known, full.aside, full.decoys))
    return Wanted(
        seed=ordered.seed,
        lines=ordered.lines,
        calls=about,
        hours=full.hours * about / full.calls,
        piece=ordered.piece,  # type: ignore[arg-type]
        size=size,
        supervised=ordered.supervised,
        disturbed=not ordered.undisturbed,
        policy=policy,  # type: ignore[arg-type]
        known=known,
        aside=aside,
        decoys=decoys,
    )


def _place(home: Path, wished: str) -> Path:
    """A folder that is not there yet, beside the sessions."""
    names = (f"{wished}{f'-{number}' if number > 1 else ''}" for number in range(1, 10_000))
    return next(place for place in (home / "rehearsals" / name for name in names) if not place.exists())


def _tell(ordered: Ordered, line: str) -> None:
    say(line, err=ordered.as_json)


def _holds(run: Outcome) -> bool:
    """Whether the house held: every known flaw found, nothing claimed that is not so, the tests green."""
    judged = run.verdict
    known = judged.found["known"]
    return known.count == known.of and judged.suite and not judged.false_findings and not judged.false_fixes
