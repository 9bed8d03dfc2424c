"""Where a key stands in the text of a TOML file, for a sentence about it: parsers tell this only of broken files."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from typing import Any, Final

MOST_LINES: Final = 500
"""Beyond so many lines a sentence names the key alone."""


def line_of(text: str, path: Sequence[str]) -> int | None:
    """The line, from 1, on which the value at `path` begins; None where it is not found.

    It is the first line with which the text, read so far, holds the key; a value of several lines begins after the
    last line that could be read without it.
    """
    lines, before = [f"{line}\n" for line in text.split("\n")], 0
    for end in range(1, min(len(lines), MOST_LINES) + 1):
        try:
            table = tomllib.loads("".join(lines[:end]))
        except (ValueError, RecursionError):
            continue
        if _holds(table, path):
            new = range(before, end)
            return next((at for at in new if lines[at].strip() and not lines[at].lstrip().startswith("#")), before) + 1
        before = end
    return None


def _holds(table: Any, path: Sequence[str]) -> bool:
    for key in path:
        if not isinstance(table, dict) or key not in table:
            return False
        table = table[key]
    return True
