"""Whether the session waits for its user: for what, since when, and whether the user has answered.

Each kind of need is opened and closed by events of its own, so the list can grow: a new kind takes its place in `KINDS`
and two handlers.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from core.events import (
    IMPORTED,
    ApprovalAsked,
    CheckInMade,
    CommandAccepted,
    CommandRefused,
    ContextPolicy,
    Event,
    HumanAsked,
    SessionFinished,
    SessionOpened,
    SessionPaused,
)
from core.folds.fold import Handler, Series
from core.folds.words import call_line, one_line

KINDS = ("failed", "approval", "question", "paused", "finished", "policy", "checkin")
"""What a session can wait for, the most pressing first.

failed: it ended before its task was done. approval: it asks before it runs a call. question: it asks
something. paused: it can't go on by itself.
finished: its task is done. policy: it switched automatic compression off. checkin: it tells what was done, and goes on.
"""

_STANDING = ("failed", "paused", "finished")
_BY_THE_USER = ("operator", "rewound", "forked")
_LONGEST = 300
_TOLD_FOR_US = 600_000_000
"""After so long a check-in is not called about any more."""


class Need(Struct, frozen=True):
    """Something that waits since event `seq`, at `at_us`.

    `kind` is one of `KINDS`, `reason` one word of `core.folds.standing.REASONS` (or the kind), `text` a plain sentence.
    `answered` is the first command that came after it, None while there was none.
    """

    kind: str
    reason: str
    text: str
    seq: int
    at_us: int
    answered: int | None = None


class Needs:
    """What waits for the user. Keys and looks are not in the log: a command is the only answer that it knows."""

    def __init__(self) -> None:
        self._open: Series[tuple[Need, ...]] = Series(())
        self._asked: dict[str, Event] = {}
        self._over = False
        """Another tool ran it, so nothing can be answered any more."""

    def handlers(self) -> dict[str, Handler]:
        return {
            "session.opened": self._opened,
            "session.paused": self._paused,
            "session.finished": self._finished,
            "session.continued": self._stands_no_more,
            "head.moved": self._moved,
            "approval.asked": self._asks,
            "approval.answered": self._answered,
            "tool.finished": self._answered,
            "human.asked": self._questions,
            "human.answered": self._replied,
            "context.policy": self._policy,
            "checkin.made": self._checked_in,
            "model.requested": self._went_on,
            "command.accepted": self._command,
            "command.refused": self._command,
        }

    def at(self, seq: int | None = None) -> tuple[Need, ...]:
        """Everything that waits as of event `seq` (None: now), the most pressing first."""
        return self._open.at(seq)

    def unanswered(self, seq: int | None = None) -> Need | None:
        """The most pressing of what waits and was not answered."""
        return next((need for need in self.at(seq) if need.answered is None), None)

    def _opened(self, event: Event) -> None:
        self._over = isinstance(event.body, SessionOpened) and event.body.profile == IMPORTED

    def _paused(self, event: Event) -> None:
        body = event.body
        if isinstance(body, SessionPaused) and body.reason not in _BY_THE_USER:
            self._need(event, "paused", body.reason, f"It is paused ({_words(body.reason)})", body.detail)
        else:
            self._stands_no_more(event)

    def _finished(self, event: Event) -> None:
        body = event.body
        if self._over or not isinstance(body, SessionFinished) or body.reason == "operator":
            self._stands_no_more(event)
        elif body.state == "finished":
            self._need(event, "finished", body.reason, "It has finished", body.detail)
        else:
            self._need(event, "failed", body.reason, f"It {body.state} ({_words(body.reason)})", body.detail)

    def _policy(self, event: Event) -> None:
        if isinstance(event.body, ContextPolicy) and event.body.tokens:
            self._need(event, "policy", "policy", "Automatic compression switched itself off", event.body.reason)
        else:
            self._close(event, "policy")

    def _checked_in(self, event: Event) -> None:
        if isinstance(event.body, CheckInMade):
            self._need(event, "checkin", "checkin", "It tells what was done", event.body.text)

    def _went_on(self, event: Event) -> None:
        """What was only told waits for nobody for ever."""
        if any(need.kind == "checkin" and event.at_us - need.at_us >= _TOLD_FOR_US for need in self.at()):
            self._close(event, "checkin")

    def _asks(self, event: Event) -> None:
        self._asked[event.key or ""] = event
        if len(self._asked) == 1:
            self._need_answer(event)

    def _answered(self, event: Event) -> None:
        """A question is answered or gone; the next one waits since it was asked."""
        if self._asked.pop(event.key or "", None) is not None:
            self._close(event, "approval")
            if self._asked:
                self._need_answer(next(iter(self._asked.values())), since=event)

    def _questions(self, event: Event) -> None:
        if isinstance(event.body, HumanAsked):
            self._need(event, "question", "question", "It asks you", event.body.question)

    def _replied(self, event: Event) -> None:
        self._close(event, "question")

    def _need_answer(self, asked: Event, since: Event | None = None) -> None:
        body = asked.body
        if isinstance(body, ApprovalAsked):
            detail = f"{call_line(body.name, body.arguments)} · {body.reason}"
            self._need(since or asked, "approval", "approval", "It asks before it goes on", detail)

    def _moved(self, event: Event) -> None:
        self._asked.clear()
        self._close(event, *_STANDING, "approval", "question")

    def _command(self, event: Event) -> None:
        if isinstance(event.body, CommandAccepted | CommandRefused) and any(
            need.answered is None for need in self.at()
        ):
            self._open.append(
                event.seq, tuple(replace(need, answered=need.answered or event.seq) for need in self.at())
            )

    def _stands_no_more(self, event: Event) -> None:
        self._close(event, *_STANDING)

    def _need(self, event: Event, kind: str, reason: str, what: str, detail: str) -> None:
        """Open a need in the place of one of its sort."""
        self._close(event, *(_STANDING if kind in _STANDING else (kind,)))
        text = f"{what}: {one_line(detail, _LONGEST).rstrip('.')}." if detail else f"{what}."
        need = Need(kind, reason, text, event.seq, event.at_us)
        self._open.append(event.seq, tuple(sorted((*self.at(), need), key=lambda need: KINDS.index(need.kind))))

    def _close(self, event: Event, *kinds: str) -> None:
        left = tuple(need for need in self.at() if need.kind not in kinds)
        if left != self.at():
            self._open.append(event.seq, left)


def _words(reason: str) -> str:
    return one_line(reason.replace("_", " "), 40)
