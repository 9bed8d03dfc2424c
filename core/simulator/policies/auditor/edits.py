"""From an old and a new text to calls of edit_file, each of which can be taken back by its mirror image."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from core.simulator.policies.auditor.conversation import Done
from core.simulator.policies.base import Call

_NEAR = 8


def edit_calls(path: str, old: str, new: str) -> list[Call]:
    """Edits that turn `old` into `new`, in order; each text to replace is unique, before and after."""
    calls: list[Call] = []
    now, goal = old.splitlines(keepends=True), new.splitlines(keepends=True)
    shift = 0
    for start, end, new_start, new_end in _hunks(now, goal):
        before, after = _unique(now, goal[new_start:new_end], start + shift, end + shift)
        calls.append(Call("edit_file", {"path": path, "old": before, "new": after}))
        now[start + shift : end + shift] = goal[new_start:new_end]
        shift += (new_end - new_start) - (end - start)
    return calls


def undo_calls(done: list[Done]) -> list[Call]:
    """The edits that take back those that were made, last one first."""
    made = [edit for edit in reversed(done) if edit.name == "edit_file" and not edit.failed]
    return [
        Call("edit_file", {"path": edit.input["path"], "old": edit.input["new"], "new": edit.input["old"]})
        for edit in made
    ]


def _hunks(old: list[str], new: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """Changed ranges, those close together joined."""
    joined: list[tuple[int, int, int, int]] = []
    for tag, start, end, new_start, new_end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        if joined and start - joined[-1][1] <= _NEAR:
            joined[-1] = (joined[-1][0], end, joined[-1][2], new_end)
        else:
            joined.append((start, end, new_start, new_end))
    yield from joined


def _unique(now: list[str], replacement: list[str], start: int, end: int) -> tuple[str, str]:
    """The hunk's two texts, widened line by line until each occurs once in its own version of the file."""
    then = now[:start] + replacement + now[end:]
    whole_now, whole_then = "".join(now), "".join(then)
    head, tail = start, end
    while True:
        before = "".join(now[head:tail])
        after = "".join(now[head:start] + replacement + now[end:tail])
        offset = len("".join(now[:head]))
        if _is_only(before, whole_now, offset) and _is_only(after, whole_then, offset):
            return before, after
        if head == 0 and tail == len(now):
            return before, after
        head, tail = max(0, head - 1), min(len(now), tail + 1)


def _is_only(piece: str, whole: str, offset: int) -> bool:
    return bool(piece) and whole.find(piece) == whole.rfind(piece) == offset
