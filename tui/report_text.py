"""The report for people: as aligned text and as Markdown, from the same fields as the JSON."""

from __future__ import annotations

import textwrap
from typing import Any

from core.folds.cache import NOT_JUDGED
from tui.safe import safe_text

LEAST = 20
"""Cells that a value has at least, however narrow the terminal is."""


def _approvals(counts: dict[str, Any] | None) -> str:
    """What was asked before calls ran, and how long the session waited for the answers."""
    if not counts or not counts["asked"]:
        return "nothing was asked"
    waited = _duration(counts["wait_s"])
    return f"{counts['asked']} asked, {counts['approved']} approved, {counts['denied']} denied, waited {waited}"


def report_rows(fields: dict[str, Any]) -> list[tuple[str, str]]:
    """Every line of the report as its name and what it says."""
    tokens, steps = fields["tokens"], fields["plan_steps"]
    return [
        ("Session", f"{fields['session']} ({fields['name']})"),
        ("State", _state(fields)),
        *([("Verdict", fields["verdict"])] if fields.get("verdict") else []),
        ("Task", " ".join(fields["task"].split())),
        ("Model", fields["model"]),
        ("Workspace", fields["workspace"]),
        *_forked(fields.get("forked_from")),
        ("Sandbox", fields["sandbox"] or "not recorded"),
        ("Started", fields["started_at"] or "never"),
        ("Duration", _duration(fields["duration_s"])),
        ("Turns", f"{fields['turns']:,} ({fields['requests']:,} requests, {fields['retries']:,} waits for a retry)"),
        ("Tool calls", _calls(fields)),
        ("Calls per hour", _number(fields["calls_per_hour"])),
        ("Repetition", f"{_percent(fields['repetition_rate'])}, without progress: {fields['no_progress_repeats']}"),
        ("Tokens sent", _sent(tokens, fields.get("uncounted_replies", 0))),
        ("Tokens received", "unknown" if tokens["output"] is None else f"{tokens['output']:,}"),
        ("Sent per new", _number(fields["amplification"], "times")),
        (
            "Cache hits",
            f"{_percent(fields['cache_hit_rate'])}, last 20 requests {_percent(fields['cache_hit_rate_last_20'])}",
        ),
        ("Cache misses", _misses(fields["cache_misses"])),
        ("Cost", _cost(fields)),
        ("by model", _split(fields["cost_by_model"])),
        ("by purpose", _split(fields["cost_by_purpose"])),
        ("by class", _split(fields["cost_by_class"])),
        ("Forecasts", _forecasts(fields["forecast_error"])),
        *_counterfactuals(fields["counterfactuals"], fields["cost_usd"]),
        (
            "Compressions",
            f"{fields['compressions']} ({fields['compressions_automatic']} automatic, "
            f"{fields['compressions_forced']} by hand), {fields['pings']} ping{'s' * (fields['pings'] != 1)}",
        ),
        ("Checkpoints", f"{fields['checkpoints']} ({fields['rewinds']} rewinds)"),
        *_course(fields),
        ("Approvals", _approvals(fields.get("approvals"))),
        ("Memory entries", str(fields["memory_entries"])),
        ("Plan", f"{steps['done']} of {steps['total']} steps done" if steps["total"] else "none"),
        ("Files changed", ", ".join(fields["files_changed"]) or "none"),
    ]


def as_text(fields: dict[str, Any], width: int | None = None) -> str:
    """Aligned lines; what is longer than `width` cells goes on below itself (None: no line is ever broken)."""
    rows = report_rows(fields)
    column = max(len(name) for name, _ in rows)
    return "\n".join(line for name, value in rows for line in _lines(f"{name:<{column}}  ", value, width))


def _lines(title: str, value: str, width: int | None) -> list[str]:
    text = safe_text(value)
    if width is None:
        return [title + text]
    margin, room = " " * len(title), max(LEAST, width - len(title))
    first, *rest = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]
    return [title + first, *(margin + line for line in rest)]


def _state(fields: dict[str, Any]) -> str:
    """As the list of sessions calls it: what was cut off is no end that anybody chose."""
    if fields["reason"] == "crashed":
        return "interrupted (its runner is gone without a last word)"
    return f"{fields['state']} ({fields['reason']})"


def _forked(origin: dict[str, Any] | None) -> list[tuple[str, str]]:
    if origin is None:
        return []
    return [("Forked from", f"{origin['name']} at #{origin['at']:,}, where ${float(origin['usd']):.2f} had been spent")]


def _calls(fields: dict[str, Any]) -> str:
    by_name = ", ".join(f"{name} {count}" for name, count in fields["tool_calls_by_name"].items())
    return f"{fields['tool_calls']:,} ({fields['tool_errors']:,} failed)" + (f": {by_name}" if by_name else "")


def _sent(tokens: dict[str, Any], uncounted: int) -> str:
    if tokens["sent"] is None:
        return "unknown"
    parts = (
        f"fresh {tokens['fresh_input']:,}, cache read {tokens['cache_read']:,}, cache write {tokens['cache_write']:,}"
    )
    unknown = f"; {uncounted:,} replies tell none" if uncounted else ""
    return f"{tokens['sent']:,} ({parts}){unknown}"


def _cost(fields: dict[str, Any]) -> str:
    known = f"${fields['cost_usd_known_part']:.4f}"
    unknown = fields["unpriced_replies"]
    return known if not unknown else f"unknown ({known} known, {unknown} replies without a price)"


def _course(fields: dict[str, Any]) -> list[tuple[str, str]]:
    """What kept it on its way, and how well it went."""
    return [
        ("Corrections", str(fields["corrections"])),
        ("Guards", _guards(fields.get("guards"))),
        *_quality(fields.get("quality_by_hour"), fields.get("quality_trend")),
        ("Interventions", str(fields["interventions"])),
        ("Recoveries", str(fields["recoveries"])),
    ]


_STRIP = "▁▂▃▄▅▆▇█"


def _quality(hours: list[dict[str, Any]] | None, trend: dict[str, Any] | None) -> list[tuple[str, str]]:
    """Errors and redundant calls, hour by hour as a strip, and first against last quarter."""
    if hours is None or trend is None:
        return []
    rows = []
    for name, field in (("Tool errors", "error_rate"), ("Redundant calls", "redundant_rate")):
        rates = [hour[field] or 0.0 for hour in hours]
        strip = "".join(_STRIP[min(7, int(rate * 8))] for rate in rates) if len(rates) > 1 else ""
        rows.append((name, " ".join(filter(None, (strip, _trend(trend[field]))))))
    rework, steps = sum(hour["rework"] for hour in hours), sum(hour["steps_done"] for hour in hours)
    failed, checks = sum(hour["failed_checks"] for hour in hours), sum(hour["checks"] for hour in hours)
    usd = sum(hour["usd"] for hour in hours)
    each = f", ${usd / steps:,.2f} a finished step" if steps else ""
    rows.append(("Work", f"{failed} of {checks} checks failed, {rework:,} of its own lines written anew{each}"))
    return rows


def _trend(told: dict[str, Any]) -> str:
    if told["verdict"] == "not enough data":
        return f"not enough data to compare ({told['calls']:,} calls, {told['needed']:,} needed)"
    return (
        f"first quarter {told['first']:.1%}, last {told['last']:.1%}: {told['verdict']} "
        f"({told['low']:+.1%} to {told['high']:+.1%})"
    )


def _guards(counts: dict[str, Any] | None) -> str:
    """What they raised, and of how many nudges the next calls were other ones."""
    if counts is None:
        return "not counted"
    if not counts["raised"]:
        return "raised nothing"
    by_guard = ", ".join(f"{guard} {times}" for guard, times in counts["by_guard"].items())
    judged = counts["nudges_judged"]
    worked = f"; other calls after {counts['nudges_that_worked']} of {judged} nudges" if judged else ""
    fine = f"; {counts['said_to_be_fine']} said to be fine" if counts["said_to_be_fine"] else ""
    return f"{counts['raised']} raised ({by_guard}){worked}{fine}"


def _split(costs: dict[str, float]) -> str:
    """`main $1.1070, ping $0.0132`, the dearest first; nothing that cost nothing."""
    rows = sorted(((name.replace("_", " "), usd) for name, usd in costs.items() if usd), key=lambda row: -row[1])
    return ", ".join(f"{name} ${usd:,.4f}" for name, usd in rows) or "nothing"


def _misses(misses: list[dict[str, Any]] | None) -> str:
    """Losses first, then what was planned."""
    if misses is None:
        return NOT_JUDGED
    rows = [
        f"{miss['cause']} {miss['count']} times ({miss['tokens']:,} tokens, "
        + ("price unknown)" if miss["usd"] is None else f"${miss['usd']:,.4f})")
        for miss in sorted(misses, key=lambda miss: bool(miss["cause"] == "compressed"))
    ]
    return ", ".join(rows) or "none"


def _forecasts(error: float | None) -> str:
    return "nothing yet" if error is None else f"half of them within {error:.1%} of the bill"


def _counterfactuals(rows: list[dict[str, Any]] | None, paid: float | None) -> list[tuple[str, str]]:
    """What the same session would have cost otherwise, and how that compares with what was paid."""
    told = [f"{row['what']}: ${row['usd']:,.2f}" + _compared(row["usd"], paid) for row in rows or ()]
    return [("Otherwise" if index == 0 else "", line) for index, line in enumerate(told)]


def _compared(usd: float, paid: float | None) -> str:
    return f", {usd / paid:.2f} times what was paid" if paid else ""


def _percent(share: float | None) -> str:
    return "nothing yet" if share is None else f"{share:.1%}"


def _number(value: float | None, unit: str = "") -> str:
    return "nothing yet" if value is None else f"{value:,.1f} {unit}".rstrip()


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
