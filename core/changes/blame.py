"""Who wrote a line: it is followed back through the states of its file to the change that put it there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final

from core.changes.course import Author, Change
from core.changes.trees import Trees

_LONGEST: Final = 20_000
"""Lines of a file up to which its states are compared line by line."""
Lines = list[str]


def origins(trees: Trees, path: str, changes: Sequence[Change], lines: Iterable[int]) -> dict[int, Author | None]:
    """For each of the `lines` (from 0) of the file as the last change left it, who wrote it.

    None: it was there before the first change. Raises WorkspaceError.
    """
    return _followed(trees, path, [(change, change.after, change.before) for change in reversed(changes)], lines)


def fates(trees: Trees, path: str, changes: Sequence[Change], lines: Iterable[int]) -> dict[int, Author | None]:
    """For each of the `lines` (from 0) of the file before the first change, who took it away; None: it is still there.

    Raises WorkspaceError.
    """
    return _followed(trees, path, [(change, change.before, change.after) for change in changes], lines)


def _followed(
    trees: Trees, path: str, steps: Iterable[tuple[Change, str, str]], lines: Iterable[int]
) -> dict[int, Author | None]:
    """Follow lines from state to state until one does not have them."""
    places = {line: line for line in lines}
    found: dict[int, Author | None] = dict.fromkeys(places)
    for change, here, there in steps:
        if not places:
            break
        if trees.entry(here, path) == trees.entry(there, path):
            continue
        moved = dict(_kept(lines_of(trees.at(here, path)), lines_of(trees.at(there, path))))
        for line, place in list(places.items()):
            if place in moved:
                places[line] = moved[place]
            else:
                found[line] = change.author
                del places[line]
    return found


def _kept(here: Lines, there: Lines) -> Iterator[tuple[int, int]]:
    """(place here, place there) of every line that both have."""
    if len(here) > _LONGEST or len(there) > _LONGEST:
        yield from zip(range(len(here)), range(len(there)), strict=False)
        return
    for block in SequenceMatcher(None, here, there, autojunk=False).get_matching_blocks():
        yield from ((block.a + step, block.b + step) for step in range(block.size))


def lines_of(data: bytes | None) -> Lines:
    """The lines of a content, with their ends."""
    return (data or b"").decode("utf-8", "replace").splitlines(keepends=True)
