"""How one file differs, as text for the screen."""

from __future__ import annotations

import difflib
from typing import Final

LARGEST_TEXT: Final = 1024 * 1024
_MAX_LINES: Final = 20_000


def unified(path: str, before: bytes | None, after: bytes | None) -> str:
    """A unified diff; one sentence where that would tell nothing (binary) or take too long (huge). "" when equal."""
    if before == after:
        return ""
    sides = [side for side in (before, after) if side is not None]
    if any(b"\0" in side[:8000] for side in sides):
        return f"{path} is binary and differs.\n"
    if any(len(side) > LARGEST_TEXT or side.count(b"\n") > _MAX_LINES for side in sides):
        return f"{path} is too big to be compared here ({max(map(len, sides)):,} bytes).\n"
    old, new = (_lines(side) for side in (before, after))
    lines = difflib.unified_diff(
        old, new, "/dev/null" if before is None else f"a/{path}", "/dev/null" if after is None else f"b/{path}"
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def counted(before: bytes | None, after: bytes | None) -> tuple[int, int] | tuple[None, None]:
    """Lines that are added and removed; nothing where the file is binary or too big to be compared."""
    sides = [side for side in (before, after) if side is not None]
    if any(b"\0" in side[:8000] or len(side) > LARGEST_TEXT or side.count(b"\n") > _MAX_LINES for side in sides):
        return None, None
    rows = list(difflib.unified_diff(_lines(before), _lines(after), n=0))[2:]
    return sum(row.startswith("+") for row in rows), sum(row.startswith("-") for row in rows)


def _lines(data: bytes | None) -> list[str]:
    return (data or b"").decode(errors="replace").splitlines(keepends=True)
