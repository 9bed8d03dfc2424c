"""The form in which two runs of a rehearsal are the same: what happened, without what belongs to one machine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from core.events import Event, SessionOpened

Row = tuple[str, str, Any]

OUTSIDE = frozenset(
    (
        *("pid", "host", "epoch", "app_version", "session", "endpoint", "folder", "at", "duration_ms", "duration_s"),
        *(
            "ms",
            "size",
            "body_bytes",
            "parts",
            "tokens_before",
            "tokens_after",
            "keep_from",
            "seq",
            "usd",
            "digest",
            "recovered",
            "quote",
            "first_token_ms",
            "elapsed_ms",
            "started_at",
            "ended_at",
            "waited_s",
            "delay_s",
            "until_us",
            "retry_after_s",
            "usage",
            "raw_usage",
        ),
        *("price", "outlook", "request_id", "message_id", "use_id", "id", "fingerprint", "before", "after", "blob"),
        *("signature", "sections", "prefix", "tree", "commit", "snapshot", "job", "sandbox", "evidence", "marks"),
    )
)
"""Names in bodies: processes, times, durations, money, sizes, places in the log, ids by chance, hashes
of such, and the digest, which lists parallel calls as they came to their ends."""
AS_A_SET = frozenset(
    ("runner.attached", "runner.detached", "runner.recovered", "retry.waiting", "model.failed", "machine.slept")
)
"""Recovery events: which of them come matters, not when."""
BESIDE = frozenset(
    (
        *("checkpoint.made", "guard.raised", "guard.answered", "cache.missed", "workspace.changed"),
        *("screen.lost", "screen.came"),
    )
)
"""Kinds whose place depends on times, or on the machine."""
_CALL = re.compile(r"r(\d+)\.\d+(\.\d+)?")
_CHANCE = re.compile(r"[0-9a-hjkmnp-tv-z]{26}")
_WITHIN_A_TEXT = (
    (re.compile(r"\b(r\d+)\.\d+(?=\.\d+\b)"), r"\1"),
    (re.compile(r"\b\d+(?:\.\d+)? ?(?:ms|s|seconds?|min|minutes?)\b"), "some time"),
    (re.compile(r"\b[0-9a-f]{12,64}\b"), "some hash"),
    (re.compile(r"#\d+"), "#n"),
    (re.compile(r"\S*/sessions/[0-9a-hjkmnp-tv-z]{26}\b"), "some session"),
    (re.compile(r"\b127\.0\.0\.1:\d+"), "some server"),
    (re.compile(r"\b0x[0-9a-f]+\b"), "some address"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT[\d:.]+Z?"), "some day"),
)


def compared(events: Iterable[Event], workspace: Path) -> list[Row]:
    """(kind, key, body) of each event that counts: results in the order of their calls, what went on beside them and
    recovery events at the end.

    Paths are relative to the workspace. Two runs of the same rehearsal give equal lists.
    """
    ordinary: list[Row] = []
    recovery: set[str] = set()
    aside: list[Row] = []
    calls: list[Row] = []
    where, events = str(workspace.resolve()), list(events)
    refused = {event.key for event in events if event.kind == "model.failed"}
    for event in events:
        if event.kind == "model.requested" and event.key in refused:
            continue
        if _is_aside(event):
            aside.append(_row(event, where))
        elif event.kind in AS_A_SET:
            recovery.add(event.kind)
        elif event.kind in ("tool.started", "tool.finished"):
            calls.append(_row(event, where))
        elif event.kind not in BESIDE:
            if event.kind.startswith("model."):
                ordinary += _in_order(calls)
                calls.clear()
            ordinary.append(_row(event, where))
    aside.sort(key=lambda row: (row[1], row[0]))
    return [*ordinary, *_in_order(calls), *aside, ("recovery", "", sorted(recovery))]


def _is_aside(event: Event) -> bool:
    """Whether it belongs to a request beside the work, as a ping is, which goes out while calls run."""
    return event.kind in ("model.requested", "model.consulted") and not (event.key or "").startswith("r")


def _in_order(calls: list[Row]) -> list[Row]:
    """Calls of a reply with their outcomes, in the order in which the model made them."""
    return sorted(calls, key=lambda row: (_place(row[1]), row[0] == "tool.finished"))


def _row(event: Event, where: str) -> Row:
    body = msgspec.to_builtins(event.body, str_keys=True)
    if isinstance(event.body, SessionOpened):
        body = {"task": event.body.task, "model": event.body.model, "settings": event.body.settings}
    return event.kind, _key(event), _plain(body, where)


def _key(event: Event) -> str:
    """`r8.2` for the call 2 of request 8: how often a request was tried is part of a recovery; ids are by chance."""
    key = event.key or ""
    found = _CALL.fullmatch(key)
    return f"r{found[1]}{found[2] or ''}" if found else "" if _CHANCE.fullmatch(key) else key


def _plain(value: Any, where: str) -> Any:
    """A value without what is outside, its texts without times, hashes and the place of the workspace."""
    if isinstance(value, dict):
        return {name: _plain(inner, where) for name, inner in _inside(value)}
    if isinstance(value, list):
        return [_plain(inner, where) for inner in value]
    if isinstance(value, str):
        text = value.replace(where, ".")
        for pattern, word in _WITHIN_A_TEXT:
            text = pattern.sub(word, text)
        return text
    return value


def _inside(body: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, value in sorted(body.items()) if name not in OUTSIDE)


def _place(key: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", key))
