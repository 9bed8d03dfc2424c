"""The project's tests: which command runs them, and what its output says."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.simulator.policies.auditor.conversation import Done

_UNITTEST_FAILURE = re.compile(r"^(?:FAIL|ERROR): (\S+) \(([\w.]+)", re.M)
_PYTEST_FAILURE = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.M)
_SUMMARY = re.compile(r"^(Ran \d+ tests? in .+|=*\s?\d+ (?:passed|failed|error).*|FAILED \(.+\)|OK(?: \(.+\))?)$", re.M)
_REASON = re.compile(r"^E? *((?:[\w.]+\.)?[A-Z]\w*(?:Error|Exception|Warning)\b.*)$", re.M)
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_TRACE = re.compile(r'(?:File "([^"\n]+\.py)", line (\d+), in test|^([\w./-]*test[\w./-]*\.py):(\d+):)', re.M)
_NO_TESTS = ("Ran 0 tests", "NO TESTS RAN", "no tests ran", "Start directory is not importable")

COMPILE = "python3 -m compileall -q ."


@dataclass(frozen=True, slots=True)
class TestRun:
    """What a run came to: the names of failing tests, a summary, and the first reason and place of a failure."""

    exit_code: int | None
    failing: frozenset[str]
    summary: str
    reason: str
    place: str
    found_none: bool

    def holds(self, known: frozenset[str]) -> bool:
        """Whether nothing fails that did not fail from the start."""
        return self.exit_code == 0 or (self.exit_code is not None and bool(self.failing) and self.failing <= known)


def first_command(configuration: str) -> str:
    """The command to try first, from the project's configuration files."""
    prefix = "PYTHONPATH=src " if re.search(r"""["'/ ]src["'/]""", configuration) else ""
    if re.search(r"\[(tool[.:])?pytest|^pytest\b|[\"']pytest\b", configuration, re.M):
        return f"{prefix}python3 -m pytest -q"
    return f"{prefix}python3 -m unittest discover -s tests -q"


def next_command(command: str) -> str | None:
    """What to try when a command found no tests or could not run; None after the last."""
    if "pytest" in command:
        return command.replace("pytest -q", "unittest discover -s tests -q")
    if "discover -s tests" in command:
        return command.replace("discover -s tests", "discover")
    return None if "compileall" in command else COMPILE


def read_run(done: Done) -> TestRun:
    """Understand the output of unittest, pytest or compileall."""
    output = done.content
    failing = {
        f"{case}.{name}" if not case.endswith(name) else case for name, case in _UNITTEST_FAILURE.findall(output)
    }
    failing |= set(_PYTEST_FAILURE.findall(output)) if "pytest" in str(done.input.get("command")) else set()
    summary = ", ".join(re.sub(r" in [\d.]+s", "", line.strip("= ")) for line in _SUMMARY.findall(output)[-2:])
    reasons, traces = _REASON.findall(output), _TRACE.findall(output)
    ran = bool(failing or summary or done.exit_code == 0)
    return TestRun(
        exit_code=done.exit_code,
        failing=frozenset(failing),
        summary=summary or f"exit {done.exit_code}",
        reason=_ADDRESS.sub("", reasons[-1].strip())[:160] if reasons else "",
        place=(traces[0][0] or traces[0][2]) if traces else "",
        found_none=not ran or any(words in output for words in _NO_TESTS),
    )
