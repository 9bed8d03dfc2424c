"""Notes and marks of review: merged in any order, kept apart from the journal, refused when they are anything else."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from logbook import Logbook

from core.clock import SystemClock
from core.events import Draft
from core.journal.bulk import BulkWriter
from core.journal.errors import JournalError
from core.journal.margin import MARGIN, Margin, MarginFile, Note, read_margin
from tui.cli import cli

ID = "01m8mwmqn4z7stnwdgd9p6gkyv"

notes = st.builds(
    Note,
    seq=st.integers(1, 9),
    text=st.sampled_from(["", "a", "b"]),
    by=st.sampled_from(["ada", "bob"]),
    at_us=st.integers(0, 4),
    version=st.integers(0, 2),
)
margins = st.builds(
    Margin,
    notes=st.dictionaries(st.sampled_from("xyz"), notes),
    reviewed=st.dictionaries(st.sampled_from("pq"), st.integers(-4, 4)),
)


@given(margins, margins, margins)
def test_merging_is_the_same_in_whatever_order_and_however_often(one: Margin, two: Margin, three: Margin) -> None:
    whole = one.merged(two).merged(three)
    assert whole.notes.keys() == one.notes.keys() | two.notes.keys() | three.notes.keys()
    assert three.merged(one).merged(two).merged(one).reviewed == whole.reviewed
    ranks = {id: note.rank for id, note in whole.notes.items()}
    assert {id: note.rank for id, note in three.merged(two).merged(one).notes.items()} == ranks


def test_a_change_holds_against_what_it_changed_whatever_the_clocks_say(tmp_path: Path) -> None:
    mine, theirs = (MarginFile(tmp_path, tmp_path / who, who=who, clock=SystemClock()) for who in ("me", "they"))
    id = mine.write(3, "Written by a clock that is ahead")
    later = mine.read().notes[id].at_us + 3_600_000_000
    theirs.merge(
        Margin(notes={id: Note(seq=3, text="Written by a clock that is ahead", by="me", at_us=later, version=1)})
    )
    theirs.write(3, "Changed by one that is behind", id)
    mine.merge(theirs.read())
    assert [note.text for _, note in mine.read().standing()] == ["Changed by one that is behind"]


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"[]",
        b'{"format":"else"}',
        msgspec.json.encode(Margin(notes={"a": Note(seq=0, text="x")})),
        msgspec.json.encode(Margin(notes={"a": Note(seq=1, text="x" * 5_000)})),
        msgspec.json.encode(Margin(notes={"a" * 200: Note(seq=1, text="x")})),
        b"[" * 100_000,
    ],
)
def test_what_is_no_file_of_notes_is_refused_with_a_sentence(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "n").write_bytes(data)
    with pytest.raises(JournalError, match="no file of notes"):
        read_margin(tmp_path / "n")


def test_the_notes_of_another_session_are_refused(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="another session"):
        Margin(begun_us=1).merged(Margin(begun_us=2))
    file = MarginFile(tmp_path, who="me", clock=SystemClock())
    id = file.write(3, "Look here")
    file.write(3, "", id)
    assert file.read().standing() == [] and not (tmp_path / MARGIN).stat().st_mode & 0o077


def test_notes_are_written_sent_and_merged_by_the_command(tmp_path: Path) -> None:
    homes = [tmp_path / "mine", tmp_path / "theirs"]
    for home in homes:
        with BulkWriter(home / "sessions" / ID, ID) as writer:
            for event in Logbook().events * 3:
                writer.append(Draft(event.body), 1_700_000_000_000_000)
            writer.seal()

    def run(home: Path, *words: str) -> str:
        done = CliRunner().invoke(cli, ["--home", str(home), "notes", "", *words], standalone_mode=False)
        assert done.exception is None, done.exception
        return done.output

    run(homes[0], "--add", f"Why \x1b[31mthis? ghp_{'c4nary' * 5}", "--at", "2", "--export", str(tmp_path / "sent"))
    assert "c4nary" not in (tmp_path / "sent").read_text()
    assert "1 note is new" in run(homes[1], "--merge", str(tmp_path / "sent"))
    assert "0 notes are new" in run(homes[1], "--merge", str(tmp_path / "sent"))
    listed = run(homes[1])
    assert "#2" in listed and "Why" in listed and "\x1b" not in listed
