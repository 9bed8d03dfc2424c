"""The way through a project: its tree and papers, its tests, then folder by folder, then spot checks."""

from __future__ import annotations

import re
from dataclasses import replace

from core.simulator.policies.auditor.testruns import first_command, read_run
from core.simulator.policies.base import Call
from core.simulator.policies.step import MAX_TRIES, count, read, remember, run
from core.simulator.policies.surveyor import closing, repairing
from core.simulator.policies.surveyor.kinds import KINDS
from core.simulator.policies.surveyor.notes import code_notes, folder_notes
from core.simulator.policies.surveyor.progress import Progress
from core.simulator.policies.surveyor.sight import Sight, joined
from core.simulator.policies.surveyor.step import REPORT, ROWS_END, Step, end, per_step, plan, row

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
    calls = [listing(), read("README.md")]
    return Step(f"{LABEL}\n\nFirst the tree and what the project says of itself.", progress.to("papers"), calls)


def papers(sight: Sight, progress: Progress) -> Step:
    """The areas, the command of the tests, the papers, the report's beginning."""
    listing = "\n".join(done.content for done in sight.named("list_files"))
    told = "\n".join(done.content for done in sight.named("read_file") if not done.failed)
    areas, names = sight.areas(), _PAPER.findall(listing)
    whole = [command for command in _COMMAND.findall(told) if not re.search(r"\b[A-Z]{3,}\b", command)]
    tests = whole[0] if whole else first_command(told)
    head = f"# Security audit\n\nMade by the simulated surveyor: rules, not a language model.\n\n{ROWS_END}\n"
    calls = [plan(areas, 0), Call("write_file", {"path": REPORT, "content": head}), *folder_notes(areas)]
    calls += map(read, names[:16])
    text = f"{count(len(areas), 'folder')} of code, {count(len(names), 'paper')}. The tests run with `{tests}`."
    return Step(text, replace(progress.to("baseline"), tests=tests, total=len(areas)), calls)


def baseline(sight: Sight, progress: Progress) -> Step:
    """What papers contradict each other about, and the tests as they are."""
    seen = {area.rpartition("/")[2]: sight.codes(area) for area in sight.areas(progress.total)}
    differ = {name: codes[-1][1] for name, codes in seen.items() if len(codes) > 1}
    calls, said = [run(progress.tests)], "Before I touch anything: the tests."
    if differ:
        calls = [*code_notes(differ), *calls]
        said = f"Of {count(len(differ), 'department')} two papers give different codes; the later ones hold. {said}"
    return Step(said, progress.to("baselined"), calls)


def baselined(sight: Sight, progress: Progress) -> Step:
    done = sight.run
    result = read_run(done) if done else None
    summary = result.summary if result else "no result"
    calls = [remember(f"Test command `{progress.tests}`, at the start: {summary}", "tests", "fact")]
    return advance(sight, progress, calls, [f"The tests at the start: {summary}."])


def advance(sight: Sight, progress: Progress, calls: list[Call] | None = None, said: list[str] | None = None) -> Step:
    """On to the next folder: one that the user wants after all, else the next in order; the plan follows."""
    calls, said, areas = calls or [], said or [], sight.areas(progress.total)
    fresh = replace(progress, batch=0, todo=(), open=(), settled=(), tries=0)
    if not areas:
        if progress.step == "advance" and progress.tries >= MAX_TRIES:
            return end("The folders of the project can't be listed any more; I end here.", progress)
        following = replace(fresh, step="advance", tries=progress.tries + 1 if progress.step == "advance" else 0)
        return Step(" ".join([*said, "I look at the tree again."]), following, [*calls, listing()])
    passed = [area for area in areas[: fresh.area + 1] if area.rpartition("/")[2] in fresh.again]
    if passed:
        rest = tuple(name for name in fresh.again if name != passed[0].rpartition("/")[2])
        return sweep(sight, replace(fresh, folder=passed[0], again=rest), calls, said)
    fresh = replace(fresh, area=fresh.area + 1)
    while fresh.area < len(areas) and areas[fresh.area].rpartition("/")[2] in fresh.skip:
        said.append(f"{areas[fresh.area]} is left out, as I was told.")
        fresh = replace(fresh, area=fresh.area + 1)
    if fresh.area % per_step(areas) == 0 or fresh.area >= len(areas):
        calls.append(plan(areas, 1 + -(-fresh.area // per_step(areas))))
    if fresh.area >= len(areas) or fresh.closing or _is_out_of_calls(sight, fresh):
        return spot(sight, fresh, calls, said)
    return sweep(sight, replace(fresh, folder=areas[fresh.area]), calls, said)


def listing() -> Call:
    return Call("list_files", {"path": ".", "depth": 2, "limit": 400})


def sweep(sight: Sight, progress: Progress, calls: list[Call] | None = None, said: list[str] | None = None) -> Step:
    """Search the folder for the kinds, a few at a time; the modules that the answers name are to be read."""
    calls, said, folder = calls or [], said or [], progress.folder
    if progress.batch:
        progress = replace(progress, todo=tuple(dict.fromkeys((*progress.todo, *sight.hits(folder)))))
    kinds = KINDS[progress.batch * _AT_ONCE : (progress.batch + 1) * _AT_ONCE]
    if not kinds:
        return read_next(sight, progress, calls, said)
    searches = [Call("search_codebase", {"pattern": kind.pattern, "path": folder, "glob": "*.py"}) for kind in kinds]
    said.append(f"{folder}: {', '.join(kind.rule.name for kind in kinds)}.")
    following = replace(progress, step="sweep", batch=progress.batch + 1)
    return Step(" ".join(said), following, [*calls, *searches])


def read_next(sight: Sight, progress: Progress, calls: list[Call], said: list[str]) -> Step:
    """The next modules that searches pointed at, side by side; then on to the folder's end."""
    if not progress.todo:
        return sign(sight, progress, calls, said)
    area, batch = progress.folder, progress.todo[:_AT_ONCE]
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
    calls, said, area = calls or [], said or [], progress.folder
    codes, name = sight.codes(area), area.rpartition("/")[2]
    if not codes and progress.tries < 1 and "recall" in sight.offered:
        look = Call("recall", {"query": f"review code of {name}"})
        following = replace(progress, step="sign", todo=(), tries=progress.tries + 1)
        return Step(" ".join([*said, f"What was the review code of {name}?"]), following, [*calls, look])
    where = "" if not codes else f", review code {codes[-1][1]}"
    said.append(f"{area} is done{where}.")
    return advance(sight, replace(progress, step="sign", tries=0), [*calls, row(f"{area}: reviewed{where}")], said)


def spot(sight: Sight, progress: Progress, calls: list[Call], said: list[str]) -> Step:
    """With the calls that are left, modules that no search pointed at: a listing, then a few of them."""
    left = sight.limit - progress.calls - len(calls) - _CLOSING_CALLS
    if left < 2 or progress.closing:
        return closing.verify(sight, progress, calls, said)
    areas = sight.areas(progress.total)
    if not areas:
        return Step(" ".join([*said, "I look at the tree again."]), progress.to("spots"), [*calls, listing()])
    area = areas[progress.spot * 7 % len(areas)]
    following = replace(progress.to("spotted"), spot=progress.spot + 1, open=(), settled=())
    listed = Call("list_files", {"path": area, "depth": 1})
    return Step(" ".join([*said, f"A spot check in {area}."]), following, [*calls, listed])


def spots(sight: Sight, progress: Progress) -> Step:
    return spot(sight, progress if sight.areas(progress.total) else replace(progress, closing=True), [], [])


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
