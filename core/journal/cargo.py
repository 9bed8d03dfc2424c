"""The files of a session in its export: the contents that its snapshots consist of, and how they are taken in again.

Each is a member named by the hash of what it holds, which is checked; folders may name nothing that leads anywhere
else. Nothing of it is run or written anywhere but into the session's own store.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, Final

from core.changes.trees import Trees
from core.events import CheckpointMade, HeadMoved, SessionOpened, ToolFinished
from core.journal.errors import JournalError
from core.journal.reader import Reader
from core.workspace.errors import WorkspaceError
from core.workspace.objects import FILE, LINK, PROGRAM, ObjectStore, hash_of, parse_tree
from core.workspace.snapshots import FILES

PREFIX: Final = "files/"
MOST: Final = 2_000_000
"""Contents that an export may hold."""
_FOLDER: Final = 0o40000
_MODES: Final = frozenset((_FOLDER, FILE, PROGRAM, LINK))
_NAME: Final = re.compile(rb"[^/\0]{1,255}")
_MEMBER: Final = re.compile(r"files/(tree|blob)/([0-9a-f]{40})")
_CHUNK: Final = 2_000
_LONGEST_NAME: Final = 240
"""Bytes of a name that was changed; 255 are allowed."""

Put = Callable[[str, bytes], None]


def trees_of(reader: Reader) -> list[str]:
    """Every state of the files that the log names, in its order."""
    found: dict[str, None] = {}
    after = 0
    while batch := reader.events(after, _CHUNK):
        for event in batch:
            found.update(dict.fromkeys(filter(None, _named(event.body))))
        after = batch[-1].seq
    return list(found)


def _named(body: Any) -> Iterable[str | None]:
    if isinstance(body, CheckpointMade | ToolFinished):
        return (body.tree,)
    return (body.tree_before, body.tree_after) if isinstance(body, HeadMoved) else ()


class Cargo:
    """What an export takes along of the files. After `load`, `renamed` maps trees to what they are without secrets."""

    def __init__(self, folder: Path, reader: Reader, redact: Callable[[Any], Any]) -> None:
        first = reader.event(1)
        place = Path(first.body.workspace) if first and isinstance(first.body, SessionOpened) else folder
        self._trees, self._wanted, self._redact = Trees(folder, place), trees_of(reader), redact
        self.renamed: dict[str, str] = {}
        self.contents = self.bytes = self.redacted = self.missing = 0
        self._known: dict[str, str] = {}
        self._put_names: set[str] = set()

    def load(self, put: Put) -> None:
        """Hand over every content once. What is no longer there is left out and counted."""
        for tree in self._wanted:
            new = self._folder(tree, put)
            if new != tree:
                self.renamed[tree] = new

    def about(self) -> dict[str, int]:
        """What the export says of it."""
        counted = {"states": len(self._wanted), "contents": self.contents, "bytes": self.bytes}
        return counted | {"redacted": self.redacted, "missing": self.missing}

    def _folder(self, oid: str, put: Put) -> str:
        if (known := self._known.get(oid)) is not None:
            return known
        rows = []
        try:
            rows = list(parse_tree(self._trees.content(oid, "tree")))
        except WorkspaceError:
            self.missing += 1
        names, parts = self._names(name for _, name, _ in rows), []
        for mode, name, item in rows:
            new = self._folder(item, put) if mode == _FOLDER else self._content(item, put)
            part = b"%o %s\0%s" % (mode, names[name], bytes.fromhex(new))
            parts.append((names[name] + b"/" * (mode == _FOLDER), part))
        self._known[oid] = oid if not rows else self._give("tree", b"".join(part for _, part in sorted(parts)), put)
        return self._known[oid]

    def _names(self, names: Iterable[bytes]) -> dict[bytes, bytes]:
        """The names of a folder without secrets; those that differ in nothing else are told apart by a number."""
        clean = {name: self._redact(name.decode("utf-8", "surrogateescape")).replace("/", "_") for name in names}
        found = {name: text.encode("utf-8", "surrogateescape") for name, text in clean.items()}
        taken = {name for name, new in found.items() if name == new}
        for name, new in found.items():
            if name != new:
                numbered = (new[:_LONGEST_NAME] + (b"~%d" % number if number > 1 else b"") for number in count(1))
                found[name] = next(it for it in numbered if it not in taken)
                taken.add(found[name])
        self.redacted += sum(name != new for name, new in found.items())
        return found

    def _content(self, oid: str, put: Put) -> str:
        if (known := self._known.get(oid)) is not None:
            return known
        try:
            data = self._trees.content(oid)
        except WorkspaceError:
            self.missing += 1
            self._known[oid] = oid
            return oid
        text = data.decode("utf-8", "surrogateescape")
        if (clean := self._redact(text)) != text:
            self.redacted += 1
            data = clean.encode("utf-8", "surrogateescape")
        self.contents, self.bytes = self.contents + 1, self.bytes + len(data)
        self._known[oid] = self._give("blob", data, put)
        return self._known[oid]

    def _give(self, kind: str, data: bytes, put: Put) -> str:
        oid = hash_of(kind, data)
        if (name := f"{PREFIX}{kind}/{oid}") not in self._put_names:
            self._put_names.add(name)
            put(name, data)
        return oid


def take_in(names: Iterable[str], read: Callable[[str], bytes], folder: Path, path: Path) -> int:
    """Keep these members of the export `path` in the session's store; how many. Raises JournalError for forged ones."""
    store, count = ObjectStore(folder / FILES), 0
    for name in names:
        if not count:
            store.prepare()
        count += 1
        found = _MEMBER.fullmatch(name)
        if found is None or count > MOST:
            raise JournalError(f"{path} is damaged or forged: it holds {name[:60]!r}, or too many files.")
        data = read(name)
        if hash_of(found[1], data) != found[2] or (found[1] == "tree" and not all(_sound(data))):
            raise JournalError(f"{path} is damaged or forged: {name[:24]} is not what it was, or leads elsewhere.")
        store.put(found[1], data)
    return count


def _sound(tree: bytes) -> Iterator[bool]:
    """Whether each row of a folder names a file of its own in it, and nothing of git's. Raises ValueError."""
    seen: set[bytes] = set()
    for mode, name, oid in parse_tree(tree):
        plain = name.lower().rstrip(b". ")
        yield mode in _MODES and len(oid) == 40 and _NAME.fullmatch(name) is not None
        yield name not in seen and name not in (b".", b"..") and plain not in (b".git", b"git~1")
        seen.add(name)
