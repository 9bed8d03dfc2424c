"""`simulate-cost` and `estimate`: what a planned run would cost, by arithmetic alone. No model is asked."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from core.economy.billing import Bill
from core.economy.context import Shape
from core.economy.estimate import HEAVY, LEAN, Claim, Estimate, Range, claim_for, objections
from core.economy.estimate import estimate as estimate_of
from core.economy.optimum import optimum
from core.economy.policies import simulate
from core.economy.presets import PRESETS, Parameters, policies
from core.economy.tariff import PER_MILLION, REFERENCE, Tariff
from core.economy.workload import RESULT_CAP, Workload, WorkloadError, capped, read_workload
from tui.progress import Progress
from tui.say import say, say_json

CACHE_S = 300.0
"""How long providers keep a prompt after its last use, unless one pays for longer."""
PLOT_ROWS, PLOT_COLUMNS = 12, 68


@click.command("simulate-cost")
@click.option("--workload", "file", type=click.Path(path_type=Path), required=True, help="JSON, or JSONL with turns.")
@click.option("--model", help="Whose prices apply; left out: $2.50/$7.50, cache read 10 %, write 125 %, 5 minutes.")
@click.option("--policy", "names", multiple=True, help="A policy to price; can be repeated. Default: all.")
@click.option("--preset", help="Parameters by name: reference.")
@click.option("--alpha", type=float, help="auto: compress when the rent is so many times what a compression costs.")
@click.option("--keep-turns", type=click.IntRange(1), help="The latest turns that stay word for word.")
@click.option("--digest-tokens", type=click.IntRange(500), help="auto: the size of the digest.")
@click.option("--cap", type=click.IntRange(0), default=RESULT_CAP, help="The most of one result, in tokens; 0: all.")
@click.option("--json", "as_json", is_flag=True, help="The same as JSON, with the cost after each turn.")
def simulate_cost(
    file: Path, model: str | None, names: tuple[str, ...], preset: str | None, cap: int, as_json: bool, **given: Any
) -> int:
    """Price a planned run under each policy: a table, and a plot of cost over turns."""
    tariff, window, source = _tariff(model)
    chosen = _parameters(preset, window, given)
    makers = policies(chosen)
    wanted = _known(names, list(makers))
    try:
        workload = read_workload(file)
    except WorkloadError as error:
        raise click.UsageError(str(error)) from error
    workload = replace(workload, turns=workload.turns[: chosen.most_turns])
    workload = capped(workload, cap) if cap else workload
    bills = {}
    with Progress("pricing") as progress:
        for number, name in enumerate(wanted):
            progress.tell(number, len(wanted) + 1)
            bills[name] = simulate(workload, makers[name](), tariff)
        progress.tell(len(wanted), len(wanted) + 1)
        best = optimum(workload, tariff, Shape(chosen.keep_turns, chosen.digest_tokens)).usd
    if as_json:
        say_json(json.dumps(_as_json(workload, bills, best, source), indent=2))
    else:
        for line in _report(workload, bills, best, source, chosen):
            say(line)
    return 0


def _known(names: Sequence[str], known: list[str]) -> list[str]:
    for name in names:
        if name not in known:
            raise click.UsageError(f"There is no policy {name!r}; there are {', '.join(known)}.")
    return list(dict.fromkeys(names)) or known


def _parameters(preset: str | None, window: int | None, given: Mapping[str, Any]) -> Parameters:
    """The preset (or the defaults), with what was given on the command line."""
    if preset is not None and preset not in PRESETS:
        raise click.UsageError(f"There is no preset {preset!r}; there is {', '.join(PRESETS)}.")
    alpha = given.get("alpha")
    if alpha is not None and not (alpha > 0 and math.isfinite(alpha)):
        raise click.UsageError(f"--alpha must be a number above 0, not {alpha:g}: it weighs rent against price.")
    changes = {name: value for name, value in given.items() if value is not None}
    if "keep_turns" in changes:
        changes["summarize_turns"] = changes["keep_turns"]
    if window is not None:
        changes["window"] = window
    return replace(PRESETS[preset] if preset else Parameters(), **changes)


def _tariff(model: str | None) -> tuple[Tariff, int | None, str]:
    """The prices of a model (its window, whose prices they are), resolved as a run would resolve them."""
    if model is None:
        return REFERENCE, None, "reference prices ($2.50/$7.50, cache read 10 %, write 125 %, 5 min)"
    from core.clock import SystemClock
    from core.config import load_config
    from core.models.prices import price_row, window_of
    from core.models.profiles import resolve_endpoint

    config = load_config()
    endpoint = resolve_endpoint(config, model)
    rates = price_row(endpoint, endpoint.model, SystemClock().now_us(), config.prices)
    if rates is None:
        raise click.UsageError(
            f"No price is known for {endpoint.model!r} at {endpoint.profile}; "
            f'add it to the configuration as [prices."{endpoint.profile}/{endpoint.model}"].'
        )
    plain, output = float(rates.input), float(rates.output)
    if endpoint.cache == "none":
        tariff = Tariff(plain, output, plain, plain, None)
    else:
        tariff = Tariff(plain, output, float(rates.cache_read), float(rates.cache_write), CACHE_S)
    return tariff, window_of(endpoint.model, endpoint), f"{endpoint.model}, {rates.source}"


def _as_json(workload: Workload, bills: Mapping[str, Bill], best: float, source: str) -> dict[str, Any]:
    rows = {
        name: {**asdict(bill), "usd": {**bill.usd, "total": bill.total}, "hit_rate": bill.hit_rate}
        for name, bill in bills.items()
    }
    head = {"turns": len(workload.turns), "history_tokens": workload.history, "system_tokens": workload.system}
    return {"workload": workload.name, **head, "prices": source, "hindsight_optimum_usd": best, "policies": rows}


def _report(workload: Workload, bills: Mapping[str, Bill], best: float, source: str, chosen: Parameters) -> list[str]:
    hours = sum(turn.gap_s for turn in workload.turns[:-1]) / 3_600
    return [
        f"{workload.name}: {len(workload.turns):,} turns, {hours:,.1f} h, {workload.history:,} tokens of history",
        f"Prices: {source}",
        "",
        *_dollars(bills, best),
        "",
        *_tokens(bills),
        "",
        *_plot(bills),
        "",
        *_remarks(bills, chosen),
    ]


def _dollars(bills: Mapping[str, Bill], best: float) -> list[str]:
    lines = [f"{'DOLLARS':<11}{'TOTAL':>10}{'x BEST':>9}{'INPUT':>9}{'READ':>9}{'WRITE':>9}{'OUTPUT':>9}{'PINGS':>8}"]
    for name, bill in bills.items():
        usd = bill.usd
        classes = "".join(f"{usd[part]:>9,.2f}" for part in ("uncached", "read", "write", "output"))
        lines.append(
            f"{name:<11}{bill.total:>10,.2f}{bill.total / best if best else 1:>9.3f}{classes}{usd['pings']:>8,.2f}"
        )
    return [*lines, f"{'hindsight':<11}{best:>10,.2f}{1:>9.3f}   auto's compressions and pings at their best"]


def _tokens(bills: Mapping[str, Bill]) -> list[str]:
    lines = [
        f"{'TOKENS':<11}{'SENT':>8}{'FRESH':>8}{'READ':>8}{'WRITTEN':>8}{'OUTPUT':>7}{'HIT':>7}{'PEAK':>7}"
        f"{'MISSES':>7}{'COMPR.':>7}"
    ]
    for name, bill in bills.items():
        counts = f"{_short(bill.sent):>8}{_short(bill.fresh):>8}{_short(bill.read):>8}{_short(bill.written):>8}"
        more = f"{_short(bill.output):>7}{bill.hit_rate:>7.1%}{_short(bill.peak):>7}"
        lines.append(f"{name:<11}{counts}{more}{bill.misses:>7}{bill.compressions:>7}")
    return lines


def _plot(bills: Mapping[str, Bill]) -> list[str]:
    """Dollars over turns, one letter a policy; where curves meet, the cheaper one is seen."""
    top = max(bill.total for bill in bills.values()) or 1.0
    rows = [[" "] * PLOT_COLUMNS for _ in range(PLOT_ROWS)]
    for name, bill in sorted(bills.items(), key=lambda item: -item[1].total):
        for column in range(PLOT_COLUMNS):
            value = bill.curve[column * (len(bill.curve) - 1) // (PLOT_COLUMNS - 1)]
            rows[PLOT_ROWS - 1 - min(PLOT_ROWS - 1, int(value / top * PLOT_ROWS))][column] = name[0]
    labels = (f"${top * (PLOT_ROWS - row) / PLOT_ROWS:,.2f}" for row in range(PLOT_ROWS))
    turns = len(next(iter(bills.values())).curve)
    return [
        *(f"{label:>10} |{''.join(row).rstrip()}" for label, row in zip(labels, rows, strict=True)),
        f"{'':>10} +{'-' * PLOT_COLUMNS}",
        f"{'turn':>10}  1{turns:>{PLOT_COLUMNS - 1},}",
        f"{'':>10}  " + "  ".join(f"{name[0]} {name}" for name in bills),
    ]


def _remarks(bills: Mapping[str, Bill], chosen: Parameters) -> list[str]:
    remarks = ["Arithmetic on stated sizes and prices: what a model forgets is not in it."]
    for name, bill in bills.items():
        if bill.peak > chosen.window:
            remarks.append(
                f"{name} can't run: its prompt grows to {_short(bill.peak)}, the window is {chosen.window:,}."
            )
        if chosen.budget_usd is not None and bill.total > chosen.budget_usd:
            turn = next(index for index, usd in enumerate(bill.curve, 1) if usd > chosen.budget_usd)
            remarks.append(f"{name} has used up ${chosen.budget_usd:,.0f} at turn {turn:,}.")
    return remarks


@click.command()
@click.option("--hours", "text", default="1,4,12,35", show_default=True, help="Hours, separated by commas.")
@click.option("--calls-per-hour", type=float, default=33.0, show_default=True)
@click.option("--model", help="Whose prices apply; left out: $2.50/$7.50, cache read 10 %, write 125 %, 5 minutes.")
@click.option("--json", "as_json", is_flag=True)
def estimate(text: str, calls_per_hour: float, model: str | None, as_json: bool) -> int:
    """Print what sessions of so many hours come to, beside the reference documents' figures."""
    tariff, _, source = _tariff(model)
    try:
        rows = [estimate_of(float(part), calls_per_hour, tariff) for part in text.split(",")]
    except ValueError as error:
        raise click.UsageError(f"--hours {text!r} can't be used; write it like 1,4,12,35.") from error
    claims = [claim_for(row.hours) for row in rows]
    if as_json:
        say_json(json.dumps([_estimate_json(*pair) for pair in zip(rows, claims, strict=True)], indent=2))
        return 0
    say(f"Prices: {source}")
    say(f"From a lean session ({sum(LEAN):,} tokens a call) to a heavy one ({sum(HEAVY):,}), policy auto.\n")
    say(f"{'HOURS':>5}{'CALLS':>7}{'FRESH':>13}{'SENT':>13}{'CACHE READ':>13}{'WRITTEN':>13}{'DOLLARS':>15}")
    for row, claim in zip(rows, claims, strict=True):
        for line in _estimate_lines(row, claim):
            say(line)
    for line in _why(claims, rows):
        say(line)
    return 0


def _estimate_json(row: Estimate, claim: Claim | None) -> dict[str, Any]:
    documented = None if claim is None else {**asdict(claim), "objections": objections(claim)}
    return {**asdict(row), "documented": documented}


def _estimate_lines(row: Estimate, claim: Claim | None) -> list[str]:
    tokens = "".join(f"{_span(part):>13}" for part in (row.fresh, row.sent, row.read, row.written))
    dollars = f"${row.usd.low:,.2f}-{row.usd.high:,.2f}"
    lines = [f"{row.hours:>5g}{row.calls:>7,}{tokens}{dollars:>15}"]
    if claim is not None:
        lines.append(
            f"{'documented':>12}{_span(claim.tokens):>13}{'':39}{f'${claim.usd.low:g}-{claim.usd.high:g}':>15}"
        )
    return lines


def _why(claims: Sequence[Claim | None], rows: Sequence[Estimate]) -> list[str]:
    """Sentences on the documented rows, wrapped for a narrow terminal."""
    import textwrap

    lines = []
    for claim in filter(None, claims):
        lines += ["", f"{claim.hours:g} h as documented can't hold as tokens times price ($2.50/$7.50):"]
        for sentence in objections(claim):
            lines += textwrap.wrap(sentence, 78, initial_indent="- ", subsequent_indent="  ")
    if lines:
        last = rows[-1]
        end = (
            f"One number called tokens hides four. Of {_span(last.sent)} sent in {last.hours:g} h, {_span(last.fresh)} "
            f"are fresh; the rest is the past, sent again with each call and read from the cache at its own price. The "
            f"documented dollars can hold with a larger context; the tokens beside them can't."
        )
        lines += ["", *textwrap.wrap(end, 78)]
    return lines


def _span(part: Range) -> str:
    return f"{_short(part.low)}-{_short(part.high)}"


def _short(tokens: float) -> str:
    return f"{tokens / PER_MILLION:,.3g}M" if tokens >= PER_MILLION else f"{tokens / 1_000:,.0f}K"
