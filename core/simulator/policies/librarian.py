"""The librarian: rules that read papers, note what each claims, and report which contradict each other.

It reports half way, and takes back what later papers withdraw or explain; what it noted stands in a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import combinations

from core.simulator.policies.auditor.conversation import Done, file_text
from core.simulator.policies.base import Call
from core.simulator.policies.stepwise import Stepwise

NOTES, REPORT, END = "NOTES.md", "FINDINGS.md", "(notes are added above this line)"
_AT_ONCE = 5
_NAME = re.compile(r"^papers/(p\d+)\.md  ", re.M)
_FORMS = (
    re.compile(r"The (?P<q>[\w ]+) of (?P<s>\w+) at (?P<w>[-\d]+ °C) is (?P<v>\d+)"),
    re.compile(r"At (?P<w>[-\d]+ °C) we found a (?P<q>[\w ]+) of (?P<v>\d+) \S+ for (?P<s>\w+)"),
)
_WITHDRAWN = re.compile(r"withdraw (p\d+)")
_TOLERANCE = re.compile(r"(?:more than|from) (\d+) %")
_CLAIM = re.compile(r"^- (p\d+): ([\w ]+) \| (\w+) \| ([-\d]+ °C) \| (\d+)$", re.M)
_GONE = re.compile(r"^- p\d+ withdraws (p\d+)$", re.M)
_STRICT = re.compile(r"^- (?:p\d+|guide): (\d+) % may differ$", re.M)


@dataclass(frozen=True, slots=True)
class Progress:
    """`at` papers were asked for so far; `half` says that the report was written once."""

    step: str = "survey"
    at: int = 0
    total: int = 0
    half: bool = False
    calls: int = 0
    replies: int = 0


class LibrarianPolicy(Stepwise[Progress]):
    """Plays the librarian."""

    def __init__(self) -> None:
        super().__init__(Progress, _step)


Answer = tuple[str, Progress, list[Call]]


def _step(progress: Progress, last: list[Done], history: list[Done]) -> Answer:
    match progress.step:
        case "survey":
            calls = [Call("list_files", {"path": "papers", "depth": 1}), Call("read_file", {"path": "GUIDE.md"})]
            return "I am the simulated librarian: rules, no language model.", replace(progress, step="begin"), calls
        case "begin":
            return _begin(progress, last)
        case "read":
            return _read(progress, last)
        case "compare":
            return _compare(progress, history)
    return "There is nothing left for me to do.", replace(progress, step="done"), []


def _begin(progress: Progress, last: list[Done]) -> Answer:
    names = [name for done in last for name in _NAME.findall(done.content)]
    guide = "\n".join(done.content for done in last if done.path == "GUIDE.md")
    allowed = _TOLERANCE.search(guide)
    head = f"# Notes\n\n- guide: {allowed[1] if allowed else 0} % may differ\n{END}\n"
    calls = [Call("write_file", {"path": NOTES, "content": head}), *_reads(0, len(names))]
    following = replace(progress, step="read", at=min(_AT_ONCE, len(names)), total=len(names))
    return f"{len(names)} papers. I note what each claims.", following, calls


def _reads(at: int, total: int) -> list[Call]:
    numbers = range(at + 1, min(at + _AT_ONCE, total) + 1)
    return [Call("read_file", {"path": f"papers/p{number:03d}.md"}) for number in numbers]


def _read(progress: Progress, last: list[Done]) -> Answer:
    """Note what the papers of the last reply claim, and read the next ones; report half way and at the end."""
    rows = [row for done in last if done.name == "read_file" for row in _noted(done)]
    calls = [Call("edit_file", {"path": NOTES, "old": END, "new": "\n".join([*rows, END])})] if rows else []
    half = not progress.half and progress.at >= progress.total // 2
    if half or progress.at >= progress.total:
        calls.append(Call("read_file", {"path": NOTES}))
        return "What do the notes come to so far?", replace(progress, step="compare"), calls
    following = replace(progress, at=min(progress.total, progress.at + _AT_ONCE))
    return f"{len(rows)} notes of these.", following, [*calls, *_reads(progress.at, progress.total)]


def _noted(done: Done) -> Iterable[str]:
    name = done.path.removeprefix("papers/").removesuffix(".md")
    for form in _FORMS:
        for found in form.finditer(done.content):
            yield f"- {name}: {found['q']} | {found['s']} | {found['w']} | {found['v']}"
    yield from (f"- {name} withdraws {other}" for other in _WITHDRAWN.findall(done.content))
    if "changes the guide" in done.content and (allowed := _TOLERANCE.search(done.content)):
        yield f"- {name}: {allowed[1]} % may differ"


def _compare(progress: Progress, history: list[Done]) -> Answer:
    """The report of what the notes say now; what it said half way and no longer holds is taken back by that."""
    notes, before = file_text(history, NOTES) or "", file_text(history, REPORT)
    if not notes:
        return "The notes again.", progress, [Call("read_file", {"path": NOTES})]
    rows = [f"- {one} and {other}: {what}" for one, other, what in contradictions(notes)]
    text = "\n".join(["# Contradictions", "", *rows, ""])
    over = progress.at >= progress.total
    if over and progress.half and before is None:
        return "What did I report half way?", progress, [Call("read_file", {"path": REPORT})]
    gone = len(set((before or "").splitlines()) - set(text.splitlines()))
    said = f"{len(rows)} contradictions." + (
        f" {gone} of those that I reported are none; I take them back." if gone else ""
    )
    write = [Call("write_file", {"path": REPORT, "content": text})]
    if over:
        return said, replace(progress, step="done"), write
    following = replace(progress, step="read", half=True, at=min(progress.total, progress.at + _AT_ONCE))
    return said, following, [*write, *_reads(progress.at, progress.total)]


def contradictions(notes: str) -> list[tuple[str, str, str]]:
    """(paper, paper, what about) of the claims in the notes that differ by more than may be."""
    gone, allowed = set(_GONE.findall(notes)), int((_STRICT.findall(notes) or ["0"])[-1])
    claims: dict[tuple[str, str, str], list[tuple[str, int]]] = {}
    for paper, quantity, subject, where, value in _CLAIM.findall(notes):
        if paper not in gone:
            claims.setdefault((quantity, subject, where), []).append((paper, int(value)))
    return [
        (one, other, f"{' of '.join(key[:2])} at {key[2]}, {first} and {second}")
        for key, found in claims.items()
        for (one, first), (other, second) in combinations(found, 2)
        if abs(first - second) * 100 > allowed * max(first, second)
    ]
