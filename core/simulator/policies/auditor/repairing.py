"""The middle of the work: mend one kind of finding in one file, run the tests, keep the change or take it back."""

from __future__ import annotations

from dataclasses import replace

from core.simulator.policies.auditor import closing
from core.simulator.policies.auditor.conversation import View
from core.simulator.policies.auditor.edits import edit_calls, undo_calls
from core.simulator.policies.auditor.guidance import allowed
from core.simulator.policies.auditor.notes import Group, failure_note, outcome_note
from core.simulator.policies.auditor.progress import Progress
from core.simulator.policies.auditor.rules import Fix, repair, rule_for
from core.simulator.policies.auditor.scan import scan_command
from core.simulator.policies.auditor.step import Step
from core.simulator.policies.auditor.testruns import COMPILE, TestRun, read_run
from core.simulator.policies.base import Call
from core.simulator.policies.step import MAX_TRIES, read, remember, run

_MAX_PAGES = 6


def repair_next(view: View, progress: Progress, calls: list[Call] | None = None, said: list[str] | None = None) -> Step:
    """The next finding that is neither mended nor left open; to the closing steps when there is none.

    `calls` and `said` are what the reply already contains.
    """
    calls, said = calls or [], said or []
    if "edit_file" not in view.offered and view.notes.open_groups():
        said.append("Without edit_file I can mend nothing, only report.")
        progress = replace(progress, closing=True)
    while not progress.closing and (group := _next_group(view, progress)) is not None:
        progress = progress if group == (progress.file, progress.rule) else _start_on(group, progress)
        path, test_id = group
        if not rule_for(test_id).options:
            _leave(view, group, calls, said)
            continue
        content, findings = view.content(path), view.findings(path)
        if content is None or findings is None:
            if progress.tries < _MAX_PAGES and not _unreadable(view, progress):
                return _look(view, progress, calls, said)
            _decide(view, group, False, "the file could not be read or scanned", calls)
            continue
        lines = {finding.line for finding in findings if finding.test_id == test_id}
        found = repair(test_id, content, lines, progress.attempt) if lines else None
        if found is not None:
            return _change(view, replace(progress, attempt=found[0]), content, lines, found[1], calls, said)
        if lines:
            _leave(view, group, calls, said)
        else:
            _decide(view, group, True, "gone with another change in this file", calls)
    return closing.verify(view, progress, calls, said)


def check(view: View, progress: Progress) -> Step:
    """Judge the edits of the last reply by the tests that ran behind them."""
    edits, done = view.named("edit_file"), view.command(scan=False)
    if view.files_moved:
        return repair_next(
            view, replace(progress, step="fix"), said=["The files are not as I left them; I read again."]
        )
    if not edits or any(edit.failed for edit in edits):
        return _refit(view, progress)
    result = read_run(done) if done is not None else None
    if result is None or not result.holds(view.notes.failing):
        return _take_back(view, progress, result)
    group = (progress.file, progress.rule)
    title = rule_for(progress.rule).options[progress.attempt - 1].title
    calls: list[Call] = []
    if progress.rest:
        text = f"{title} where the rule fits; {progress.rest} more: {rule_for(progress.rule).stays}"
        _decide(view, group, False, text, calls)
    else:
        _decide(view, group, True, title, calls)
    return repair_next(view, progress.next("fix"), calls, [f"The tests hold ({result.summary})."])


def reread(view: View, progress: Progress) -> Step:
    """Look at the file afresh, whatever is known of it."""
    calls = [read(progress.file), run(scan_command(progress.scanner, progress.file, progress.compact))]
    return Step(f"{progress.file} again, as it is now.", replace(progress, step="fix"), calls)


def _next_group(view: View, progress: Progress) -> Group | None:
    """File by file; kinds without a rule come last in theirs, as another repair may have taken them along."""
    open_groups = [group for group in view.notes.open_groups() if allowed(group[0], progress)]
    in_file = [group for group in open_groups if group[0] == open_groups[0][0]]
    return next((group for group in in_file if rule_for(group[1]).options), in_file[0] if in_file else None)


def _start_on(group: Group, progress: Progress) -> Progress:
    return replace(progress.next("fix"), file=group[0], rule=group[1])


def _unreadable(view: View, progress: Progress) -> bool:
    return progress.tries > 1 and any(done.failed and done.path == progress.file for done in view.named("read_file"))


def _look(view: View, progress: Progress, calls: list[Call], said: list[str]) -> Step:
    """Read and scan what is not known of the file; both when that was not enough (old turns may be gone by then)."""
    path, page = progress.file, view.next_page(progress.file)
    both = progress.tries > 0 and page == 1
    if both or view.content(path) is None:
        calls = [*calls, read(path, page)]
    if both or view.findings(path) is None:
        calls = [*calls, run(scan_command(progress.scanner, path, progress.compact))]
    text = " ".join([*said, f"Next: {path}."])
    return Step(text, replace(progress, step="fix", tries=progress.tries + 1), calls)


def _change(
    view: View, progress: Progress, content: str, lines: set[int], fix: Fix, calls: list[Call], said: list[str]
) -> Step:
    """Edit, test, and scan the file again where more is to be done in it."""
    rest = max(0, len(lines) - fix.handled)
    calls = [*calls, *edit_calls(progress.file, content, fix.text), run(view.notes.test_command or COMPILE)]
    if (
        sum(
            path == progress.file and other not in view.notes.outcomes
            for other in view.notes.before
            for path in other[:1]
        )
        > 1
    ):
        calls.append(run(scan_command(progress.scanner, progress.file, progress.compact)))
    where = ", ".join(map(str, sorted(lines)))
    first = "" if progress.attempt == 1 else f"Attempt {progress.attempt}. "
    said = [*said, f"{first}{_name(progress.rule)} in {progress.file}, line {where}: {fix.title}."]
    return Step(" ".join(said), replace(progress, step="check", rest=rest, tries=0), calls)


def _refit(view: View, progress: Progress) -> Step:
    """An edit did not fit the file: take back the others and look again; after some misfits leave the finding."""
    undo = undo_calls(view.named("edit_file"))
    text = f"An edit did not fit {progress.file}."
    if progress.misfits + 1 >= MAX_TRIES:
        _decide(view, (progress.file, progress.rule), False, f"{MAX_TRIES} edits did not fit the file", undo)
        return repair_next(view, progress.next("fix"), undo, [f"{text} I leave it."])
    following = replace(progress, step="reread", misfits=progress.misfits + 1)
    return Step(f"{text} I read it again.", following, undo) if undo else reread(view, following)


def _take_back(view: View, progress: Progress, result: TestRun | None) -> Step:
    """Undo the change and note why, then read the test that objected."""
    group = (progress.file, progress.rule)
    new = sorted(result.failing - view.notes.failing) if result else []
    names = ", ".join(name.rpartition(".")[2] for name in new[:2]) or "the tests did not run to their end"
    why = f"{names}: {result.reason}" if result and result.reason else names
    note = failure_note(group, progress.attempt, why)
    view.notes.read(note)
    calls = [*undo_calls(view.named("edit_file")), remember(note, "failed approaches", "failure")]
    if result and result.place and view.content(_inside(result.place)) is None:
        calls.append(read(_inside(result.place)))
    thinking = (
        f"I took it that nothing depends on how this was. {why}: something does, and the test is right to say so."
    )
    text = f"That breaks {names}. I take the change back and look at what the test expects."
    following = replace(progress, step="fix", attempt=progress.attempt + 1, rest=0, tries=0)
    return Step(text, following, calls, thinking)


def _decide(view: View, group: Group, fixed: bool, text: str, calls: list[Call]) -> None:
    note = outcome_note(group, fixed, text)
    view.notes.read(note)
    calls.append(remember(note, "outcomes", "fact" if fixed else "decision"))


def _leave(view: View, group: Group, calls: list[Call], said: list[str]) -> None:
    """Nothing more to try: the finding stays open, with the reason and what was tried."""
    said.append(f"{_name(group[1])} in {group[0]} stays: {rule_for(group[1]).stays}.")
    _decide(view, group, False, _reason(view, group), calls)


def _reason(view: View, group: Group) -> str:
    failures = view.notes.failures.get(group, {})
    tried = "; ".join(f"attempt {attempt} failed ({why})" for attempt, why in sorted(failures.items()))
    return f"{rule_for(group[1]).stays}" + (f"; {tried}" if tried else "")


def _name(test_id: str) -> str:
    name = rule_for(test_id).name or test_id
    return name[0].upper() + name[1:]


def _inside(place: str) -> str:
    """A test file's path in the project, from the absolute path of a traceback."""
    for folder in ("/tests/", "/test/"):
        if folder in place:
            return folder.strip("/") + "/" + place.rpartition(folder)[2]
    return place.rpartition("/")[2] if place.startswith("/") else place
