"""A passage of the past as `recall` gives it: words as they were, where the rest is, and whether they still hold."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

LINE_CHARS: Final = 2_000
"""Characters of a line in a page; longer ones are folded, so that every part of a text can be reached by its line."""
GAP: Final = "\n[…]\n"


class Passage(Struct, frozen=True):
    """Words of an event or a memory entry, byte for byte but for the gaps.

    `handle` gives everything; `text` begins at page line `line` of it (0: not counted), and is all of it when `whole`.
    `label` says why it may not hold any more: `earlier`, `forgotten`, `replaced by m9`, `abandoned branch`; empty for
    what is newest.
    """

    handle: str
    title: str
    text: str
    label: str = ""
    line: int = 1
    whole: bool = True


def page_lines(text: str) -> list[str]:
    """The lines of a text, long ones folded."""
    return [part for line in text.split("\n") for part in _folded(line)]


def line_at(text: str, place: int) -> int:
    """The page line of character `place`, counted from 1."""
    return len(page_lines(text[: place + 1]))


def around(text: str, spans: list[tuple[int, int]], room: int) -> tuple[str, int]:
    """What stands around the spans (start, end), in about `room` characters, whole lines where they are short.

    Also where in the text it begins. Spans ascend; what meets is joined, what does not has a gap between.
    """
    margin = max(0, room // len(spans) - (spans[0][1] - spans[0][0])) // 2
    windows: list[tuple[int, int]] = []
    for first, last in spans:
        start, end = _line_start(text, max(0, first - margin), first), _line_end(text, last, last + margin)
        if windows and start <= windows[-1][1]:
            start = windows.pop()[0]
        windows.append((start, end))
    return GAP.join(text[start:end] for start, end in windows), windows[0][0]


def _line_start(text: str, earliest: int, latest: int) -> int:
    """The start of the first line that begins between the two; where none does, the earliest."""
    if earliest == 0:
        return 0
    return text.find("\n", earliest - 1, latest) + 1 or earliest


def _line_end(text: str, earliest: int, latest: int) -> int:
    """The end of the last line that ends between the two; where none does, the latest."""
    if latest >= len(text):
        return len(text)
    end = text.rfind("\n", earliest, latest + 1)
    return latest if end < 0 else end


def _folded(line: str) -> list[str]:
    return [line[at : at + LINE_CHARS] for at in range(0, len(line), LINE_CHARS)] or [""]
