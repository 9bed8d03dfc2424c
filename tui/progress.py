"""How far a long command is: a line on stderr that goes away; nothing where that is no terminal, or what is quick."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from core.clock import monotonic
from core.progress import heard
from tui.safe import one_line
from tui.say import say_over

if TYPE_CHECKING:
    from core.importers.rows import Tally

QUICK_S = 0.5
"""What takes no longer needs no word."""
EVERY_S = 0.1
LONGEST = 72
BAR = 24


class Progress:
    """A context manager; reading logs within it is told by itself, the rest by `tell` and `say`. `what`: in words."""

    def __init__(self, what: str, stream: TextIO | None = None) -> None:
        self.what = what
        self._shown = (stream or sys.stderr).isatty()
        self._begun_s = self._said_s = monotonic()
        self._cells = 0
        self._heard = heard(self.tell)

    def __enter__(self) -> Progress:
        self._heard.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._heard.__exit__(kind, error, tb)
        self.clear()

    def tell(self, done: int, of: int) -> None:
        """So much is done of that many."""
        share = min(1.0, done / of) if of > 0 else 0.0
        filled = round(share * BAR)
        self.say(f"{'█' * filled}{'░' * (BAR - filled)} {share:>4.0%}")

    def say(self, text: str) -> None:
        """Show it behind what is done, unless the last word was just now."""
        now_s = monotonic()
        if not self._shown or now_s - self._begun_s < QUICK_S or now_s - self._said_s < EVERY_S:
            return
        self._said_s = now_s
        self._write(one_line(f"{self.what}  {text}")[:LONGEST])

    def clear(self) -> None:
        """Take the line away, as before anything else is printed."""
        if self._cells:
            self._write("")
            self._write("")

    def _write(self, text: str) -> None:
        say_over(text.ljust(self._cells))
        self._cells = len(text)


def telling(progress: Progress, file: Path) -> Callable[[Tally], None]:
    """For an importer: how far it has read a file."""
    size, progress.what = file.stat().st_size if file.is_file() else 0, one_line(file.name)[:30]
    return lambda tally: progress.tell(tally.bytes, size)
