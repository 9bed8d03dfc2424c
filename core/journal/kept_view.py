"""A session's view between two screens: opening goes on from it, so that it costs the same at any length of the log.

Beside the journal lie two files that may be deleted at any time: `view.pages`, to which what is long past is appended
page by page, and `view.state`, the rest of all folds as of some event. They hold for one version of the folds and for
one log (by the link of its chain at that event); anything else is folded anew. One screen at a time writes them;
another one only reads them, and has a file without a name for pages of its own.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import struct
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

from core.folds.packing import columns_of, pack, read, squeeze, unpack, values_of, version, write
from core.folds.pages import LostPages
from core.folds.view import SessionView
from core.journal.errors import JournalError
from core.journal.reader import Reader

PAGES: Final = "view.pages"
STATE: Final = "view.state"
WORTH_KEEPING: Final = 1_000
"""Events from which on folding them again costs more than keeping the state does."""
_HELD_PAGES: Final = 384
_MUCH: Final = 1 << 20
"""Bytes of a state from which on reading it, or making it, leaves much free memory behind."""
_CHUNK: Final = 2_000
_LENGTH: Final = struct.Struct(">I")
_HEADER: Final = struct.Struct(">8s16s16sqq32s")
"""What it is, the version of the folds, the name of the pages and their length, the event, its link in the chain."""
_MAGIC: Final = b"LWVIEW1\n"
_NAME: Final = 16


class PageFile:
    """Pages in a file, or in another one where the first is written by somebody else; the latest read are held."""

    def __init__(self, shared: int, own: int | None = None) -> None:
        self._shared, self._own = shared, own
        self._end = os.fstat(shared if own is None else own).st_size
        self._held: OrderedDict[int, list[Any]] = OrderedDict()

    def keep(self, values: list[Any]) -> int:
        data = pack(columns_of(values))
        place, file = (self._end, self._shared) if self._own is None else (-1 - self._end, self._own)
        written = os.pwrite(file, _LENGTH.pack(len(data)) + data, self._end)
        if written != _LENGTH.size + len(data):
            raise OSError("the disk is full")
        self._end += written
        return place

    def values(self, place: int) -> list[Any]:
        held = self._held.get(place)
        if held is None:
            held = self._held[place] = self._read(place)
            if len(self._held) > _HELD_PAGES:
                self._held.popitem(last=False)
        else:
            self._held.move_to_end(place)
        return held

    def _read(self, place: int) -> list[Any]:
        file, start = (self._shared, place) if place >= 0 else (self._own, -1 - place)
        try:
            (length,) = _LENGTH.unpack(os.pread(file or self._shared, _LENGTH.size, start))
            return values_of(unpack(os.pread(file or self._shared, length, start + _LENGTH.size)))
        except (OSError, ValueError, TypeError, struct.error) as error:
            raise LostPages(f"A part of the view's cache can't be read ({error}). Open the session again.") from error


class Picture(NamedTuple):
    """A view as of event `seq`, written to a file without a name, and the name and length of its pages."""

    seq: int
    pages: bytes
    length: int
    view: IO[bytes]
    is_large: bool
    """Whether making it leaves much free memory behind."""


class KeptView:
    """The kept view of one session folder. Where nothing can be kept, what it does is nothing; it never raises."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept_seq = self._saved_seq = 0
        self._saving = threading.Lock()
        self._files: list[int] = []
        self._name = b""
        self._version = (
            version()
        )  # Asked before anything is folded: an upgrade may put other code there under a screen.
        self._writes = False
        self._store: PageFile | None = None
        with suppress(OSError):
            self._store = self._open()

    def restored(self, reader: Reader) -> SessionView:
        """The view as of the last event up to which it was kept; else one of nothing."""
        view = None
        with suppress(OSError, ValueError, TypeError, JournalError, struct.error):
            view = self._load(reader)
        if view is None:
            if self._writes:
                with suppress(OSError):
                    self._store = self._afresh()
            return SessionView()
        self._kept_seq = self._saved_seq = view.last_seq
        return view

    def put_away(self, view: SessionView) -> None:
        """Keep in memory only what is recent."""
        if self._store is not None:
            try:
                view.put_away(self._store)
            except OSError:  # The disk refuses; what is in memory stays there.
                self._store, self._writes = None, False

    def picture(self, view: SessionView, longer_by: float = 0.0) -> Picture | None:
        """The view as it is now, for `save`; None where that is not worth it.

        It is when the view got longer by that part of what is kept, so that a long session pays no more for it than a
        short one.
        """
        worth = max(WORTH_KEEPING, int(self._kept_seq * longer_by))
        if not self._writes or view.last_seq - self._kept_seq < worth:
            return None
        self.put_away(view)
        if not self._writes:
            return None
        self._kept_seq = view.last_seq
        try:
            return self._picture(view)
        except OSError:  # The disk refuses; a later one may find room.
            return None

    def _picture(self, view: SessionView) -> Picture:
        with ExitStack() as opened:
            file = opened.enter_context(tempfile.TemporaryFile(dir=self._folder))
            write(view, file)
            opened.pop_all()
        return Picture(view.last_seq, self._name, os.fstat(self._files[0]).st_size, file, file.tell() > _MUCH)

    def save(self, picture: Picture, reader: Reader) -> None:
        """Keep a picture, once; blocks, and may be called in a thread while the view grows on. A later one stays."""
        with picture.view, suppress(OSError, JournalError), self._saving:
            if picture.seq > self._saved_seq:
                self._save(picture, reader)
                self._saved_seq = picture.seq

    def close(self) -> None:
        """Give the files back. Safe to call twice."""
        files, self._files, self._store, self._writes = self._files, [], None, False
        for file in files:
            os.close(file)

    def _open(self) -> PageFile:
        file = os.open(self._folder / PAGES, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._files.append(file)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            own, path = tempfile.mkstemp(prefix="longwatch-")
            Path(path).unlink()
            self._files.append(own)
            self._name = os.pread(file, _NAME, 0)
            return PageFile(file, own)
        self._writes = True
        self._name = os.pread(file, _NAME, 0)
        if len(self._name) < _NAME:
            self._name = secrets.token_bytes(_NAME)
            os.pwrite(file, self._name, 0)
        return PageFile(file)

    def _afresh(self) -> PageFile:
        """Pages of which none is old; who still reads the old ones keeps them."""
        (self._folder / PAGES).unlink(missing_ok=True)
        self.close()
        return self._open()

    def _load(self, reader: Reader) -> SessionView | None:
        with (self._folder / STATE).open("rb") as state:
            return self._read(state, reader)

    def _read(self, state: IO[bytes], reader: Reader) -> SessionView | None:
        magic, made_by, name, length, seq, chain = _HEADER.unpack(state.read(_HEADER.size))
        if (magic, made_by, name) != (_MAGIC, self._version, self._name) or self._store is None:
            return None
        event = reader.event(seq)
        if event is None or event.chain != chain or os.fstat(self._files[0]).st_size < length:
            return None
        if large := os.fstat(state.fileno()).st_size > _MUCH:
            from core.allocator import give_back, set_large_apart  # Late: only a very long session needs it.

            set_large_apart()
        view = read(state)
        if not isinstance(view, SessionView) or view.last_seq != seq:
            return None
        view.put_away(self._store)
        if large:
            give_back()
        return view

    def _save(self, picture: Picture, reader: Reader) -> None:
        event = reader.event(picture.seq)
        if event is None:
            return
        header = _HEADER.pack(_MAGIC, self._version, picture.pages, picture.length, event.seq, event.chain)
        draft = self._folder / f".{STATE}.new"
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(file, "wb") as state:
            state.write(header)
            squeeze(picture.view, state)
        draft.replace(self._folder / STATE)


@contextmanager
def viewed(folder: Path) -> Iterator[SessionView]:
    """A session as the panes see it, from where a screen kept it on, to be looked at within; blocks.

    Raises JournalError.
    """
    kept = KeptView(folder)
    try:
        with Reader(folder) as reader:
            view = kept.restored(reader)
            while batch := reader.events(view.last_seq, _CHUNK):
                view.apply_all(batch)
                kept.put_away(view)
        yield view
    finally:
        kept.close()
