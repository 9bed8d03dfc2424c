"""What a command must not change is put back by whoever takes the command up, too."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from breakout import NOBODY, reachable_place

from core.sandbox.access import Surroundings, access_for
from core.sandbox.guard import LEFT, PUT_ASIDE, Guard


def test_a_guard_that_was_left_puts_back_in_another_process_what_the_first_one_saw(tmp_path):
    place, folder = tmp_path / "work", tmp_path / "job"
    (place / ".git" / "hooks").mkdir(parents=True)
    folder.mkdir()
    odd = os.fsdecode(b"caf\xe9")
    (place / ".git" / "hooks" / odd).write_bytes(b"\xff\x00sample")
    (place / "AGENTS.md").write_text("Be kind.")
    (place / "link").symlink_to("AGENTS.md")
    paths = [place / ".git" / "hooks", place / "AGENTS.md", place / ".mcp.json", place / "link"]
    Guard(paths, tmp_path / "aside").leave(folder)
    assert (folder / LEFT).stat().st_mode & 0o777 == 0o600

    (place / ".git" / "hooks" / "pre-commit").write_text("#!/bin/sh\nrm -rf /\n")
    (place / "AGENTS.md").write_text("Be cruel.")
    (place / ".mcp.json").write_text("{}")
    (place / "link").unlink()

    guard = Guard.left_in(folder)
    assert guard is not None and sorted(guard.put_back()) == [".mcp.json", "AGENTS.md", "hooks", "link"]
    assert [path.name for path in (place / ".git" / "hooks").iterdir()] == [odd]
    assert (place / ".git" / "hooks" / odd).read_bytes() == b"\xff\x00sample"
    assert (place / "AGENTS.md").read_text() == "Be kind." and (place / "link").readlink() == Path("AGENTS.md")
    assert not (place / ".mcp.json").exists()
    assert len(list((tmp_path / "aside" / PUT_ASIDE).iterdir())) == 3


def test_where_none_was_left_or_it_can_not_be_read_there_is_none(tmp_path):
    assert Guard.left_in(tmp_path) is None
    (tmp_path / LEFT).write_bytes(b"\x93 no guard")
    assert Guard.left_in(tmp_path) is None


@pytest.fixture
def place(tmp_path):
    """A workspace with something to protect in folders of it."""
    work = tmp_path / "work"
    for folder in (".git/hooks", ".github", "evil", "made"):
        (work / folder).mkdir(parents=True)
    (work / ".github/instructions.md").write_text("Be kind.")
    (work / ".git/config").write_text("[core]\n")
    for name in ("evil/instructions.md", "evil/config", "made/x"):
        (work / name).write_text("evil")
    return work


def guard_of(place, *names):
    return Guard([place / name for name in names], place.parent / "aside", [place, place / ".git"])


@pytest.mark.parametrize("left", [False, True])
def test_what_stands_for_a_folder_above_is_put_aside(place, left):
    guard = guard_of(place, ".github/instructions.md", ".git/config", ".vs/absent", "made/absent")
    guard.leave(place.parent)
    for name in (".github", ".git"):
        (place / name).rename(place / f"{name}.old")
    (place / ".github").symlink_to("evil")
    (place / ".git").write_text("gitdir: evil\n")
    (place / ".vs").symlink_to("evil")
    shutil.rmtree(place / "made")

    guard = Guard.left_in(place.parent) if left else guard
    assert guard.put_back() == [".git", ".github", ".vs", "instructions.md", "config"]
    assert (place / ".github/instructions.md").read_text() == "Be kind."
    assert (place / ".git/config").read_text() == "[core]\n"
    assert (place / "evil/config").read_text() == "evil"
    assert not any(os.path.lexists(place / name) for name in (".vs", "made"))


def test_no_link_of_a_command_says_where_what_it_left_is_put(place, tmp_path):
    """It writes the folder for temporary files, in which things are put aside."""
    outside, temporary = tmp_path / "outside", tmp_path / "aside"
    outside.mkdir()
    temporary.mkdir()
    (temporary / PUT_ASIDE).symlink_to(outside)
    guard = guard_of(place, ".git/commondir")
    for turn in range(3):
        (place / ".git/commondir").write_text(f"evil {turn}")
        assert guard.put_back() == ["commondir"]
        for number in range(9):
            with suppress(FileExistsError):
                (temporary / PUT_ASIDE / f"{number}-commondir").symlink_to(outside)
    (temporary / PUT_ASIDE).rename(temporary / "gone")
    (temporary / PUT_ASIDE).write_text("a file")
    (place / ".git/commondir").write_text("evil")
    assert guard.put_back() == ["commondir"] and not (place / ".git/commondir").exists()
    assert list(outside.iterdir()) == []


def test_what_the_sandbox_keeps_is_the_user_s_to_change_as_long_as_it_is_the_same(place):
    names = (".git/config", ".github/instructions.md", "evil/config", "made/x", ".git/hooks")
    for path in (place / ".git/hooks/one", place / "made/x"):
        path.write_text("old")
    os.link(place / "evil/config", place / "other name")
    (place / ".git/packed").write_text("old")
    handles = len(list(Path("/proc/self/fd").iterdir()))
    kept = [place / name for name in names]
    guard = Guard([*kept, place / ".git/packed"], place.parent / "aside", [place, place / ".git"], kept)
    for path in (*kept[:2], place / "other name", place / ".git/packed", place / ".git/hooks/one"):
        path.write_text("new")
    (place / "other name").unlink()
    (place / "made/x").unlink()
    (place / "made/x").write_text("new")
    assert guard.put_back() == ["config", "x", "packed"]
    assert [(place / name).read_text() for name in names[:4]] == ["new", "new", "evil", "old"]
    assert (place / ".git/hooks/one").read_text() == "new"
    assert len(list(Path("/proc/self/fd").iterdir())) == handles


def test_a_link_above_stays_the_link_that_it_was(place, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (place / "link").symlink_to("made")
    guard = guard_of(place, "link/x", "made/x")
    (place / "link").unlink()
    (place / "link").symlink_to(tmp_path / "elsewhere")
    (place / "made/x").write_text("evil too")
    assert guard.put_back() == ["link", "x"]
    assert (place / "link").readlink() == Path("made") and (place / "made/x").read_text() == "evil"
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_of_a_folder_only_what_was_changed_in_it_is_put_back(place):
    hooks = place / ".git/hooks"
    (place / "made/deep").mkdir()
    for number in range(600):
        (hooks / f"{number:03}").write_text("kept")
    (hooks / "zz").write_bytes(b"x" * (1 << 21))
    os.utime(hooks / "001", (1, 1))
    guard = guard_of(place, ".git/hooks", "made")
    (hooks / "000").write_text("evil")
    (hooks / "pre-commit").write_text("evil")
    (place / "made/deep/more").write_text("evil")
    (hooks / "002").unlink()
    assert guard.put_back() == ["hooks", "made"] and guard.put_back() == []
    assert len(list(hooks.iterdir())) == 601 and list((place / "made/deep").iterdir()) == []
    assert (hooks / "000").read_text() == (hooks / "002").read_text() == "kept"
    assert (hooks / "001").stat().st_mtime == 1


def test_what_is_planted_so_that_it_can_not_be_listed_is_seen(monkeypatch):
    """A folder may be closed to a look and open to who knows the names in it."""
    with reachable_place() as where:
        place = where / "work"
        (place / ".git/hooks").mkdir(parents=True)
        for path in (where, place, place / ".git", place / ".git/hooks"):
            os.chown(path, NOBODY, NOBODY) if os.geteuid() == 0 else None
        back, user = os.geteuid(), NOBODY if os.geteuid() == 0 else os.geteuid()
        os.seteuid(user)
        try:
            guard = guard_of(place, ".claude", ".git/hooks")
            (place / ".claude").mkdir()
            (place / ".claude/settings.json").write_text("evil")
            (place / ".git/hooks/pre-commit").write_text("evil")
            (place / ".claude").chmod(0o311)
            (place / ".git/hooks").chmod(0o311)
            monkeypatch.setattr(shutil, "move", refuse)  # As where the folder for it is on another disk.
            assert guard.put_back() == [".claude", "hooks"]
        finally:
            os.seteuid(back)
        assert not (place / ".claude").exists() and not (place / ".git/hooks/pre-commit").exists()


@pytest.mark.parametrize("left", [False, True])
@pytest.mark.parametrize("mode", [0, 0o555, 0o311])
def test_no_folder_that_is_closed_keeps_what_is_in_it_from_being_put_back(mode, left):
    """The user's own files, as a user who may not pass over modes."""
    with reachable_place() as where:
        place, back = where / "work", os.geteuid()
        place.mkdir()
        if back == 0:
            os.chown(where, NOBODY, NOBODY)
            os.chown(place, NOBODY, NOBODY)
            os.seteuid(NOBODY)
        try:
            for name in (".git/hooks", ".github", "shut"):
                (place / name).mkdir(parents=True)
            names = (".git/config", ".github/instructions.md", "AGENTS.md", "shut/x")
            for name in names:
                (place / name).write_text("kind")
            (place / "shut").chmod(0o555)
            guard = guard_of(place, *names, ".git/hooks", ".mcp.json")
            guard.leave(where)
            for name in (*names[:3], ".git/hooks/pre-commit", ".mcp.json"):
                (place / name).write_text("evil")
            for name in (".git", ".github", "."):
                (place / name).chmod(mode)
            guard = Guard.left_in(where) if left else guard
            assert sorted(guard.put_back()) == [".mcp.json", "AGENTS.md", "config", "hooks", "instructions.md"]
            assert [(place / name).read_text() for name in names] == ["kind"] * 4
            assert not list((place / ".git/hooks").iterdir()) and not (place / ".mcp.json").exists()
            assert (place / "shut").stat().st_mode & 0o777 == 0o555
            (place / ".git/modules/one").mkdir(parents=True)
            for closed in ("shut", ".github", ".git/modules/one", ".git"):
                (place / closed).chmod(0)
            around = Surroundings(place, where / "tmp", where / "home", where / "config")
            assert place / ".git/hooks" in access_for(around, {}, network=False).guarded
        finally:
            os.seteuid(back)


def test_a_folder_that_is_moved_away_is_looked_for_when_it_comes_back(place):
    paths = (".git/config", ".git/hooks", ".git/modules/x/config", ".github/instructions.md")
    first = guard_of(place, *paths)
    (place / ".git").rename(place / "moved")
    shutil.rmtree(place / ".github")
    assert first.put_back() == ["config", "hooks", "instructions.md"]
    assert not (place / ".git/modules").exists()
    second = guard_of(place, *paths)
    shutil.rmtree(place / ".git")
    (place / "moved/config").write_text("evil")
    (place / "moved").rename(place / ".git")
    assert second.put_back() == ["config"] and (place / ".git/config").read_text() == "[core]\n"


def test_what_can_not_be_put_back_keeps_nothing_else_from_it(place, monkeypatch):
    (place / ".github/instructions.md").chmod(0o644)
    guard = guard_of(place, ".git/config", ".github/instructions.md")
    for name in (".git/config", ".github/instructions.md"):
        (place / name).write_text("evil")
    put_aside = Guard._set_aside
    monkeypatch.setattr(Guard, "_set_aside", lambda self, path: put_aside(self, path) if path.suffix else refuse())
    with pytest.raises(OSError, match="copied"):
        guard.put_back()
    assert (place / ".github/instructions.md").read_text() == "Be kind."


def refuse(*_):
    raise shutil.Error("what is in it can't be copied")
