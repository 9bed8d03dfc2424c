"""What two longwatches say to each other over ssh's pipes: lines of JSON, the way here deflated in one stream.

    here -> box   Wish                       plain lines, one each
    box  -> here  MARK Hello                 a plain line, after whatever the shell there says on its own
    here -> box   Have, then Ask ...
    box  -> here  Begin, then Row, Attempt, Delta, Standing, Answer ...    deflated

A repeated word costs nearly nothing in a stream that is deflated as one: a reply comes as live text, and again as an
event. Both sides are strangers to each other: every message has a form, and every line a longest length.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from core.journal import rows
from core.journal.viewers import Viewer

PROTOCOL: Final = 1
MARK: Final = b"LONGWATCH-BOX "
LONGEST_LINE: Final = 48 * 1024**2
"""Bytes of one message: an event with all that it says, or an output of up to 32 MB in base64."""
LONGEST_ASK: Final = 2 * 1024**2
LONGEST_HELLO: Final = 64 * 1024
"""Bytes that may come before the Hello is over, with all that a shell says on its way in."""
LARGEST_BLOB: Final = 32 * 1024**2
SILENT_S: Final = 120.0
"""Seconds without a word from here after which a box ends its side."""
BEAT_S: Final = 40.0
"""Seconds after which here says at least a Beat."""
MOST_SEATS: Final = 100
_PIECE: Final = 256 * 1024

Short = Annotated[str, Meta(max_length=200)]
Sentence = Annotated[str, Meta(max_length=2_000)]
Seq = Annotated[int, Meta(ge=0, le=1 << 53)]
Time = Annotated[int, Meta(ge=0, le=253_402_300_799_000_000)]
SessionId = Annotated[str, Meta(pattern=r"^[0-9A-Za-z]{1,64}$")]


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted: a session, by any word that names one there. `who`: whose screen it is, and where."""

    longwatch: Short
    protocol: int
    session: Short
    who: Short


class Seat(msgspec.Struct, frozen=True, array_like=True):
    """Somebody who looks: see `core.journal.viewers.Viewer`."""

    id: Short
    who: Short
    since_us: Time

    @classmethod
    def of(cls, viewer: Viewer) -> Seat:
        return cls(viewer.id[:200], viewer.who[:200], viewer.since_us)

    @property
    def viewer(self) -> Viewer:
        return Viewer(self.id, self.who, 0, self.since_us)


NOBODY: Final = Seat("", "", 0)


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """What there is. With `problem`, a sentence, there is nothing. `now_us` is the time there."""

    longwatch: Short
    protocol: int
    problem: Sentence = ""
    session: SessionId = "0"
    meta: dict[Short, Short] = {}
    last_seq: Seq = 0
    now_us: Time = 0
    seat: Seat = NOBODY
    held: bool = False


class Have(msgspec.Struct, frozen=True, tag="have"):
    """The end of the copy that is here already; `chain` in hexadecimal."""

    seq: Seq
    chain: Short


class Ask(msgspec.Struct, frozen=True, tag="ask"):
    """A question or an order; `what` is one of those that `core.boxes.asked` knows."""

    id: int
    what: Short
    args: dict[str, Any] = {}


class Beat(msgspec.Struct, frozen=True, tag="beat"):
    """I am still here."""


class Begin(msgspec.Struct, frozen=True, array_like=True, tag="b"):
    """The rows that follow begin after `seq`: 0 when the copy here is of another log."""

    seq: Seq


class Row(msgspec.Struct, frozen=True, array_like=True, tag="e"):
    """An event as it is stored; its place in the chain is found here."""

    seq: Annotated[int, Meta(ge=1, le=1 << 53)]
    parent: Seq | None
    node: Seq | None
    kind: Short
    key: Annotated[str, Meta(max_length=1_000)] | None
    at_us: Time
    actor: Short
    body: msgspec.Raw


class Attempt(msgspec.Struct, frozen=True, array_like=True, tag="a"):
    """Another reply is in flight; an empty id: none."""

    id: Short


class Delta(msgspec.Struct, frozen=True, array_like=True, tag="d"):
    """A piece of the reply in flight."""

    kind: Short
    index: int
    text: str


class Standing(msgspec.Struct, frozen=True, array_like=True, tag="s"):
    """Whether a runner has the session, and who else looks."""

    held: bool
    others: Annotated[list[Seat], Meta(max_length=MOST_SEATS)] = []


class Answer(msgspec.Struct, frozen=True, array_like=True, tag="r"):
    """To an Ask: the value, or the sentence why there is none. With id 0, to nothing: why the line ends."""

    id: int
    value: msgspec.Raw
    problem: Sentence = ""


FromHere = Have | Ask | Beat
FromBox = Begin | Row | Attempt | Delta | Standing | Answer

_FROM_HERE: Final = msgspec.json.Decoder(FromHere)
_FROM_BOX: Final = msgspec.json.Decoder(FromBox)


class Garbled(ValueError):
    """What came is not of this protocol."""


def line(message: msgspec.Struct) -> bytes:
    """A message as a line."""
    return msgspec.json.encode(message) + b"\n"


def hello_line(hello: Hello) -> bytes:
    """The first line of a box."""
    return MARK + line(hello)


def read_ask(data: bytes) -> FromHere:
    """A line from here. Raises Garbled."""
    try:
        return _FROM_HERE.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Garbled(str(error)) from error


def stored_row(row: Row) -> rows.Row:
    """A row as a journal stores it, its chain open. Raises Garbled when its body is no object of JSON."""
    try:
        body = bytes(row.body).decode()
        msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Garbled(f"event {row.seq}: {error}") from error
    return rows.Row(row.seq, row.parent, row.node, row.kind, row.key, row.at_us, row.actor, body)


def sent_row(row: rows.Row) -> Row:
    """A stored row as it travels."""
    return Row(row.seq, row.parent, row.node, row.kind, row.key, row.at_us, row.actor, msgspec.Raw(row.body.encode()))


class Deflating:
    """Messages to bytes; what is packed is whole for the other side at once."""

    def __init__(self) -> None:
        self._packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)

    def pack(self, messages: Iterable[msgspec.Struct]) -> bytes:
        """Some messages together, which costs less than one by one."""
        parts = [self._packer.compress(line(message)) for message in messages]
        return b"".join([*parts, self._packer.flush(zlib.Z_SYNC_FLUSH)])


class Inflating:
    """Bytes to messages. Raises Garbled for what is none, or is longer than any may be."""

    def __init__(self) -> None:
        self._unpacker = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        self._parts: list[bytes] = []
        self._kept = 0
        self.size = 0
        """Bytes that came out so far."""

    def unpack(self, data: bytes) -> Iterator[FromBox]:
        """The messages that are whole by now; a piece at a time, so that a little cannot become too much at once."""
        while data:
            try:
                out = self._unpacker.decompress(data, _PIECE)
            except zlib.error as error:
                raise Garbled(str(error)) from error
            data = self._unpacker.unconsumed_tail
            self.size += len(out)
            *whole, rest = out.split(b"\n")
            for text in whole:
                yield self._decoded(b"".join([*self._parts, text]))
                self._parts, self._kept = [], 0
            self._keep(rest)
            if self._unpacker.eof:
                raise Garbled("the stream has an end")

    def _keep(self, rest: bytes) -> None:
        if rest:
            self._parts.append(rest)
            self._kept += len(rest)
        if self._kept > LONGEST_LINE:
            raise Garbled("a message is too long")

    def _decoded(self, text: bytes) -> FromBox:
        try:
            return _FROM_BOX.decode(text)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise Garbled(str(error)) from error
