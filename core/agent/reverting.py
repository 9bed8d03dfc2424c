"""Taking one change back: what the file becomes then. What a person changed there is not taken back unasked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from core.agent.facts import Facts
from core.agent.verb import Refused, Verb
from core.changes.course import Author, Change, Course
from core.changes.net import FileDiff, Hunk, net
from core.changes.trees import Trees
from core.events import Draft
from core.folds.file_states import FileStates
from core.journal.inbox import Command
from core.workspace.errors import WorkspaceError

_HEAD: Final = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_CALLS: Final = Author("call", 0, 0)
_PRINT: Final = re.compile(r"[0-9a-f]{4,24}")


@dataclass(frozen=True, slots=True)
class Reversal:
    """File `path` is to hold `content` with git's `mode`; None: it is to go."""

    path: str
    content: bytes | None
    mode: int = 0


def course_by_hand(states: FileStates) -> Course:
    """The course of the files as far as a revert needs it: what people changed, and between that the calls as one.

    It costs as much as people changed, and nothing by how long the session is.
    """
    first, now = states.first, states.known()
    if first is None or now is None:
        return Course()
    changes, at, seq = [], first, 0
    for seq, before, after in states.gaps():
        changes += [Change(seq, at, before, _CALLS), Change(seq, before, after, Author("hand", seq, 0))]
        at = after
    changes.append(Change(seq + 1, at, now, _CALLS))
    return Course(base=first, changes=changes, states=[(0, first), (seq + 1, now)])


def reversal(course: Course, trees: Trees, args: dict[str, Any]) -> Reversal:
    """What becomes of a file when all of its change, or one hunk of it, is taken back.

    Blocks. Raises WorkspaceError with a sentence where it must not be done.
    """
    path = str(args["path"])
    file = next((one for one in net(course, trees, 0, [path]) if one.path == path), None)
    if file is None or course.base is None or course.tree is None:
        raise WorkspaceError(f"{path} is as it was when the session began: there is nothing to revert.")
    hunk = _hunk(file, str(args["hunk"])) if args.get("hunk") else None
    authors = file.authors if hunk is None else list(hunk.authors)
    if any(author.kind == "hand" for author in authors) and not args.get("overwrite"):
        raise WorkspaceError(f"{path} was changed by hand there, too; --overwrite takes that back as well.")
    return _whole(course, trees, path) if hunk is None else _without(course, trees, path, hunk)


def _hunk(file: FileDiff, wanted: str) -> Hunk:
    found = [hunk for hunk in file.hunks if hunk.fingerprint(file.path).startswith(wanted)]
    if len(found) != 1:
        raise WorkspaceError(f"{file.path} has no change {wanted!r} any more; `longwatch diff` shows those it has.")
    return found[0]


def _whole(course: Course, trees: Trees, path: str) -> Reversal:
    entry = trees.entry(course.base or "", path)
    return Reversal(path, None) if entry is None else Reversal(path, trees.content(entry.oid), entry.mode)


def _without(course: Course, trees: Trees, path: str, hunk: Hunk) -> Reversal:
    before = _lines(trees.at(course.base or "", path))
    entry = trees.entry(course.tree or "", path) or trees.entry(course.base or "", path)
    now, head = _lines(trees.at(course.tree or "", path)), _HEAD.match(hunk.lines[0])
    if entry is None or head is None:
        raise WorkspaceError(f"{path} can't be reverted line by line.")
    old, new = _range(head[1], head[2]), _range(head[3], head[4])
    text = "".join([*now[: new.start], *before[old.start : old.stop], *now[new.stop :]])
    return Reversal(path, text.encode("utf-8", "surrogateescape"), entry.mode)


def _range(start: str, count: str | None) -> range:
    """The lines (from 0) that one side of a hunk's head names; of no lines the head names the one before."""
    length = 1 if count is None else int(count)
    first = int(start) - (1 if length else 0)
    return range(first, first + length)


def _lines(data: bytes | None) -> Sequence[str]:
    """As a diff counts them, every byte kept."""
    return (data or b"").decode("utf-8", "surrogateescape").splitlines(keepends=True)


def parse_revert_words(words: list[str]) -> dict[str, Any]:
    """`PATH [HUNK] [--overwrite]`. Raises Refused."""
    rest = [word for word in words if not word.startswith("--")]
    if unknown := [word for word in words if word.startswith("--") and word != "--overwrite"]:
        raise Refused(f"revert has no {unknown[0]}; it knows --overwrite.")
    if not rest:
        raise Refused("revert needs a file, as `longwatch diff` names it.")
    hunk = {"hunk": rest.pop()} if len(rest) > 1 and _PRINT.fullmatch(rest[-1]) else {}
    return {"path": " ".join(rest), **hunk, **({"overwrite": True} if "--overwrite" in words else {})}


def _judge(command: Command, facts: Facts) -> list[Draft]:
    path, hunk = command.args.get("path"), command.args.get("hunk", "")
    if not isinstance(path, str) or not path.strip():
        raise Refused("revert needs a file, as `longwatch diff` names it.")
    if not isinstance(hunk, str) or (hunk and not _PRINT.fullmatch(hunk)):
        raise Refused("A hunk is named as `longwatch diff` prints it, in hexadecimal digits.")
    if not isinstance(command.args.get("overwrite", False), bool):
        raise Refused("overwrite is true or false: whether what was changed by hand is taken back, too.")
    return []


REVERT = Verb("revert", ("path", "hunk", "overwrite"), "take back what it changed in a file, or one hunk of it", _judge)
