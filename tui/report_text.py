"""The report for people: as aligned text and as Markdown, from the same fields as the JSON."""

from __future__ import annotations

from typing import Any

from tui.safe import safe_text


def _rows(fields: dict[str, Any]) -> list[tuple[str, str]]:
    tokens, steps = fields["tokens"], fields["plan_steps"]
    return [
        ("Session", f"{fields['session']} ({fields['name']})"),
        ("State", f"{fields['state']} ({fields['reason']})"),
        ("Task", " ".join(fields["task"].split())),
        ("Model", fields["model"]),
        ("Workspace", fields["workspace"]),
        ("Started", fields["started_at"] or "never"),
        ("Duration", _duration(fields["duration_s"])),
        ("Turns", f"{fields['turns']:,} ({fields['requests']:,} requests, {fields['retries']:,} waits for a retry)"),
        ("Tool calls", _calls(fields)),
        ("Calls per hour", _number(fields["calls_per_hour"])),
        ("Repetition", f"{_percent(fields['repetition_rate'])}, without progress: {fields['no_progress_repeats']}"),
        (
            "Tokens sent",
            f"{tokens['sent']:,} (fresh {tokens['fresh_input']:,}, cache read {tokens['cache_read']:,}, "
            f"cache write {tokens['cache_write']:,})",
        ),
        ("Tokens received", f"{tokens['output']:,}"),
        ("Cache hits", _percent(fields["cache_hit_rate"])),
        ("Cost", _cost(fields)),
        ("Compressions", str(fields["compressions"])),
        ("Checkpoints", f"{fields['checkpoints']} ({fields['rewinds']} rewinds)"),
        ("Corrections", str(fields["corrections"])),
        ("Interventions", str(fields["interventions"])),
        ("Recoveries", str(fields["recoveries"])),
        ("Memory entries", str(fields["memory_entries"])),
        ("Plan", f"{steps['done']} of {steps['total']} steps done" if steps["total"] else "none"),
        ("Files changed", ", ".join(fields["files_changed"]) or "none"),
    ]


def as_text(fields: dict[str, Any]) -> str:
    """Aligned lines."""
    return "\n".join(f"{name:<16} {safe_text(value)}" for name, value in _rows(fields))


def as_markdown(fields: dict[str, Any]) -> str:
    """A table."""
    lines = [f"# Session {safe_text(fields['name'])}", "", "| | |", "|---|---|"]
    return "\n".join(
        lines + [f"| {name} | {safe_text(value).replace('|', chr(92) + '|')} |" for name, value in _rows(fields)]
    )


def _calls(fields: dict[str, Any]) -> str:
    by_name = ", ".join(f"{name} {count}" for name, count in fields["tool_calls_by_name"].items())
    return f"{fields['tool_calls']:,} ({fields['tool_errors']:,} failed)" + (f": {by_name}" if by_name else "")


def _cost(fields: dict[str, Any]) -> str:
    known = f"${fields['cost_usd_known_part']:.4f}"
    unknown = fields["unpriced_replies"]
    return known if not unknown else f"unknown ({known} known, {unknown} replies without a price)"


def _percent(share: float | None) -> str:
    return "nothing yet" if share is None else f"{share:.1%}"


def _number(value: float | None) -> str:
    return "nothing yet" if value is None else f"{value:,.1f}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
