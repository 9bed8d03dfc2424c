"""What became of the controls that were typed: taken or refused, then in force; told from the events that say so."""

from __future__ import annotations

from core.events import CommandAccepted, CommandDone, CommandRefused, Event, GuidanceDelivered, GuidanceRetracted
from core.folds.standing import DEFERRED
from core.folds.view import SessionView
from tui.plain.lines import Tone
from tui.screens.orders import AT_ONCE

Receipt = tuple[str, Tone]


class Receipts:
    """The controls sent from here, by id, until nothing more is to be said of them."""

    def __init__(self, view: SessionView) -> None:
        self._view = view
        self._sent: dict[str, str] = {}
        self._taken: dict[str, int] = {}

    @property
    def unanswered(self) -> bool:
        """Whether the session has yet to say yes or no to one of them."""
        return len(self._taken) < len(self._sent)

    def sent(self, id: str, verb: str) -> Receipt:
        """Remember a control; call it before its events are observed."""
        self._sent[id] = verb
        return f"{verb}: sent", "user"

    def owns(self, event: Event) -> bool:
        """Whether an event tells of one of them."""
        return event.key in self._sent

    def observe(self, event: Event) -> Receipt | None:
        """What the next event says of one of them; None where that is nothing."""
        id, body = event.key or "", event.body
        verb = self._sent.get(id)
        if verb is None:
            return None
        match body:
            case CommandAccepted():
                return self._accepted(id, verb, event.seq)
            case CommandRefused():
                self._forget(id)
                return f"{verb}: refused. {body.reason}", "wrong"
            case CommandDone():
                return self._done(id, verb, body)
            case GuidanceDelivered():
                self._forget(id)
                return f"{verb}: in force, the next request has it", "user"
            case GuidanceRetracted():
                self._forget(id)
                return f"{verb}: taken back", "user"
        return None

    def _accepted(self, id: str, verb: str, seq: int) -> Receipt:
        if verb in DEFERRED:
            self._taken[id] = seq
            return f"{verb}: taken; it comes at the next safe point", "user"
        if verb == "guide":
            self._taken[id] = seq
            return f"{verb}: taken; it waits for the next request", "user"
        self._forget(id)
        return f"{verb}: taken, and in force. {AT_ONCE.get(verb, '')}".rstrip(), "user"

    def _done(self, id: str, verb: str, body: CommandDone) -> Receipt:
        since = self._taken.get(id, 0)
        self._forget(id)
        if not body.ok:
            return f"{verb}: no effect. {body.detail}", "wrong"
        newest = self._view.context.compressions[-1:]
        saved = [f"{before:,} to {after:,} tokens" for seq, before, after in newest if seq > since]
        outcome = body.detail or ", ".join(saved if verb in ("compress", "evict") else []) or AT_ONCE.get(verb, "")
        return f"{verb}: in force" + (f": {outcome}" if outcome else ""), "user"

    def _forget(self, id: str) -> None:
        self._sent.pop(id, None)
        self._taken.pop(id, None)
