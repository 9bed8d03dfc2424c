"""What a session changed: the net difference, and behind each line the call, hand or rewind that put it there."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from core.agent.reverting import course_by_hand, reversal
from core.changes.blame import lines_of, origins
from core.changes.course import Course, course_of
from core.changes.net import Hunk, net
from core.changes.trees import Trees
from core.events import (
    CheckpointMade,
    Draft,
    GuidanceDelivered,
    ModelResponded,
    PlanChanged,
    PlanStep,
    Price,
    SessionOpened,
    ToolFinished,
    ToolStarted,
    Usage,
)
from core.folds.file_states import FileStates
from core.folds.fold import Dispatcher
from core.journal.bulk import BulkWriter
from core.journal.reader import Reader
from core.workspace.base import Entry
from core.workspace.errors import WorkspaceError
from core.workspace.objects import FILE, ObjectStore
from core.workspace.snapshots import FILES
from tui.cli import cli

ID = "01m8mwmqn4z7stnwdgd9p6gkyv"


class Session:
    """A session written by hand: `call` changes files, `by_hand` too, between calls."""

    def __init__(self, folder: Path, files: dict[str, str]) -> None:
        self.folder, self.files, self._number = folder, dict(files), 0
        self.store = ObjectStore(folder / FILES)
        self.writer = BulkWriter(folder, ID)
        self.store.prepare()
        self.add(
            SessionOpened(
                session=ID, name="n", task="t", workspace=str(folder / "gone"), model="m", endpoint="e", profile="p",
                app_version="1",
            )
        )  # fmt: skip

    def add(self, body: Any, key: str | None = None) -> int:
        self.writer.append(Draft(body, key=key), 1_700_000_000_000_000 + self.writer.last_seq)
        return self.writer.last_seq

    def tree(self) -> str:
        data = {path: text.encode("utf-8", "surrogateescape") for path, text in self.files.items()}
        return self.store.write_tree({path: Entry(FILE, self.store.put("blob", one)) for path, one in data.items()})

    def look(self) -> int:
        self._number += 1
        return self.add(CheckpointMade(tree=self.tree(), backend="copies"), f"c{self._number}")

    def call(self, said: str, **files: str | None) -> int:
        """A call that changes files; None removes one. The seq of its start."""
        self.look()
        key = f"r{self._number}.1.0"
        self.add(
            ModelResponded(
                message_id="m", model="m", content=[{"type": "text", "text": said}], stop_reason="tool_use",
                usage=Usage(), price=Price(),
            ),
            key.removesuffix(".0"),
        )  # fmt: skip
        seq = self.add(ToolStarted(name="edit_file", use_id="t", arguments={"path": said}, effect="write"), key)
        self.by_hand(**files)
        self.add(ToolFinished(name="edit_file", use_id="t", ok=True, content="", tree=self.tree()), key)
        return seq

    def test(self, ok: bool) -> int:
        self._number += 1
        key = f"r{self._number}.1.0"
        self.add(ToolStarted(name="run_command", use_id="t", arguments={"command": "pytest -q"}, effect="command"), key)
        code = 0 if ok else 1
        return self.add(ToolFinished(name="run_command", use_id="t", ok=ok, content="", exit_code=code), key)

    def by_hand(self, **files: str | None) -> None:
        for name, text in files.items():
            path = name.replace("__", "/") + ".py"
            if text is None:
                del self.files[path]
            else:
                self.files[path] = text

    def done(self) -> tuple[Course, Trees]:
        self.writer.seal()
        return course_of(self.folder), Trees(self.folder, self.folder / "gone")


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session(tmp_path / "sessions" / ID, {"a.py": "one\ntwo\nthree\n", "src/b.py": "x\n"})


def test_each_hunk_names_the_call_behind_it_and_what_was_said_before_it(session: Session) -> None:
    session.add(GuidanceDelivered(text="Mind the twos", source="user"))
    session.add(PlanChanged(steps=[PlanStep(id="1", intent="count", status="active")]))
    first = session.call("I count two twice", a="one\ntwo\ntwo\nthree\n")
    second = session.call("And a new one", c="new\n")
    course, trees = session.done()
    files = list(net(course, trees, 0))
    assert [(file.path, file.status, file.added, file.removed) for file in files] == [
        ("a.py", "M", 1, 0),
        ("c.py", "A", 1, 0),
    ]
    (author,) = files[0].authors
    assert (author.kind, author.seq, author.said) == ("call", first, "I count two twice")
    assert (author.guidance, author.step) == ("Mind the twos", "count")
    assert [author.seq for author in files[1].authors] == [second]
    assert files[0].patch.startswith("--- a/a.py\n+++ b/a.py\n@@ -1,3 +1,4 @@\n")


def test_what_was_changed_by_hand_between_two_calls_is_nobodys_call(session: Session) -> None:
    session.call("first", a="one\ntwo\nthree\nfour\n")
    session.by_hand(a="ONE\ntwo\nthree\nfour\n")
    session.call("second", src__b="y\n")
    course, trees = session.done()
    lines = origins(trees, "a.py", course.changes, range(4))
    assert [author and author.kind for author in lines.values()] == ["hand", None, None, "call"]


def test_what_came_and_went_again_is_no_difference(session: Session) -> None:
    session.call("there", a="one\nXX\ntwo\nthree\n", c="new\n")
    session.call("and back", a="one\ntwo\nthree\n", c=None)
    course, trees = session.done()
    assert list(net(course, trees, 0)) == [] and len(course.changes) == 2


def test_a_line_taken_away_names_who_took_it(session: Session) -> None:
    session.call("first", src__b="z\n")
    seq = session.call("away with it", a="one\nthree\n")
    course, trees = session.done()
    found = {file.path: file for file in net(course, trees, 0)}
    assert [author.seq for author in found["a.py"].authors] == [seq] and found["a.py"].removed == 1


def test_who_took_a_line_away_and_was_taken_back_is_not_behind_its_going(session: Session) -> None:
    session.call("away with it", a="one\nthree\n")
    session.call("and back", a="one\ntwo\nthree\n")
    seq = session.call("away for good", a="one\nthree\n")
    course, trees = session.done()
    (file,) = net(course, trees, 0)
    assert [author.seq for author in file.authors] == [seq]


def test_a_hunk_is_taken_back_byte_for_byte_and_the_others_stay(session: Session) -> None:
    long = [f"line {number}\r\n" if number % 7 else "caf\udce9\x0c\n" for number in range(40)]
    session.by_hand(a="".join(long))
    session.call("both ends", a="".join(["new\n", *long[:-1]]))
    session.by_hand(src__b="mine\n")
    session.look()
    course, trees = session.done()
    first, last = next(file for file in net(course, trees, 0) if file.path == "a.py").hunks
    for known in (course, course_by_hand(states_of(session.folder))):
        for hunk, left in ((first, long[:-1]), (last, ["new\n", *long])):
            back = reversal(known, trees, {"path": "a.py", "hunk": hunk.fingerprint("a.py")[:8]})
            assert back.content == "".join(left).encode("utf-8", "surrogateescape")
        assert reversal(known, trees, {"path": "a.py"}).content == "".join(long).encode("utf-8", "surrogateescape")
        with pytest.raises(WorkspaceError, match="changed by hand"):
            reversal(known, trees, {"path": "src/b.py"})
        assert reversal(known, trees, {"path": "src/b.py", "overwrite": True}).content == b"x\n"
        with pytest.raises(WorkspaceError, match="nothing to revert"):
            reversal(known, trees, {"path": "../a.py"})


def states_of(folder: Path) -> FileStates:
    """What the runner knows of a session's files."""
    states = FileStates()
    dispatch = Dispatcher([states])
    with Reader(folder) as reader:
        for event in reader.events():
            dispatch.apply(event)
    return states


@given(st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_what_people_changed_is_told_apart_without_the_log(seed: int) -> None:
    pick = random.Random(seed)
    with tempfile.TemporaryDirectory() as place:
        session = Session(Path(place) / "s", {"a.py": "".join(f"line {number}\n" for number in range(30))})
        for number in range(8):
            lines = session.files["a.py"].splitlines(keepends=True)
            lines[pick.randrange(len(lines))] = f"{number} {pick.random()}\n"
            if pick.random() < 0.4:
                session.by_hand(a="".join(lines))
            else:
                session.call(f"call {number}", a="".join(lines))
        session.look()
        course, trees = session.done()
        known = course_by_hand(states_of(session.folder))
        assert (known.base, known.tree) == (course.base, course.tree)
        for file, slim in zip(net(course, trees, 0), net(known, trees, 0), strict=True):
            assert [hunk.fingerprint("a.py") for hunk in file.hunks] == [
                hunk.fingerprint("a.py") for hunk in slim.hunks
            ]
            assert [kinds(hunk) for hunk in file.hunks] == [kinds(hunk) for hunk in slim.hunks]


def kinds(hunk: Hunk) -> set[str]:
    return {author.kind for author in hunk.authors}


def test_since_an_event_tells_only_what_came_later(session: Session) -> None:
    first = session.call("first", a="1\n")
    session.call("second", src__b="2\n")
    course, trees = session.done()
    assert [file.path for file in net(course, trees, first + 1)] == ["src/b.py"]
    assert [file.path for file in net(course, trees, 0, ["src"])] == ["src/b.py"]


def test_the_commands_tell_it_with_the_tests_before_and_after(session: Session, tmp_path: Path) -> None:
    session.test(False)
    session.call("I mend it", a="one\n2\nthree\n")
    session.test(True)
    session.done()
    run = CliRunner().invoke(cli, ["--home", str(tmp_path), "diff", ID], standalone_mode=False)
    assert run.exception is None, run.exception
    assert "1 files differ since the session began: +1 −1" in run.output
    assert "failed #3 → passed #" in run.output and "pytest -q" in run.output
    assert "edit_file I mend it  (I mend it)" in run.output and "+2" in run.output
    told = CliRunner().invoke(cli, ["--home", str(tmp_path), "blame", ID, "a.py:2"], standalone_mode=False)
    assert "a.py:2  2" in told.output and "said before: I mend it" in told.output
    old = CliRunner().invoke(cli, ["--home", str(tmp_path), "blame", ID, "a.py:1"], standalone_mode=False)
    assert "when the session began" in old.output


def test_the_commands_tell_it_of_an_export_that_carries_files_too(session: Session, tmp_path: Path) -> None:
    session.call("I mend it", a="one\n2\nthree\n")
    session.done()
    whole, bare = str(tmp_path / "whole.longwatch"), str(tmp_path / "bare.longwatch")
    for words in (["export", ID, whole, "--files"], ["export", ID, bare]):
        assert CliRunner().invoke(cli, ["--home", str(tmp_path), *words], standalone_mode=False).exception is None
    home = ["--home", str(tmp_path / "elsewhere")]
    told = CliRunner().invoke(cli, [*home, "diff", whole, "--reviewed"], standalone_mode=False)
    assert told.exception is None and "1 files differ since the session began: +1 −1" in told.output
    left = CliRunner().invoke(cli, [*home, "diff", whole, "--unreviewed"], standalone_mode=False)
    assert "0 files differ" in left.output and (tmp_path / "whole.longwatch.notes").exists()
    told = CliRunner().invoke(cli, [*home, "blame", whole, "a.py:2"], standalone_mode=False)
    assert "said before: I mend it" in told.output
    for words in (["diff", bare], ["blame", bare, "a.py:2"]):
        refused = CliRunner().invoke(cli, [*home, *words], standalone_mode=False)
        assert "holds no files" in str(refused.exception) and "--files" in str(refused.exception)
    assert not (tmp_path / "elsewhere").exists()


def test_the_patch_makes_the_old_files_the_new_ones(session: Session, tmp_path: Path) -> None:
    import subprocess

    session.call("first", a="one\n2\nthree", c="fresh\n")
    session.call("second", src__b=None)
    session.done()
    patch = tmp_path / "net.patch"
    run = CliRunner().invoke(cli, ["--home", str(tmp_path), "diff", ID, "--patch", str(patch)], standalone_mode=False)
    assert run.exception is None, run.exception
    (place := tmp_path / "old" / "src").mkdir(parents=True)
    (place.parent / "a.py").write_text("one\ntwo\nthree\n")
    (place / "b.py").write_text("x\n")
    subprocess.run(["git", "apply", str(patch)], cwd=place.parent, check=True)
    left = {path.relative_to(place.parent).as_posix(): path.read_text() for path in place.parent.rglob("*.py")}
    assert left == session.files


def test_landing_makes_a_branch_and_touches_nothing_else(tmp_path: Path) -> None:
    import subprocess

    def git(*arguments: str) -> str:
        told = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
        return subprocess.run(["git", *told, *arguments], cwd=place, check=True, capture_output=True, text=True).stdout

    session = Session(tmp_path / "sessions" / ID, {"a.py": "one\n", "src/b.py": "x\n"})
    place = tmp_path / "sessions" / ID / "gone"
    (place / "src").mkdir(parents=True)
    (place / "a.py").write_text("one\n")
    (place / "src" / "b.py").write_text("x\n")
    git("init", "-q", "-b", "main")
    for name, value in (("user.name", "Ada"), ("user.email", "ada@example.org")):
        git("config", name, value)
    git("add", ".")
    git("commit", "-q", "-m", "start")
    session.add(PlanChanged(steps=[PlanStep(id="1", intent="first things", status="active")]))
    session.call("one", a="one\ntwo\n")
    session.add(PlanChanged(steps=[PlanStep(id="2", intent="then the rest", status="active")]))
    session.call("two", src__b=None, c="new\n")
    session.done()
    status = git("status", "--porcelain")
    command = ["--home", str(tmp_path), "land", ID, "--branch", "landed", "--per-step"]
    run = CliRunner().invoke(cli, command, standalone_mode=False)
    assert run.exception is None, run.exception
    assert git("log", "--format=%s", "landed").split("\n")[:3] == ["then the rest", "first things", "start"]
    assert (
        git("show", "landed:a.py") == "one\ntwo\n" and git("ls-tree", "-r", "--name-only", "landed") == "a.py\nc.py\n"
    )
    assert git("status", "--porcelain") == status and git("rev-parse", "--abbrev-ref", "HEAD") == "main\n"
    for branch, sentence in (("landed", "There is a branch landed already"), ("a b", "'a b' can't be the name")):
        command[5] = branch
        again = CliRunner().invoke(cli, command, standalone_mode=False)
        assert str(again.exception).startswith(sentence)
    command[5] = "unsigned"
    git("config", "user.name", "")
    again = CliRunner().invoke(cli, command, standalone_mode=False)
    assert "git config --global user.name" in str(again.exception)
    for before, sentence in (((".git", ".gone"), "is in no git repository"), ((), "has no commit yet")):
        if before:
            (place / before[0]).rename(place / before[1])
        else:
            git("init", "-q")
        again = CliRunner().invoke(cli, command, standalone_mode=False)
        assert sentence in str(again.exception)


@given(seed=st.integers(0, 2**32), steps=st.integers(1, 8))
@settings(max_examples=25, deadline=None)
def test_each_line_was_written_by_the_last_that_put_these_very_words_there(
    tmp_path_factory: pytest.TempPathFactory, seed: int, steps: int
) -> None:
    """Lines are unique, so the truth is known: who first had the line in a state, since it was last gone."""
    chance, count = random.Random(seed), 0
    session = Session(tmp_path_factory.mktemp("s") / ID, {"a.py": "".join(f"start {n}\n" for n in range(6))})
    writers: dict[str, int | None] = dict.fromkeys(session.files["a.py"].splitlines())
    for _ in range(steps):
        lines = session.files["a.py"].splitlines()
        for _ in range(chance.randint(1, 4)):
            at = chance.randint(0, len(lines))
            if lines and chance.random() < 0.4:
                lines.pop(min(at, len(lines) - 1))
            else:
                count += 1
                lines.insert(at, f"line {count}")
        seq = session.call("edit", a="".join(f"{line}\n" for line in lines))
        writers |= {line: seq for line in lines if line not in writers}
    course, trees = session.done()
    assert course.tree is not None
    lines = [line.rstrip() for line in lines_of(trees.at(course.tree, "a.py"))]
    found = origins(trees, "a.py", course.changes, range(len(lines)))
    assert [author and author.seq for author in found.values()] == [writers[line] for line in lines]
