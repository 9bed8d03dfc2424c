"""A word at this moment of the session, to find it again; and the moments that were marked, to go there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.folds.timeline import Mark
from tui.docks.moments import MomentsDock
from tui.panes import figures


class BookmarkDock(MomentsDock[Mark]):
    """Words make a bookmark; arrows and enter on an empty line go to one. The latest comes first."""

    TITLE = "Bookmark this moment"
    PLACEHOLDER = "a few words"
    KEYS = (("enter", "mark, or go there"), ("↑↓", "choose one to go to"), ("esc", "close"))
    VERB = "bookmark"

    def __init__(self, marks: Sequence[Mark], began_us: int) -> None:
        super().__init__([mark for mark in reversed(marks) if mark.kind == "bookmark"])
        self._began_us = began_us

    def submit(self, text: str) -> None:
        if not text and self.chosen is not None:
            self.go_to(self.chosen.seq)
        else:
            super().submit(text)

    def accept(self, text: str) -> dict[str, Any]:
        if not text:
            raise ValueError("Write a few words by which you will know the moment again.")
        return {"text": text}

    def row(self, moment: Mark) -> tuple[str, str, str]:
        when = f"{figures.elapsed(moment.at_us - self._began_us)}  #{moment.seq:,}".ljust(20)
        return when, moment.text, ""
