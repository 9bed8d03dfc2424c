"""Which tool wrote a file, found by what it holds: the shape of its first rows, or of its one document."""

from __future__ import annotations

import itertools
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal

from core.importers.rows import ImportProblem, Tally, Unreadable, fields, items, rows_of, words

Kind = Literal[
    "longwatch", "longwatch-rows", "claude-code", "codex", "mini-swe-agent", "swe-agent", "openhands", "inspect", "chat"
]
READ: Final = (
    "Claude Code, Codex, mini-swe-agent, SWE-agent, OpenHands, Inspect, lists of messages of a chat, "
    "and Longwatch's own exports"
)
_SAMPLE: Final = 60
"""Rows that are looked at."""
_ROW: Final = frozenset(("seq", "parent", "node", "kind", "key", "at", "actor", "body"))
_CLAUDE: Final = frozenset(
    ("user", "assistant", "system", "summary", "progress", "file-history-snapshot", "queue-operation")
)
_CODEX: Final = frozenset(("session_meta", "response_item", "event_msg", "turn_context", "compacted"))
_CODEX_BARE: Final = frozenset(("message", "reasoning", "function_call", "function_call_output", "local_shell_call"))


def archive_kind(path: Path) -> Kind:
    """What a zip holds. Raises ImportProblem."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise ImportProblem(f"{path} is a damaged zip archive: {error}.") from error
    if {"manifest.json", "events.jsonl"} <= names:
        return "longwatch"
    if "header.json" in names or "_journal/start.json" in names:
        return "inspect"
    raise ImportProblem(f"{path} is a zip archive, but neither an export of Longwatch nor a log of Inspect.")


def sampled(path: Path) -> list[dict[str, Any]]:
    """The first rows of a file that are JSON objects; none where it is one document over several lines, or no JSON."""
    with path.open("rb") as file:
        return list(itertools.islice(_objects(file), _SAMPLE))


def _objects(file: Any) -> Iterator[dict[str, Any]]:
    bad = 0
    for row in rows_of(file, Tally()):
        if isinstance(row, Unreadable):
            bad += 1
            if bad > _SAMPLE:
                return
        else:
            yield row[1]


def rows_kind(rows: list[dict[str, Any]]) -> Kind | None:
    """Whose rows these are: what most of them look like."""
    votes: Counter[Kind] = Counter(kind for row in rows if (kind := _row_kind(row)) is not None)
    return votes.most_common(1)[0][0] if votes else None


def _row_kind(row: dict[str, Any]) -> Kind | None:
    kind = words(row.get("type"))
    if row.keys() == _ROW:
        return "longwatch-rows"
    if isinstance(row.get("payload"), dict) and kind in _CODEX:
        return "codex"
    if kind in _CODEX_BARE or row.get("record_type") == "state" or {"id", "timestamp", "instructions"} <= row.keys():
        return "codex"
    if kind and ("sessionId" in row or "session_id" in row or "leafUuid" in row):
        return "claude-code"
    if kind in ("user", "assistant") and isinstance(row.get("message"), dict):
        return "claude-code"
    return "openhands" if _openhands(row) else None


def _openhands(row: Any) -> bool:
    if not isinstance(row, dict):
        return False
    if isinstance(kind := row.get("kind"), str) and "source" in row:
        return kind.endswith(("Event", "Observation")) or kind.startswith("Condensation")
    told = isinstance(row.get("action"), str) and ("args" in row or "source" in row)
    return told or (isinstance(row.get("observation"), str) and ("content" in row or "extras" in row))


def document_kind(document: Any) -> Kind | None:
    """Whose document it is."""
    if isinstance(document, list) and any(map(_openhands, document[:_SAMPLE])):
        return "openhands"
    if chat_in(document):
        return "chat"
    if not isinstance(document, dict):
        return None
    if isinstance(document.get("eval"), dict) and ("samples" in document or "status" in document):
        return "inspect"
    mini = str(document.get("trajectory_format", "")).startswith("mini-swe-agent")
    if isinstance(document.get("messages"), list) and (mini or isinstance(document.get("info"), dict)):
        return "mini-swe-agent"
    if any(map(_openhands, events_in(document)[:_SAMPLE])):
        return "openhands"
    steps = document.get("trajectory")
    if isinstance(steps, list) and all(isinstance(step, dict) for step in steps[:_SAMPLE]):
        return "swe-agent" if {"history", "info", "environment"} & document.keys() else None
    return None


def chat_in(document: Any) -> list[Any]:
    """The messages of a document that is nothing but a chat: a list, or the one list in it."""
    inner = items(document.get("history") or document.get("messages")) if isinstance(document, dict) else document
    alone = isinstance(document, list) or (isinstance(document, dict) and len(document) == 1)
    sample = inner[:_SAMPLE] if isinstance(inner, list) else []
    talks = bool(sample) and all(isinstance(it, dict) and "content" in it for it in sample)
    return inner if alone and talks and {"user", "assistant"} <= {words(it.get("role")) for it in sample} else []


def events_in(document: dict[str, Any]) -> list[Any]:
    """The events of a document of OpenHands: its history, or what else it is called."""
    return next((found for name in ("history", "trajectory", "events") if (found := items(document.get(name)))), [])


def described(rows: list[dict[str, Any]], document: Any, start: bytes) -> str:
    """What a file that is no transcript, and begins so, holds, in words."""
    if rows:
        return f"it holds rows of JSON with {_names(rows[0])}"
    if isinstance(document, dict):
        return f"it is one JSON object with {_names(document)}"
    if isinstance(document, list):
        first = fields(document[0]) if document else {}
        return f"it is a JSON list of {len(document):,}" + (f", the first with {_names(first)}" if first else "")
    return "it is one JSON value" if document is not None else _no_json(start)


_MAGIC: Final = {
    b"\x1f\x8b": "compressed by gzip; unpack it first",
    b"\x28\xb5\x2f\xfd": "compressed by zstd; unpack it first",
    b"\xfd7zXZ": "compressed by xz; unpack it first",
    b"BZh": "compressed by bzip2; unpack it first",
    b"SQLite format 3": "a database of SQLite",
    b"%PDF": "a PDF",
    b"\xff\xfe": "text in UTF-16; `iconv -f UTF-16 -t UTF-8` makes what can be read of it",
    b"\xfe\xff": "text in UTF-16; `iconv -f UTF-16 -t UTF-8` makes what can be read of it",
}
_QUOTED: Final = 40


def _no_json(start: bytes) -> str:
    known = next((what for magic, what in _MAGIC.items() if start.startswith(magic)), None)
    if known is not None:
        return f"it is {known}"
    text = start.decode("utf-8", "replace")
    if not text.strip():
        return "it holds nothing but blank lines"
    if "\0" in text or text.count("\ufffd") > len(text) / 10:
        return "it is binary data"
    return f"it is text and no JSON, and begins with {' '.join(text.split())[:_QUOTED]!r}"


def _names(row: dict[str, Any]) -> str:
    names = [str(name)[:30] for name in itertools.islice(row, 6)]
    return f"the fields {', '.join(names)}" + (" and more" if len(row) > len(names) else "") if names else "no fields"
