"""What is pasted, told apart from what is typed, whatever it holds.

Textual takes an escape character inside of a paste for the beginning of a key, and all that follows for keys: a pasted
log with colours would be sent half way, and its letters would be commands. Here a paste is one thing up to its end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from textual.events import Paste

START, END = "\x1b[200~", "\x1b[201~"
LONGEST = 1_000_000
"""Characters of a paste; what comes beyond them is dropped."""
LONGEST_KEY = 8
ANSWER = re.compile(r"\x1b(?:\[[?>=](?![0-9;]*\$y)[0-9;:]*[ -/]*[@-~]|(?:\]|P)[^\x07\x1b]*(?:\x07|\x1b\\))")
"""What a terminal says, late, to a question of the program before. Its letters are no keys.

Our own questions are answered by `$y`, of which Textual knows.
"""
FORGOTTEN_S = 5.0
"""A key that comes so long after the last piece of a paste says that the paste's end was lost."""


class Pastes:
    """Takes what a terminal sends, piece by piece as it comes."""

    def __init__(self) -> None:
        self._held = ""
        """What may be the beginning of a mark; the key escape, alone, is not kept waiting."""
        self._pasted: str | None = None

    def parted(self, data: str, idle_s: float = 0.0) -> Iterator[str | Paste]:
        """What was typed, less late answers, and what was pasted, in order; `idle_s` after the piece before."""
        if self._pasted is not None and idle_s >= FORGOTTEN_S and len(data) <= LONGEST_KEY:
            yield self._whole()
        data, self._held = self._held + data, ""
        while data:
            typed = self._pasted is None
            before, mark, data = data.partition(START if typed else END)
            if not mark:
                before, self._held = _without_beginning(before, START if typed else END)
            if not typed:
                self._pasted = ((self._pasted or "") + before)[:LONGEST]
            elif before := ANSWER.sub("", before):
                yield before
            if mark and typed:
                self._pasted = ""
            elif mark:
                yield self._whole()

    def waited(self) -> str:
        """Nothing more came for a moment: what was held of what is typed."""
        if self._pasted is not None:
            return ""
        held, self._held = self._held, ""
        return held

    def _whole(self) -> Paste:
        text, self._pasted, self._held = (self._pasted or "") + self._held, None, ""
        return Paste(text.replace("\x00", ""))


def _without_beginning(text: str, mark: str) -> tuple[str, str]:
    """The text without what may be the beginning of a mark at its end; and that."""
    least = 2 if mark == START else 1
    for length in range(min(len(mark) - 1, len(text)), least - 1, -1):
        if text.endswith(mark[:length]):
            return text[:-length], text[-length:]
    return text, ""
