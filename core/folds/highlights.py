"""The way into a long session: its chapters (plan steps, compressions, rewinds), and the few moments that tell it."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from core.clock import MICROSECONDS
from core.events import (
    ApprovalAsked,
    BookmarkAdded,
    ContextCompressed,
    Event,
    GuardRaised,
    GuidanceDelivered,
    HeadMoved,
    MachineSlept,
    ModelFailed,
    ModelSwitched,
    PlanChanged,
    SessionFinished,
    SessionOpened,
    SessionPaused,
    ToolFinished,
    ToolStarted,
)
from core.folds.fold import Handler
from core.folds.timeline import probes
from core.folds.verdict import lasted
from core.folds.words import call_line, one_line

MOST: Final = 12
_TEXT: Final = 110
_LONG_S: Final = 120
_OFTEN: Final = 3
"""Moments of one kind at most, so that a session of a hundred errors has room for the rest."""


class Moment(Struct, frozen=True):
    """One thing that happened at event `seq`. `kind`: begin, plan, step, edit, error, guard, human, ask, compression,
    rewind, model, pause, sleep, bookmark, slow, end; `weight`: how much it tells."""

    seq: int
    at_us: int
    kind: str
    text: str
    weight: float


_NAMED = 3
"""Files that a moment names."""


class Highlights:
    """Collects what could be a moment; a few are chosen when they are asked for."""

    def __init__(self) -> None:
        self.chapters: list[Moment] = []
        self._found: list[Moment] = []
        self._active = ""
        self._lines: dict[str, str] = {}
        self._failing = 0

    def handlers(self) -> dict[str, Handler]:
        return {
            "session.opened": self._event,
            "session.finished": self._event,
            "session.paused": self._event,
            "machine.slept": self._event,
            "plan.changed": self._plan,
            "tool.started": self._started,
            "tool.finished": self._finished,
            "guidance.delivered": self._guidance,
            "guard.raised": self._event,
            "approval.asked": self._event,
            "context.compressed": self._event,
            "head.moved": self._event,
            "model.failed": self._event,
            "model.switched": self._event,
            "bookmark.added": self._event,
        }

    def moments(self, most: int = MOST) -> list[Moment]:
        """The `most` that tell most, in their order; the beginning and the end are always among them."""
        ends = [one for one in self._found if one.kind in ("begin", "end")]
        ends = [*ends[:1], *([ends[-1]] if len(ends) > 1 else [])]
        chosen, kinds = list(ends), dict.fromkeys((one.kind for one in ends), _OFTEN)
        for one in sorted(self._found, key=lambda one: (-one.weight, one.seq)):
            if len(chosen) < most and one not in chosen and kinds.get(one.kind, 0) < _OFTEN:
                chosen.append(one)
                kinds[one.kind] = kinds.get(one.kind, 0) + 1
        return sorted(chosen, key=lambda one: one.seq)

    def _add(self, event: Event, kind: str, text: str, weight: float, *, chapter: bool = False) -> None:
        moment = Moment(event.seq, event.at_us, kind, one_line(text, _TEXT), weight)
        self._found.append(moment)
        if chapter:
            self.chapters.append(moment)

    def _event(self, event: Event) -> None:
        match event.body:
            case SessionOpened() as body:
                self._add(event, "begin", f"The task: {body.task}", 100, chapter=True)
            case SessionFinished() as body:
                self._add(event, "end", f"{body.state} ({body.reason}). {body.detail}", 99, chapter=True)
            case SessionPaused() as body:
                self._add(event, "pause", f"Paused ({body.reason}). {body.detail}", 40)
            case GuardRaised() as body:
                self._add(event, "guard", body.text or body.guard, 60)
            case ApprovalAsked() as body:
                self._add(event, "ask", f"Asks before {call_line(body.name, body.arguments)}: {body.reason}", 35)
            case ContextCompressed() as body:
                sizes = f"{body.tokens_before:,} to {body.tokens_after:,} tokens"
                self._add(event, "compression", f"Compressed by {body.policy}: {sizes}", 25, chapter=True)
            case HeadMoved() as body:
                self._add(event, "rewind", _went(body), 65, chapter=body.to != body.origin)
            case MachineSlept() as body:
                self._add(event, "sleep", f"The machine slept for {lasted(body.us)}", 45)
            case ModelFailed() as body if not probes(event):
                self._add(event, "error", f"A request failed ({body.error}): {body.message}", 30)
            case ModelSwitched() as body:
                self._add(event, "model", f"Now the model is {body.model}", 30)
            case BookmarkAdded() as body:
                self._add(event, "bookmark", body.text, 80)
            case _:
                return

    def _plan(self, event: Event) -> None:
        body = event.body
        if not isinstance(body, PlanChanged):
            return
        active = next((step.intent for step in body.steps if step.status == "active"), "")
        if active and active != self._active:
            done = sum(step.status == "done" for step in body.steps)
            self._add(event, "step", f"Step {done + 1} of {len(body.steps)}: {active}", 50, chapter=True)
        self._active = active

    def _guidance(self, event: Event) -> None:
        if isinstance(event.body, GuidanceDelivered) and event.body.source == "user":
            self._add(event, "human", f"You said: {event.body.text}", 70)

    def _started(self, event: Event) -> None:
        if isinstance(event.body, ToolStarted) and event.key:
            self._lines[event.key] = call_line(event.body.name, event.body.arguments)

    def _finished(self, event: Event) -> None:
        body, line = event.body, self._lines.pop(event.key or "", "")
        if not isinstance(body, ToolFinished):
            return
        line = line or body.name
        if not body.ok:
            self._failing += 1
            self._add(event, "error", f"{line} failed", 20 + min(20, 4 * self._failing))
        elif self._failing >= _OFTEN:
            self._add(event, "turn", f"{line} worked after {self._failing} failures", 55)
        self._failing = 0 if body.ok else self._failing
        if changed := sum(change.added + change.removed for change in body.files):
            paths = ", ".join(change.path for change in body.files)
            self._add(event, "edit", f"{changed:,} lines changed: {paths}", 10 + min(45, changed / 10))
        elif body.ms > _LONG_S * 1_000:
            self._add(
                event,
                "slow",
                f"{line} took {body.ms * 1_000 // MICROSECONDS // 60} min",
                15 + min(30, body.ms / 60_000),
            )


def _went(body: HeadMoved) -> str:
    """Where it went, or what became of files where it stayed."""
    if body.to != body.origin:
        return f"Went back to #{body.to} ({body.reason})"
    paths = ", ".join(line.partition(" ")[2] for line in body.files[:_NAMED])
    more = f" and {len(body.files) - _NAMED:,} more" if len(body.files) > _NAMED else ""
    return f"Files as they were before ({body.reason}): {paths}{more}"
