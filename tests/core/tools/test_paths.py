from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tool_helpers import Bench

from core.sandbox.access import Surroundings
from core.sandbox.choice import SWITCHED_OFF
from core.sandbox.sandbox import Confinement
from core.tools.base import ToolError
from core.tools.paths import relative, resolve
from core.tools.search import SearchCodebase


def test_names_inside_the_workspace_come_back_relative_whether_they_exist_or_not(bench: Bench) -> None:
    bench.write("a/b.txt", "x")
    context = bench.context()
    for given_name in ("a/b.txt", "./a//b.txt", "a/../a/b.txt", str(bench.workspace / "a/b.txt")):
        assert relative(context, resolve(context, given_name)) == "a/b.txt"
    assert relative(context, resolve(context, "new/deep/file.py")) == "new/deep/file.py"
    assert relative(context, resolve(context, ".")) == "."


@pytest.mark.parametrize("name", ["..", "../x", "a/../../x", "/etc/passwd", "/", "~", "~/.bashrc"])
def test_what_leaves_the_workspace_is_refused(bench: Bench, name: str) -> None:
    with pytest.raises(ToolError, match="outside the workspace"):
        resolve(bench.context(), name)


async def test_sessions_and_configuration_that_lie_in_the_workspace_are_not_the_agent_s(bench: Bench) -> None:
    own = bench.workspace / ".own"
    around = Surroundings(bench.workspace, bench.workspace.parent / "tmp", own / "home", own / "config.toml")
    bench.settings["confinement"] = Confinement(SWITCHED_OFF, around)
    bench.write(".own/home/sessions/s/inbox/x.json", "needle")
    bench.write(".own/config.toml", "needle")
    bench.write(".own/beside", "needle")
    (bench.workspace / "link").symlink_to(".own/home/sessions/s/inbox")
    for name in (".own/home", "link/approve.json", ".own/config.toml", ".own/trusted.json", ".own/keys/K"):
        with pytest.raises(ToolError, match="belongs to Longwatch"):
            resolve(bench.context(), name)
    assert relative(bench.context(), resolve(bench.context(), ".own/beside")) == ".own/beside"
    found = (await bench(SearchCodebase(), pattern="needle")).content
    assert "beside" in found and "inbox" not in found and "config" not in found


def test_a_neighbour_whose_name_starts_like_the_workspace_is_outside(bench: Bench) -> None:
    neighbour = bench.workspace.with_name("workspace-secrets")
    neighbour.mkdir()
    for name in (str(neighbour / "x"), "../workspace-secrets/x"):
        with pytest.raises(ToolError, match="outside"):
            resolve(bench.context(), name)


def test_links_are_followed_before_the_test(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s")
    (bench.workspace / "leak").symlink_to(tmp_path / "secret")
    (bench.workspace / "up").symlink_to("..")
    (bench.workspace / "dangling").symlink_to(tmp_path / "not-there-yet")
    for name in ("leak", "up/secret", "dangling", "up/../../etc/passwd"):
        with pytest.raises(ToolError, match="outside"):
            resolve(bench.context(), name)
    bench.write("real/x", "")
    (bench.workspace / "alias").symlink_to("real")
    assert relative(bench.context(), resolve(bench.context(), "alias/x")) == "real/x"


def test_a_workspace_that_is_itself_a_link_works(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(bench.workspace)
    bench.workspace = tmp_path / "link"
    assert relative(bench.context(), resolve(bench.context(), str(tmp_path / "link/x"))) == "x"


@pytest.mark.parametrize("name", ["a\0b", "x" * 300, "y/" * 3000 + "z", "loop/x"])
def test_names_that_no_file_system_takes_are_explained(bench: Bench, name: str) -> None:
    (bench.workspace / "loop").symlink_to("loop")
    with pytest.raises(ToolError, match=r"can't") as refused:
        resolve(bench.context(), name)
    assert len(str(refused.value)) < 250


@given(st.text(max_size=60) | st.lists(st.sampled_from(["..", ".", "a", "up", "/", "~"]), max_size=8).map("/".join))
@settings(max_examples=150, deadline=None)
def test_no_name_leads_out(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    bench = Bench(tmp_path_factory.getbasetemp())
    if not (bench.workspace / "up").is_symlink():
        (bench.workspace / "up").symlink_to("../..")
    try:
        path = resolve(bench.context(), name)
    except ToolError:
        return
    assert Path(os.path.realpath(path)).is_relative_to(os.path.realpath(bench.workspace))
