"""The reply in flight as whole lines: what is printed while it streams, and what is left once it is settled."""

from __future__ import annotations

from collections.abc import Sequence

from core.protocols import LiveDelta


def lines_of(text: str) -> list[str]:
    """The lines that say something."""
    return [line.rstrip() for line in text.split("\n") if line.strip()]


class ReplyFlow:
    """Hands out each line once it has ended; blank ones are left out."""

    def __init__(self) -> None:
        self.given: list[str] = []
        """The lines of the attempt that were handed out."""
        self._attempt = self._settled = ""
        self._index = 0
        self._rest = ""

    def take(self, deltas: Sequence[LiveDelta]) -> list[str]:
        """The lines that these pieces complete; late ones of a settled attempt complete none."""
        lines: list[str] = []
        for delta in deltas:
            if delta.kind != "text" or delta.attempt == self._settled:
                continue
            if delta.attempt != self._attempt:
                self._begin(delta.attempt)
            if delta.index != self._index:
                self._index, self._rest = delta.index, f"{self._rest}\n"
            whole, _, self._rest = f"{self._rest}{delta.text}".rpartition("\n")
            lines += lines_of(whole)
        self.given += lines
        return lines

    def settle(self, attempt: str, text: str) -> tuple[bool, list[str]]:
        """The attempt is over and this is all it said: whether it goes on from what was given, and what is left."""
        given = self.given if attempt == self._attempt else []
        self._settled = attempt
        self._begin("")
        lines = lines_of(text)
        goes_on = bool(given) and lines[: len(given)] == given
        return goes_on, lines[len(given) :] if goes_on else lines

    def _begin(self, attempt: str) -> None:
        self._attempt, self._index, self._rest, self.given = attempt, 0, "", []
