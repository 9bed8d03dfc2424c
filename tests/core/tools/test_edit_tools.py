from __future__ import annotations

import hashlib
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tool_helpers import Bench

from core.tools.base import Outcome, Rerun, Tool, ToolError
from core.tools.edit import EditFile, WriteFile
from core.tools.files import ReadFile
from core.tools.registry import parse_arguments


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def intent_of(bench: Bench, tool: Tool, **raw: Any) -> dict[str, Any]:
    return tool.prepare(parse_arguments(tool, raw), bench.context())


async def test_a_new_file_is_created_with_its_folders_and_verified(bench: Bench) -> None:
    outcome = await bench(WriteFile(), path="src/new/a.py", content="x = 1\n")
    assert (bench.workspace / "src/new/a.py").read_text() == "x = 1\n"
    lines = outcome.content.splitlines()
    assert lines[0] == "created src/new/a.py · 1 line added, 0 removed"
    assert "+x = 1" in lines
    assert lines[-2:] == [
        f"sha256 {sha(b'x = 1' + bytes([10]))[:12]}…",
        f"syntax: ok (Python 3.{sys.version_info.minor})",
    ]
    (change,) = outcome.files
    assert (change.path, change.before, change.after) == ("src/new/a.py", None, sha(b"x = 1\n"))
    assert (change.added, change.removed) == (1, 0)
    assert [path.name for path in (bench.workspace / "src/new").iterdir()] == ["a.py"]


async def test_an_existing_file_is_replaced_only_when_it_was_read_and_did_not_change(bench: Bench) -> None:
    path = bench.write("a.txt", "old\n")
    with pytest.raises(ToolError, match="you have not read it"):
        await bench(WriteFile(), path="a.txt", content="new\n")
    await bench(ReadFile(), path="a.txt")
    path.write_text("by hand\n")
    with pytest.raises(ToolError, match="changed since you last read it"):
        await bench(WriteFile(), path="a.txt", content="new\n")
    assert path.read_text() == "by hand\n"
    await bench(ReadFile(), path="a.txt")
    outcome = await bench(WriteFile(), path="a.txt", content="new\n")
    assert "-by hand" in outcome.content and "+new" in outcome.content
    await bench(WriteFile(), path="a.txt", content="newer\n")
    assert path.read_text() == "newer\n"


async def test_writing_what_is_there_already_changes_nothing(bench: Bench) -> None:
    path = bench.write("a.txt", "same\n")
    before = path.stat().st_ino
    outcome = await bench(WriteFile(), path="a.txt", content="same\n")
    assert "nothing was written" in outcome.content and not outcome.files
    assert path.stat().st_ino == before


async def test_mode_encoding_newlines_and_mark_survive(bench: Bench) -> None:
    path = bench.write("run.sh", "\ufeffecho ä\r\nexit\r\n")
    path.chmod(0o754)
    await bench(ReadFile(), path="run.sh")
    await bench(WriteFile(), path="run.sh", content="echo ö\nexit 1\n")
    assert path.read_bytes() == "\ufeffecho ö\r\nexit 1\r\n".encode()
    await bench(EditFile(), path="run.sh", old="echo ö\nexit 1", new="a\nb\nc")
    assert path.read_bytes() == "\ufeffa\r\nb\r\nc\r\n".encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o754
    latin = bench.write("latin.txt", "caf\xe9 one\n".encode("latin-1"))
    await bench(EditFile(), path="latin.txt", old="one", new="zwölf")
    assert latin.read_bytes() == "caf\xe9 zwölf\n".encode("latin-1")
    with pytest.raises(ToolError, match="latin-1, which has no '→'"):
        await bench(EditFile(), path="latin.txt", old="zwölf", new="→")


async def test_an_edit_replaces_the_only_occurrence_or_all(bench: Bench) -> None:
    path = bench.write("a.py", "x = 1\ny = 1\n")
    with pytest.raises(ToolError, match=r"occurs 2 times in a.py \(lines 1, 2\)"):
        await bench(EditFile(), path="a.py", old=" = 1", new=" = 2")
    outcome = await bench(EditFile(), path="a.py", old=" = 1", new=" = 2", all=True)
    assert path.read_text() == "x = 2\ny = 2\n"
    assert (outcome.files[0].added, outcome.files[0].removed) == (2, 2)
    await bench(EditFile(), path="a.py", old="x = 2", new=r"x = '\1 \g<0>'")
    assert path.read_text() == "x = '\\1 \\g<0>'\ny = 2\n"


async def test_a_miss_shows_the_nearest_text_with_line_numbers_and_changes_nothing(bench: Bench) -> None:
    path = bench.write("a.py", "import os\n\ndef greet(name):\n    return 'hello ' + name\n\ndef other():\n    pass\n")
    with pytest.raises(ToolError) as missed:
        await bench(EditFile(), path="a.py", old="def greet(name):\n  return 'hello' + name\n", new="x")
    assert "does not occur in a.py" in str(missed.value)
    assert "3\tdef greet(name):\n4\t    return 'hello ' + name" in str(missed.value)
    with pytest.raises(ToolError, match="Nothing in the file looks like it"):
        await bench(EditFile(), path="a.py", old="§§§§§§§§§", new="x")
    assert path.read_text().startswith("import os")


async def test_an_edit_of_a_file_that_changed_since_it_was_read_is_refused(bench: Bench) -> None:
    path = bench.write("a.txt", "one\n")
    await bench(ReadFile(), path="a.txt")
    path.write_text("one\ntwo\n")
    with pytest.raises(ToolError, match="changed since you last read it"):
        await bench(EditFile(), path="a.txt", old="one", new="1")


@pytest.mark.parametrize(
    ("name", "content", "verdict"),
    [
        ("a.py", "def f(:\n", "syntax: not valid Python"),
        ("a.py", "x = '\\d'\n", "syntax: ok (Python"),
        ("a.py", "(" * 5_000, "syntax: not valid Python"),
        ("a.json", '{"a": 1,}', "syntax: not valid JSON"),
        ("a.json", "[" * 100_000, "syntax: not valid JSON: nested too deeply"),
        ("a.toml", "a = 1\na = 2\n", "syntax: not valid TOML"),
        ("a.toml", "a = 1\n", "syntax: ok (TOML)"),
    ],
)
async def test_what_was_written_is_checked_but_kept(bench: Bench, name: str, content: str, verdict: str) -> None:
    outcome = await bench(WriteFile(), path=name, content=content)
    last = outcome.content.splitlines()[-1]
    assert last.startswith(verdict.split(": nested")[0]) and outcome.ok
    assert (bench.workspace / name).read_text() == content


async def test_nothing_of_a_written_file_is_executed(bench: Bench) -> None:
    await bench(WriteFile(), path="a.py", content=f"open({str(bench.workspace / 'ran')!r}, 'w')\n")
    assert not (bench.workspace / "ran").exists()


async def test_a_big_diff_is_capped_and_whole_behind_its_handle(bench: Bench) -> None:
    bench.write("a.txt", "".join(f"{number}\n" for number in range(5_000)))
    await bench(ReadFile(), path="a.txt")
    outcome = await bench(WriteFile(), path="a.txt", content="".join(f"n{number}\n" for number in range(5_000)))
    assert len(outcome.content) < 6_000 and f'recall(handle="out:r{bench.calls}.0.0")' in outcome.content
    assert isinstance(outcome.full, str) and "+n4999" in outcome.full
    assert (outcome.files[0].added, outcome.files[0].removed) == (5_000, 5_000)


async def test_what_cannot_be_written_is_explained(bench: Bench) -> None:
    bench.write("file", "x")
    (bench.workspace / "folder").mkdir()
    bench.write("pic.png", b"\x89PNG\0\0")
    for raw, reason in (
        ({"path": "file/below", "content": ""}, "Not a directory"),
        ({"path": "folder", "content": ""}, "is a folder"),
        ({"path": "pic.png", "content": ""}, "is not text"),
        ({"path": "../out", "content": ""}, "outside the workspace"),
    ):
        with pytest.raises(ToolError, match=reason):
            await bench(WriteFile(), **raw)
    for raw, reason in (
        ({"path": "none", "old": "a", "new": "b"}, "does not exist"),
        ({"path": "file", "old": "x", "new": "x"}, "the same"),
        ({"path": "file", "old": "", "new": "x"}, "old"),
    ):
        with pytest.raises(ToolError, match=reason):
            await bench(EditFile(), **raw)


async def test_a_link_inside_the_workspace_stays_a_link(bench: Bench) -> None:
    bench.write("real.txt", "one\n")
    (bench.workspace / "alias").symlink_to("real.txt")
    outcome = await bench(EditFile(), path="alias", old="one", new="two")
    assert (bench.workspace / "alias").is_symlink() and (bench.workspace / "real.txt").read_text() == "two\n"
    assert outcome.files[0].path == "real.txt"


async def test_recovery_tells_a_write_that_happened_from_one_that_did_not(bench: Bench, tmp_path: Path) -> None:
    raw = {"path": "a.txt", "old": "one", "new": "two"}
    path = bench.write("a.txt", "one\n")
    intent = intent_of(bench, EditFile(), **raw)
    assert intent == {"path": "a.txt", "before": sha(b"one\n"), "after": sha(b"two\n"), "added": 1, "removed": 1}

    assert isinstance(await bench.recover(EditFile(), "r1.0.0", intent, **raw), Rerun)
    path.write_text("two\n")
    happened = await bench.recover(EditFile(), "r1.0.0", intent, **raw)
    assert isinstance(happened, Outcome) and happened.ok and happened.files[0].after == sha(b"two\n")
    for damage in (lambda: path.write_text("three\n"), path.unlink):
        damage()
        neither = await bench.recover(EditFile(), "r1.0.0", intent, **raw)
        assert isinstance(neither, Outcome) and not neither.ok and "re-read it" in neither.content


async def test_a_write_that_is_run_again_after_a_restart_still_counts_as_read(bench: Bench) -> None:
    bench.write("a.txt", "one\n")
    await bench(ReadFile(), path="a.txt")
    raw = {"path": "a.txt", "content": "two\n"}
    intent = intent_of(bench, WriteFile(), **raw)
    bench.read_hashes.clear()
    assert isinstance(await bench.recover(WriteFile(), "r1.0.0", intent, **raw), Rerun)
    assert (await bench(WriteFile(), **raw)).ok


async def test_what_a_crash_left_half_written_is_cleared_by_the_next_try(bench: Bench) -> None:
    (bench.workspace / ".longwatch-r1.0.0.part").write_text("half")
    await bench(WriteFile(), path="a.txt", content="whole")
    assert [path.name for path in bench.workspace.iterdir()] == ["a.txt"]


@given(
    lines=st.lists(st.text(alphabet="ab \té", max_size=6), min_size=1, max_size=12),
    newline=st.sampled_from(["\n", "\r\n"]),
    ends=st.tuples(st.integers(0, 11), st.integers(0, 11)),
    new=st.text(alphabet="xy\n", max_size=8),
)
@settings(max_examples=60, deadline=None)
def test_an_edit_touches_nothing_but_what_it_names(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], newline: str, ends: tuple[int, int], new: str
) -> None:
    bench = Bench(tmp_path_factory.getbasetemp())
    old = "\n".join(lines[min(ends) : max(ends) + 1])
    text = newline.join(lines) + newline
    bench.write("p.txt", text)
    try:
        intent = intent_of(bench, EditFile(), path="p.txt", old=old, new=new, all=True)
    except ToolError:
        return
    style = newline if newline == "\n" or len(lines) else "\n"
    expected = text.replace(old.replace("\n", style), new.replace("\n", style))
    assert intent["after"] == sha(expected.encode())
