"""What the auditor puts into memory: single lines that read well and that it can read back from anywhere.

A note is found by its wording, wherever it turns up: in a `remember` call of the visible history, in the memory
section of a compressed conversation, in the answer of `recall`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from core.simulator.policies.auditor.scan import Finding

_BEFORE = re.compile(r"Findings at the start(?: \(\d+ of \d+\))?: (.+)")
_PLACE = re.compile(r"([^\s;][^;]*?):(\d+) (B\d{3})(?=;|$|\s*$)")
_OUTCOME = re.compile(r"Outcome for (.+?) (B\d{3}): (fixed|open) — (.+)")
_FAILURE = re.compile(r"Attempt (\d+) on (.+?) (B\d{3}) failed: (.+)")
_TESTS = re.compile(r"Test command `(.+?)`, at the start: (.+?)(?: Failing from the start: (.+))?$")
_PER_NOTE = 8

NOTE = "Note: "
"""Begins a line of the auditor's own text that takes the place of a memory entry where no memory is offered."""

Group = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the findings of one kind in one file."""

    fixed: bool
    text: str


@dataclass(slots=True)
class Notes:
    """Everything remembered. `before` maps (file, test id) to the lines at the start."""

    before: dict[Group, list[int]] = field(default_factory=dict)
    outcomes: dict[Group, Outcome] = field(default_factory=dict)
    failures: dict[Group, dict[int, str]] = field(default_factory=dict)
    test_command: str = ""
    test_summary: str = ""
    failing: frozenset[str] = frozenset()

    def read(self, text: str) -> None:
        """Take over every note in a text."""
        for line in text.splitlines():
            self._read_line(line.strip())

    def _read_line(self, line: str) -> None:
        if match := _BEFORE.search(line):
            for path, number, test_id in _PLACE.findall(match[1]):
                lines = self.before.setdefault((path.strip(), test_id), [])
                if int(number) not in lines:
                    lines.append(int(number))
        elif match := _OUTCOME.search(line):
            self.outcomes[match[1], match[2]] = Outcome(match[3] == "fixed", match[4])
        elif match := _FAILURE.search(line):
            self.failures.setdefault((match[2], match[3]), {})[int(match[1])] = match[4]
        elif match := _TESTS.search(line):
            self.test_command, self.test_summary = match[1], match[2]
            self.failing = frozenset((match[3] or "").split(", ")) - {""}

    @property
    def files(self) -> list[str]:
        return list(dict.fromkeys(path for path, _ in self.before))

    def open_groups(self) -> list[Group]:
        """Findings at the start that nothing was decided about yet."""
        return [group for group in self.before if group not in self.outcomes]

    @property
    def count_before(self) -> int:
        return sum(map(len, self.before.values()))


def before_notes(findings: list[Finding]) -> list[str]:
    """The findings at the start as notes of a few places each."""
    parts = [findings[start : start + _PER_NOTE] for start in range(0, len(findings), _PER_NOTE)]
    return [
        f"Findings at the start ({number} of {len(parts)}): "
        + "; ".join(f"{finding.path}:{finding.line} {finding.test_id}" for finding in part)
        for number, part in enumerate(parts, 1)
    ]


def outcome_note(group: Group, fixed: bool, text: str) -> str:
    return f"Outcome for {group[0]} {group[1]}: {'fixed' if fixed else 'open'} — {text}"


def failure_note(group: Group, attempt: int, text: str) -> str:
    return f"Attempt {attempt} on {group[0]} {group[1]} failed: {text}"


def baseline_note(command: str, summary: str, failing: Iterable[str]) -> str:
    known = ", ".join(sorted(failing))
    return f"Test command `{command}`, at the start: {summary}" + (f" Failing from the start: {known}" if known else "")
