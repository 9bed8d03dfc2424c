"""The end: all tests once more, the report's summary, the report read back."""

from __future__ import annotations

from core.simulator.policies.auditor.testruns import COMPILE, read_run
from core.simulator.policies.base import Call
from core.simulator.policies.step import count, read, run
from core.simulator.policies.surveyor.progress import Progress
from core.simulator.policies.surveyor.sight import Sight
from core.simulator.policies.surveyor.step import REPORT, ROWS_END, Step, end, plan


def verify(sight: Sight, progress: Progress, calls: list[Call], said: list[str]) -> Step:
    text = " ".join([*said, "Now all tests once more."])
    return Step(text, progress.to("report"), [*calls, run(progress.tests or COMPILE)])


def report(sight: Sight, progress: Progress) -> Step:
    """Put the summary in the place of the mark, from what was counted and what the tests said last."""
    done = sight.run
    tests = read_run(done).summary if done else "not run"
    text = f"Found {progress.found}, fixed {progress.fixed}. Tests at the end: {tests}."
    edit = Call("edit_file", {"path": REPORT, "old": ROWS_END, "new": f"\n## Summary\n\n{text}\n"})
    areas = sight.areas(progress.total)
    calls = [edit, run(progress.tests or COMPILE), read(REPORT)]
    calls += [plan(areas, len(areas) + 3)] if areas else []
    said = f"{text} I write that down, let the tests run behind it and read the report."
    return Step(said, progress.to("finish"), calls)


def finish(sight: Sight, progress: Progress) -> Step:
    written = [done for done in sight.named("edit_file") if done.path == REPORT]
    state = "is written" if written and not written[-1].failed else "could not be finished"
    found = count(progress.found, "weak spot")
    return end(f"{REPORT} {state}. I found {found} and mended {progress.fixed}.", progress)
