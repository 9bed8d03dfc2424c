"""What the user asked for and the log has not confirmed yet: shown as pending, never pretended to be done."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from core.events import CommandDone, CommandRefused, Event
from core.folds.standing import DEFERRED
from core.folds.state import RunState
from core.folds.view import SessionView

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
    "after-reboot": "Noted; `longwatch service status` says what becomes of it.",
    "drive": "You drive now; the other screens observe.",
    "cancel": "Taken back: it had no effect.",
    "constraint": "It holds from here on; the agent is told with the next request.",
    "check-in": "Noted; see the conversation.",
    "pause-at": "Noted; it pauses at the next safe point after that.",
    "plan": "Changed; the agent is told with the next request.",
    "lift": "Lifted; the agent is told with the next request.",
    "guard-right": "Noted: that was rightly raised.",
    "guard-ok": "Noted: this is not raised again in this session.",
}
"""What is said of a control that is in force as soon as it is accepted, where the screen doesn't show it by itself."""


WHOLE = frozenset({"compress", "evict", "undo"})
"""Commands that wait until every call of a reply has its result."""
SETTLED_TICKS = 5
"""Seconds for which it is said that a command is in force."""


def waits_for(verb: str, state: RunState) -> str:
    """What a command that was taken waits for."""
    running = any(call.started for call in state.pending.values())
    if verb == "guide":
        return "continue" if state.paused else "the next request"
    if verb in WHOLE and state.pending:
        return "the end of this reply's calls"
    if running:
        return "the running tool"
    return "the reply in flight" if state.open_attempt else "the next safe point"


class Verdict(Struct, frozen=True):
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
        self._waiting: set[str] = set()
        """Guidance of ours that was seen in the queue: what leaves it is delivered."""
        self._settled, self._ticks = "", 0

    def sent(self, id: str, verb: str) -> Verdict | None:
        """Remember a command; its verdict if the log was faster than we."""
        self._sent[id] = verb
        self._settled = ""
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
            self._settle(f"{verb} in force #{event.seq:,}" if body.ok else f"{verb} had no effect")
            return self._done(verb, body, since)
        if verb in DEFERRED or verb == "guide":
            self._accepted[id] = event.seq
            return None
        self._forget(id)
        self._settle(f"{verb} in force #{event.seq:,}")
        return Verdict(AT_ONCE[verb], ok=True) if verb in AT_ONCE else None

    def _done(self, verb: str, body: CommandDone, since: int) -> Verdict | None:
        if body.detail or not body.ok:
            return Verdict(f"{verb}: {body.detail}", ok=body.ok)
        came_of_it = self._outcome(verb, since) or AT_ONCE.get(verb, "")
        return Verdict(came_of_it, ok=True) if came_of_it else None

    def _forget(self, id: str) -> None:
        self._sent.pop(id, None)
        self._accepted.pop(id, None)

    def _settle(self, text: str) -> None:
        self._settled, self._ticks = text, SETTLED_TICKS

    def tick(self) -> bool:
        """A second went by; whether it changes what is said."""
        fading = self._ticks > 0
        self._ticks = max(0, self._ticks - 1)
        return fading

    def latest(self) -> tuple[str, str] | None:
        """(id, verb) of the command sent last that is not in force yet."""
        open_ones = [(id, verb) for id, verb in self._sent.items() if verb in DEFERRED or verb == "guide"]
        return open_ones[-1] if open_ones else None

    def receipt(self, view: SessionView) -> str:
        """`compress taken #71, waits for the running tool`; for a while `in force`; empty when there is nothing."""
        self._see_the_queue(view)
        words = [self._word(id, verb, view.state) for id, verb in self._sent.items()]
        return " · ".join(words) or (self._settled if self._ticks else "")

    def _word(self, id: str, verb: str, state: RunState) -> str:
        seq = self._accepted.get(id)
        return f"{verb} sent…" if seq is None else f"{verb} taken #{seq:,}, waits for {waits_for(verb, state)}"

    def _see_the_queue(self, view: SessionView) -> None:
        for id in [id for id, verb in self._sent.items() if verb == "guide"]:
            if id in view.state.queued:
                self._waiting.add(id)
            elif id in self._waiting:
                self._waiting.discard(id)
                self._forget(id)
                fate = receipt.fate if (receipt := view.guidance.get(id)) else ""
                self._settle("guide taken back" if fate == "retracted" else "guide in force: the next request has it")
