"""What was asked before calls ran, and what was answered: every question with its answer, and which of them wait."""

from __future__ import annotations

from msgspec import Struct

from core.events import ApprovalAnswered, ApprovalAsked, Event
from core.folds.fold import Handler, Series


class Question(Struct):
    """A question about one call. `who` answered; `closed`: the event with which its call went away unanswered."""

    key: str
    seq: int
    at_us: int
    asked: ApprovalAsked
    answer: ApprovalAnswered | None = None
    answered_seq: int = 0
    answered_us: int = 0
    who: str = ""
    closed: int = 0

    @property
    def waited_us(self) -> int:
        """How long it waited for its answer; 0 while there is none."""
        return max(0, self.answered_us - self.at_us) if self.answer else 0


class Approvals:
    """Questions in the order in which they were asked; the first of those that wait is answered first."""

    def __init__(self) -> None:
        self.rows: list[Question] = []
        self._by_key: dict[str, Question] = {}
        self._waiting: Series[tuple[str, ...]] = Series(())

    def handlers(self) -> dict[str, Handler]:
        return {
            "approval.asked": self._asked,
            "approval.answered": self._answered,
            "tool.finished": self._over,
            "head.moved": self._moved,
        }

    def get(self, key: str) -> Question | None:
        return self._by_key.get(key)

    def waiting(self, at: int | None = None) -> list[Question]:
        """What waits for an answer as of event `at` (None: now), oldest first."""
        return [self._by_key[key] for key in self._waiting.at(at)]

    def _asked(self, event: Event) -> None:
        if isinstance(event.body, ApprovalAsked) and event.key and event.key not in self._by_key:
            question = Question(event.key, event.seq, event.at_us, event.body)
            self.rows.append(question)
            self._by_key[event.key] = question
            self._waiting.append(event.seq, (*self._waiting.last, event.key))

    def _answered(self, event: Event) -> None:
        question = self._by_key.get(event.key or "")
        if isinstance(event.body, ApprovalAnswered) and question is not None:
            question.answer, question.who = event.body, event.actor
            question.answered_seq, question.answered_us = event.seq, event.at_us
            self._close(event, question.key)

    def _over(self, event: Event) -> None:
        if event.key in self._waiting.last:
            self._by_key[event.key].closed = event.seq
            self._close(event, event.key)

    def _moved(self, event: Event) -> None:
        for key in self._waiting.last:
            self._by_key[key].closed = event.seq
        if self._waiting.last:
            self._waiting.append(event.seq, ())

    def _close(self, event: Event, key: str) -> None:
        self._waiting.append(event.seq, tuple(other for other in self._waiting.last if other != key))
