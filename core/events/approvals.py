"""Bodies of what is asked before a call runs, and of what was answered."""

from __future__ import annotations

from typing import Any, Literal

from core.events.envelope import Body, kind


@kind("approval.asked")
class ApprovalAsked(Body, frozen=True):
    """Keyed by call: it does not run before it is answered. `intent` is what its tool worked out that it would do.

    `reason`: why it is asked, a plain sentence; `facts`: what its words lead to, one line each; `diff`: of a change of
    a file; `rules`: exactly what "always" would allow from then on, empty where no rule can say it. `mode` and
    `confined` are what it was judged by (`confined` empty: nothing confines commands). `granted`: what a command gets
    beyond its sandbox when it is approved (`core.sandbox.grant`), as part of an intent.
    """

    name: str
    use_id: str
    arguments: dict[str, Any]
    effect: str
    reason: str
    facts: list[str] = []
    diff: str = ""
    rules: list[str] = []
    intent: dict[str, Any] = {}
    mode: str = ""
    confined: str = ""
    granted: dict[str, Any] = {}


@kind("approval.answered")
class ApprovalAnswered(Body, frozen=True):
    """Keyed by call; the event's actor is who answered, `place` where, in words.

    `reason` is the user's, for the model. `rules` hold for the rest of the session; `kept`: they were also written into
    the user's configuration.
    """

    answer: Literal["approved", "denied"]
    reason: str = ""
    rules: list[str] = []
    kept: bool = False
    place: str = ""
