"""The porter: rules that turn old Python into today's, module by module, and try another reading where tests object."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from core.simulator.policies.auditor.conversation import Done, file_text
from core.simulator.policies.auditor.testruns import read_run
from core.simulator.policies.base import Call
from core.simulator.policies.stepwise import Stepwise

REPORT, END = "PORTED.md", "(rows are added above this line)"
_MODULE = re.compile(r"^old/(\w+)\.py  ", re.M)
_PLAIN = (
    (r"(\w+)\.has_key\((\w+)\)", r"\2 in \1"),
    (r"if not (\w+) in (\w+)", r"if \1 not in \2"),
    (r"\.iter(items|keys|values)\(\)", r".\1()"),
    (r"\bxrange\(", "range("),
    (r"<>", "!="),
    (r"raise (\w+), (.+)", r"raise \1(\2)"),
    (r"except (\w+), (\w+):", r"except \1:"),
    (r"`([^`]+)`", r"repr(\1)"),
    (r"string\.join\((.+), (\"[^\"]*\")\)", r"\2.join(\1)"),
    (r"^import string\n\n\n", "\n"),
    (r"(\w+) = (\w+)\.items\(\)\n\s*\1\.sort\(\)", r"\1 = sorted(\2.items())"),
    (r"return map\((.+)\)$", r"return list(map(\1))"),
    (r"\bcmp\((\S+), (\S+)\)", r"((\1 > \2) - (\1 < \2))"),
    (r"sorted\((\w+), cmp=(\w+)\)", r"sorted(\1, key=functools.cmp_to_key(\2))"),
)
"""(pattern, replacement) of what has one reading only."""


def _whole(text: str) -> str:
    """Divisions of whole numbers give whole numbers; where a float is at hand they stay."""
    lines = (line if "float(" in line or ".0" in line else re.sub(r" / ", " // ", line) for line in text.split("\n"))
    return "\n".join(lines)


def _half_up(text: str) -> str:
    return re.sub(r"\bround\((\w+ / [\d.]+)\)", r"math.floor(\1 + 0.5)", text)


READINGS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("as the guide says", lambda text: text),
    ("divisions give whole numbers", _whole),
    ("halves are rounded up", _half_up),
    ("whole numbers, halves up", lambda text: _half_up(_whole(text))),
)


@dataclass(frozen=True, slots=True)
class Progress:
    """`at` is the module in work, `reading` which of the readings is tried."""

    step: str = "survey"
    at: int = 0
    total: int = 0
    module: str = ""
    reading: int = 0
    ported: int = 0
    calls: int = 0
    replies: int = 0


class PorterPolicy(Stepwise[Progress]):
    """Plays the porter."""

    def __init__(self) -> None:
        super().__init__(Progress, _step)


Answer = tuple[str, Progress, list[Call]]


def _step(progress: Progress, last: list[Done], history: list[Done]) -> Answer:
    match progress.step:
        case "survey":
            calls = [_listing(), Call("read_file", {"path": "PORTING.md"})]
            return "I am the simulated porter: rules, no language model.", replace(progress, step="begin"), calls
        case "begin":
            total = sum(len(_MODULE.findall(done.content)) for done in last)
            head = f"# Ported\n\n{END}\n"
            following = replace(progress, step="next", total=total)
            return f"{total} modules.", following, [Call("write_file", {"path": REPORT, "content": head}), _listing()]
        case "next":
            return _next(progress, last, [])
        case "try":
            return _try(progress, history)
        case "check":
            return _check(progress, last, history)
    return f"{progress.ported} of {progress.total} modules are ported.", replace(progress, step="done"), []


def _listing() -> Call:
    return Call("list_files", {"path": "old", "depth": 1})


def _next(progress: Progress, last: list[Done], calls: list[Call]) -> Answer:
    """On to the next module: read it and its tests side by side."""
    if progress.at >= progress.total:
        tests = Call("run_command", {"command": "python3 -m unittest discover -s tests -t . -q", "timeout": 300})
        return "All of them once more.", replace(progress, step="done"), [*calls, tests]
    names = sorted(name for done in last for name in _MODULE.findall(done.content))
    if not names:
        return "Which come next?", replace(progress, step="next"), [*calls, _listing()]
    name = names[progress.at]
    reads = [Call("read_file", {"path": f"old/{name}.py"}), Call("read_file", {"path": f"tests/test_{name}.py"})]
    following = replace(progress, step="try", module=name, reading=0, at=progress.at + 1)
    return f"Next: {name}.", following, [*calls, *reads]


def _try(progress: Progress, history: list[Done]) -> Answer:
    """Write the module in one reading, and run its tests."""
    path = f"new/{progress.module}.py"
    old = file_text(history, f"old/{progress.module}.py")
    if old is None:
        return "The old module again.", progress, [Call("read_file", {"path": f"old/{progress.module}.py"})]
    title, read = READINGS[progress.reading]
    write = Call("write_file", {"path": path, "content": ported(old, read)})
    run = Call("run_command", {"command": f"python3 -m unittest -q tests.test_{progress.module}", "timeout": 60})
    return f"{path}: {title}.", replace(progress, step="check"), [write, run]


def _check(progress: Progress, last: list[Done], history: list[Done]) -> Answer:
    runs = [done for done in last if done.name == "run_command"]
    refused = [done for done in last if done.name == "write_file" and done.failed]
    if refused:  # It is not as this model knows it: looked at, it may be replaced.
        calls = [Call("read_file", {"path": done.path}) for done in refused]
        calls += [Call(done.name, dict(done.input)) for done in (*refused, *runs)]
        return "The file is not as I know it; I look at it and write it again.", progress, calls
    path, title = f"new/{progress.module}.py", READINGS[progress.reading][0]
    if runs and runs[-1].exit_code == 0:
        calls = [_row(f"{path}: ported, {title}")]
        return _next(replace(progress, step="next", ported=progress.ported + 1), [], calls)
    why = read_run(runs[-1]).reason if runs else "no run"
    if progress.reading + 1 < len(READINGS):
        note = {"text": f"{path}, {title}: {why}", "category": "failure", "topic": path}
        said, following, calls = _try(replace(progress, reading=progress.reading + 1), history)
        return f"That is not what the test expects ({why}). {said}", following, [Call("remember", note), *calls]
    return _next(replace(progress, step="next"), [], [_row(f"{path}: open, {why}")])


def _row(text: str) -> Call:
    return Call("edit_file", {"path": REPORT, "old": END, "new": f"- {text}\n{END}"})


def ported(old: str, read: Callable[[str], str]) -> str:
    """The module in today's Python, what is ambiguous in the given reading."""
    text = old
    for pattern, replacement in _PLAIN:
        text = re.sub(pattern, replacement, text, flags=re.M)
    text = read(text)
    needed = [name for name in ("functools", "math") if f"{name}." in text]
    imports = "".join(f"import {name}\n" for name in needed)
    return text.replace("\n\n", f"\n\n{imports}\n", 1) if needed else text
