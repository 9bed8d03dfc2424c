"""What the runner must know of the checks of its plan: which passed last, and whether a file has changed since.

As `core.folds.checks`, but only as of now and only of the plan's own checks, so that it stays as small as the plan.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from core.events import CheckpointMade, ContextCompressed, Event, HeadMoved, ToolFinished, ToolStarted
from core.folds.commands import passed, reading, stands_in
from core.folds.fold import Handler
from core.folds.plan import Plan

_QUOTED = re.compile(r"`([^`\n]+)`")


class Proven(NamedTuple):
    """How a check went last: its event, whether it passed, whether no file has changed since."""

    seq: int
    passed: bool
    current: bool


def command_of(check: str) -> str:
    """The command that a check names in backticks; empty where it is only words, for words may look like a command."""
    quoted = _QUOTED.findall(check)
    return str(quoted[0]).strip() if quoted else ""


class Proofs:
    """The last outcome of each check of the plan, and of any check at all."""

    def __init__(self, plan: Plan) -> None:
        self.compressed = False
        """Whether the context was compressed after the last call that looked or acted."""
        self.changed, self.failing = 0, ""
        """The event of the last change of a file; a check that failed in its last run, empty where none did."""
        self.checked = 0
        self._plan = plan
        self._running: dict[str, str] = {}
        self._last: dict[str, tuple[int, bool]] = {}
        self._secured = False

    def handlers(self) -> dict[str, Handler]:
        return {
            "tool.started": self._started,
            "tool.finished": self._finished,
            "checkpoint.made": self._checkpoint,
            "context.compressed": self._compressed,
            "head.moved": self._moved,
            "plan.changed": self._planned,
        }

    def proven(self, check: str) -> Proven | None:
        """How a check went last; None where it has not run."""
        last = self._last.get(check)
        return last and Proven(last[0], last[1], self.changed < last[0])

    @property
    def outdated(self) -> bool:
        """Whether files have changed and no check has passed since."""
        return self.changed > self.checked

    def _checks(self) -> list[str]:
        plan = self._plan.at()
        return [step.check for step in plan.steps if step.check] if plan else []

    def _started(self, event: Event) -> None:
        body = event.body
        if isinstance(body, ToolStarted) and event.key:
            self.compressed &= body.effect == "state"
            if body.effect == "command":
                self._running[event.key] = str(body.arguments.get("command", ""))

    def _finished(self, event: Event) -> None:
        body, command = event.body, self._running.pop(event.key or "", None)
        if not isinstance(body, ToolFinished):
            return
        checks = self._checks()
        read = reading(command, checks) if command else None
        if body.files and not (read and read.check):
            self.changed = event.seq
        if command is None or read is None:
            return
        ok = passed(read, body.ok, body.exit_code, body.content)
        if ok is None:
            return
        for check in checks:
            if stands_in(command, check) or (command_of(check) and command_of(check) in command):
                self._last[check] = (event.seq, ok)
        if read.check:
            self.failing = "" if ok else command
            self.checked = event.seq if ok else self.checked

    def _checkpoint(self, event: Event) -> None:
        """Files that differ from the checkpoint before: a command, or somebody, changed them."""
        if isinstance(event.body, CheckpointMade):
            if event.body.changed and self._secured:
                self.changed = event.seq
            self._secured = True

    def _moved(self, event: Event) -> None:
        if isinstance(event.body, HeadMoved) and event.body.files:
            self.changed = event.seq

    def _compressed(self, event: Event) -> None:
        if isinstance(event.body, ContextCompressed):
            self.compressed = True

    def _planned(self, event: Event) -> None:
        known = set(self._checks())
        self._last = {check: last for check, last in self._last.items() if check in known}
