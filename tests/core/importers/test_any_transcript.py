"""Whatever a transcript holds, it is imported or refused with a sentence; our own exports come back as they were."""

from __future__ import annotations

import io
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
import transcripts as made
from hypothesis import given, settings
from hypothesis import strategies as st

from core.clock import VirtualClock
from core.events import Draft, GuidanceDelivered, ModelResponded, Price, SessionOpened, ToolFinished, ToolStarted, Usage
from core.folds.view import SessionView
from core.importers.importing import Importer
from core.importers.rows import ImportProblem
from core.journal.bulk import BulkWriter
from core.journal.catalogue import session_folder
from core.journal.errors import JournalError
from core.journal.export import export_jsonl, export_session
from core.journal.reader import Reader

EXAMPLES = int(os.environ.get("LONGWATCH_EXAMPLES", "12"))
SMALL = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8))
VALUES = st.recursive(
    SMALL,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
ROWS: dict[str, Any] = {
    "claude-code": made.claude_rows(),
    "codex": made.codex_rows(),
    "openhands": made.openhands_sdk(),
    "openhands-legacy": made.openhands_legacy(),
}
DOCUMENTS = {"mini": made.mini_document(), "swe": made.swe_document(), "inspect": made.inspect_log()}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value inside a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, part in inner for place in places(part, (*path, name)))]


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = changed(value[path[0]], path[1:], new)
    return copy


def taken(text: bytes) -> bool:
    """Whether it was imported, and then could be watched; False where it was refused with a sentence."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        (path := home / "file").write_bytes(text)
        try:
            result = Importer(home / "home", {}).read(path)
        except (ImportProblem, JournalError) as error:
            assert len(str(error)) < 600
            return False
        for session in result.sessions:
            with Reader(session_folder(home / "home", session.id)) as reader:
                assert reader.verify() is None
                SessionView().apply_all(reader.events())
        return True


@pytest.mark.parametrize("kind", ROWS)
@given(data=st.data())
@settings(max_examples=EXAMPLES, deadline=None)
def test_rows_with_any_value_anywhere_are_imported_or_refused(kind: str, data: st.DataObject) -> None:
    rows = list(ROWS[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(rows) - 1))
        rows[at] = changed(rows[at], data.draw(st.sampled_from(places(rows[at]))), data.draw(VALUES))
    rows = data.draw(st.permutations(rows)) if data.draw(st.booleans()) else rows
    lines = [json.dumps(row).encode() for row in rows]
    text = b"\n".join(lines)
    taken(text[: data.draw(st.integers(len(text) // 2, len(text)))])


@pytest.mark.parametrize("kind", DOCUMENTS)
@given(data=st.data())
@settings(max_examples=EXAMPLES, deadline=None)
def test_documents_with_any_value_anywhere_are_imported_or_refused(kind: str, data: st.DataObject) -> None:
    document: Any = DOCUMENTS[kind]
    for _ in range(data.draw(st.integers(1, 4))):
        found = places(document)
        document = changed(document, data.draw(st.sampled_from(found)), data.draw(VALUES))
    taken(json.dumps(document, indent=data.draw(st.sampled_from([None, 1]))).encode())


@pytest.mark.parametrize("kind", [*ROWS, *DOCUMENTS])
def test_a_transcript_whose_counts_of_tokens_are_absurd_can_be_watched(kind: str) -> None:
    transcript: Any = ROWS.get(kind, DOCUMENTS.get(kind))
    for path in places(transcript):
        if path and str(path[-1]).endswith(("_tokens", "tokens_sent", "tokens_received")):
            transcript = changed(transcript, path, 2**40)
    lines = transcript if kind in ROWS else [transcript]
    assert taken(b"\n".join(json.dumps(line).encode() for line in lines))


@given(st.binary(max_size=300))
@settings(max_examples=EXAMPLES, deadline=None)
def test_bytes_are_refused_with_a_sentence(text: bytes) -> None:
    assert not taken(text)


TEXTS = st.text(max_size=40)
BODIES = st.one_of(
    st.builds(GuidanceDelivered, text=TEXTS),
    st.builds(
        ModelResponded,
        message_id=TEXTS,
        model=TEXTS,
        content=st.just([]),
        stop_reason=TEXTS,
        usage=st.builds(Usage),
        price=st.builds(Price),
    ),
    st.builds(ToolStarted, name=TEXTS, use_id=TEXTS, arguments=st.dictionaries(TEXTS, TEXTS, max_size=2), effect=TEXTS),
    st.builds(ToolFinished, name=TEXTS, use_id=TEXTS, ok=st.booleans(), content=TEXTS),
)


@given(
    bodies=st.lists(BODIES, max_size=12),
    blobs=st.lists(st.binary(min_size=1, max_size=600), max_size=3),
    now=st.integers(0, 2**50),
)
@settings(max_examples=EXAMPLES, deadline=None)
def test_our_own_exports_come_back_event_for_event(bodies: list[Any], blobs: list[bytes], now: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, id = Path(name) / "one", "01m8mwmqn4z7stnwdgd9p6gkyv"
        with BulkWriter(folder, id) as writer:
            opened = SessionOpened(
                session=id, name="n", task="t", workspace="/w", model="m", endpoint="e", profile="p", app_version="1"
            )
            writer.append(Draft(opened), now, blobs)
            for step, body in enumerate(bodies):
                writer.append(Draft(body, key=f"r{step}.1"), now + step)
            writer.seal()
        export_session(folder, export := Path(name) / "film.longwatch")
        home, importer = Path(name) / "home", Importer(Path(name) / "home", {}, clock=VirtualClock())
        made_of_it = importer.read(export).sessions[0]
        with Reader(folder) as original, Reader(session_folder(home, made_of_it.id)) as copy:
            assert made_of_it.id == id and copy.raw() == original.raw() and copy.verify() is None
            assert copy.blobs() == original.blobs() and copy.meta() == original.meta()
            export_jsonl(original, lines := io.BytesIO())
        assert importer.read(export).sessions[0].known
        (rows := Path(name) / "film.jsonl").write_bytes(lines.getvalue())
        assert importer.read(rows).sessions[0].known
        again = Importer(Path(name) / "other", {}).read(rows).sessions[0]
        with Reader(folder) as original, Reader(session_folder(Path(name) / "other", again.id)) as copy:
            assert copy.raw() == original.raw() and copy.verify() is None
