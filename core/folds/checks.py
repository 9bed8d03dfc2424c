"""The checks of the work: which commands changed from failing to passing or back, and whether the last state is proven.

A proof is worth nothing once a file has changed after it, and one passing check does not outweigh another that fails.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct

from core.events import CheckpointMade, Event, HeadMoved, ToolFinished, ToolStarted
from core.folds.branches import Column
from core.folds.commands import Reading, passed, reading, stands_in
from core.folds.fold import Handler, Series
from core.folds.known import Known
from core.folds.plan import Plan
from core.folds.words import one_line

_LABEL = 120


class Flip(Struct, frozen=True):
    """A command that had failed and passes now, or the other way round."""

    seq: int
    at_us: int
    command: str
    passed: bool


class Proof(Struct, frozen=True):
    """Whether every check since the last change of a file passes, by its last run; `command` is a failing one, or the
    latest. `changed`: where that change is, 0 when nothing was changed at all; `seq`: the check, 0 without any.

    Before there is one: `outdated` is the check that passed last, and `file` the last of the `files` that have changed
    since (empty and 0 where the log does not name them).
    """

    changed: int = 0
    seq: int = 0
    command: str = ""
    passed: bool = False
    outdated: str = ""
    file: str = ""
    files: int = 0


class Tested(NamedTuple):
    """The latest run of a command that a step of the plan calls its check: event `seq`, and whether it passed.

    `current`: no file has changed since.
    """

    seq: int
    passed: bool
    current: bool = True


class Checks:
    """Outcomes of commands, by their words and their folder. A command costs the same at any length of the log."""

    def __init__(self, plan: Plan) -> None:
        self.flips: Column[Flip] = Column()
        self.proof: Series[Proof] = Series(Proof())
        self._plan = plan
        self._running: dict[str, tuple[str, str, Reading]] = {}
        self._asked: dict[str, list[str]] = {}
        """By running call the checks of the plan that its command stands in."""
        self._tested: dict[str, Series[Tested | None]] = {}
        self._outcomes = Known()
        """1 for each command that passed when it ran last, 0 for one that failed."""
        self._since_change: dict[str, bool] = {}
        self._changed_since: set[str] = set()
        self._secured = False

    def handlers(self) -> dict[str, Handler]:
        return {
            "tool.started": self._started,
            "tool.finished": self._finished,
            "checkpoint.made": self._checkpoint,
            "head.moved": self._moved,
        }

    def tested(self, check: str, at: int | None = None) -> Tested | None:
        """What became of a step's check as of event `at`; None while no command of its words has run."""
        series = self._tested.get(check)
        latest = series.at(at) if series is not None else None
        return latest and latest._replace(current=self.proof.at(at).changed < latest.seq)

    def _started(self, event: Event) -> None:
        body = event.body
        if isinstance(body, ToolStarted) and body.effect == "command" and event.key:
            command, plan = str(body.arguments.get("command", "")), self._plan.at()
            checks = [step.check for step in plan.steps if step.check] if plan else []
            identity = f"{body.arguments.get('cwd', '.')}\0{command}"
            self._asked[event.key] = [check for check in checks if stands_in(command, check)]
            self._running[event.key] = (identity, one_line(command, _LABEL), reading(command, checks))

    def _finished(self, event: Event) -> None:
        body, running = event.body, self._running.pop(event.key or "", None)
        asked = self._asked.pop(event.key or "", [])
        if not isinstance(body, ToolFinished):
            return
        if body.files and not (running and running[2].check):
            self._change(event, *(change.path for change in body.files))
        if running is None:
            return
        identity, command, read = running
        ok = passed(read, body.ok, body.exit_code, body.content)
        if ok is None:
            return
        for check in asked:
            self._tested.setdefault(check, Series(None)).append(event.seq, Tested(event.seq, ok))
        if (before := self._outcomes.get(identity)) != ok:
            self._outcomes.put(identity, int(ok))
            if before is not None:
                self.flips.append(event.seq, Flip(event.seq, event.at_us, command, ok))
        if read.check:
            self._prove(event, command, ok)

    def _prove(self, event: Event, command: str, ok: bool) -> None:
        self._since_change.pop(command, None)
        self._since_change[command] = ok
        failing = [name for name, fine in self._since_change.items() if not fine]
        shown = failing[-1] if failing else command
        self.proof.append(event.seq, Proof(self.proof.last.changed, event.seq, shown, not failing))

    def _checkpoint(self, event: Event) -> None:
        """Files that differ from the checkpoint before (the first has none): a command, or somebody, changed them."""
        if isinstance(event.body, CheckpointMade):
            if event.body.changed and self._secured:
                self._change(event)
            self._secured = True

    def _moved(self, event: Event) -> None:
        if isinstance(event.body, HeadMoved) and event.body.files:
            self._change(event)

    def _change(self, event: Event, *paths: str) -> None:
        """Nothing is proven any more."""
        last, outdated = self.proof.last, self.proof.last.outdated
        if last.seq:
            outdated = last.command if last.passed else ""
            self._changed_since.clear()
        self._since_change.clear()
        self._changed_since.update(paths)
        file = one_line(paths[-1], _LABEL) if paths else last.file
        count = len(self._changed_since)
        self.proof.append(event.seq, Proof(event.seq, outdated=outdated, file=file if count else "", files=count))
