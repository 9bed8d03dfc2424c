"""What a branch said and what compressions made of it, by number of event: the words themselves stay in the log.

A compression, or another model, changes what is sent from what was sent before it. Only going back (an undo, a rewind)
asks for words that have left the request, and reads no more of them than are sent again.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.events import ToolFinished
from core.folds.branches import Branches, Column
from core.folds.rows import Rows, Words
from core.request.archive import CHANGES, PIECES, Archive, single
from core.request.entries import entry_of, result_block, results_of
from core.request.pieces import Entry, Piece, Sent, resolve

Place = tuple[int, ...]
"""How many events before the last of them each result of a piece stands, in the order of calls; empty: it is one event.
Few differ, and each of those is kept once."""


def _places() -> Rows[Place]:
    known: Words[Place] = Words()
    return Rows(1, lambda place: (known.number(place),), known.word)


class History:
    """The pieces of each branch and the changes to them."""

    def __init__(self, branches: Branches, archive: Archive) -> None:
        self._branches = branches
        self._archive = archive
        self._pieces: Column[Place] = Column.packed(_places())
        self._changes: Column[None] = Column()

    def __contains__(self, seq: int) -> bool:
        """Whether event `seq` stands in a piece of the current branch."""
        return any(seq in _owners(*pair) for pair in self._pieces.pairs(self._branches.spans()))

    def said(self, piece: Piece) -> None:
        several = len(piece.owners) > 1
        place = tuple(piece.seq - owner for owner in piece.owners) if several else ()
        self._pieces.append(piece.seq, place)

    def changed(self, seq: int) -> None:
        """Event `seq` is a compression, the undoing of one, or a switch to another model."""
        self._changes.append(seq, None)

    def sent(self) -> Sent:
        """What the current branch sends, read again; costs as much as the branch is long, and what is sent in words."""
        spans = self._branches.spans()
        places = dict(self._pieces.pairs(spans))
        changes = self._changed([seq for seq, _ in self._changes.pairs(spans)])
        wordless = [Piece(seq, "user", "", ()) for seq in places]
        chosen = _resolved([*wordless, *changes])
        wanted = [piece.seq for piece in (chosen.task, *chosen.tail) if piece]
        words = self._read([_owners(seq, places[seq]) for seq in wanted])
        return _resolved([*(words.get(piece.seq, piece) for piece in wordless), *changes])

    def _changed(self, seqs: Sequence[int]) -> list[Entry]:
        return [entry for event in self._archive(single(seqs), CHANGES) if (entry := entry_of(event))]

    def _read(self, wanted: Sequence[tuple[int, ...]]) -> dict[int, Piece]:
        """The pieces of these events with their words, by seq."""
        said: dict[int, Piece] = {}
        results: dict[int, bytes] = {}
        for event in self._archive(single([seq for owners in wanted for seq in owners]), PIECES):
            if isinstance(event.body, ToolFinished):
                results[event.seq] = result_block(event.body)
            elif isinstance(piece := entry_of(event), Piece):
                said[event.seq] = piece
        answered = (owners for owners in wanted if owners[0] in results)
        pieces = (results_of(owners, tuple(results[owner] for owner in owners)) for owners in answered)
        return said | {piece.seq: piece for piece in pieces}


def _owners(seq: int, place: Place) -> tuple[int, ...]:
    return tuple(seq - distance for distance in place) or (seq,)


def _resolved(entries: Sequence[Entry]) -> Sent:
    return resolve(sorted(entries, key=lambda entry: entry.seq))
