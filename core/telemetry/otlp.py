"""OTLP over HTTP as JSON, which every collector takes: spans, and what the conventions count of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from core.telemetry.spans import Span, Value
from core.version import app_version

TOKENS = "gen_ai.client.token.usage"
DURATION = "gen_ai.client.operation.duration"
_TOKEN_BOUNDS = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576]
_DURATION_BOUNDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
"""Bounds that the conventions advise."""
_SHARED = (
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "error.type",
)
_SCOPE = {"name": "longwatch"}
_DELTA = 1


def traces(spans: Iterable[Span], resource: Mapping[str, str]) -> dict[str, Any]:
    """The body of a request to /v1/traces."""
    rows = [_span(span) for span in spans]
    return {"resourceSpans": [{"resource": _resource(resource), "scopeSpans": [{"scope": _SCOPE, "spans": rows}]}]}


def metrics(spans: Iterable[Span], resource: Mapping[str, str]) -> dict[str, Any] | None:
    """The body of a request to /v1/metrics: tokens and durations of requests; None where there are none."""
    chats = [span for span in spans if span.attributes.get("gen_ai.operation.name") == "chat"]
    if not chats:
        return None
    counted = [_tokens(span, kind) for span in chats for kind in ("input", "output")]
    rows = [
        _histogram(TOKENS, "{token}", [point for point in counted if point]),
        _histogram(DURATION, "s", [_duration(span) for span in chats]),
    ]
    scope = {"scope": _SCOPE, "metrics": rows}
    return {"resourceMetrics": [{"resource": _resource(resource), "scopeMetrics": [scope]}]}


def _span(span: Span) -> dict[str, Any]:
    row: dict[str, Any] = {
        "traceId": span.trace,
        "spanId": span.id,
        "name": span.name,
        "kind": 3 if span.client else 1,
        "startTimeUnixNano": str(span.start_us * 1_000),
        "endTimeUnixNano": str(span.end_us * 1_000),
        "attributes": _attributes(span.attributes),
        "status": {"code": 2, "message": span.error} if span.error else {},
    }
    return {**row, "parentSpanId": span.parent} if span.parent else row


def _tokens(span: Span, kind: str) -> dict[str, Any] | None:
    count = span.attributes.get(f"gen_ai.usage.{kind}_tokens")
    if not isinstance(count, int):
        return None
    return _point(span, count, _TOKEN_BOUNDS, {"gen_ai.token.type": kind})


def _duration(span: Span) -> dict[str, Any]:
    return _point(span, (span.end_us - span.start_us) / 1e6, _DURATION_BOUNDS, {})


def _point(span: Span, value: float, bounds: Sequence[float], more: Mapping[str, Value]) -> dict[str, Any]:
    """One value as a histogram of its own; collectors add them up."""
    edges = [float("-inf"), *bounds, float("inf")]
    shared = {name: span.attributes[name] for name in _SHARED if name in span.attributes}
    return {
        "attributes": _attributes({**shared, **more}),
        "startTimeUnixNano": str(span.start_us * 1_000),
        "timeUnixNano": str(span.end_us * 1_000),
        "count": "1",
        "sum": value,
        "min": value,
        "max": value,
        "bucketCounts": [str(int(low < value <= high)) for low, high in pairwise(edges)],
        "explicitBounds": list(bounds),
    }


def _histogram(name: str, unit: str, points: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": name, "unit": unit, "histogram": {"aggregationTemporality": _DELTA, "dataPoints": points}}


def _resource(named: Mapping[str, str]) -> dict[str, Any]:
    own = {"service.name": "longwatch", "service.version": app_version()}
    return {"attributes": _attributes({**own, **named})}


def _attributes(values: Mapping[str, Value]) -> list[dict[str, Any]]:
    return [{"key": name, "value": _value(value)} for name, value in values.items()]


def _value(value: Value) -> dict[str, Any]:
    match value:
        case str():
            return {"stringValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
    return {"arrayValue": {"values": [{"stringValue": item} for item in value]}}
