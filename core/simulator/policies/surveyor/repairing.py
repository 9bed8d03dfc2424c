"""Mending: an edit, the tests of the folder, and the change is kept or taken back for the next best one."""

from __future__ import annotations

from dataclasses import replace

from core.simulator.policies.auditor.edits import edit_calls, undo_calls
from core.simulator.policies.auditor.testruns import COMPILE, TestRun, read_run
from core.simulator.policies.base import Call
from core.simulator.policies.step import MAX_TRIES, read, remember, run
from core.simulator.policies.surveyor.kinds import BY_NAME, Spot, repaired, spots
from core.simulator.policies.surveyor.progress import Progress
from core.simulator.policies.surveyor.sight import Sight
from core.simulator.policies.surveyor.step import Step, row

Judgement = tuple[Progress, list[Call], list[str]]


def mend_next(sight: Sight, progress: Progress, calls: list[Call], said: list[str]) -> tuple[Step | None, Progress]:
    """The step that mends the next weak spot under its eyes, or reads again what is out of sight; None: all settled.

    `calls` and `said` grow by what is decided on the way.
    """
    for path in progress.open:
        text = sight.content(path)
        if text is None:
            if progress.tries >= MAX_TRIES:
                continue
            again = replace(progress, step="judge", tries=progress.tries + 1)
            return Step(" ".join([*said, f"{path} again, as it is now."]), again, [*calls, read(path)]), progress
        for spot in spots(text):
            if f"{path}:{spot.function}:{spot.kind}" in progress.settled:
                continue
            attempt = progress.attempt if (progress.file, progress.function) == (path, spot.function) else 1
            progress = replace(progress, file=path, function=spot.function, kind=spot.kind, attempt=attempt)
            found = repaired(spot.kind, text, spot.lines, attempt)
            if found is not None:
                return _change(sight, replace(progress, attempt=found[0]), text, spot, found, calls, said), progress
            progress = _leave(progress, calls, said)
    return None, progress


def judged(sight: Sight, progress: Progress) -> Step | Judgement:
    """What the tests say of the edits: kept and written down, or taken back."""
    edits, done = [edit for edit in sight.named("edit_file") if edit.path == progress.file], sight.run
    if sight.files_moved or not edits or any(edit.failed for edit in edits):
        again = replace(progress, step="judge", tries=progress.tries + 1)
        return Step("The file is not as I left it; I read it again.", again, [read(progress.file)])
    result = read_run(done) if done is not None else None
    if result is not None and result.exit_code == 0:
        return _keep(progress, result)
    if result is not None and result.found_none and progress.tries == 0:
        again = replace(progress, step="check", tries=1)
        return Step("No tests of its own; all of them, then.", again, [run(progress.tests or COMPILE)])
    return _take_back(sight, progress, result)


def _change(
    sight: Sight,
    progress: Progress,
    text: str,
    spot: Spot,
    found: tuple[int, object],
    calls: list[Call],
    said: list[str],
) -> Step:
    fix = found[1]
    name, title = BY_NAME[spot.kind].rule.name, fix.title  # type: ignore[attr-defined]
    edits = edit_calls(progress.file, text, fix.text)  # type: ignore[attr-defined]
    first = "" if progress.attempt == 1 else "Another way. "
    said.append(f"{first}{name[0].upper()}{name[1:]} in {progress.file}, {spot.function}: {title}.")
    thinking = "The tests of the folder say whether anything relies on how this was."
    return Step(
        " ".join(said), replace(progress, step="check", tries=0), [*calls, *edits, run(_tests(progress))], thinking
    )


def _tests(progress: Progress) -> str:
    """The tests of the folder that the file is in, where the project has them by folder."""
    parts = progress.file.split("/")
    folder = parts[-2] if len(parts) > 2 else ""
    return progress.tests.replace("-s tests ", f"-s tests/{folder} ", 1) if folder else progress.tests


def _keep(progress: Progress, result: TestRun) -> Judgement:
    title = BY_NAME[progress.kind].rule.options[progress.attempt - 1].title
    place = f"`{progress.file}` {progress.function} ({progress.kind})"
    calls = [remember(f"Fixed: {place}: {title}", progress.file, "finding"), row(f"{place}: fixed: {title}")]
    return progress.decided(True), calls, [f"The tests hold ({result.summary})."]


def _take_back(sight: Sight, progress: Progress, result: TestRun | None) -> Step:
    new = sorted(result.failing)[:2] if result else []
    names = ", ".join(name.rpartition(".")[2] for name in new) or "the tests"
    why = f"{names}: {result.reason}" if result and result.reason else names
    place = f"{progress.file} {progress.function} ({progress.kind})"
    note = remember(f"Attempt {progress.attempt} on {place} failed: {why}", progress.file, "failure")
    undo = undo_calls([edit for edit in sight.named("edit_file") if edit.path == progress.file])
    following = replace(progress, step="judge", attempt=progress.attempt + 1, tries=0)
    test = [read(_test_file(progress.file))] if progress.attempt == 1 else []
    return Step(f"That breaks {names}. I take it back and look for another way.", following, [*undo, note, *test])


def _test_file(path: str) -> str:
    """Where the tests of a module are in this project's way of naming them."""
    folder, _, name = path.rpartition("/")
    return f"tests/{folder.rpartition('/')[2]}/test_{name}"


def _leave(progress: Progress, calls: list[Call], said: list[str]) -> Progress:
    place = f"`{progress.file}` {progress.function} ({progress.kind})"
    said.append(f"{place} stays open: {BY_NAME[progress.kind].rule.stays}.")
    calls += [remember(f"Open: {place}", progress.file, "finding"), row(f"{place}: open: it needs a person")]
    return progress.decided(False)
