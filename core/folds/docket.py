"""What the log alone can't decide about the course of a session, and what models that were asked said of it.

A step whose check is a command is proven by its run, an end by what is open; only what is left is put before a judge.
"""

from __future__ import annotations

from collections import deque
from typing import Literal, NamedTuple

from core.events import (
    CourseJudged,
    DriftMeasured,
    Event,
    GuidanceDelivered,
    ModelResponded,
    PlanChanged,
    ToolFinished,
    ToolStarted,
)
from core.folds.fold import Handler
from core.folds.proofs import command_of
from core.folds.words import call_line, one_line

CALLS = 30
"""The latest calls that a judge is told of."""
APART = 20
"""Calls between two questions about drift."""
_LINE, _RESULT, _WORDS = 160, 160, 1_500


class Question(NamedTuple):
    """About what judges are asked, as of event `seq`.

    step: is step `subject` of the plan done? done: is the task? drift: is this still about it?
    """

    about: Literal["step", "done", "drift"]
    subject: str
    seq: int


class Docket:
    """The questions that are open, and what a judge may be shown."""

    def __init__(self) -> None:
        self.judged = 0
        """Verdicts so far: the next one is `j<judged + 1>`."""
        self.said = ""
        """The agent's last words."""
        self.contested = ""
        """Why its last words are not the end, by the judges."""
        self.unjudged = ""
        """Why no judge was asked about its last words."""
        self.calls: deque[str] = deque(maxlen=CALLS)
        self._open: dict[tuple[str, str], Question] = {}
        self._done: set[str] = set()
        self._began: dict[str, str] = {}
        self._finished_calls, self._asked = 0, -APART

    def handlers(self) -> dict[str, Handler]:
        return {
            "plan.changed": self._planned,
            "model.responded": self._replied,
            "tool.started": self._started,
            "tool.finished": self._finished,
            "guidance.delivered": self._guided,
            "head.moved": self._left,
            "drift.measured": self._measured,
            "course.judged": self._judged,
        }

    def question(self, about: str) -> Question | None:
        """The oldest open one of that sort."""
        return next((one for one in self._open.values() if one.about == about), None)

    def _planned(self, event: Event) -> None:
        if not isinstance(event.body, PlanChanged):
            return
        for step in event.body.steps:
            if step.status == "done" and step.id not in self._done:
                self._done.add(step.id)
                if not command_of(step.check):
                    self._open["step", step.id] = Question("step", step.id, event.seq)

    def _replied(self, event: Event) -> None:
        body = event.body
        if isinstance(body, ModelResponded):
            self.said = "\n".join(str(block["text"]) for block in body.content if block.get("text"))[-_WORDS:]
            self._open.pop(("done", ""), None)
            self.contested = self.unjudged = ""
            if all(block.get("type") != "tool_use" for block in body.content):
                self._open["done", ""] = Question("done", "", event.seq)

    def _started(self, event: Event) -> None:
        if isinstance(event.body, ToolStarted) and event.key:
            self._began[event.key] = one_line(call_line(event.body.name, event.body.arguments), _LINE)

    def _finished(self, event: Event) -> None:
        body, line = event.body, self._began.pop(event.key or "", None)
        if isinstance(body, ToolFinished) and line is not None:
            self._finished_calls += 1
            how = "ok" if body.ok else "FAILED"
            self.calls.append(f"#{event.seq} {line} -> {how}: {one_line(body.content, _RESULT)}")

    def _measured(self, event: Event) -> None:
        """Above the threshold, and not asked about just now."""
        body = event.body
        if isinstance(body, DriftMeasured):
            self._open.pop(("drift", body.subject), None)
            if body.score >= body.threshold and self._finished_calls - self._asked >= APART:
                self._open["drift", body.subject] = Question("drift", body.subject, event.seq)

    def _guided(self, event: Event) -> None:
        """The user's words may change what is to be done; an automatic notice answers a claim."""
        if isinstance(event.body, GuidanceDelivered):
            self._open.pop(("done", ""), None)
            self.contested = self.unjudged = ""
            if event.body.source == "user":
                self._open.clear()

    def _left(self, event: Event) -> None:
        self._open.clear()
        self._began.clear()

    def _judged(self, event: Event) -> None:
        body = event.body
        if isinstance(body, CourseJudged):
            self.judged += 1
            self._open.pop((body.about, body.subject), None)
            if body.about == "done" and body.verdict == "no":
                self.contested = f"by two models that read the log: {body.why or 'it is not done'}"
            if body.about == "done" and not body.models:
                self.unjudged = f"no judge was asked, {body.why}"
            if body.about == "drift":
                self._asked = self._finished_calls
