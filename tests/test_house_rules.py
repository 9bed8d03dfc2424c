"""The rules of the house that a machine can check: who imports whom, who reads the clock, what a start imports."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

from core.folds.packing import pack, unpack
from core.folds.view import SessionView

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
    "mcp": ("core/tools/mcp/",),
    "mcp_types": ("core/tools/mcp/",),
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


@cache
def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(tree):
    """Every module that a file imports, at the top or later."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def name(path):
    return path.relative_to(ROOT).as_posix()


def misplaced(place, module):
    """Whether a file in that place may not import the module."""
    top = module.split(".")[0]
    rooms = ONLY_IN.get(top)
    if rooms is not None and not place.startswith(rooms):
        return True
    if place.startswith("core/") and top == "tui":
        return True
    allowed = [modules for room, modules in ALLOWED_BELOW.items() if place.startswith(room)]
    return top in ("core", "tui") and not all(module.startswith(modules) for modules in allowed)


def test_each_library_stays_in_its_room_and_imports_go_down_only():
    found = [(name(path), module) for path in SOURCES for module in imports(parsed(path))]
    assert not [f"{place} imports {module}" for place, module in found if misplaced(place, module)]


CLOCKS = {
    *("time.time", "time.monotonic", "time.sleep", "time.perf_counter", "time.time_ns", "time.monotonic_ns"),
    *("datetime.now", "datetime.datetime.now", "datetime.utcnow", "date.today"),
}


def dotted(node):
    """The name of what is called, as it is written; empty where it is not a plain name."""
    if isinstance(node, ast.Name):
        return node.id
    before = dotted(node.value) if isinstance(node, ast.Attribute) else ""
    return f"{before}.{node.attr}" if before else ""


def reads_the_clock(call):
    """Whether a call reads the time, or sleeps longer than to let others have their turn."""
    function = dotted(call.func)
    turn = bool(call.args) and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0
    return function in CLOCKS or (function == "asyncio.sleep" and not turn)


def test_only_the_clock_reads_the_time_or_sleeps():
    calls = [
        (name(path), node)
        for path in SOURCES
        if name(path) != "core/clock.py"
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call)
    ]
    assert not [f"{place}:{call.lineno} {ast.unparse(call)}" for place, call in calls if reads_the_clock(call)]


def modules_after(code):
    """What a fresh interpreter has imported after running `code`."""
    script = f"{code}\nimport sys; print('\\n'.join(sys.modules))"
    answer = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    return set(answer.stdout.split())


def test_the_first_paint_waits_for_no_heavy_import():
    heavy = {"anthropic", "mcp", "genai_prices", "pydantic", "starlette", "uvicorn", "httpx2"}
    assert not modules_after("import tui.app, core.session, tui.cli, tui.launcher, tui.watching") & heavy


SLOTTED_DATACLASSES = """
import core.controls, core.source, tui.app
from dataclasses import is_dataclass
ours = [module for name, module in sys.modules.items() if name.startswith(("core.", "tui."))]
kinds = {kind for module in ours for kind in vars(module).values() if isinstance(kind, type)}
print(*(kind.__qualname__ for kind in kinds if is_dataclass(kind) and "__slots__" in vars(kind)))
"""


def test_a_session_opens_without_what_only_a_key_asks_for_and_with_structs_for_values():
    """A dataclass with slots takes fifty times as long to define as a struct."""
    there = modules_after(f"import sys{SLOTTED_DATACLASSES}")
    assert "tui.app" in there
    assert not there & {"core.changes.net", "core.tools.jobs", "core.tools.secrets", "watchfiles", "anyio"}
    assert not [name for name in there if name[0].isupper() or (name.startswith("_") and name[1:2].isupper())]


def test_core_runs_without_a_screen():
    assert "textual" not in modules_after("import core.session, core.folds.view, core.agent.host")


def test_the_command_line_imports_no_screen_for_lines():
    lines = "import tui.cli, tui.commands.sessions, tui.commands.send, tui.plain.watching"
    assert not modules_after(lines) & {"textual", "rich"}


def test_the_command_line_speaks_and_asks_at_one_place():
    """What is printed elsewhere could control the terminal."""
    aloud = {"echo", "secho", "prompt", "confirm", "echo_via_pager"}
    spoken = [
        (name(path), node.attr)
        for path in SOURCES
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "click"
    ]
    assert not [place for place, word in spoken if word in aloud and place != "tui/say.py"]


LONGEST_MODULE, LONGEST_FUNCTION = 400, 45
"""Lines that hold something; of a function, those of its statements."""


def holding(lines):
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in lines)


def statements(function):
    """What a function does, without what is said of it. Constructors are left out, for they list what is held."""
    told = ast.get_docstring(function, clean=False) is not None
    done = function.body[told:]
    return (done[0].lineno - 1, done[-1].end_lineno) if done and function.name != "__init__" else (0, 0)


def test_modules_and_functions_fit_into_a_head():
    crowded = []
    for path in SOURCES:
        place, lines = name(path), path.read_text(encoding="utf-8").splitlines()
        crowded += [place] if holding(lines) > LONGEST_MODULE else []
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first, last = statements(node)
                crowded += [f"{place} {node.name}"] if holding(lines[first:last]) > LONGEST_FUNCTION else []
    assert not crowded


def test_folds_of_a_view_hold_nothing_that_is_refused_when_the_view_is_read_back():
    """Otherwise nobody sees it, but every screen reads the whole log again."""
    view = unpack(pack(SessionView()))
    assert vars(view).keys() == vars(SessionView()).keys()
