"""The course of the files through a session: each state that was kept, and who made the next one of it."""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct, field

from core.events import (
    CheckpointMade,
    Event,
    GuidanceDelivered,
    HeadMoved,
    ModelResponded,
    PlanChanged,
    SessionForked,
    SessionOpened,
    ToolFinished,
    ToolStarted,
)
from core.folds.commands import passed, reading
from core.folds.words import call_line, one_line
from core.journal.reader import Reader

_CHUNK: Final = 2_000
_TEXT: Final = 300


class Author(Struct, frozen=True):
    """Who changed the files: a `call`, somebody by `hand` between two calls, or a `rewind` (also its undo).

    `line` is the call; `said` what the agent said or thought before it, `guidance` the user's last words until then,
    `step` the step of the plan that it stood in.
    """

    kind: Literal["call", "hand", "rewind"]
    seq: int
    at_us: int
    line: str = ""
    said: str = ""
    guidance: str = ""
    step: str = ""


class Change(Struct, frozen=True):
    """From tree `before` to tree `after`, known as of event `seq`."""

    seq: int
    before: str
    after: str
    author: Author


class Check(Struct, frozen=True):
    """A command that checks the work, and whether it passed."""

    seq: int
    command: str
    passed: bool


class Course(Struct):
    """`base` is the first state that was kept; None: none was. `states` are (seq, tree) as they became known."""

    workspace: str = ""
    original: str = ""
    """Where the workspace is a worktree or a copy: of which folder."""
    base: str | None = None
    changes: list[Change] = field(default_factory=list)
    states: list[tuple[int, str]] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    steps: list[tuple[int, str]] = field(default_factory=list)
    """(seq, intent) of each step of the plan when it became the active one."""
    last_seq: int = 0

    @property
    def tree(self) -> str | None:
        """The last state."""
        return self.states[-1][1] if self.states else None

    def tree_at(self, seq: int) -> str | None:
        """The files as of event `seq`; before the first state they were as in the first."""
        count = bisect_right(self.states, seq, key=lambda state: state[0])
        return self.states[max(0, count - 1)][1] if self.states else None

    def since(self, seq: int) -> list[Change]:
        """The changes after event `seq`, oldest first."""
        return [change for change in self.changes if change.seq > seq]

    def checks_until(self, seq: int) -> dict[str, Check]:
        """The last outcome of each check as of event `seq`."""
        return {check.command: check for check in self.checks if check.seq <= seq}


class _Tracer:
    """Follows the log; knows what was said, and which call is under way."""

    def __init__(self) -> None:
        self.course = Course()
        self._said = self._guidance = self._step = ""
        self._calls: dict[str, ToolStarted] = {}
        self._under_way: Author | None = None
        """A call whose end was not looked at: what the next look finds is its work."""

    def take(self, event: Event) -> None:
        self.course.last_seq = event.seq
        match event.body:
            case SessionOpened() as body:
                self.course.workspace = body.workspace
                made = (body.origin or {}).get("worktree")
                self.course.original = str(made.get("of", "")) if isinstance(made, dict) else ""
            case SessionForked() as body:
                self.course.original = self.course.original or body.workspace
            case GuidanceDelivered(source="user") as body:
                self._guidance = one_line(body.text, _TEXT)
            case PlanChanged() as body:
                self._planned(event, body)
            case ModelResponded() as body:
                self._said = _words(body) or self._said
            case ToolStarted() as body if event.key:
                self._calls[event.key] = body
                if body.effect in ("write", "command", "delegate"):
                    self._under_way = self._author(event, "call", call_line(body.name, body.arguments))
            case ToolFinished() as body:
                self._finished(event, body)
            case CheckpointMade() as body if body.tree:
                self._found(event, body.tree)
            case HeadMoved() as body if body.tree_after:
                if body.tree_before:
                    self._found(event, body.tree_before)
                self._became(event, body.tree_after, self._author(event, "rewind", _went(body)))
            case _:
                return

    def _planned(self, event: Event, body: PlanChanged) -> None:
        active = next((step.intent for step in body.steps if step.status == "active"), "")
        if active and active != self._step:
            self.course.steps.append((event.seq, one_line(active, _TEXT)))
        self._step = active

    def _author(self, event: Event, kind: Literal["call", "hand", "rewind"], line: str) -> Author:
        if kind != "call":
            return Author(kind, event.seq, event.at_us, line, step=self._step)
        return Author(kind, event.seq, event.at_us, line, self._said, self._guidance, self._step)

    def _finished(self, event: Event, body: ToolFinished) -> None:
        started = self._calls.pop(event.key or "", None)
        if started is not None and started.effect == "command":
            command = str(started.arguments.get("command", ""))
            ok = passed(read := reading(command, []), body.ok, body.exit_code, body.content)
            if ok is not None and read.check:
                self.course.checks.append(Check(event.seq, one_line(command, _TEXT), ok))
        if body.tree:
            author = self._under_way or self._author(event, "call", body.name)
            self._became(event, body.tree, author)
            self._under_way = None

    def _found(self, event: Event, tree: str) -> None:
        """A look at the files before something else happens."""
        author = self._under_way or self._author(event, "hand", "changed by hand, or by what a command left running")
        if not self.course.states:
            self.course.base = tree
            self.course.states.append((event.seq, tree))
        else:
            self._became(event, tree, author)
        self._under_way = None

    def _became(self, event: Event, tree: str, author: Author) -> None:
        before = self.course.tree
        if before is not None and before != tree:
            self.course.changes.append(Change(event.seq, before, tree, author))
        if before != tree:
            self.course.states.append((event.seq, tree))
            self.course.base = self.course.base or tree


def _went(body: HeadMoved) -> str:
    return "reverted by the user" if body.reason == "revert" else f"{body.reason} to #{body.to}"


def _words(body: ModelResponded) -> str:
    texts = [str(block.get("text") or block.get("thinking") or "") for block in body.content]
    return one_line(next((text for text in texts if text.strip()), ""), _TEXT)


def course_of(folder: Path) -> Course:
    """Read the course of a session's files. Blocks; raises JournalError."""
    tracer = _Tracer()
    with Reader(folder) as reader:
        after = 0
        while batch := reader.events(after, _CHUNK):
            for event in batch:
                tracer.take(event)
            after = batch[-1].seq
    return tracer.course
