"""Bodies of what the guards saw, and of what the user said to it."""

from __future__ import annotations

from typing import Literal

from core.events.envelope import Body, kind

Rung = Literal["notice", "nudge", "reassess", "pause"]


@kind("guard.raised")
class GuardRaised(Body, frozen=True):
    """Keyed `g<n>`. A guard saw something, `times` times so far, and took this rung of its ladder.

    notice: it is only shown. nudge: the agent is told. reassess: it is told to look at its plan again. pause: the
    session waits for its user. `text` is one plain sentence, `evidence` the events that it rests on. `subject` is what
    "this is fine" would allow from then on; `marks` are signatures of calls (`core.folds.guards.seen`): the signal had
    an effect when the next calls bear none of them.
    """

    guard: str
    rung: Rung
    subject: str
    times: int
    text: str
    evidence: list[int] = []
    marks: list[str] = []


@kind("guard.answered")
class GuardAnswered(Body, frozen=True):
    """Keyed by the signal `g<n>`: the user says that this is fine, so it is not raised again in this session; or, with
    `right` and keyed `g<n>!`, that it was right to raise it."""

    guard: str
    subject: str
    place: str = ""
    right: bool = False


@kind("drift.measured")
class DriftMeasured(Body, frozen=True):
    """How far the latest calls, `evidence`, are from what was done before: a sum, and where it counts as drift.

    `subject`: the event of the user's words since which it is measured; `reasons`: what makes it, the strongest first.
    """

    score: float
    threshold: float
    subject: str = ""
    reasons: list[str] = []
    evidence: list[int] = []


@kind("course.judged")
class CourseJudged(Body, frozen=True):
    """Keyed `j<n>`. What models that were asked say: is step `subject` done (`about` step), is the task (done), do the
    latest calls still serve it (drift)? `no` only where two of them say so; an answer that nobody understands is
    `unsure`."""

    about: Literal["step", "done", "drift"]
    verdict: Literal["yes", "no", "unsure"]
    subject: str = ""
    why: str = ""
    models: list[str] = []


@kind("constraint.declared")
class ConstraintDeclared(Body, frozen=True):
    """Keyed `k<n>`. The user forbids something; `text` are their words, `source` where they stood.

    `form` says how it is checked (`core.constraints.reading.KINDS`), `patterns` what it is about; without a form nobody
    can check it, and it is only the user's words.
    """

    text: str
    form: str = ""
    patterns: list[str] = []
    source: Literal["task", "guidance", "config", "user"] = "user"


@kind("constraint.lifted")
class ConstraintLifted(Body, frozen=True):
    """Keyed `k<n>`: from here on it is allowed."""


@kind("constraint.broken")
class ConstraintBroken(Body, frozen=True):
    """Keyed `<constraint>:<call>`. `prevented`: the call was refused before it ran; else it has happened. `what` in a
    few words."""

    constraint: str
    call: str
    what: str
    prevented: bool = False
