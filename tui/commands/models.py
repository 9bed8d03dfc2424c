"""`models`: which there are, at what dated prices, and which fit a planned session."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from core.clock import SystemClock
from core.config import Config, load_config
from tui.progress import Progress
from tui.safe import one_line
from tui.say import say, say_json

if TYPE_CHECKING:
    from core.economy.fit import Candidate, Fit
    from core.models.catalog import Listed

MILLION = Decimal(1_000_000)
CALLS_PER_HOUR = 33.0
_UNITS = {"": 1, "k": 1_000, "m": 1_000_000}


@click.command()
@click.argument("words", nargs=-1)
@click.option("--profile", "profiles", multiple=True, help="Only of this profile; can be repeated.")
@click.option("--all", "everything", is_flag=True, help="All models of the price lists, not only usual agents.")
@click.option("--for", "hours", metavar="HOURS", help="For a session that long, as 35h: what it would cost, what fits.")
@click.option("--context", metavar="TOKENS", help="For prompts that large, as 500k.")
@click.option("--calls-per-hour", type=click.FloatRange(0, min_open=True), default=CALLS_PER_HOUR, show_default=True)
@click.option("--evidence", is_flag=True, help="What is claimed of models as agents, with sources and dates.")
@click.option("--json", "as_json", is_flag=True)
def models(
    words: tuple[str, ...],
    profiles: tuple[str, ...],
    everything: bool,
    hours: str | None,
    context: str | None,
    calls_per_hour: float,
    evidence: bool,
    as_json: bool,
) -> int:
    """List models with their windows and dated prices; WORDS narrow it. Prices are dollars for a million tokens.

    Nobody is asked over the network: prices are those of the bundled list, of yours, and a few that were noted by hand.
    """
    if evidence:
        for line in _evidence():
            say(line)
        return 0
    from core.models.catalog import known_profiles, listed

    config, tokens = load_config(), _tokens(context)
    chosen = _profiles(profiles, known_profiles(config))
    rows = listed(config, chosen, words, SystemClock().now_us(), everything, tokens)
    if hours is not None or context is not None:
        return _planned(rows, _hours(hours), tokens, calls_per_hour, as_json)
    if as_json:
        say_json(json.dumps([_as_json(row) for row in rows], indent=2))
    else:
        for line in _table(rows, config):
            say(line)
    return 0 if rows else 1


def _profiles(named: Sequence[str], known: list[str]) -> list[str]:
    for name in named:
        if name not in known:
            raise click.UsageError(f"No prices are known for the profile {name!r}; there are {', '.join(known)}.")
    return list(named) or known


def _hours(text: str | None) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([hd]?)", (text or "1h").strip().lower())
    if found is None:
        raise click.UsageError(f"--for {text!r} is no length of a session; write it like 35h or 2d.")
    return float(found[1]) * (24 if found[2] == "d" else 1)


def _tokens(text: str | None) -> int:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([km]?)", (text or "0").strip().lower())
    if found is None:
        raise click.UsageError(f"--context {text!r} is no number of tokens; write it like 500k or 1m.")
    return int(float(found[1]) * _UNITS[found[2]])


def _table(rows: list[Listed], config: Config) -> Iterator[str]:
    if not rows:
        yield "No model is known by these words; a local server names its own, see longwatch setup --look."
        return
    wide = max(len(one_line(row.name)) for row in rows)
    yield f"{'MODEL':<{wide}}{'WINDOW':>11}{'IN':>8}{'OUT':>8}{'READ':>8}{'WRITE':>8}  PRICES"
    for row in rows:
        window = f"{row.window:,}" if row.window else "unknown"
        yield f"{one_line(row.name):<{wide}}{window:>11}{_prices(row)}  {_dated(row)}"
    keys = [name for name in ("ANTHROPIC_API_KEY", "OPENROUTER_API_KEY", "DASHSCOPE_API_KEY") if os.environ.get(name)]
    yield ""
    yield f"Dollars for a million tokens. Keys in the environment: {', '.join(keys) or 'none'}."


def _prices(row: Listed) -> str:
    if row.rates is None:
        return f"{'unknown':>32}"
    rates = (row.rates.input, row.rates.output, row.rates.cache_read, row.rates.cache_write)
    return "".join(f"{float(rate * MILLION):>8.4g}" for rate in rates)


def _dated(row: Listed) -> str:
    """Whose prices, since when, and until when where another price is known to follow."""
    if row.rates is None:
        return ""
    since = f" since {row.since}" if row.since else ""
    until = f" until {row.until}" if row.until else ""
    source = "list price" if row.rates.source.startswith("list price") else row.rates.source
    return one_line(source) + since + until


def _as_json(row: Listed) -> dict[str, Any]:
    rates = row.rates.row() if row.rates else None
    dates = {"since": str(row.since) if row.since else None, "until": str(row.until) if row.until else None}
    source = row.rates.source if row.rates else None
    return {"model": row.name, "window": row.window, "usd_per_mtok": rates, "source": source, **dates}


def _planned(rows: list[Listed], hours: float, context: int, calls_per_hour: float, as_json: bool) -> int:
    """What a session would cost with each, and which fit."""
    from core.economy.fit import fits, overkill

    try:
        with Progress("models") as progress:
            found = fits(_told(rows, progress), hours, context, calls_per_hour)
        remark = overkill(hours, context, calls_per_hour)
    except ValueError as error:
        raise click.UsageError(f"{error}.") from error
    if as_json:
        say_json(json.dumps({"fits": [_fit_json(fit) for fit in found], "overkill": remark or None}, indent=2))
        return 0
    for line in _fit_lines(found, hours, context, calls_per_hour, remark):
        say(line)
    return 0


def _told(rows: list[Listed], progress: Progress) -> Iterator[Candidate]:
    for number, row in enumerate(rows):
        progress.tell(number, len(rows))
        yield _candidate(row)


def _candidate(row: Listed) -> Candidate:
    from core.economy.fit import Candidate
    from core.economy.tariff import Tariff
    from tui.commands.costs import CACHE_S

    if row.rates is None:
        return Candidate(row.name, row.window, None)
    plain, output = float(row.rates.input), float(row.rates.output)
    if row.endpoint.cache == "none":
        return Candidate(row.name, row.window, Tariff(plain, output, plain, plain, None))
    tariff = Tariff(plain, output, float(row.rates.cache_read), float(row.rates.cache_write), CACHE_S)
    return Candidate(row.name, row.window, tariff)


def _fit_json(fit: Fit) -> dict[str, Any]:
    usd = {"low": fit.cost.usd.low, "high": fit.cost.usd.high} if fit.cost else None
    names = {"model": fit.candidate.name, "window": fit.candidate.window}
    return {**names, "usd": usd, "fits": not fit.objection, "why": fit.objection or fit.note or None}


def _fit_lines(found: list[Fit], hours: float, context: int, per_hour: float, remark: str) -> Iterator[str]:
    calls = round(hours * per_hour)
    yield f"{hours:g} h, {calls:,} calls, prompts of up to {context:,} tokens; from a lean session to a heavy one."
    wide = max((len(fit.candidate.name) for fit in found), default=5)
    yield f"{'MODEL':<{wide}}{'WINDOW':>11}{'DOLLARS':>18}"
    for fit in found:
        window = f"{fit.candidate.window:,}" if fit.candidate.window else "unknown"
        usd = f"{fit.cost.usd.low:,.2f}-{fit.cost.usd.high:,.2f}" if fit.cost else "unknown"
        yield f"{one_line(fit.candidate.name):<{wide}}{window:>11}{usd:>18}  {fit.objection or fit.note}".rstrip()
    yield ""
    yield "Arithmetic on prices and sizes of real sessions (policy auto): it says nothing of how well a model works."
    yield (
        remark or "Whether a model keeps its mind over such a session: longwatch models --evidence, or a run of yours."
    )


def _evidence() -> Iterator[str]:
    from core.models.evidence import ABOUT, CLAIMS, FAMILIES, claims_on

    titles = {
        "context": "CONTEXT",
        "session": "LONGEST SESSION",
        "reliability": "TOOL CALLS",
        "benchmark": "BENCHMARKS",
    }
    table = {
        family: [
            [_claimed(it.said, CLAIMS.index(it)) for it in claims_on(family, about)] or ["unknown"] for about in ABOUT
        ]
        for family in FAMILIES
    }
    widths = {
        about: 2 + max(len(titles[about]), *(len(cell) for columns in table.values() for cell in columns[number]))
        for number, about in enumerate(ABOUT)
    }
    yield f"{'MODEL':<19}" + "".join(f"{titles[about]:<{widths[about]}}" for about in ABOUT).rstrip()
    for family, columns in table.items():
        for number in range(max(map(len, columns))):
            cells = [column[number] if number < len(column) else "" for column in columns]
            row = "".join(f"{cell:<{widths[about]}}" for cell, about in zip(cells, ABOUT, strict=True))
            yield (f"{family if not number else '':<19}" + row).rstrip()
    yield ""
    for number, claim in enumerate(CLAIMS):
        yield f"{f'[{number + 1}]':>5} {claim.model}, {claim.about}: {claim.source}, {claim.date}"
    yield ""
    yield "Unknown: no source that could be named here. Prices: longwatch models."


def _claimed(said: str, number: int) -> str:
    return f"{said} [{number + 1}]"
