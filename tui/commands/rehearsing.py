"""`rehearse`: limits, guards and a policy over a session that has been."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import click

from core.agent.guarding import limits_of
from core.agent.rehearsal import Act, Rehearsal, Wanted
from core.agent.rehearsal import rehearse as run
from core.clock import MICROSECONDS
from core.config import load_config
from tui.commands.chosen import readable
from tui.progress import Progress
from tui.safe import one_line
from tui.say import say, say_json

STAGED = ("reference", "research", "migration")
"""Rehearsals of sessions that are yet to be."""
SHOWN = 40
"""Lines of one kind, the first and the last of more."""


@click.command()
@click.argument("session", required=False)
@click.option("--budget", metavar="USD", help="Where would this budget have warned, and stopped it?")
@click.option("--max-turns", type=click.IntRange(1), help="Where would this limit have stopped it?")
@click.option("--hours", type=click.FloatRange(min=0, min_open=True), help="Where would this time have stopped it?")
@click.option("--guards", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="[guards] of this file.")
@click.option("--policy", help="Where would this policy have compressed, and what would it have cost?")
@click.option("--lines", type=click.IntRange(min=1_000), default=200_000, help="reference: lines of the code base.")
@click.option("--calls", type=click.IntRange(min=40), default=1_158, help="reference: calls of the session.")
@click.option("--seed", type=int, default=7, help="reference: another code base for another number.")
@click.option("--supervised", is_flag=True, help="reference: a scripted supervisor steps in.")
@click.option("--undisturbed", is_flag=True, help="reference: no outage, kill, full disk, night or lost key.")
@click.option("--screen", is_flag=True, help="reference: watch it on the screen, which may be left and come back to.")
@click.option("--record", type=click.Path(path_type=Path, file_okay=False), help="Put a film of the run there.")
@click.option("--into", type=click.Path(path_type=Path), help="reference: put the code base there.")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def rehearse(
    home: Path,
    session: str | None,
    budget: str | None,
    max_turns: int | None,
    hours: float | None,
    guards: Path | None,
    policy: str | None,
    as_json: bool,
    **staging: Any,
) -> int:
    """Say where limits, guards and a policy would have acted in a session that has been.

    Without --guards those of your configuration are rehearsed. After each of them the session goes on as it was
    recorded, for nobody knows what it would have done instead.

    `rehearse reference` is a session that is yet to be: a code base of 200,000 lines is made, a simulated auditor goes
    through it in 35 hours of virtual time (minutes of yours), and a table stands beside the published one. --policy
    may be several, as in auto,off. `rehearse research` (200 papers that contradict each other) and `rehearse
    migration` (an old code base to be ported) are smaller. (A session of such a name is meant by its id.)
    """
    if session in STAGED:
        if budget or max_turns or hours or guards:
            raise click.UsageError(f"rehearse {session} knows no --budget, --max-turns, --hours or --guards.")
        return _reference(home, session, policy or "auto", as_json, staging)
    config = load_config(guards) if guards else load_config()
    wanted = Wanted(_dollars(budget), max_turns, hours, limits_of(config.guards), policy or "")
    try:
        with Progress("rehearsal"):
            made = run(readable(home, session).folder, wanted)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if as_json:
        say_json(json.dumps(_json(made), indent=2))
        return 0
    for line in _lines(made, wanted):
        say(line)
    return 0


def _reference(home: Path, piece: str, policies: str, as_json: bool, staging: dict[str, Any]) -> int:
    from tui.commands.reference import Ordered, rehearse_reference

    names = tuple(name.strip() for name in policies.split(","))
    return rehearse_reference(home, Ordered(piece=piece, policies=names, as_json=as_json, **staging))


def _dollars(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation as error:
        raise click.UsageError(f"--budget {text!r} is no sum in dollars.") from error
    if not amount.is_finite() or amount <= 0:
        raise click.UsageError(f"--budget {text!r} is no sum in dollars.")
    return amount


def _lines(made: Rehearsal, wanted: Wanted) -> list[str]:
    lines = [f"{made.turns:,} turns, {_clock(made.lasted_us)}, ${made.usd:,.2f} as it was"]
    if wanted.policy:
        lines.append(_priced(made, wanted.policy))
    if (stop := made.stop) is not None:
        lines.append(
            f"would have stopped at #{stop.seq:,}, {_clock(stop.elapsed_us)}, ${stop.usd:,.2f}: {one_line(stop.text)}"
        )
    else:
        lines.append("nothing would have stopped it")
    shown = made.acts if len(made.acts) <= SHOWN else [*made.acts[: SHOWN // 2], *made.acts[-SHOWN // 2 :]]
    if shown:
        lines += ["", f"{'EVENT':>8} {'TURN':>6} {'TIME':>10} {'SPENT':>10}  WHAT"]
    for index, act in enumerate(shown):
        if index == SHOWN // 2 and len(made.acts) > SHOWN:
            lines.append(f"{'…':>8} {len(made.acts) - SHOWN:,} more")
        lines.append(_line(act))
    return lines


def _priced(made: Rehearsal, policy: str) -> str:
    if made.policy_usd is None:
        return f"{policy}: prices are unknown, so nothing can be said"
    times = f"{made.compressions:,} compressions"
    return f"{policy}: {times}, ${made.policy_usd:,.2f} for the same turns by arithmetic (paid: ${made.usd:,.2f})"


def _line(act: Act) -> str:
    mark = "STOP " if act.stops else ""
    where = f"{f'#{act.seq:,}':>8} {act.turn:>6,} {_clock(act.elapsed_us):>10} {f'${act.usd:,.2f}':>10}"
    return f"{where}  {mark}{act.what}: {one_line(act.text)}"


def _clock(microseconds: int) -> str:
    minutes, seconds = divmod(microseconds // MICROSECONDS, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def _json(made: Rehearsal) -> dict[str, Any]:
    stop = made.stop
    return {
        "turns": made.turns,
        "usd": float(made.usd),
        "policy_usd": made.policy_usd,
        "compressions": made.compressions,
        "stopped_at": None if stop is None else _row(stop),
        "acts": [_row(act) for act in made.acts],
    }


def _row(act: Act) -> dict[str, Any]:
    row = {"what": act.what, "seq": act.seq, "turn": act.turn, "elapsed_s": act.elapsed_us / MICROSECONDS}
    return row | {"usd": float(act.usd), "text": act.text, "stops": act.stops}
