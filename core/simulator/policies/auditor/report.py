"""AUDIT.md: only what the outputs of scanner and tests show, and what was noted on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from core.simulator.policies.auditor.guidance import allowed
from core.simulator.policies.auditor.notes import Group, Notes
from core.simulator.policies.auditor.progress import Progress
from core.simulator.policies.auditor.rules import rule_for
from core.simulator.policies.auditor.scan import INFORMATIONAL, Finding
from core.simulator.policies.auditor.testruns import COMPILE, TestRun

REPORT = "AUDIT.md"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The findings and the test run after the last change, and the commands that gave them."""

    after: list[Finding]
    tests: TestRun
    test_command: str
    scan_command: str

    def remaining(self, group: Group) -> list[Finding]:
        return [finding for finding in self.after if finding.group == group]


def report_text(notes: Notes, evidence: Evidence, progress: Progress) -> str:
    """The whole report as Markdown."""
    fixed = [group for group in notes.before if not evidence.remaining(group)]
    left = [group for group in notes.before if evidence.remaining(group)]
    new = [finding for finding in evidence.after if finding.group not in notes.before]
    sections = [
        "# Security audit",
        "Made by the simulated auditor: rules, not a language model.",
        _summary(notes, evidence),
        "## Findings by kind\n\n" + "\n".join(_counts(notes, evidence)),
        "## Mended\n\n" + ("\n".join(_row(notes, group) for group in fixed) or "Nothing."),
        "## Open\n\n" + ("\n".join(_open_row(notes, evidence, group, progress) for group in left) or "Nothing."),
    ]
    if new:
        places = "\n".join(
            f"- `{finding.path}:{finding.line}` {finding.test_id} {finding.text}".rstrip() for finding in new
        )
        sections.append(f"## New since the start\n\n{places}")
    return "\n\n".join([*sections, _method(evidence)]) + "\n"


def _summary(notes: Notes, evidence: Evidence) -> str:
    before, after = notes.count_before, len(evidence.after)
    check = "compilation" if evidence.test_command == COMPILE else "tests"
    now = (
        "pass"
        if evidence.tests.exit_code == 0
        else f"fail ({', '.join(sorted(evidence.tests.failing)) or 'see output'})"
    )
    rows = [
        "| | at the start | at the end |",
        "|---|---|---|",
        f"| findings | {before} | {after} |",
        f"| {check} | {notes.test_summary or 'not run'} | {evidence.tests.summary} |",
    ]
    return "\n".join(rows) + f"\n\nAt the end the {check} {now}."


def _counts(notes: Notes, evidence: Evidence) -> Iterator[str]:
    before = Counter({test_id: 0 for _, test_id in notes.before})
    for (_, test_id), lines in notes.before.items():
        before[test_id] += len(lines)
    after = Counter(finding.test_id for finding in evidence.after)
    yield "| test | kind | before | after |"
    yield "|---|---|---|---|"
    for test_id in sorted(before.keys() | after.keys()):
        yield f"| {test_id} | {rule_for(test_id).name or '—'} | {before[test_id]} | {after[test_id]} |"


def _row(notes: Notes, group: Group) -> str:
    outcome = notes.outcomes.get(group)
    done = outcome.text if outcome and outcome.fixed else "gone with another change"
    failures = notes.failures.get(group, {})
    detour = "".join(f"; attempt {attempt} was taken back ({why})" for attempt, why in sorted(failures.items()))
    return f"- {_places(notes, group)} {group[1]}: {done}{detour}"


def _open_row(notes: Notes, evidence: Evidence, group: Group, progress: Progress) -> str:
    outcome = notes.outcomes.get(group)
    if outcome is not None:
        why = outcome.text if not outcome.fixed else f"{outcome.text}, yet the scanner still finds it"
    elif not allowed(group[0], progress):
        why = "left out, as guidance asked"
    else:
        why = "not worked on before this report"
    now = ", ".join(str(finding.line) for finding in evidence.remaining(group))
    return f"- {_places(notes, group)} {group[1]} (now line {now}): {why}"


def _places(notes: Notes, group: Group) -> str:
    return ", ".join(f"`{group[0]}:{line}`" for line in sorted(notes.before[group]))


def _method(evidence: Evidence) -> str:
    return (
        f"## How this was found\n\nScanner: `{evidence.scan_command}`\n\n"
        f"Tests: `{evidence.test_command}`\n\nLines are those at the start. {', '.join(INFORMATIONAL)} were left out: "
        "they flag every use of subprocess, safe or not. Nothing was silenced by markers in the code."
    )
