from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tool_helpers import Bench

from core.tools import search_child
from core.tools.base import ToolError
from core.tools.search import SearchCodebase
from core.tools.search_child import matcher

RIPGREP = shutil.which("rg")
ENGINES = [
    pytest.param("", id="python"),
    pytest.param(RIPGREP, id="ripgrep", marks=pytest.mark.skipif(RIPGREP is None, reason="ripgrep is not installed")),
]


@pytest.fixture(params=ENGINES)
def search(request: pytest.FixtureRequest) -> SearchCodebase:
    return SearchCodebase(request.param)


@pytest.fixture
def project(bench: Bench) -> Bench:
    bench.write("src/app.py", "import os\n\ndef main():\n    return os.getcwd()\r\n")
    bench.write("src/ui/view.ts", "export const main = 1\n")
    bench.write("README.md", "Run main.\n")
    bench.write(".hidden/notes.md", "main\n")
    bench.write("node_modules/lib.js", "main\n")
    bench.write("src/__pycache__/app.py", "main\n")
    bench.write("data.bin", b"main\0main\n")
    bench.write("latin.txt", b"caf\xe9 main\n")
    return bench


async def test_a_search_goes_on_after_the_program_was_replaced_by_another_version(
    project: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_child, "__file__", "/gone/search_child.py")
    assert (await project(SearchCodebase(""), pattern="def main")).content.startswith("1 hit")


async def test_hits_come_sorted_with_path_and_line_and_caches_are_passed_over(
    project: Bench, search: SearchCodebase
) -> None:
    outcome = await project(search, pattern="main")
    assert outcome.content.splitlines() == [
        "5 hits in 5 files",
        ".hidden/notes.md:1: main",
        "README.md:1: Run main.",
        "latin.txt:1: caf\ufffd main",
        "src/app.py:3: def main():",
        "src/ui/view.ts:1: export const main = 1",
    ]


@pytest.mark.parametrize(
    ("raw", "paths"),
    [
        ({"path": "src"}, ["src/app.py", "src/ui/view.ts"]),
        ({"path": "src/app.py"}, ["src/app.py"]),
        ({"path": "node_modules"}, ["node_modules/lib.js"]),
        ({"glob": "*.{py,md}"}, [".hidden/notes.md", "README.md", "src/app.py"]),
        ({"glob": "src/**/*.ts"}, ["src/ui/view.ts"]),
        ({"glob": "src/*.py"}, ["src/app.py"]),
        ({"glob": "[R]*"}, ["README.md"]),
        ({"pattern": "MAIN", "ignore_case": True, "glob": "*.ts"}, ["src/ui/view.ts"]),
        ({"pattern": r"getcwd\(\)$"}, ["src/app.py"]),
    ],
)
async def test_a_search_is_narrowed_by_path_glob_and_case(
    project: Bench, search: SearchCodebase, raw: dict[str, object], paths: list[str]
) -> None:
    lines = (await project(search, **{"pattern": "main", **raw})).content.splitlines()
    assert [line.partition(":")[0] for line in lines[1:]] == paths


async def test_no_hit_is_an_answer_and_an_invalid_regex_an_error(project: Bench, search: SearchCodebase) -> None:
    assert (await project(search, pattern="nowhere-to-be-found")).content == "no hits"
    with pytest.raises(ToolError, match=r"'foo\(' is not a valid regular expression: missing \)"):
        await project(search, pattern="foo(")
    with pytest.raises(ToolError, match="can't search missing"):
        await project(search, pattern="x", path="missing")
    assert "src/app.py:3" in (await project(search, pattern=r"(?<=def )main")).content


async def test_hits_and_lines_are_capped(bench: Bench, search: SearchCodebase) -> None:
    bench.write("many", "needle\n" * 1_000)
    bench.write("wide", "needle" + "x" * 5_000_000 + "\n")
    lines = (await bench(search, pattern="needle", limit=5)).content.splitlines()
    assert lines[0] == "5 hits in 1 file" and len(lines) == 7 and "more hits" in lines[-1]
    wide = (await bench(search, pattern="needle", path="wide")).content
    assert len(wide) < 500 and wide.endswith("…")


async def test_links_that_lead_out_are_not_followed(bench: Bench, search: SearchCodebase, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_text("needle\n")
    (bench.workspace / "link").symlink_to(tmp_path / "outside")
    (bench.workspace / "file").symlink_to(tmp_path / "outside/secret")
    assert (await bench(search, pattern="needle")).content == "no hits"
    with pytest.raises(ToolError, match="outside"):
        await bench(search, pattern="needle", path="link")


async def test_a_regex_that_never_comes_back_is_stopped(bench: Bench) -> None:
    bench.write("0.txt", "found aaaa\n")
    bench.write("1.txt", "a" * 60 + "b\n")
    outcome = await bench(SearchCodebase("", seconds=1.5), pattern=r"found|^(a+)+$")
    assert "0.txt:1: found aaaa" in outcome.content
    assert "took too long and was stopped" in outcome.content


async def test_a_workspace_cannot_put_its_own_modules_in_the_way(bench: Bench) -> None:
    bench.write("re.py", "raise SystemExit('mine')\n")
    bench.write("json.py", "raise SystemExit('mine')\n")
    assert "re.py:1" in (await bench(SearchCodebase(""), pattern="SystemExit")).content


@given(st.text(alphabet="ab/*?[]{},!.\\^-", max_size=12))
@settings(max_examples=200, deadline=None)
def test_every_glob_is_a_regex_or_literal(glob: str) -> None:
    matcher([glob]).fullmatch("a/b.py")
