"""What the user asked for and the log has not confirmed yet: shown as pending, never pretended to be done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.events import CommandDone, CommandRefused, Event
from core.folds.state import DEFERRED

KEPT_EARLY = 16
"""Events of commands that may turn out to be ours: the log can be faster than the return from `send`."""

AT_ONCE = {
    "pin": "Pinned: it stays word for word from the next compression on.",
    "unpin": "No longer pinned: it may leave with the next compression.",
    "evict": "It leaves with the next compression.",
    "policy": "The new policy decides from the next request on.",
    "keep": "Kept: it is known on this branch too.",
    "remember": "Remembered: the agent is told with the next compression, or by recall.",
    "revise": "Changed; the old words stay in the history.",
    "forget": "Out of use from here on; it stays in the history.",
    "pin-memory": "Pinned: it stays word for word from the next compression on.",
    "unpin-memory": "No longer pinned: it may leave with the next compression.",
    "drive": "You drive now; the other screens observe.",
    "cancel": "Taken back: it had no effect.",
}
"""What is said of a control that is in force as soon as it is accepted, where the screen doesn't show it by itself."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one of our commands, as a sentence; `ok` is False for a refusal."""

    text: str
    ok: bool


class Orders:
    """Commands sent from this screen, by id, until their events come back.

    `outcome` tells, for a verb that was carried out after the event of this seq, what came of it; empty where that
    needs no words.
    """

    def __init__(self, outcome: Callable[[str, int], str] = lambda verb, since: "") -> None:
        self._outcome = outcome
        self._sent: dict[str, str] = {}
        self._accepted: dict[str, int] = {}
        self._early: dict[str, Event] = {}

    def sent(self, id: str, verb: str) -> Verdict | None:
        """Remember a command; its verdict if the log was faster than we."""
        self._sent[id] = verb
        early = self._early.pop(id, None)
        self._early.clear()
        return self.observe(early) if early else None

    def observe(self, event: Event) -> Verdict | None:
        """Note a `command.*` event; a sentence when it settles one of ours in a way worth saying."""
        id = event.key or ""
        if id not in self._sent:
            self._early = {**dict(list(self._early.items())[1 - KEPT_EARLY :]), id: event}
            return None
        verb, body = self._sent[id], event.body
        if isinstance(body, CommandRefused):
            self._forget(id)
            return Verdict(f"{verb} refused: {body.reason}", ok=False)
        if isinstance(body, CommandDone):
            since = self._accepted.get(id, event.seq)
            self._forget(id)
            return self._done(verb, body, since)
        if verb in DEFERRED:
            self._accepted[id] = event.seq
            return None
        self._forget(id)
        return Verdict(AT_ONCE[verb], ok=True) if verb in AT_ONCE else None

    def _done(self, verb: str, body: CommandDone, since: int) -> Verdict | None:
        if body.detail or not body.ok:
            return Verdict(f"{verb}: {body.detail}", ok=body.ok)
        came_of_it = self._outcome(verb, since) or AT_ONCE.get(verb, "")
        return Verdict(came_of_it, ok=True) if came_of_it else None

    def _forget(self, id: str) -> None:
        self._sent.pop(id, None)
        self._accepted.pop(id, None)

    @property
    def chip(self) -> str:
        """`compress accepted, rewind sent`; empty when nothing is pending."""
        words = (f"{verb} {'accepted' if id in self._accepted else 'sent'}…" for id, verb in self._sent.items())
        return " ".join(words)
