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
    """Keyed by the signal `g<n>`: the user says that this is fine, so it is not raised again in this session."""

    guard: str
    subject: str
    place: str = ""
