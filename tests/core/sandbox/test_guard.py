"""What a command must not change is put back by whoever takes the command up, too."""

import os
from pathlib import Path

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
