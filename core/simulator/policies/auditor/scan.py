"""The scanner: how bandit is called, and what its lines say."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass

EXCLUDED = ("tests", "test", "testing", ".venv", "venv", "env", "build", "dist", "node_modules", ".git", ".tox", ".nox")
EXCLUDED_FILES = ("*/test_*.py", "*/*_test.py", "*/conftest.py")
INFORMATIONAL = ("B404", "B603", "B607")
"""Tests that flag every use of subprocess, safe or not; the scan leaves them out, and the report says so."""

CANDIDATES = ("bandit", "python3 -m bandit", f"{shlex.quote(sys.executable)} -P -m bandit")
INSTALL = "python3 -m pip install bandit"

_FINDING = re.compile(
    r"^(?:\./)?(?P<path>[^:\n]+):(?P<line>\d+): (?P<id>B\d{3}) (?P<severity>LOW|MEDIUM|HIGH)(?: (?P<text>.*))?$", re.M
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the scanner. `line` is counted from 1; `text` is empty in compact scans."""

    path: str
    line: int
    test_id: str
    severity: str
    text: str = ""

    @property
    def group(self) -> tuple[str, str]:
        return self.path, self.test_id


def scan_command(scanner: str, path: str = "", compact: bool = False) -> str:
    """Scan one file, or without a path the whole project except its tests."""
    template = "{relpath}:{line}: {test_id} {severity}" + ("" if compact else " {msg}")
    excluded = ",".join([*(f"./{name}" for name in EXCLUDED), *EXCLUDED_FILES])
    target = shlex.quote(path) if path else f"-r . -x {shlex.quote(excluded)}"
    level = " -ll" if compact else ""
    return f"{scanner} -q{level} -s {','.join(INFORMATIONAL)} -f custom --msg-template '{template}' {target}"


def scanned_path(command: str) -> str | None:
    """What a scan command looks at: a path, "" for the whole project, None when it is no scan."""
    if "--msg-template" not in command:
        return None
    words = shlex.split(command)
    return "" if "-r" in words else words[-1]


def parse_findings(output: str) -> list[Finding]:
    """Findings by file and line."""
    return sorted(_findings(output), key=lambda finding: (finding.path, finding.line, finding.test_id))


def _findings(output: str) -> Iterator[Finding]:
    for match in _FINDING.finditer(output):
        yield Finding(match["path"], int(match["line"]), match["id"], match["severity"], match["text"] or "")
