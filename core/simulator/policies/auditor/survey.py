"""The first steps: the tree, the configuration, the tests as they are, the scan, the findings in their context."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from core.simulator.policies.auditor import closing, repairing
from core.simulator.policies.auditor.conversation import View
from core.simulator.policies.auditor.guidance import allowed
from core.simulator.policies.auditor.notes import baseline_note, before_notes
from core.simulator.policies.auditor.progress import Progress
from core.simulator.policies.auditor.rules import rule_for
from core.simulator.policies.auditor.scan import CANDIDATES, INSTALL, Finding, parse_findings, scan_command
from core.simulator.policies.auditor.step import Step, end, plan
from core.simulator.policies.auditor.testruns import COMPILE, first_command, next_command, read_run
from core.simulator.policies.base import Call
from core.simulator.policies.step import MAX_TRIES, count, read, remember, run

LABEL = (
    "I am the simulated auditor: a set of rules, not a language model. I know one job: scan a Python project with "
    "bandit, mend what rules can mend, keep its tests as they are, and report. I understand the guidance `skip PATH`, "
    "`focus on DIR`, `write the report now` and `stop`."
)
_RISKY = r"shell=True|os\.system|pickle\.load|\beval\(|hashlib\.(md5|sha1)|verify=False|mktemp\(|0o777"
_CONFIGURATION = re.compile(
    r"^(README(\.\w+)?|pyproject\.toml|setup\.cfg|tox\.ini|pytest\.ini|requirements.*\.txt)$", re.I
)
_BATCH = 3
_MAX_BATCHES = 5


def survey(view: View, progress: Progress) -> Step:
    text = f"{LABEL}\n\nFirst the tree, and the places where code of this kind usually goes wrong."
    search = Call("search_codebase", {"pattern": _RISKY, "path": ".", "glob": "*.py"})
    return Step(text, progress.next("orient"), [Call("list_files", {"path": ".", "depth": 3}), search])


def orient(view: View, progress: Progress) -> Step:
    listing = "\n".join(done.content for done in view.named("list_files") if not done.failed)
    names = [line.split()[0].rstrip("/") for line in listing.splitlines() if line.strip()]
    chosen = [name for name in names if _CONFIGURATION.match(name)][:4]
    modules = sum(name.endswith(".py") for name in names)
    text = f"I see {count(modules, 'Python file')}. How the project is tested should be in its configuration."
    return Step(text, progress.next("baseline"), [read(name) for name in chosen])


def baseline(view: View, progress: Progress) -> Step:
    configuration = "\n".join(done.content for done in view.named("read_file") if not done.failed)
    command = first_command(configuration)
    text = f"Before I touch anything I want to know what the tests say: `{command}`."
    return Step(text, progress.next("baselined"), [plan(1), run(command)])


def baselined(view: View, progress: Progress) -> Step:
    done = view.command(scan=False)
    if done is None or done.exit_code is None:
        return _again(view, progress, run(first_command("")), "The test run gave no exit code")
    result = read_run(done)
    following = next_command(done.command) if result.found_none else None
    if following:
        text = f"That found no tests to run. Next I try `{following}`."
        return Step(text, progress.next("baselined"), [run(following)])
    note = baseline_note(done.command, result.summary, result.failing)
    if done.command == COMPILE:
        text = "There are no tests; that the code compiles is the only check I will have."
    elif result.exit_code == 0:
        text = f"The tests pass ({result.summary}). That is what every change has to keep."
    else:
        text = f"{count(len(result.failing), 'test')} fail already ({result.summary}); no further one may."
    scanner = CANDIDATES[0]
    calls = [remember(note, "tests"), run(f"{scanner} --version", 60)]
    return Step(f"{text} Is bandit at hand?", replace(progress.next("scanner"), scanner=scanner), calls)


def scanner(view: View, progress: Progress) -> Step:
    done = view.command(scan=False)
    if done is not None and done.exit_code == 0:
        command = scan_command(progress.scanner)
        return Step("It is. I scan everything but the tests.", progress.next("scanned"), [run(command)])
    tried = CANDIDATES.index(progress.scanner) + 1 if progress.scanner in CANDIDATES else 0
    if tried == len(CANDIDATES):
        return end(
            f"bandit is not installed here, so I can't audit. Install it with `{INSTALL}` and start again.", progress
        )
    following = CANDIDATES[tried]
    text = f"`{progress.scanner}` can't be run here; perhaps `{following}` can."
    return Step(text, replace(progress.next("scanner"), scanner=following), [run(f"{following} --version", 60)])


def scanned(view: View, progress: Progress) -> Step:
    done = view.command(scan=True)
    if done is None or done.exit_code not in (0, 1):
        command = scan_command(progress.scanner, compact=progress.compact)
        return _again(view, progress, run(command), "The scan did not come to an end")
    if done.is_capped and not progress.compact:
        text = "That is more than fits in one output; I scan again for the medium and high findings, in short form."
        command = scan_command(progress.scanner, compact=True)
        return Step(text, replace(progress.next("scanned"), compact=True), [run(command)])
    findings = parse_findings(done.content)
    if not findings:
        return closing.verify(view, progress, said=["The scanner finds nothing."])
    notes = [remember(note, "findings") for note in before_notes(findings)]
    return Step(_told(findings), progress.next("reading"), [*notes, plan(2)], thinking=_weighed(findings))


def reading(view: View, progress: Progress) -> Step:
    """Read the files with findings, a few at a time; `attempt` counts the batches."""
    paths = [path for path in view.notes.files if allowed(path, progress)]
    start = (progress.attempt - 1) * _BATCH
    batch = paths[start : start + _BATCH]
    if not batch or progress.attempt > _MAX_BATCHES or progress.closing:
        return repairing.repair_next(view, progress.next("fix"), [plan(3)])
    names = ", ".join(f"{path} ({_kinds(view, path)})" for path in batch)
    following = replace(progress, attempt=progress.attempt + 1, tries=0)
    return Step(f"In context: {names}.", following, [read(path) for path in batch])


def _kinds(view: View, path: str) -> str:
    return ", ".join(rule_for(test_id).name or test_id for name, test_id in view.notes.before if name == path)


def _told(findings: list[Finding]) -> str:
    by_level = Counter(finding.severity for finding in findings)
    levels = ", ".join(f"{by_level[level]} {level.lower()}" for level in ("HIGH", "MEDIUM", "LOW") if by_level[level])
    files = len({finding.path for finding in findings})
    where = f"{count(len(findings), 'finding')} in {count(files, 'file')}"
    return f"{where}: {levels}. I note each place, then read the code around it."


def _weighed(findings: list[Finding]) -> str:
    unknown = sorted({finding.test_id for finding in findings if not rule_for(finding.test_id).name})
    doubt = f" For {', '.join(unknown)} I have no rule; those will stay." if unknown else ""
    return (
        "One kind and one file at a time, tests after each change, so that a failure names its cause. Where the first "
        f"repair breaks a test, the test says what the code is relied upon for; then the next best repair.{doubt}"
    )


def _again(view: View, progress: Progress, call: Call, what: str) -> Step:
    if progress.tries >= MAX_TRIES:
        return end(f"{what}, {MAX_TRIES} times in a row. Without commands I can't audit; I end here.", progress)
    return Step(f"{what}; I try once more.", progress.again(), [call])
