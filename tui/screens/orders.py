"""What the user asked for and the log has not confirmed yet: shown as pending, never pretended to be done."""

from __future__ import annotations

from dataclasses import dataclass

from core.events import CommandDone, CommandRefused, Event
from core.folds.state import DEFERRED

KEPT_EARLY = 16
"""Events of commands that may turn out to be ours: the log can be faster than the return from `send`."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one of our commands, as a sentence; `ok` is False for a refusal."""

    text: str
    ok: bool


class Orders:
    """Commands sent from this screen, by id, until their events come back."""

    def __init__(self) -> None:
        self._sent: dict[str, str] = {}
        self._accepted: set[str] = set()
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
            self._forget(id)
            return Verdict(f"{verb}: {body.detail}", ok=body.ok) if body.detail or not body.ok else None
        if verb in DEFERRED:
            self._accepted.add(id)
        else:
            self._forget(id)
        return None

    def _forget(self, id: str) -> None:
        self._sent.pop(id, None)
        self._accepted.discard(id)

    @property
    def chip(self) -> str:
        """`compress accepted, rewind sent`; empty when nothing is pending."""
        words = (f"{verb} {'accepted' if id in self._accepted else 'sent'}…" for id, verb in self._sent.items())
        return " ".join(words)
