"""The way through a project: its tree and papers, its tests, then folder by folder, then spot checks."""

from __future__ import annotations

import re
from dataclasses import replace

from core.simulator.policies.auditor.testruns import first_command, read_run
from core.simulator.policies.base import Call
from core.simulator.policies.surveyor import closing, repairing
from core.simulator.policies.surveyor.kinds import KINDS
from core.simulator.policies.surveyor.progress import Progress
from core.simulator.policies.surveyor.sight import Sight, joined
from core.simulator.policies.surveyor.step import (
    REPORT,
    ROWS_END,
    Step,
    count,
    per_step,
    plan,
    read,
    remember,
    row,
    run,
)

LABEL = (
    "I am the simulated surveyor: rules, not a language model. I go through a Python project folder by folder, search "
    "for twelve kinds of weakness, read what the searches point at, mend what can be mended with the tests green, and "
    f"write down each in {REPORT}."
)
_AT_ONCE = 3
_CLOSING_CALLS = 5
_COMMAND = re.compile(r"`(python3? -m (?:unittest|pytest)[^`\n]*)`")
_PAPER = re.compile(r"^(docs/[\w./-]+\.md)  ", re.M)


def survey(sight: Sight, progress: Progress) -> Step:
    calls = [Call("list_files", {"path": ".", "depth": 2, "limit": 400}), read("README.md")]
    return Step(f"{LABEL}\n\nFirst the tree and what the project says of itself.", progress.to("papers"), calls)


def papers(sight: Sight, progress: Progress) -> Step:
    """The areas, the command of the tests, the papers, the report's beginning."""
    listing = "\n".join(done.content for done in sight.named("list_files"))
    told = "\n".join(done.content for done in sight.named("read_file") if not done.failed)
    areas, names = sight.folders() or ["."], _PAPER.findall(listing)
    whole = [command for command in _COMMAND.findall(told) if not re.search(r"\b[A-Z]{3,}\b", command)]
    tests = whole[0] if whole else first_command(told)
    head = f"# Security audit\n\nMade by the simulated surveyor: rules, not a language model.\n\n{ROWS_END}\n"
    calls = [plan(areas, 0, tests), Call("write_file", {"path": REPORT, "content": head}), *map(read, names[:16])]
    text = f"{count(len(areas), 'folder')} of code, {count(len(names), 'paper')}. The tests run with `{tests}`."
    return Step(text, replace(progress.to("baseline"), tests=tests), calls)


def baseline(sight: Sight, progress: Progress) -> Step:
    """What papers contradict each other about, and the tests as they are."""
    areas = sight.areas()
    seen = {area.rpartition("/")[2]: sight.codes(area) for area in areas}
    differ = {name: codes[-1][1] for name, codes in seen.items() if len(codes) > 1}
    calls, said = [run(progress.tests)], "Before I touch anything: the tests."
    if differ:
        listed = ", ".join(f"{name} {code}" for name, code in sorted(differ.items()))
        note = f"Papers contradict each other; the later paper holds: review codes are now {listed}"
        calls.insert(0, remember(note[:3900], "review codes", "decision"))
        said = f"Of {count(len(differ), 'department')} two papers give different codes; the later ones hold. {said}"
    return Step(said, progress.to("baselined"), calls)


def baselined(sight: Sight, progress: Progress) -> Step:
    done = sight.run
    result = read_run(done) if done else None
    summary = result.summary if result else "no result"
    calls = [remember(f"Test command `{progress.tests}`, at the start: {summary}", "tests", "fact")]
    calls.append(plan(sight.areas(), 1, progress.tests))
    return sweep(sight, replace(progress, batch=0), calls, [f"The tests at the start: {summary}."])


def sweep(sight: Sight, progress: Progress, calls: list[Call] | None = None, said: list[str] | None = None) -> Step:
    """Search the folder for the kinds, a few at a time; the modules that the answers name are to be read."""
    calls, said, areas = calls or [], said or [], sight.areas()
    if not areas and progress.tries < 1:
        listing = Call("list_files", {"path": ".", "depth": 2, "limit": 400})
        return Step("I look at the tree again.", replace(progress, step="replan", tries=1), [*calls, listing])
    while progress.area < len(areas) and areas[progress.area].rpartition("/")[2] in progress.skip:
        said.append(f"{areas[progress.area]} is left out, as I was told.")
        progress = replace(progress, area=progress.area + 1)
    if progress.area >= len(areas) or progress.closing or _is_out_of_calls(sight, progress):
        return spot(sight, progress, calls, said)
    area = areas[progress.area]
    if progress.batch:
        progress = replace(progress, todo=tuple(dict.fromkeys((*progress.todo, *sight.hits(area)))))
    kinds = KINDS[progress.batch * _AT_ONCE : (progress.batch + 1) * _AT_ONCE]
    if not kinds:
        return read_next(sight, progress, calls, said)
    searches = [Call("search_codebase", {"pattern": kind.pattern, "path": area, "glob": "*.py"}) for kind in kinds]
    said.append(f"{area}: {', '.join(kind.rule.name for kind in kinds)}.")
    following = replace(progress, step="sweep", batch=progress.batch + 1)
    return Step(" ".join(said), following, [*calls, *searches])


def replan(sight: Sight, progress: Progress) -> Step:
    """The plan once more, where it was lost from sight."""
    areas = sight.folders() or ["."]
    here = plan(areas, 1 + progress.area // per_step(areas), progress.tests)
    return Step("The plan again.", replace(progress, step="sweep", batch=0, todo=()), [here])


def read_next(sight: Sight, progress: Progress, calls: list[Call], said: list[str]) -> Step:
    """The next modules that searches pointed at, side by side; then on to the folder's end."""
    if not progress.todo:
        return sign(sight, progress, calls, said)
    area, batch = sight.areas()[progress.area], progress.todo[:_AT_ONCE]
    following = replace(progress, todo=progress.todo[_AT_ONCE:]).opened(*(joined(area, f"{name}.py") for name in batch))
    said.append(f"In context: {', '.join(batch)}.")
    return Step(" ".join(said), following, [*calls, *map(read, following.open)])


def judge(sight: Sight, progress: Progress, calls: list[Call] | None = None, said: list[str] | None = None) -> Step:
    """Mend what is weak in the modules under its eyes; then the next ones."""
    calls, said = calls or [], said or []
    step, progress = repairing.mend_next(sight, progress, calls, said)
    if step is not None:
        return step
    if progress.spot:
        return spot(sight, progress, calls, said)
    return read_next(sight, progress, calls, said)


def check(sight: Sight, progress: Progress) -> Step:
    """Judge the edits of the last reply by the tests that ran behind them."""
    outcome = repairing.judged(sight, progress)
    return outcome if isinstance(outcome, Step) else judge(sight, *outcome)


def sign(sight: Sight, progress: Progress, calls: list[Call] | None = None, said: list[str] | None = None) -> Step:
    """Write the folder down with its review code, looking the code up where it is out of sight; on to the next one."""
    calls, said, areas = calls or [], said or [], sight.areas()
    if progress.area >= len(areas):
        return sweep(sight, progress, calls, said)
    area, codes = areas[progress.area], sight.codes(areas[progress.area])
    name = area.rpartition("/")[2]
    if not codes and progress.tries < 1 and "recall" in sight.offered:
        look = Call("recall", {"query": f"review code of {name}"})
        following = replace(progress, step="sign", todo=(), tries=progress.tries + 1)
        return Step(" ".join([*said, f"What was the review code of {name}?"]), following, [*calls, look])
    where = "" if not codes else f", review code {codes[-1][1]}"
    said.append(f"{area} is done{where}.")
    calls.append(row(f"{area}: reviewed{where}"))
    following = replace(progress, area=progress.area + 1, batch=0, todo=(), open=(), settled=(), tries=0)
    if following.area % per_step(areas) == 0 or following.area == len(areas):
        calls.append(plan(areas, 1 + -(-following.area // per_step(areas)), progress.tests))
    return sweep(sight, following.to("sweep"), calls, said)


def spot(sight: Sight, progress: Progress, calls: list[Call], said: list[str]) -> Step:
    """With the calls that are left, modules that no search pointed at: a listing, then a few of them."""
    areas, left = sight.areas(), sight.limit - progress.calls - len(calls) - _CLOSING_CALLS
    if left < 2 or progress.closing or not areas:
        return closing.verify(sight, progress, calls, said)
    area = areas[progress.spot * 7 % len(areas)]
    listing = Call("list_files", {"path": area, "depth": 1})
    following = replace(progress.to("spotted"), spot=progress.spot + 1)
    return Step(" ".join([*said, f"A spot check in {area}."]), following, [*calls, listing])


def spotted(sight: Sight, progress: Progress) -> Step:
    """Read some of the modules that the listing shows."""
    text = "\n".join(done.content for done in sight.named("list_files") if not done.failed)
    modules = [line.split("  ")[0] for line in text.splitlines() if ".py  " in line and "__init__" not in line]
    left = sight.limit - progress.calls - _CLOSING_CALLS
    start = progress.spot * 5 % max(1, len(modules))
    chosen = (modules[start:] + modules[:start])[: max(0, min(_AT_ONCE, left))]
    if not chosen:
        return closing.verify(sight, progress, [], [])
    following = progress.opened(*chosen)
    return Step("Some that no search pointed at.", following, list(map(read, chosen)))


def _is_out_of_calls(sight: Sight, progress: Progress) -> bool:
    return bool(sight.limit) and progress.calls + _CLOSING_CALLS + len(KINDS) > sight.limit
