"""The report of a rehearsal in the form of the published session's table, ours beside it, with the definitions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from core.events import Event, ModelResponded, ToolFinished, ToolStarted
from core.folds.totals import digest
from core.journal.reader import Reader
from core.publish.film import report_fields
from core.rehearsal.befell import Befallen, befallen
from core.rehearsal.library import judge as library_judge
from core.rehearsal.library import library
from core.rehearsal.port import judge as port_judge
from core.rehearsal.port import port
from core.rehearsal.stage import Staged, sent_to_terminals
from core.rehearsal.verdict import Share, Verdict, missed, verdict

Row = tuple[str, str, str]
DEFINITIONS = "definitions.txt"
"""Of each row in a phrase."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One run: the session's report, the verdict, and what the machine spent (None where nobody measured it)."""

    policy: str
    report: dict[str, Any]
    verdict: Verdict
    missed: list[str]
    peak_tokens: int
    tests_again: int
    befallen: list[Befallen] = []
    cpu_s: float | None = None
    memory_mb: float | None = None
    wall_s: float | None = None
    terminal_bytes: int | None = None


def outcome(staged: Staged, **spent: Any) -> Outcome:
    """Judge a run that has ended. Blocks."""
    with Reader(staged.folder) as reader:
        events = reader.events()
    town = staged.wanted.town
    judged = verdict(town, staged.workspace, events)
    names = [f"{one.id} {one.kind} {one.path}" for one in missed(town, judged, staged.workspace)]
    fields = report_fields(staged.folder)
    peak = max((_prompt(event) for event in events), default=0)
    again, befell = retested(events), befallen(staged) if staged.wanted.disturbed else []
    policy, sent = staged.wanted.policy, sent_to_terminals(staged)
    spent |= {"terminal_bytes": int(sent.read_text(encoding="ascii"))} if sent.exists() else {}
    told: dict[str, Any] = {"missed": names, "peak_tokens": peak, "tests_again": again, "befallen": befell}
    return Outcome(policy=policy, report=fields, verdict=judged, **told, **spent)


def retested(events: Iterable[Event]) -> int:
    """Commands that had been run before in the same words, and a file has changed since."""
    ran: dict[str, int] = {}
    again = changes = 0
    for event in events:
        body = event.body
        if isinstance(body, ToolFinished):
            changes += bool(body.files)
        elif isinstance(body, ToolStarted) and body.effect == "command":
            call = digest(body.name, body.arguments)
            again += changes > ran.get(call, changes)
            ran[call] = changes
    return again


def rows(run: Outcome) -> list[Row]:
    """(what, published, ours), in the published order; what is ours alone behind it."""
    report, judged, tokens = run.report, run.verdict, run.report["tokens"]
    new = tokens["fresh_input"] + tokens["cache_write"]
    return [
        ("duration", "35 h 02", duration(report["duration_s"])),
        ("tool calls", "1,158", f"{report['tool_calls']:,}"),
        ("calls an hour", "33.1", f"{report['calls_per_hour'] or 0:.1f}"),
        ("repetition", "2.3 %", _repeated(report, run.tests_again)),
        ("tokens", "820,000", f"{new:,} new, {tokens['sent']:,} sent"),
        ("", "", f"{tokens['cache_read']:,} read, {tokens['output']:,} output"),
        ("corrections", "47", f"{report['corrections']:,}"),
        ("interventions", "0", f"{report['interventions']:,}"),
        ("degradation", "none measurable", _trend(report, "error_rate")),
        ("  hour 1, last hour", "", _hours(report)),
        ("redundant calls", "usual: 8-12 %", _redundant(report)),
        (
            "useful memory",
            "60-70 %",
            f"{_share(judged.codes)}, {judged.recalled} looked up, {judged.outdated} outdated",
        ),
        ("cost", "$35-65", _cost(report)),
        *_findings(judged),
        ("context peak", "", f"{run.peak_tokens:,} tokens, {report['compressions']} compressions"),
        ("cache hits", "", _hits(report)),
        ("retries, recoveries", "", f"{report['retries']:,}, {report['recoveries']:,}"),
        *_spent(run),
    ]


def _findings(judged: Verdict) -> list[Row]:
    wrong = len(judged.false_findings) + len(judged.false_fixes)
    return [
        ("known flaws found", "", _share(judged.found["known"])),
        ("  of these truly fixed", "", _of(judged.fixed["known"].count, judged.found["known"].count)),
        ("set aside, found", "", _share(judged.found["aside"])),
        ("  of these truly fixed", "", _of(judged.fixed["aside"].count, judged.found["aside"].count)),
        ("fixed of all found", "", _fixed(judged)),
        ("false claims", "", str(wrong)),
        ("the town's tests", "", "pass" if judged.suite else "fail"),
    ]


def _spent(run: Outcome) -> list[Row]:
    spent = [
        ("bytes to two terminals", run.terminal_bytes, "{:,}"),
        ("CPU", run.cpu_s, "{:,.0f} s"),
        ("memory", run.memory_mb, "{:,.0f} MB"),
        ("wall time", run.wall_s, "{:,.0f} s"),
    ]
    return [(what, "", form.format(value)) for what, value, form in spent if value is not None]


def _repeated(report: dict[str, Any], tests_again: int) -> str:
    rate = report["repetition_rate"]
    again = f"{tests_again} of {round((rate or 0) * report['tool_calls'])} tests again"
    return f"{_percent(rate)}: {again}, {report['no_progress_repeats']} no progress"


def _redundant(report: dict[str, Any]) -> str:
    rate = report["no_progress_repeats"] / report["tool_calls"] if report["tool_calls"] else None
    return f"{_percent(rate)}; quarters {_trend(report, 'redundant_rate')}"


def _hours(report: dict[str, Any]) -> str:
    """Failed calls of the first hour, and of the last one that was a full hour."""
    hours = [hour for hour in report["quality_by_hour"] if hour["calls"]]
    if not hours:
        return "—"
    full = [hour for hour in hours if (hour["hour"] + 1) * 3_600 <= report["duration_s"]] or hours
    return ", ".join(f"{_of(hour['errors'], hour['calls'])} failed" for hour in (full[0], full[-1]))


def _hits(report: dict[str, Any]) -> str:
    expired = sum(loss["count"] for loss in report["cache_misses"] if loss["cause"] == "expired")
    return f"{_percent(report['cache_hit_rate'])}, {expired} expired, {report['pings']} pings"


def _fixed(judged: Verdict) -> str:
    fixed, found = (sum(part.count for part in parts.values()) for parts in (judged.fixed, judged.found))
    return f"{_of(fixed, found)}{f', {_percent(fixed / found)}' if found else ''}"


def befallen_lines(befell: Sequence[Befallen]) -> list[str]:
    """What befell it, in columns."""
    table = [("what befell it", "hour", "in the log", "alarm"), *map(tuple, befell)]
    widths = [max(len(str(row[place])) for row in table) for place in range(len(table[0]))]
    lines = [
        "  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table
    ]
    return ["", *lines]


def small_rows(staged: Staged) -> list[tuple[str, str]]:
    """(what, result) of one of the smaller pieces: what came of it, and what it took. Blocks."""
    wanted, report = staged.wanted, report_fields(staged.folder)
    with Reader(staged.folder) as reader:
        again = retested(reader.events())
    judged = (
        library_judge(library(wanted.seed, wanted.size), staged.workspace)
        if wanted.piece == "research"
        else port_judge(port(wanted.seed, wanted.size), staged.workspace)
    )
    took = [("duration", duration(report["duration_s"])), ("tool calls", f"{report['tool_calls']:,}")]
    took += [("repetition", _repeated(report, again)), ("cost", _cost(report))]
    took += [("compressions", str(report["compressions"])), ("retries", f"{report['retries']:,}")]
    return [*judged, *took, ("recoveries", str(report["recoveries"]))]


def lines(runs: Sequence[Outcome]) -> list[str]:
    """The table with a column for each run, then its definitions and what was missed."""
    columns = [rows(run) for run in runs]
    heads = ["", "published", *(f"ours, {run.policy}" for run in runs)]
    table = [
        [what, published, *(column[place][2] for column in columns)]
        for place, (what, published, _) in enumerate(columns[0])
    ]
    widths = [max(len(row[place]) for row in [heads, *table]) for place in range(len(heads))]
    text = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [heads, *table]
    ]
    for run in runs:
        text += befallen_lines(run.befallen) if run.befallen else []
        text += ["", f"Missed with {run.policy}:", *(f"  {name}" for name in run.missed)] if run.missed else []
    return [*text, "", *definitions()]


def definitions(*rows: str) -> list[str]:
    """What the rows mean, each in a phrase; of those that are named, or of all."""
    text = Path(__file__).with_name(DEFINITIONS).read_text(encoding="utf-8").splitlines()
    return [line for line in text if not rows or line.startswith(rows)]


def _prompt(event: Event) -> int:
    usage = event.body.usage if isinstance(event.body, ModelResponded) else None
    return usage.sent if usage else 0


def duration(seconds: float) -> str:
    """`35 h 02`."""
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d}"


def _percent(rate: float | None) -> str:
    return "—" if rate is None else f"{100 * rate:.1f} %"


def _share(share: Share) -> str:
    return _of(share.count, share.of)


def _of(count: int, whole: int) -> str:
    return f"{count} of {whole}"


def _trend(report: dict[str, Any], name: str) -> str:
    trend = (report.get("quality_trend") or {}).get(name) or {}
    if "first" not in trend:
        return str(trend.get("verdict", "—"))
    return f"{_percent(trend['first'])} to {_percent(trend['last'])}: {trend['verdict']}"


def _cost(report: dict[str, Any]) -> str:
    """Dollars, beside what the same turns would have cost at best; of unknown prices the known part alone."""
    if report["cost_usd"] is None:
        return f"more than ${report['cost_usd_known_part']:,.2f}: a price is unknown"
    return f"${report['cost_usd']:,.2f}{_hindsight(report)}"


def _hindsight(report: dict[str, Any]) -> str:
    best = next((row["usd"] for row in report.get("counterfactuals") or [] if "hindsight" in row["what"]), None)
    return f", {report['cost_usd'] / best:.2f} x the best in hindsight" if best and report["cost_usd"] else ""
