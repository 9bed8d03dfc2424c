"""Traces of tool calls for the bench of the guards: real ones without their text, and synthetic ones with a label.

A real trace says of each call its tool, a hash of its arguments, a hash of its result, whether it failed, and which
file an edit was about. What a file then held is not known, so every edit counts as a new state.
"""

from __future__ import annotations

import gzip
import json
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count, groupby, pairwise
from pathlib import Path
from typing import Any

from core.events import (
    Body,
    ContextCompressed,
    Event,
    FileChange,
    GuidanceDelivered,
    ModelRequested,
    ModelResponded,
    Price,
    ToolFinished,
    ToolStarted,
    Usage,
    is_node,
)
from core.tools.registry import fingerprint

EDITS = frozenset({"Edit", "Write", "MultiEdit", "NotebookEdit"})
STATE = frozenset({"TodoWrite", "TaskUpdate", "TaskCreate", "TaskList", "EnterPlanMode", "ExitPlanMode"})


@dataclass(frozen=True)
class Step:
    """A call and its outcome. `then`: the reply that it belongs to; None: one of its own."""

    name: str
    arguments: dict[str, Any]
    result: str
    ok: bool = True
    effect: str = "read"
    files: tuple[FileChange, ...] = ()
    reply: int | None = None
    exit_code: int | None = None


@dataclass
class Trace:
    """Calls in order; `words` and `cuts` are indexes of calls before which the user spoke, or the context was cut."""

    name: str
    steps: list[Step] = field(default_factory=list)
    words: set[int] = field(default_factory=set)
    cuts: set[int] = field(default_factory=set)


def real_traces(data: Path) -> Iterator[Trace]:
    """The main chain of every session that has calls."""
    edited = _edited(data / "entities-dev.jsonl.gz")
    for session, rows in groupby(_rows(data / "sessions-dev.jsonl.gz"), key=lambda row: row["s"]):
        trace = _trace(int(session), list(rows), edited)
        if trace.steps:
            yield trace


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _edited(path: Path) -> dict[tuple[int, int], str]:
    """By session and call, the first path that the arguments of an edit name."""
    found = ((row["s"], row["i"], [id for id in row["use"] if id % 4 == 0]) for row in _rows(path))
    return {(session, call): f"file-{paths[0]}" for session, call, paths in found if paths}


def _trace(session: int, rows: list[dict[str, Any]], edited: dict[tuple[int, int], str]) -> Trace:
    results = {
        block[2]: (block[4] or "", bool(block[3])) for row in rows for block in row.get("b", []) if block[0] == "tr"
    }
    trace, states = Trace(f"session {session}"), count()
    contents: dict[str, str] = defaultdict(lambda: "start")
    for row in rows:
        at = len(trace.steps)
        if row["k"] == "user" and any(block[0] == "tx" for block in row.get("b", [])):
            (trace.cuts if row.get("compact_summary") else trace.words).add(at)
        for block in row.get("b", []):
            if block[0] != "tu":
                continue
            _, name, _, asked, use = block
            answered, failed = results.get(use, ("", True))
            files: tuple[FileChange, ...] = ()
            if name in EDITS and not failed:
                path, state = edited.get((session, len(trace.steps)), "file"), f"state {next(states)}"
                files = (FileChange(path=path, before=contents[path], after=state),)
                contents[path] = state
            effect = "write" if name in EDITS else "command" if name == "Bash" else "read"
            effect = "state" if name in STATE else effect
            step = Step(name, {"hash": asked}, str(answered), not failed, effect, files, row["m"])
            trace.steps.append(step)
    return trace


class Log:
    """Events of a trace, one after the other, as a session would write them."""

    def __init__(self) -> None:
        self._seq = self._turn = 0

    def event(self, body: Body, key: str | None = None) -> Event:
        self._seq += 1
        node = is_node(body.KIND)
        return Event(
            seq=self._seq,
            parent=self._seq - 1 if node else None,
            node=None if node else self._seq,
            kind=body.KIND,
            key=key,
            at_us=self._seq * 1_000_000,
            actor="agent",
            body=body,
        )

    def request(self) -> Event:
        parts = {"system": 1}
        body = ModelRequested(
            model="m", body="", body_bytes=0, messages=1, marks=[], max_tokens=1, prompt_version="", parts=parts
        )
        return self.event(body, f"r{self._turn + 1}.1")

    def turn(self, steps: list[Step]) -> Iterator[Event]:
        self._turn += 1
        reply = ModelResponded(
            message_id="m", model="m", content=[], stop_reason="tool_use", usage=Usage(), price=Price()
        )
        yield self.event(reply, f"r{self._turn}.1")
        keyed = [(f"r{self._turn}.1.{index}", step) for index, step in enumerate(steps)]
        for key, step in keyed:
            yield self.event(ToolStarted(name=step.name, use_id=key, arguments=step.arguments, effect=step.effect), key)
        for key, step in keyed:
            body = ToolFinished(
                name=step.name,
                use_id=key,
                ok=step.ok,
                content=step.result,
                exit_code=step.exit_code,
                files=list(step.files),
                fingerprint=fingerprint(step.result),
            )
            yield self.event(body, key)

    def guided(self) -> Event:
        return self.event(GuidanceDelivered(text="go on"))

    def cut(self) -> Event:
        return self.event(
            ContextCompressed(policy="auto", reason="full", digest="", keep_from=None, tokens_before=2, tokens_after=1)
        )


def replies(trace: Trace) -> Iterator[tuple[int, list[Step]]]:
    """The calls by reply, each with the index of its first one."""
    start = 0
    while start < len(trace.steps):
        end, reply = start + 1, trace.steps[start].reply
        while reply is not None and end < len(trace.steps) and trace.steps[end].reply == reply:
            end += 1
        yield start, trace.steps[start:end]
        start = end


# Synthetic traces: a stretch of a real session, then a pattern, one call a reply.


@dataclass
class Labelled:
    """A trace with a pattern from call `begins` on. `rounds`: for each call of it, in which round it stands."""

    trace: Trace
    kind: str
    begins: int
    rounds: list[int]


Pattern = list[tuple[int, Step]]


def planted(kind: str, traces: list[Trace], dice: random.Random) -> Labelled:
    """A stretch of a real session that ends in a pattern of that kind."""
    host = dice.choice([trace for trace in traces if len(trace.steps) >= 40])
    start = dice.randrange(len(host.steps) - 30)
    stretch = [replace(step, reply=None) for step in host.steps[start : start + dice.randint(10, 30)]]
    others = iter(_others(traces, dice))
    pattern = _PATTERNS[kind](dice, others)
    trace = Trace(f"{kind} in {host.name}", [*stretch, *(step for _, step in pattern)])
    return Labelled(trace, kind, len(stretch), [round_ for round_, _ in pattern])


def _others(traces: list[Trace], dice: random.Random) -> Iterator[Step]:
    """Real calls that nothing repeats: each is made the only one of its kind."""
    for number in count():
        step = dice.choice(dice.choice(traces).steps)
        yield replace(step, arguments={**step.arguments, "n": number}, files=(), reply=None, ok=True, effect="read",
                      result=f"{step.result} {number}")  # fmt: skip


def _command(line: str, result: str, code: int = 0) -> Step:
    return Step("run_command", {"command": line}, result, code == 0, "command", exit_code=code)


def _edit(path: str, before: str, after: str, note: object = "") -> Step:
    change = FileChange(path=path, before=before, after=after, added=1, removed=1)
    arguments = {"path": path, "old": f"{before} {note}", "new": f"{after} {note}"}
    return Step("edit_file", arguments, f"edited {path}: {before} -> {after}", True, "write", (change,))


def _some_call(dice: random.Random, number: int = 0) -> Step:
    name = f"name_{dice.randrange(10**6)}_{number}"
    return dice.choice(
        [
            Step("read_file", {"path": f"core/{name}.py"}, f"def {name}(): ..."),
            Step("search_codebase", {"pattern": name, "path": "core"}, f"core/a.py:3: {name}"),
            _command(f"python -m {name}", f"Traceback: {name} is missing", 1),
            Step("edit_file", {"path": f"{name}.py", "old": "a", "new": "b"}, "`a` is not in the file", False, "write"),
        ]
    )


def _exact(dice: random.Random, others: Iterator[Step]) -> Pattern:
    step = _some_call(dice)
    return [(number, step) for number in range(1, 9)]


def _jittered(dice: random.Random, others: Iterator[Step]) -> Pattern:
    """The same again with other white space, another way to write the path, times in the result, calls in between."""
    step, made = _some_call(dice), []
    for number in range(1, 10):
        took = f"\nran at 2026-11-29 {dice.randrange(24):02}:{dice.randrange(60):02}:05 in {dice.random() * 9:.2f}s"
        arguments = {name: _rewritten(dice, value) for name, value in step.arguments.items()}
        made.append((number, replace(step, arguments=arguments, result=step.result + took)))
        made += [(number, next(others)) for _ in range(dice.choice([0, 0, 1, 1, 2]))]
    return made


def _rewritten(dice: random.Random, value: str) -> str:
    spaced = value.replace(" ", " " * dice.choice([1, 1, 2]))
    return dice.choice([spaced, spaced, f"./{spaced}"]) if "/" in spaced else spaced


def _cyclic(dice: random.Random, others: Iterator[Step]) -> Pattern:
    round_ = [_some_call(dice, number) for number in range(dice.randint(2, 6))]
    return [(number, step) for number in range(1, 9) for step in round_]


def _cyclic_jittered(dice: random.Random, others: Iterator[Step]) -> Pattern:
    """A cycle in whose rounds another call comes now and then."""
    made: Pattern = []
    for number, step in _cyclic(dice, others):
        made.append((number, step))
        if dice.random() < 0.08:
            made.append((number, next(others)))
    return made


def _oscillating(dice: random.Random, others: Iterator[Step]) -> Pattern:
    """A file goes between two states, tested in between; each edit is written in other words."""
    a, b, path = (f"state {dice.randrange(10**9)}" for _ in range(3))
    made: Pattern = []
    for number in range(1, 9):
        states = (a, b) if number % 2 else (b, a)
        made.append((number, _edit(path, *states, note=number)))
        made.append((number, _command("pytest -q", f"1 failed {number}", 1)))
    return made


def _same_failure(dice: random.Random, others: Iterator[Step]) -> Pattern:
    """Attempt after attempt, each another one, each ending in the same output."""
    made: Pattern = []
    for number in range(1, 9):
        made.append((number, _edit("core/a.py", f"s{number}", f"s{number + 1}", note=number)))
        made.append((number, _command("pytest -q", "FAILED test_parse: KeyError 'x' in 0.31s", 1)))
    return made


# What must never be taken for a loop.


def _polling(dice: random.Random, others: Iterator[Step]) -> Pattern:
    """A job is asked for its state again and again, and it goes on."""
    made: Pattern = []
    for number in range(1, 21):
        if dice.random() < 0.5:
            made.append((number, _command("sleep 30", "(no output)")))
        made.append((number, _command("tail -n 1 build.log", f"[{number * 3}/63] compiling part {number}")))
    return made


def _test_fix_test(dice: random.Random, others: Iterator[Step]) -> Pattern:
    """A test is made to pass, one fix at a time; now and then a fix leaves its output as it was, never two in a row."""
    made, failing = [], dice.randint(5, 9)
    number, stayed = 0, False
    while failing:
        made.append((number, _command("pytest -q", f"{failing} failed, {20 - failing} passed in 1.{number}s", 1)))
        for _ in range(dice.randint(1, 2)):
            number += 1
            made.append((number, _edit(f"core/{number % 3}.py", f"s{number}", f"s{number}b", note=number)))
        stayed = not stayed and dice.random() < 0.25
        failing -= not stayed
    return [*made, (number, _command("pytest -q", "20 passed in 1.0s"))]


def _test_after_each_edit(dice: random.Random, others: Iterator[Step]) -> Pattern:
    """A refactoring: the tests pass after each of many edits, with the same words."""
    made: Pattern = []
    for number in range(12):
        made.append((number, _edit(f"core/{number % 4}.py", f"s{number}", f"s{number}b", note=number)))
        made.append((number, _command("pytest -q", f"20 passed in 1.{number}s")))
    return made


def _paging(dice: random.Random, others: Iterator[Step]) -> Pattern:
    """A long file is read page by page."""
    pages = range(dice.randint(15, 40))
    return [
        (number, Step("read_file", {"path": "core/long.py", "offset": number * 100, "limit": 100}, f"lines {number}"))
        for number in pages
    ]


def _rereading(dice: random.Random, others: Iterator[Step]) -> Pattern:
    """A file is read again after each change of it, and a listing is looked at in between."""
    made: Pattern = []
    for number in range(10):
        made.append((number, Step("read_file", {"path": "core/a.py"}, f"content {number}")))
        made.append((number, _edit("core/a.py", f"content {number}", f"content {number + 1}")))
        if number % 2:
            made.append((number, _command("git status --short", " M core/a.py")))
    return made


def _searching(dice: random.Random, others: Iterator[Step]) -> Pattern:
    """Search after search finds nothing: the answers are alike, the questions are not."""
    words = [f"word_{dice.randrange(10**9)}" for _ in range(15)]
    return [(number, Step("search_codebase", {"pattern": word}, "no match")) for number, word in enumerate(words)]


def _undo(dice: random.Random, others: Iterator[Step]) -> Pattern:
    """Attempts of one to four changes to a file are taken back one change after the other, once each."""
    made: Pattern = []
    for number in range(6):
        path = f"core/{number % 3}.py"
        states = ["plain", *(f"attempt {number}, change {change}" for change in range(dice.randint(1, 4)))]
        there, back = pairwise(states), pairwise(reversed(states))
        made += [(number, _edit(path, *change, note=number)) for change in there]
        made.append((number, _command(f"pytest -q tests/{number}", f"value = {number}", 1)))
        made += [(number, _edit(path, *change, note=-number - 1)) for change in back]
    return made


_PATTERNS = {
    "exact": _exact,
    "jittered": _jittered,
    "cyclic": _cyclic,
    "cyclic, jittered": _cyclic_jittered,
    "oscillating": _oscillating,
    "same failure": _same_failure,
    "polling, the output changes": _polling,
    "test, fix, test": _test_fix_test,
    "test after each edit": _test_after_each_edit,
    "paging through a file": _paging,
    "reading again after a change": _rereading,
    "searching in vain": _searching,
    "a change taken back": _undo,
}
LOOPS = ("exact", "jittered", "cyclic", "cyclic, jittered", "oscillating", "same failure")
HARMLESS = tuple(kind for kind in _PATTERNS if kind not in LOOPS)


def events_of(log: Log, trace: Trace) -> Iterable[tuple[int, list[Event]]]:
    """By reply: the index of its first call, and the events from what came before it to its last result."""
    for start, steps in replies(trace):
        spoken = [log.guided()] if start in trace.words else []
        cut = [log.cut()] if start in trace.cuts else []
        yield start, [*spoken, *cut, log.request(), *log.turn(steps)]
