"""The net difference between two moments, file by file and hunk by hunk, with who is behind each hunk."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Final

from msgspec import Struct

from core.changes.blame import fates, origins
from core.changes.course import Author, Change, Course, course_of
from core.changes.trees import Trees
from core.events import SessionOpened
from core.journal.reader import Reader
from core.workspace.base import Entry
from core.workspace.textdiff import unified

_HUNK: Final = re.compile(r"^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")


class Hunk(Struct, frozen=True):
    """Some lines of a unified diff, its `@@` line first. `authors`: who wrote or took away lines, oldest first."""

    lines: tuple[str, ...]
    authors: tuple[Author, ...]

    def fingerprint(self, path: str) -> str:
        """The same for the same change of the same file, wherever in it that stands."""
        return blake2b("".join((path, "\0", *self.lines[1:])).encode("utf-8", "replace"), digest_size=12).hexdigest()


class FileDiff(Struct, frozen=True):
    """What became of one file. `status`: A new, D gone, M changed. `note` stands for a diff that can't be shown."""

    path: str
    status: str
    added: int
    removed: int
    hunks: tuple[Hunk, ...]
    patch: str
    note: str = ""

    @property
    def fingerprints(self) -> list[str]:
        """Of its hunks; where it has none that can be shown, of the file as it is."""
        return [hunk.fingerprint(self.path) for hunk in self.hunks] or [
            blake2b(f"{self.path}\0{self.status}\0{self.note}".encode("utf-8", "replace"), digest_size=12).hexdigest()
        ]

    @property
    def authors(self) -> list[Author]:
        """Everybody behind it, oldest first, each once."""
        found = {author.seq: author for hunk in self.hunks for author in hunk.authors}
        return [found[seq] for seq in sorted(found)]


def net(course: Course, trees: Trees, since: int, only: Sequence[str] = ()) -> Iterator[FileDiff]:
    """Every file that differs between event `since` and the end, by path. Raises WorkspaceError."""
    before, after = course.tree_at(since), course.tree
    if before is None or after is None:
        return
    changes = [change for change in course.changes if change.seq > _state_seq(course, since)]
    for path in trees.differing(before, after):
        if not only or any(path == one or path.startswith(f"{one.rstrip('/')}/") for one in only):
            yield _file(trees, path, before, after, changes)


def changes_of(folder: Path) -> list[FileDiff]:
    """What a session changed from its beginning. Blocks; raises JournalError, WorkspaceError."""
    course = course_of(folder)
    return list(net(course, Trees(folder, Path(course.workspace)), 0))


def differing(folder: Path, before: str, after: str) -> list[FileDiff]:
    """How two states that a session kept differ, whoever made them. Blocks; raises JournalError, WorkspaceError."""
    with Reader(folder) as reader:
        first = reader.event(1)
    opened = first.body if first is not None else None
    workspace = Path(opened.workspace) if isinstance(opened, SessionOpened) else folder
    trees = Trees(folder, workspace)
    return [_file(trees, path, before, after, ()) for path in trees.differing(before, after)]


def _state_seq(course: Course, since: int) -> int:
    """The event that made the state which is the start."""
    earlier = [seq for seq, _ in course.states if seq <= since]
    return earlier[-1] if earlier else course.states[0][0]


def _file(trees: Trees, path: str, before: str, after: str, changes: Sequence[Change]) -> FileDiff:
    old, new = trees.at(before, path), trees.at(after, path)
    status = "A" if old is None else "D" if new is None else "M"
    patch = unified(path, old, new)
    if patch and not patch.startswith("---"):
        return FileDiff(path, status, 0, 0, (), "", patch.strip())
    rows = patch.splitlines(keepends=True)
    pieces = list(_pieces(rows))
    steps = _lasting(trees, path, changes)
    fresh = origins(trees, path, steps, [line for piece in pieces for line in piece[1]])
    gone = fates(trees, path, steps, [line for piece in pieces for line in piece[2]])
    hunks = tuple(Hunk(tuple(lines), _authors(fresh, added, gone, removed)) for lines, added, removed in pieces)
    added, removed = sum(len(piece[1]) for piece in pieces), sum(len(piece[2]) for piece in pieces)
    return FileDiff(path, status, added, removed, hunks, patch, "" if rows else "only its mode differs")


def _lasting(trees: Trees, path: str, changes: Sequence[Change]) -> list[Change]:
    """The changes of one file without those that were taken back: what led from a content to the same one again."""
    found: list[Change] = []
    places: dict[Entry | None, int] = {}
    for change in changes:
        before, after = trees.entry(change.before, path), trees.entry(change.after, path)
        if before == after:
            continue
        places.setdefault(before, len(found))
        found.append(change)
        if (back := places.get(after)) is not None:
            del found[back:]
            places = {entry: place for entry, place in places.items() if place <= back}
    return found


def _authors(
    fresh: dict[int, Author | None], added: list[int], gone: dict[int, Author | None], removed: list[int]
) -> tuple[Author, ...]:
    found = [fresh.get(line) for line in added] + [gone.get(line) for line in removed]
    by_seq = {author.seq: author for author in found if author is not None}
    return tuple(by_seq[seq] for seq in sorted(by_seq))


def _pieces(rows: Sequence[str]) -> Iterator[tuple[list[str], list[int], list[int]]]:
    """Each hunk: its rows, the lines (from 0) that it adds to the new side, and those it takes from the old one."""
    piece: tuple[list[str], list[int], list[int]] | None = None
    old = new = 0
    for row in rows[2:]:
        if found := _HUNK.match(row):
            if piece is not None:
                yield piece
            piece = ([row], [], [])
            old, new = max(0, int(found[1]) - 1), max(0, int(found[2]) - 1)
        elif piece is not None:
            piece[0].append(row)
            if row.startswith("+"):
                piece[1].append(new)
            elif row.startswith("-"):
                piece[2].append(old)
            old += row[:1] in " -"
            new += row[:1] in " +"
    if piece is not None:
        yield piece
