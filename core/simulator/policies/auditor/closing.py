"""The last steps: scan and test the whole project again, write AUDIT.md from the outputs, read it back."""

from __future__ import annotations

import re
from dataclasses import replace

from core.simulator.policies.auditor.conversation import View
from core.simulator.policies.auditor.progress import Progress
from core.simulator.policies.auditor.report import REPORT, Evidence, report_text
from core.simulator.policies.auditor.scan import parse_findings, scan_command
from core.simulator.policies.auditor.step import Step, end, plan
from core.simulator.policies.auditor.testruns import COMPILE, read_run
from core.simulator.policies.base import Call
from core.simulator.policies.step import MAX_TRIES, count, read, run

FINDINGS_ROW = re.compile(r"^\| findings \| (\d+) \| (\d+) \|", re.M)
"""The report's line with both counts."""


def verify(view: View, progress: Progress, calls: list[Call] | None = None, said: list[str] | None = None) -> Step:
    """Run the tests and the scanner over everything as it is now."""
    command = scan_command(progress.scanner, compact=progress.compact)
    checks = [plan(4), run(view.notes.test_command or COMPILE), run(command)]
    text = " ".join([*(said or []), "Now the whole project once more: tests and scanner."])
    return Step(text, replace(progress.next("report"), tries=progress.tries), [*(calls or []), *checks])


def report(view: View, progress: Progress) -> Step:
    """Write the report from the two outputs."""
    tests, scan = view.command(scan=False), view.command(scan=True)
    if tests is None or scan is None or tests.exit_code is None or scan.exit_code not in (0, 1):
        if progress.tries >= MAX_TRIES:
            return end("The final scan or test run can't be had, so I write no report: it could not be true.", progress)
        return verify(view, progress.again(), said=["One of the two runs gave no result."])
    evidence = Evidence(parse_findings(scan.content), read_run(tests), tests.command, scan.command)
    before = count(view.notes.count_before, "finding")
    text = f"{before} at the start, {len(evidence.after)} now. I write that down in {REPORT}."
    write = Call("write_file", {"path": REPORT, "content": report_text(view.notes, evidence, progress)})
    return Step(text, replace(progress.next("readback"), tries=progress.tries), [write, plan(5)])


def readback(view: View, progress: Progress) -> Step:
    """Read the report; where it could not be written, look at what is in its place and write again."""
    written = view.named("write_file")
    if written and not written[-1].failed:
        return Step(f"I read {REPORT} back.", progress.next("finish"), [read(REPORT), plan(6)])
    if progress.tries >= MAX_TRIES:
        return end(f"{REPORT} can't be written here. {_summary(view)}", progress)
    said = [f"{REPORT} could not be written; I look at what is there."]
    return verify(view, progress.again(), [read(REPORT)], said)


def finish(view: View, progress: Progress) -> Step:
    return end(f"{REPORT} is written and reads as intended. {_summary(view)}", progress)


def _summary(view: View) -> str:
    """The scanner's two counts, out of the report as it was read back; without it, what is known of the work."""
    counted = FINDINGS_ROW.search(view.content(REPORT) or "")
    if counted is not None:
        before, after = map(int, counted.groups())
        return f"The scanner found {count(before, 'finding')} at the start and finds {after} now; the report says why."
    fixed = [group for group in view.notes.before if _is_fixed(view, group)]
    mended = sum(len(view.notes.before[group]) for group in fixed)
    return f"Of {count(view.notes.count_before, 'finding')} at the start at least {mended} are mended."


def _is_fixed(view: View, group: tuple[str, str]) -> bool:
    outcome = view.notes.outcomes.get(group)
    return outcome is not None and outcome.fixed
