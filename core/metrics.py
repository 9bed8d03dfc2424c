"""Sessions as metrics in the text format of Prometheus, for a collector that reads a file or a command."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

GAUGES = {
    "cost_usd_known_part": ("cost_usd", "Dollars spent, as far as prices are known."),
    "duration_s": ("duration_seconds", "From its first to its last event."),
    "bytes": ("disk_bytes", "What its files take on the disk."),
    "cache_hit_rate": ("cache_hit_ratio", "Share of the sent tokens that came from a cache."),
}
COUNTERS = {
    "turns": ("turns_total", "Replies of the model."),
    "requests": ("requests_total", "Requests, retries included."),
    "tool_calls": ("tool_calls_total", "Calls of tools."),
    "tool_errors": ("tool_errors_total", "Calls that failed."),
    "retries": ("retries_total", "Attempts that were made again."),
    "compressions": ("compressions_total", "Compressions of the context."),
    "interventions": ("interventions_total", "What the user did to steer."),
    "recoveries": ("recoveries_total", "Times that it was taken up after a crash."),
    "unpriced_replies": ("unpriced_replies_total", "Replies whose price is not known."),
}
"""Fields of the report -> (metric, help)."""
TOKENS = ("fresh_input", "cache_read", "cache_write", "output")


def metrics(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Lines of the format from reports of sessions (`core.folds.report`, with `bytes`); none for what is unknown."""
    sessions = list(rows)
    yield from _head("session_info", "gauge", "What the session is; always 1.")
    for row in sessions:
        names = ("session", "name", "model", "workspace", "state", "reason")
        yield _line("session_info", {name: row.get(name) for name in names}, 1)
    for kind, fields in (("gauge", GAUGES), ("counter", COUNTERS)):
        for field, (name, about) in fields.items():
            yield from _head(f"session_{name}", kind, about)
            for row in sessions:
                if isinstance(value := row.get(field), int | float):
                    yield _line(f"session_{name}", {"session": row["session"]}, value)
    yield from _head("session_tokens_total", "counter", "Tokens by the way they are billed.")
    for row in sessions:
        counted = row.get("tokens") or {}
        for kind in TOKENS:
            if isinstance(value := counted.get(kind), int | float):
                yield _line("session_tokens_total", {"session": row["session"], "kind": kind}, value)


def _head(name: str, kind: str, about: str) -> Iterator[str]:
    yield f"# HELP longwatch_{name} {about}"
    yield f"# TYPE longwatch_{name} {kind}"


def _line(name: str, labels: Mapping[str, Any], value: float) -> str:
    given = ",".join(f'{label}="{_escaped(str(text))}"' for label, text in labels.items() if text is not None)
    return f"longwatch_{name}{{{given}}} {value}"


def _escaped(text: str) -> str:
    """A label's value: on one line, whatever a task or a model is called."""
    plain = "".join(character if character.isprintable() else " " for character in text)
    return plain.replace("\\", r"\\").replace('"', r"\"")
