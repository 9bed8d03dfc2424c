"""The line to one session on a box: begun, read, cut, begun again. One thread owns it, and the copy of the log.

What comes is checked before anything is made of it. What is asked while there is no line fails at once and with a
sentence: nothing is kept back to be done later, when nobody remembers it.
"""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from itertools import count
from pathlib import Path
from typing import Any, Final

import msgspec

from core.boxes import wire
from core.boxes.call import Call
from core.boxes.ssh import SSH_FAILED, WOULD_ASK, Box, problem
from core.boxes.wire import Answer, Attempt, Begin, Delta, Garbled, Hello, Inflating, Row, Standing
from core.clock import monotonic
from core.events import clean_text
from core.folds.words import one_line
from core.journal.errors import JournalError
from core.journal.mirror import Mirror
from core.version import app_version

GREETING_S: Final = 30.0
"""Seconds until a box must have said Hello; where ssh asks its user, they have `ASKING_S`."""
ASKING_S: Final = 300.0
LAST_WORDS_S: Final = 4.0
FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 60.0
ROWS_AT_ONCE: Final = 2_000

AT_ONCE_BYTES: Final = 16 * 1024**2
LARGEST_LOG: Final = 4 * 1024**3
"""Bytes that a box may send over one line."""

Live = Attempt | Delta


class Cut(Exception):
    """The line is gone; why, in words."""


class Line:
    """A line to session `session` (any word that names it there) of a box; copies its log below `home`."""

    def __init__(self, box: Box, session: str, home: Path, who: str, waits_s: float = FIRST_WAIT_S) -> None:
        self.box, self._session, self._home, self._who = box, session, home, who
        self.hello = Hello(longwatch="", protocol=wire.PROTOCOL)
        self.standing = Standing(False)
        self.on_rows: Callable[[], None] = lambda: None
        self.on_live: Callable[[Sequence[Live]], None] = lambda live: None
        self.received = self.sent = 0
        """Bytes over ssh's pipes on lines before this one."""
        self._first_wait_s = waits_s
        self._call: Call | None = None
        self._unpacking = Inflating()
        self._mirror: Mirror | None = None
        self._outbox: deque[bytes] = deque()
        self._asked: dict[int, Future[bytes]] = {}
        self._numbers = count(1)
        self._lock = threading.Lock()
        self._closed, self._hurry = threading.Event(), threading.Event()
        self._why, self._again_s, self._left_s = "", 0.0, float("inf")
        self._thread = threading.Thread(target=self._keep_up, name=f"line to {box.name}", daemon=True)

    @property
    def folder(self) -> Path:
        """Where the copy of the session is, once there was a Hello."""
        return self._home / self.hello.session

    @property
    def seq(self) -> int:
        """The last event that is here."""
        return self._mirror.seq if self._mirror is not None else 0

    @property
    def cut(self) -> str:
        """Why nothing comes; empty while there is a line."""
        return f"no line to {self.box.name}: {self._why.rstrip('.')}" if self._why else ""

    @property
    def trouble(self) -> str:
        """The same, with when it is tried again."""
        if not self._why:
            return ""
        left = max(0, round(self._again_s - monotonic()))
        return f"no line, again {f'in {left:>2} s' if left else 'now'}: {self.box.name}, {self._why.rstrip('.')}"

    def connect(self, *, asks: bool) -> Hello:
        """Make the first line; `asks`: ssh may ask for what it needs. Raises JournalError with what keeps it away."""
        try:
            return self._greet(asks=False)
        except Cut as cut:
            if not (asks and self._last_code == SSH_FAILED and WOULD_ASK.search(self._last_errors)):
                raise JournalError(f"{self.box.name}: {cut}") from None
        try:
            return self._greet(asks=True)
        except Cut as cut:
            raise JournalError(f"{self.box.name}: {cut}") from None

    def start(self) -> None:
        """From now on the line is read and kept."""
        self._thread.start()

    def close(self) -> None:
        """Hang up. Safe to call twice."""
        self._closed.set()
        self._hurry.set()
        self._ring()
        if self._thread.ident is not None:
            self._thread.join()
        else:
            self._hang_up()
        if self._mirror is not None:
            self._mirror.close()
            self._mirror = None

    def ask(self, what: str, **args: Any) -> Future[bytes]:
        """A question or an order; its answer as JSON, or a JournalError. May be called from any thread."""
        future: Future[bytes] = Future()
        with self._lock:
            if self._why or self._closed.is_set():
                self._hurry.set()
                future.set_exception(JournalError(one_line(f"Not sent: {self.trouble or 'the line is closed'}.", 400)))
                return future
            number = next(self._numbers)
            self._asked[number] = future
            self._outbox.append(wire.line(wire.Ask(number, what, clean_text(msgspec.to_builtins(args)))))
        self._ring()
        return future

    @property
    def unheld(self) -> bool:
        """Whether no runner has had it for so long that its last words must be here."""
        return not self._why and monotonic() - self._left_s >= LAST_WORDS_S

    def keep(self, data: bytes) -> None:
        """Put an output into the copy. Blocks. Raises JournalError."""
        if self._mirror is not None:
            self._mirror.keep(data)

    # The thread

    def _keep_up(self) -> None:
        wait_s = self._first_wait_s
        while not self._closed.is_set():
            try:
                if self._call is None:
                    self._greet(asks=False)
                self._why, wait_s = "", self._first_wait_s
                self._listen()
            except (Cut, JournalError) as cut:
                self._lost(str(cut), wait_s)
                self._hurry.wait(max(0.0, self._again_s - monotonic()))
                self._hurry.clear()
                wait_s = min(wait_s * 2, LONGEST_WAIT_S)
        self._hang_up()

    def _lost(self, why: str, wait_s: float) -> None:
        """There is no line; whoever waits for an answer is told that nobody knows."""
        self._hang_up()
        with self._lock:
            self._why, self._again_s = one_line(why, 300), monotonic() + wait_s * random.uniform(0.8, 1.2)
            asked, self._asked = self._asked, {}
            self._outbox.clear()
        for future in asked.values():
            future.set_exception(
                JournalError(f"The line to {self.box.name} was cut before it answered; look whether it has arrived.")
            )

    def _hang_up(self) -> int | None:
        call, self._call = self._call, None
        if call is None:
            return None
        code = call.end()
        self.received, self.sent = self.received + call.received, self.sent + call.sent
        self._last_code, self._last_errors = code, call.errors
        return code

    def _ring(self) -> None:
        if (call := self._call) is not None:
            call.ring()

    def _listen(self) -> None:
        """Take what comes and send what is to be sent, until it is closed. Raises Cut, JournalError."""
        said_s = monotonic()
        while not self._closed.is_set():
            assert self._call is not None
            try:
                while self._outbox:
                    self._call.write(self._outbox.popleft())
                    said_s = monotonic()
                if monotonic() - said_s >= wire.BEAT_S:
                    self._call.write(wire.line(wire.Beat()))
                    said_s = monotonic()
                data = self._call.read(wire.BEAT_S)
            except OSError:
                data = b""
            if data == b"":
                raise self._cut()
            if data:
                self._take(data)

    def _cut(self) -> Cut:
        self._hang_up()
        if self._last_code == 0:
            return Cut("the longwatch there ended the line.")
        return Cut(problem(self.box, self._last_code, self._last_errors))

    # Greeting

    def _greet(self, *, asks: bool) -> Hello:
        """Begin a line, as far as the first event. Raises Cut, JournalError."""
        try:
            self._call = Call(self.box, asks=asks)
        except OSError as error:
            raise Cut(f"ssh can't be run here ({error.strerror}).") from None
        try:
            hello, rest = self._hello(self._call, monotonic() + (ASKING_S if asks else GREETING_S))
            self._agree(hello)
            begin, messages = self._begin(rest, monotonic() + GREETING_S)
            self._fit(begin)
            self._take_all(messages)
        except BaseException:
            self._hang_up()
            raise
        return self.hello

    def _hello(self, call: Call, until_s: float) -> tuple[Hello, bytes]:
        """What the box says first, and what came with it."""
        wish = wire.Wish(
            longwatch=app_version(), protocol=wire.PROTOCOL, session=self._session, who=one_line(self._who, 120)
        )
        data = b""
        try:
            call.write(wire.line(wish))
            while (found := _greeting(data)) is None:
                data += self._more(call, until_s)
                if len(data) > wire.LONGEST_HELLO:
                    raise Cut("what it says is not what a longwatch says; is something else called so there?")
        except OSError:
            raise self._cut() from None
        return found

    def _more(self, call: Call, until_s: float) -> bytes:
        while (left := until_s - monotonic()) > 0 and not self._closed.is_set():
            data = call.read(left)
            if data == b"":
                raise self._cut()
            if data:
                return data
        raise Cut(f"it did not answer within {GREETING_S:g} s.")

    def _agree(self, hello: Hello) -> None:
        """Whether this is the session, of a longwatch that can be talked to."""
        if hello.problem:
            raise JournalError(f"{self.box.name}: {hello.problem}")
        if hello.protocol != wire.PROTOCOL:
            raise JournalError(f"{self.box.name} runs Longwatch {hello.longwatch}, which speaks another way than this.")
        if self._mirror is not None and hello.session != self.hello.session:
            raise JournalError(f"{self.box.name} has another session of that name now.")
        self.hello, self._session = hello, hello.session
        if self._mirror is None:
            self._mirror = Mirror(self.folder, {"session": hello.session})

    def _begin(self, rest: bytes, until_s: float) -> tuple[Begin, list[wire.FromBox]]:
        assert self._call is not None and self._mirror is not None
        self._unpacking = Inflating()
        try:
            self._call.write(wire.line(wire.Have(self._mirror.seq, self._mirror.chain.hex())))
            while not (messages := list(self._unpacked(rest))):
                rest = self._more(self._call, until_s)
        except OSError:
            raise self._cut() from None
        if not isinstance(messages[0], Begin):
            raise Cut("it did not say where its events begin.")
        return messages[0], messages[1:]

    def _fit(self, begin: Begin) -> None:
        assert self._mirror is not None
        if begin.seq == self._mirror.seq:
            return
        if begin.seq or self._thread.ident is not None:
            raise JournalError("the log there is another one than before; leave, and attach again.")
        self._mirror.start_over()

    # What comes

    def _unpacked(self, data: bytes) -> Iterator[wire.FromBox]:
        try:
            yield from self._unpacking.unpack(data)
        except Garbled as error:
            raise Cut(f"it sent what is no event ({one_line(str(error), 120)}).") from None

    def _take(self, data: bytes) -> None:
        """In parts, for a little that came may unpack to a lot."""
        part, since = list[wire.FromBox](), self._unpacking.size
        for message in self._unpacked(data):
            part.append(message)
            if len(part) >= ROWS_AT_ONCE or self._unpacking.size - since > AT_ONCE_BYTES:
                self._take_all(part)
                part, since = [], self._unpacking.size
        self._take_all(part)
        if self._unpacking.size > LARGEST_LOG:
            raise Cut(f"it sent more than {LARGEST_LOG // 1024**3} GB.")

    def _take_all(self, messages: Sequence[wire.FromBox]) -> None:
        rows = [message for message in messages if isinstance(message, Row)]
        if rows:
            self._copy(rows)
        if live := [message for message in messages if isinstance(message, Attempt | Delta)]:
            self.on_live(live)
        for message in messages:
            if isinstance(message, Standing):
                self._stands(message)
            elif isinstance(message, Answer):
                self._answered(message)

    def _stands(self, standing: Standing) -> None:
        self.standing = standing
        if standing.held:
            self._left_s = float("inf")
        elif self._left_s == float("inf"):
            self._left_s = monotonic()

    def _copy(self, rows: Sequence[Row]) -> None:
        assert self._mirror is not None
        try:
            stored = [wire.stored_row(row) for row in rows]
        except Garbled as error:
            raise Cut(f"it sent what is no event ({one_line(str(error), 120)}).") from None
        self._mirror.append(stored)
        self.on_rows()

    def _answered(self, answer: Answer) -> None:
        if answer.id == 0:
            raise Cut(answer.problem)
        with self._lock:
            future = self._asked.pop(answer.id, None)
        if future is None:
            return
        if answer.problem:
            future.set_exception(JournalError(answer.problem))
        else:
            future.set_result(bytes(answer.value))

    _last_code: int | None = None
    _last_errors = b""


def _greeting(data: bytes) -> tuple[Hello, bytes] | None:
    """The Hello in what a box said so far, and what came after it. Raises Cut for a Hello that is none."""
    at = 0 if data.startswith(wire.MARK) else data.find(b"\n" + wire.MARK) + 1
    if at == 0 and not data.startswith(wire.MARK):
        return None
    text, ended, rest = data[at + len(wire.MARK) :].partition(b"\n")
    if not ended:
        return None
    try:
        return msgspec.json.decode(text, type=Hello), rest
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Cut(f"its first word is not understood ({one_line(str(error), 120)}).") from None
