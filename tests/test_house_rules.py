"""The rules of the house that a machine can check: who imports whom, who reads the clock, what a start imports."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = [
    path
    for folder in ("core", "tui", "themes")
    for path in (ROOT / folder).rglob("*.py")
    if "simulator/sample" not in path.as_posix()
]
ONLY_IN = {
    "textual": ("tui/",),
    "anthropic": ("core/models/",),
    "httpx2": ("core/models/",),
    "aiosqlite": ("core/journal/",),
    "sqlite3": ("core/journal/",),
}
ALLOWED_BELOW = {
    "core/events/": ("core.events",),
    "core/folds/": ("core.events", "core.folds", "core.clock"),
    "core/request/": ("core.events", "core.folds", "core.request"),
    "tui/widgets/": ("tui.widgets", "tui.safe", "core.clock"),
}


def imports(path):
    """Every module that a file imports, at the top or later."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def name(path):
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_each_library_stays_in_its_room_and_imports_go_down_only(path):
    place = name(path)
    for module in imports(path):
        rooms = ONLY_IN.get(module.split(".")[0])
        assert rooms is None or place.startswith(rooms), f"{place} imports {module}"
        if place.startswith("core/"):
            assert not module.startswith("tui"), f"{place} imports {module}"
        for room, allowed in ALLOWED_BELOW.items():
            if place.startswith(room) and module.split(".")[0] in ("core", "tui"):
                assert module.startswith(allowed), f"{place} imports {module}"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_only_the_clock_reads_the_time_or_sleeps(path):
    if name(path) == "core/clock.py":
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    forbidden = {
        *("time.time", "time.monotonic", "time.sleep", "time.perf_counter", "time.time_ns", "time.monotonic_ns"),
        *("datetime.now", "datetime.datetime.now", "datetime.utcnow", "date.today"),
    }
    assert not calls & forbidden
    sleeps = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "asyncio.sleep"
        and not (node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0)
    ]
    assert not sleeps, f"{name(path)} sleeps"


def modules_after(code):
    """What a fresh interpreter has imported after running `code`."""
    script = f"{code}\nimport sys; print('\\n'.join(sys.modules))"
    answer = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    return set(answer.stdout.split())


@pytest.mark.parametrize("module", ["tui.app", "core.session", "tui.cli", "tui.launcher", "tui.watching"])
def test_the_first_paint_waits_for_no_heavy_import(module):
    heavy = {"anthropic", "mcp", "genai_prices", "pydantic", "starlette", "uvicorn", "httpx2"}
    assert not modules_after(f"import {module}") & heavy


def test_core_runs_without_a_screen():
    assert "textual" not in modules_after("import core.session, core.folds.view, core.agent.host")


@pytest.mark.parametrize("module", ["tui.commands.sessions", "tui.commands.send", "tui.plain.watching"])
def test_the_command_line_imports_no_screen_for_lines(module):
    assert not modules_after(f"import tui.cli, {module}") & {"textual", "rich"}
