"""Looking at files: what is there, and what is in it."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, BinaryIO, ClassVar, TextIO

import msgspec
from msgspec import Meta

from core.tools.base import Effect, Outcome, ToolContext, ToolError
from core.tools.capping import SNIFF_BYTES, describe_binary
from core.tools.common import Arguments, Repeatable, count
from core.tools.paths import explained, ignored_names, printable, relative, resolve
from core.tools.search_child import matcher
from core.tools.textfile import require_regular, sniff

MAX_LINES = 2_000
MAX_PAGE_CHARS = 100_000
MAX_LINE_CHARS = 2_000
MAX_PER_FOLDER = 200


class ListArguments(Arguments, frozen=True):
    path: Annotated[str, Meta(description="Folder, relative to the workspace.")] = "."
    depth: Annotated[int, Meta(ge=1, le=8, description="Levels of folders to show.")] = 2
    limit: Annotated[int, Meta(ge=1, le=2_000, description="Most entries to show.")] = 400


class ListFiles(Repeatable):
    name: ClassVar[str] = "list_files"
    description: ClassVar[str] = (
        "List files and folders with their sizes, as paths relative to the workspace. Start here: look at the top two "
        "levels once, then list only the folders that the step at hand needs. Version control, dependency, virtual "
        "environment and cache folders are named but not entered."
    )
    effect: ClassVar[Effect] = Effect.READ
    Arguments: ClassVar[type[msgspec.Struct]] = ListArguments

    async def run(self, arguments: ListArguments, context: ToolContext) -> Outcome:
        folder = resolve(context, arguments.path)
        with explained(f"list {arguments.path}"):
            return Outcome(await asyncio.to_thread(_listing, folder, arguments, context))


def _listing(folder: Path, arguments: ListArguments, context: ToolContext) -> str:
    prefix = "" if (name := relative(context, folder)) == "." else name + "/"
    listing = _Listing(matcher(ignored_names(context)))
    lines: list[str] = []
    for line in listing.entries(folder, prefix, arguments.depth):
        if len(lines) == arguments.limit:
            lines.append(f"[… more than {arguments.limit} entries; list a folder of them, or raise limit …]")
            break
        lines.append(line)
    return "\n".join(lines) or f"{name} is empty."


@dataclass(frozen=True, slots=True)
class _Listing:
    """Walks folders in the order of their names, parents before children."""

    ignored: re.Pattern[str]

    def entries(self, folder: Path, prefix: str, depth: int) -> Iterator[str]:
        """One line an entry, at most `MAX_PER_FOLDER` of each folder; `depth` counts levels, 1 being this one."""
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for entry in entries[:MAX_PER_FOLDER]:
            name = prefix + printable(entry.name)
            if entry.is_symlink():
                yield f"{name} -> {printable(str(Path(entry.path).readlink()))}"
            elif not entry.is_dir(follow_symlinks=False):
                yield f"{name}  {count(entry.stat(follow_symlinks=False).st_size, 'byte')}"
            elif self.ignored.fullmatch(name):
                yield f"{name}/  (not entered)"
            else:
                yield from self._subfolder(Path(entry.path), name, depth)
        if len(entries) > MAX_PER_FOLDER:
            yield f"[… {count(len(entries) - MAX_PER_FOLDER, 'entry', 'entries')} more in {prefix or './'} …]"

    def _subfolder(self, path: Path, name: str, depth: int) -> Iterator[str]:
        if not os.access(path, os.R_OK | os.X_OK):
            yield f"{name}/  (no permission)"
        elif depth == 1:
            with os.scandir(path) as found:
                yield f"{name}/  {count(sum(1 for _ in found), 'entry', 'entries')}"
        else:
            yield f"{name}/"
            yield from self.entries(path, name + "/", depth - 1)


class ReadArguments(Arguments, frozen=True):
    path: Annotated[str, Meta(description="File, relative to the workspace.")]
    offset: Annotated[int, Meta(ge=1, description="First line to show, counted from 1.")] = 1
    limit: Annotated[int, Meta(ge=1, le=MAX_LINES, description="Most lines to show.")] = MAX_LINES


class ReadFile(Repeatable):
    name: ClassVar[str] = "read_file"
    description: ClassVar[str] = (
        "Read a text file as numbered lines (number, tab, line). Read the files that the step needs, several in one "
        "reply where they are independent; in a long file search first, then read around the hit with offset and "
        "limit. A file must have been read before write_file may replace it."
    )
    effect: ClassVar[Effect] = Effect.READ
    Arguments: ClassVar[type[msgspec.Struct]] = ReadArguments

    async def run(self, arguments: ReadArguments, context: ToolContext) -> Outcome:
        path = resolve(context, arguments.path)
        name = relative(context, path)
        with explained(f"read {name}"):
            page = await asyncio.to_thread(_read_page, path, name, arguments)
        context.read_hashes[name] = page.sha256
        return Outcome(_show(name, page))


@dataclass(frozen=True, slots=True)
class _Page:
    """Some lines of a file, numbered from `first`; `total` counts all its lines."""

    first: int
    lines: list[str]
    total: int
    sha256: str


def _read_page(path: Path, name: str, arguments: ReadArguments) -> _Page:
    require_regular(path.stat().st_mode, name)
    with path.open("rb") as file:
        start = file.read(SNIFF_BYTES)
        encoding = sniff(start)
        if encoding is None:
            size = path.stat().st_size
            raise ToolError(f"{name} is not text ({describe_binary(start, size)}); read_file shows text only.")
        file.seek(0)
        sha256, total = _survey(file)
        if arguments.offset > max(1, total):
            raise ToolError(f"{name} has {count(total, 'line')}; offset {arguments.offset} is beyond its end.")
        file.seek(0)
        text = io.TextIOWrapper(file, encoding, "replace", newline="\n")
        return _Page(arguments.offset, _page_lines(text, arguments.offset, arguments.limit), total, sha256)


def _survey(file: BinaryIO) -> tuple[str, int]:
    """SHA-256 and number of lines, in one pass that holds a megabyte at most."""
    sha256, newlines, chunk = hashlib.sha256(), 0, b""
    last = b"\n"
    while chunk := file.read(1 << 20):
        sha256.update(chunk)
        newlines += chunk.count(b"\n")
        last = chunk.rstrip(b"\0")[-1:]
    return sha256.hexdigest(), newlines + (last != b"\n")


def _page_lines(text: TextIO, offset: int, limit: int) -> list[str]:
    page: list[str] = []
    room = MAX_PAGE_CHARS
    for number, line in enumerate(_clipped_lines(text), 1):
        if number < offset:
            continue
        room -= len(line)
        if len(page) == limit or (room < 0 and page):
            break
        page.append(line)
    return page


def _clipped_lines(text: TextIO) -> Iterator[str]:
    """Lines without their newline; of a very long one only the start is held, and it says how much is missing."""
    while piece := text.readline(MAX_LINE_CHARS):
        hidden, rest = 0, piece
        while not rest.endswith("\n") and (rest := text.readline(1 << 16)):
            hidden += len(rest.rstrip("\n"))
        line = piece.rstrip("\r\n").removeprefix("\ufeff")
        yield f"{line}[… {hidden:,} more characters in this line …]" if hidden else line


def _show(name: str, page: _Page) -> str:
    if page.total == 0:
        return f"{name} is empty."
    last = page.first + len(page.lines) - 1
    lines = [f"{name} · lines {page.first}-{last} of {page.total:,}"]
    lines += [f"{number}\t{line}" for number, line in enumerate(page.lines, page.first)]
    if last < page.total:
        lines.append(f"[… {count(page.total - last, 'line')} more; go on with offset={last + 1} …]")
    return "\n".join(lines)
