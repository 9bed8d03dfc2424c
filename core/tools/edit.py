"""Changing files: a change is worked out in memory, recorded as hashes, made in one step, and shown as it came out."""

from __future__ import annotations

import asyncio
import difflib
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from core.events import FileChange
from core.tools.base import RERUN, Effect, Outcome, Rerun, ToolContext, ToolError
from core.tools.capping import cap
from core.tools.common import Arguments, count, handle_of
from core.tools.paths import explained, relative, resolve
from core.tools.syntax import check_syntax
from core.tools.textfile import TextFile, digest, line_diff, load, replace_file, split_lines

_CHANGED_CHARS = (4_000, 1_000)
_CREATED_CHARS = (600, 200)
"""Head and tail of the diff that are shown; of a new file the model has just written every line itself."""

_CANDIDATES = 3
_CANDIDATE_LINES = 20_000
_CANDIDATE_RATIO = 0.6


@dataclass(frozen=True, slots=True)
class Change:
    """What a call would do to one file, worked out without doing it."""

    path: Path
    name: str
    old: TextFile | None
    data: bytes
    diff: str
    file: FileChange

    @property
    def needed(self) -> bool:
        return self.old is None or self.old.data != self.data


class _Changing(ABC):
    """The verbs of a tool that changes one file and whose effect can be told by the file's hash."""

    @abstractmethod
    def _new_content(self, arguments: Any, old: TextFile | None, name: str, context: ToolContext) -> bytes:
        """The whole new content of the file. Raises ToolError when the change must not or can't be made."""

    def prepare(self, arguments: Any, context: ToolContext) -> dict[str, Any]:
        """`path`, `before` and `after` (SHA-256; None: absent) and the counts: enough to tell what a crash left."""
        file = self._work_out(arguments, context).file
        return {name: getattr(file, name) for name in ("path", "before", "after", "added", "removed")}

    def preview(self, arguments: Any, context: ToolContext) -> str:
        return self._work_out(arguments, context).diff

    async def run(self, arguments: Any, context: ToolContext) -> Outcome:
        change = await asyncio.to_thread(self._work_out, arguments, context)
        if not change.needed:
            return Outcome(f"{change.name} already has exactly this content; nothing was written.")
        with explained(f"write {change.name}"):
            await asyncio.to_thread(replace_file, change.path, change.data, context.call)
        context.read_hashes[change.name] = str(change.file.after)
        return _report(change, context)

    async def recover(self, arguments: Any, intent: dict[str, Any], context: ToolContext) -> Outcome | Rerun:
        """Compare the file with both ends of the change: made, not made, or touched by somebody else."""
        file = msgspec.convert(intent, FileChange)
        path = resolve(context, file.path)
        with explained(f"read {file.path}"):
            now = digest(path.read_bytes()) if path.is_file() else None
        if now is not None:
            context.read_hashes[file.path] = now
        if now == file.after:
            text = f"{file.path} was written before a restart; it has the content that was asked for."
            return Outcome(f"{text}\n{_hash_line(str(now))}", files=(file,) if file.before != file.after else ())
        if now == file.before:
            return RERUN
        context.read_hashes.pop(file.path, None)
        text = f"The write was interrupted by a restart and {file.path} is neither as before nor as asked; re-read it."
        return Outcome(text, ok=False)

    def _work_out(self, arguments: Any, context: ToolContext) -> Change:
        path = resolve(context, arguments.path)
        name = relative(context, path)
        with explained(f"read {name}"):
            old = load(path, name)
        data = self._new_content(arguments, old, name, context)
        text = data.decode(old.encoding if old else "utf-8")
        diff, added, removed = line_diff(old.text if old else "", text, name)
        file = FileChange(
            path=name, before=old.sha256 if old else None, after=digest(data), added=added, removed=removed
        )
        return Change(path, name, old, data, diff, file)


class WriteArguments(Arguments, frozen=True):
    path: Annotated[str, Meta(description="File, relative to the workspace; missing folders are made.")]
    content: Annotated[str, Meta(description="The whole new content of the file.")]


class WriteFile(_Changing):
    name: ClassVar[str] = "write_file"
    description: ClassVar[str] = (
        "Create a file, or replace one that you have read, with the whole content given. For a change to part of a "
        "file use edit_file. The result shows the diff, the new hash and a syntax check: read it before going on."
    )
    effect: ClassVar[Effect] = Effect.WRITE
    Arguments: ClassVar[type[msgspec.Struct]] = WriteArguments

    def _new_content(self, arguments: WriteArguments, old: TextFile | None, name: str, context: ToolContext) -> bytes:
        if old is None:
            return arguments.content.encode()
        data = old.in_style(arguments.content, name)
        if data != old.data and name not in context.read_hashes:
            raise ToolError(f"{name} exists and you have not read it: read_file it first, or change it by edit_file.")
        if data != old.data:
            _require_unchanged(old, name, context)
        return data


class EditArguments(Arguments, frozen=True):
    path: Annotated[str, Meta(description="File, relative to the workspace.")]
    old: Annotated[str, Meta(min_length=1, description="The exact text to replace, without line numbers.")]
    new: Annotated[str, Meta(description="The text to put in its place.")]
    all: Annotated[bool, Meta(description="Replace every occurrence instead of the only one.")] = False


class EditFile(_Changing):
    name: ClassVar[str] = "edit_file"
    description: ClassVar[str] = (
        "Replace an exact piece of text in a file. `old` must occur exactly once (or pass all=true): copy it from "
        "read_file with its indentation, without the line numbers, and with enough lines around it to be unique. "
        "The result shows the diff, the new hash and a syntax check: read it before going on."
    )
    effect: ClassVar[Effect] = Effect.WRITE
    Arguments: ClassVar[type[msgspec.Struct]] = EditArguments

    def _new_content(self, arguments: EditArguments, old: TextFile | None, name: str, context: ToolContext) -> bytes:
        if old is None:
            raise ToolError(f"{name} does not exist; write_file creates files.")
        if arguments.old == arguments.new:
            raise ToolError("`old` and `new` are the same; the edit would change nothing.")
        _require_unchanged(old, name, context)
        places = list(_pattern(arguments.old).finditer(old.text))
        if not places:
            raise ToolError(f"`old` does not occur in {name}.{_nearest(old.text, arguments.old)}")
        if len(places) > 1 and not arguments.all:
            lines = ", ".join(str(old.text.count("\n", 0, place.start()) + 1) for place in places[:10])
            raise ToolError(
                f"`old` occurs {len(places)} times in {name} (lines {lines}); add lines around it, or pass all=true."
            )
        new = arguments.new.replace("\r\n", "\n").replace("\n", old.newline)
        return old.encode(_pattern(arguments.old).sub(lambda _: new, old.text), name)


def _require_unchanged(old: TextFile, name: str, context: ToolContext) -> None:
    if context.read_hashes.get(name, old.sha256) != old.sha256:
        raise ToolError(f"{name} has changed since you last read it; read it again, then repeat the change.")


def _pattern(text: str) -> re.Pattern[str]:
    """`text` exactly, whichever newline the file has."""
    return re.compile(r"\r?\n".join(re.escape(line) for line in text.replace("\r\n", "\n").split("\n")))


def _nearest(text: str, old: str) -> str:
    """The regions that look most like `old`, with line numbers: a miss is explained, never applied loosely."""
    wanted, lines = split_lines(old) or [old], split_lines(text)[:_CANDIDATE_LINES]
    anchor = max(range(len(wanted)), key=lambda index: len(wanted[index].strip()))
    matcher = difflib.SequenceMatcher(autojunk=False, b=wanted[anchor].strip()[:500])
    scores: list[tuple[float, int]] = []
    for index, line in enumerate(lines):
        matcher.set_seq1(line.strip()[:500])
        if matcher.real_quick_ratio() > _CANDIDATE_RATIO and matcher.quick_ratio() > _CANDIDATE_RATIO:
            scores.append((matcher.ratio(), index))
    best = [index for score, index in sorted(scores, key=lambda it: (-it[0], it[1])) if score > _CANDIDATE_RATIO]
    if not best:
        return " Nothing in the file looks like it; read the file again."
    regions = [_region(lines, max(0, index - anchor), len(wanted)) for index in best[:_CANDIDATES]]
    return " The nearest text (mind indentation and spaces):\n" + "\n--\n".join(regions)


def _region(lines: list[str], start: int, length: int) -> str:
    shown = lines[start : start + min(length, 12)]
    return "\n".join(f"{number}\t{line[:300]}" for number, line in enumerate(shown, start + 1))


def _report(change: Change, context: ToolContext) -> Outcome:
    file = change.file
    verb = "created" if change.old is None else "changed"
    lines = [f"{verb} {change.name} · {count(file.added, 'line')} added, {file.removed:,} removed"]
    head, tail = _CREATED_CHARS if change.old is None else _CHANGED_CHARS
    shown = cap(change.diff, handle_of(context), head, tail)
    lines += [shown.text] if change.diff else []
    lines.append(_hash_line(str(file.after)))
    text = change.data.decode(change.old.encoding if change.old else "utf-8")
    if (verdict := check_syntax(change.name, text)) is not None:
        lines.append(verdict)
    return Outcome("\n".join(lines), files=(file,), full=None if shown.whole else change.diff)


def _hash_line(sha256: str) -> str:
    return f"sha256 {sha256[:12]}…"
