"""A terminal driver for links that stall, hang up or vanish.

Textual's own driver queues writes without a limit of patience: a terminal that stops reading stops the event loop, a
terminal that is gone makes the input thread spin. Here a frame that does not fit is dropped (all is painted again when
the terminal reads on), and an end of the terminal is told to the app once, as `app.on_terminal_lost(reason)`.
"""

from __future__ import annotations

import os
import selectors
import signal
from codecs import getincrementaldecoder
from collections.abc import Callable
from contextlib import suppress
from queue import Full
from typing import IO, Any

from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.drivers._writer_thread import WriterThread
from textual.drivers.linux_driver import LinuxDriver

from core.clock import monotonic
from tui.notify_terminal import KEEP_TITLE, RETURN_TITLE, title
from tui.pastes import Pastes
from tui.terminal import unheard

STALL_LIMIT = 60.0
"""Seconds for which a terminal may take nothing before it counts as lost."""
FAREWELL_S = 1.0
"""Seconds for which it may take nothing when it is left; one that takes something, however slowly, is waited for."""
LONGEST_FAREWELL_S = 10.0
PLAIN_PEN = "\x1b[m"
"""The pen keeps its colours from frame to frame; whoever writes after us gets the terminal's own."""
PORTION = 1024
"""Bytes that are written at once: small enough to see that a slow line takes something."""


class PatientWriter(WriterThread):
    """Writes in a thread; `write` never blocks. Frames for which there is no room are dropped."""

    def __init__(self, file: IO[str], drained: Callable[[], None], lost: Callable[[str], None]) -> None:
        super().__init__(file)
        self._fd = file.fileno()
        self._drained = drained
        self._lost = lost
        self._dropped = False
        self._writing_since: float | None = None
        self.dead = False
        self.sent = 0
        """Bytes that the terminal took."""

    def write(self, text: str) -> None:
        if self.dead:
            return
        try:
            self._queue.put_nowait(text)
        except Full:
            self._dropped = True
            if self._takes_nothing_for(STALL_LIMIT):
                self._give_up("stalled")

    def run(self) -> None:
        while (text := self._queue.get()) is not None and not self.dead:
            try:
                self._write_all(text.encode("utf-8", "replace"))
            except OSError:
                self._give_up("output closed")
                return
            self._writing_since = None
            if self._dropped and self._queue.empty():
                self._dropped = False
                self._drained()

    def _write_all(self, data: bytes) -> None:
        """Straight to the descriptor: a buffered file would hold its lock through a stall, and block our exit."""
        view = memoryview(data)
        while view:
            self._writing_since = monotonic()
            taken = os.write(self._fd, view[:PORTION])
            self.sent += taken
            view = view[taken:]

    def _takes_nothing_for(self, seconds: float) -> bool:
        since = self._writing_since
        return since is not None and monotonic() - since > seconds

    def stop(self) -> None:
        """Let what is queued be written for as long as the terminal takes it: the way back to its modes is the last."""
        until, told = monotonic() + LONGEST_FAREWELL_S, self._tell_end()
        while self.is_alive() and not (self.dead or self._takes_nothing_for(FAREWELL_S) or monotonic() > until):
            told = told or self._tell_end()
            self.join(timeout=0.02)
        self.dead = True

    def _tell_end(self) -> bool:
        try:
            self._queue.put_nowait(None)
        except Full:
            return False
        return True

    def _give_up(self, reason: str) -> None:
        self.dead = True
        self._lost(reason)


class ResilientDriver(LinuxDriver):
    """For `App(driver_class=ResilientDriver)`.

    The app may define `on_terminal_lost(reason)`, called in its loop at most once, with `hangup`, `input closed`,
    `output closed` or `stalled`; an app without it exits. A hang-up never ends the process, not even between the screen
    and what comes after it.
    """

    answers = True
    """It stands for a terminal that can be asked where its cursor is."""

    def __init__(self, app: Any, **options: Any) -> None:
        self._writer: WriterThread | None = None
        self._is_lost = self._titled = self._stands = self.away = False
        self._sent_before = 0
        super().__init__(app, **options)
        for number in (signal.SIGTSTP, signal.SIGCONT):  # Textual's handlers stop and start whatever stands just then.
            signal.signal(number, unheard)

    @property
    def _writer_thread(self) -> WriterThread | None:
        return self._writer

    @_writer_thread.setter
    def _writer_thread(self, thread: WriterThread | None) -> None:
        # The one place where Textual hands over its writer; ours takes it before it starts.
        if thread is None:
            self._sent_before, self._writer = self.sent, None
        else:
            self._writer = PatientWriter(thread._file, self._on_drained, self._on_lost)

    @property
    def sent(self) -> int:
        """Bytes that the terminal took so far."""
        return self._sent_before + (self._writer.sent if isinstance(self._writer, PatientWriter) else 0)

    def start_application_mode(self) -> None:
        super().start_application_mode()
        self._stands = True
        self._hear_hang_ups()

    def set_title(self, text: str | None) -> None:
        """Give the terminal's window a title, or (None) the one back that it had; leaving the screen gives it back."""
        if self.away:
            return
        if text is None and self._titled:
            self.write(RETURN_TITLE)
        elif text is not None:
            self.write(title(text) if self._titled else KEEP_TITLE + title(text))
        self._titled = text is not None

    def disable_input(self) -> None:
        if not self.away:
            super().disable_input()

    def stop_application_mode(self) -> None:
        if self.away:
            return
        self._stands = False
        self.set_title(None)
        self.write(PLAIN_PEN)
        super().stop_application_mode()
        signal.signal(signal.SIGHUP, unheard)

    def put_away(self) -> None:
        """Give the terminal back for a while, and touch it in no way until `bring_back`; a hang-up is still told.

        The process may be in the background of its terminal then, where a touch would stop it.
        """
        signal.signal(signal.SIGCONT, unheard)
        self.suspend_application_mode()
        self.away, self.attrs_before = True, None
        signal.signal(signal.SIGTTOU, unheard)
        self._hear_hang_ups()

    def bring_back(self) -> None:
        """Take the terminal again, with all that is on the screen."""
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        self.away = False
        self.resume_application_mode()
        self._paint_all()
        self._hear_stops()

    def stop_here(self, ask: Callable[[], object]) -> None:
        """From now on `ask` is called in the loop when this process is to stop, and a stop that is over is mended."""
        signal.signal(signal.SIGTSTP, lambda *_: self._in_loop(ask))
        self._hear_stops()

    def _hear_stops(self) -> None:
        signal.signal(signal.SIGCONT, lambda *_: self._in_loop(self._take_again))

    def _take_again(self) -> None:
        """Whoever stopped this process did not ask; the shell has used the terminal since, and may do so still."""
        with suppress(OSError):
            if self._stands and os.tcgetpgrp(self.fileno) == os.getpgrp():
                self.suspend_application_mode()
                self.resume_application_mode()
                self._on_drained()

    def _hear_hang_ups(self) -> None:
        """Not a handler of the loop's: with the loop that one ends, and the next hang-up would end the process."""
        signal.signal(signal.SIGHUP, lambda *_: self._on_lost("hangup"))

    def run_input_thread(self) -> None:
        """Read keys until told to stop; the end of the input ends the thread instead of spinning."""
        parser, pastes, last_s = XTermParser(self._debug), Pastes(), monotonic()
        decode = getincrementaldecoder("utf-8")("replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(0.1):
                    data = self._read()
                    if not data:
                        break
                    for piece in pastes.parted(decode(data), monotonic() - last_s):
                        self._dispatch(parser.feed(piece) if isinstance(piece, str) else [piece])
                    last_s = monotonic()
                elif held := pastes.waited():
                    self._dispatch(parser.feed(held))
                self._dispatch(parser.tick())
        with suppress(EOFError, ParseError):
            self._dispatch(parser.feed(""))

    def _read(self) -> bytes:
        try:
            data = os.read(self.fileno, 4096)
        except OSError:
            data = b""
        if not data and self.input_tty:
            self._on_lost("input closed")
        return data

    def _dispatch(self, messages: Any) -> None:
        for message in messages:
            self.process_message(message)

    def _on_drained(self) -> None:
        self._in_loop(self._paint_all)

    def _paint_all(self) -> None:
        getattr(self._app, "forget_terminal", self._app.refresh)()

    def _on_lost(self, reason: str) -> None:
        self._in_loop(self._tell_once, reason)

    def _tell_once(self, reason: str) -> None:
        if self._is_lost:
            return
        self._is_lost = True
        told = getattr(self._app, "on_terminal_lost", None)
        if told is None:
            self._app.exit()
        else:
            told(reason)

    def _in_loop(self, function: Callable[..., Any], *args: str) -> None:
        with suppress(RuntimeError):  # The loop is over.
            self._loop.call_soon_threadsafe(function, *args)
