"""When the screen itself breaks: the app ends in order, the details go to a file, no traceback to the terminal."""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from textual.app import ReturnType

from tui.compositor import ThriftyApp
from tui.safe import one_line

LONGEST_REASON = 200


class BreakableApp(ThriftyApp[ReturnType]):
    """An app that ends at its first unhandled error; `fault` holds it, and `return_value` stays what it was."""

    def __init__(self, *args: Any, fault_log: Path | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fault: Exception | None = None
        self.fault_log = fault_log
        self._fault_kept = False

    @property
    def fault_sentence(self) -> str:
        """What happened and where the details are; empty when nothing broke."""
        if self.fault is None:
            return ""
        reason = one_line(f"{type(self.fault).__name__}: {self.fault}")[:LONGEST_REASON]
        details = f"; details in {self.fault_log}" if self._fault_kept else ""
        return f"The screen broke ({reason}){details}."

    def broke(self, error: Exception) -> None:
        """Remember the first error, and write its traceback to the log of faults."""
        if self.fault is None:
            self.fault = error
            self._fault_kept = self.fault_log is not None and keep_traceback(error, self.fault_log)

    def _handle_exception(self, error: Exception) -> None:
        """Textual would print a traceback with local variables, which may hold anything, into the terminal."""
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        self.broke(error)
        self._close_messages_no_wait()


class FaultHandler(logging.Handler):
    """Appends what is logged to the log of faults; without one it is lost."""

    def __init__(self, file: Path | None) -> None:
        super().__init__(logging.WARNING)
        self._file = file

    def emit(self, record: logging.LogRecord) -> None:
        if self._file is not None:
            _append(self.format(record), self._file)


@contextmanager
def logged_aside(file: Path | None) -> Iterator[None]:
    """What nobody handles and everybody would log to stderr, of the loop's callbacks and of threads, goes to `file`.

    The terminal shows a screen then, or takes nothing any more: whoever writes to it would stand still with it.
    """
    before, logging.lastResort = logging.lastResort, FaultHandler(file)
    try:
        yield
    finally:
        logging.lastResort = before


def keep_traceback(error: Exception, file: Path) -> bool:
    """Append the traceback to `file`, readable by its owner alone; False when that can't be done."""
    return _append("".join(traceback.format_exception(error)), file)


def _append(text: str, file: Path) -> bool:
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as log:
            log.write(f"{text}\n")
    except OSError:
        return False
    return True
