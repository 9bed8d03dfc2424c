"""Words in place of work: replies that do nothing, and a reply that says the same over and over while it streams."""

from __future__ import annotations

from collections import deque

from core.folds.guards.finding import MOST_EVIDENCE, Finding

PIECE = 50
"""Characters of the pieces that are compared."""
TIMES = 10
"""Equal pieces, each near the one before, that make a chant."""
NEAR = 5 * PIECE
"""The greatest mean distance of two equal pieces in a chant, in characters."""
KEPT = 4_000
"""Pieces that are remembered."""
_STRUCTURE = ("```", "|", "#", "- ", "* ", "+ ", "---", "===")
"""What a line begins with that is rightly like others: code, tables, headings, lists, rules."""


class Monologue:
    """Replies in a row that called no tool: only words."""

    def __init__(self) -> None:
        self._replies: deque[int] = deque(maxlen=MOST_EVIDENCE)
        self._times = 0
        self._acted = True

    def reset(self) -> None:
        self._replies.clear()
        self._times, self._acted = 0, True

    def act(self) -> None:
        """A tool was called."""
        self._acted = True

    def reply(self, seq: int) -> None:
        """A reply begins to be judged; the one before is judged with it."""
        if self._acted:
            self._replies.clear()
            self._times = 0
        self._replies.append(seq)
        self._times += 1
        self._acted = False

    def finding(self) -> Finding | None:
        """As of now: None while the latest reply acts, or is the first that does not."""
        if self._acted or self._times < 2:
            return None
        text = f"{self._times} replies in a row called no tool"
        return Finding("monologue", "session", self._times, text, tuple(self._replies))


class Chant:
    """Whether a text repeats itself. Feed it piece by piece; a sign costs the same at any length.

    A chant is the same `PIECE` characters `TIMES` times, one soon after the other. Code, tables, lists and headings
    begin afresh, for their lines are rightly alike; so does what stands within a fence.
    """

    def __init__(self) -> None:
        self._fenced = False
        self._line = self._tail = ""
        self._at = 0
        self._places: dict[int, deque[int]] = {}

    def add(self, text: str) -> bool:
        """Take in the next piece; whether the text is a chant by now."""
        first, *rest = text.split("\n")
        chants = self._words(first)
        for words in rest:
            self._end_line()
            chants = self._words(words) or chants
        return chants

    def _words(self, words: str) -> bool:
        self._line = (self._line + words)[:PIECE]
        if self._fenced:
            return False
        text, start = self._tail + words, self._at - len(self._tail)
        self._at += len(words)
        self._tail = text[-(PIECE - 1) :]
        chants = [self._seen(hash(text[i : i + PIECE]), start + i) for i in range(len(text) - PIECE + 1)]
        return any(chants)

    def _end_line(self) -> None:
        line, self._line = self._line.lstrip(), ""
        if line.startswith("```"):
            self._fenced = not self._fenced
        if line.startswith(_STRUCTURE) or line[:1].isdigit():
            self._tail = ""
            self._places.clear()

    def _seen(self, piece: int, at: int) -> bool:
        places = self._places.get(piece)
        if places is None or at - places[-1] > 2 * NEAR:
            places = self._places[piece] = deque(maxlen=TIMES)
        places.append(at)
        if len(self._places) > KEPT:
            del self._places[next(iter(self._places))]
        return len(places) == TIMES and at - places[0] <= NEAR * (TIMES - 1)
