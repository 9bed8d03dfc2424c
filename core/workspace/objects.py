"""Contents by their ids, in git's own format: a bare repository that any git can read, written without one.

Contents are kept byte for byte: no line-end conversion, no filter, no attribute of the workspace applies.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import secrets
import stat
import tempfile
import zlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from core.private import make_private
from core.workspace.base import Entries, Entry
from core.workspace.errors import WorkspaceError

LINK: Final = 0o120000
FILE: Final = 0o100644
PROGRAM: Final = 0o100755
_DIRECTORY: Final = 0o40000
_CHUNK: Final = 1024 * 1024
_LEVEL: Final = 1


class ObjectStore:
    """The object folder of `<session>/files.git`. Blocking; meant for a thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._objects = folder / "objects"
        self._drafts, self._count = secrets.token_hex(4), itertools.count()

    def prepare(self) -> None:
        """Lay the repository out when it is not there. Raises OSError."""
        for name in ("objects/info", "objects/pack", "refs/heads"):
            make_private(self.folder / name)
        head = self.folder / "HEAD"
        if not head.exists():
            (self.folder / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
            head.write_text("ref: refs/heads/main\n")

    def has(self, oid: str) -> bool:
        """Whether the content is kept here; an empty file left by a power cut does not count."""
        try:
            return self._path(oid).stat().st_size > 0
        except OSError:
            return False

    def put(self, kind: str, data: bytes) -> str:
        """Keep a content of git's kind `blob`, `tree` or `commit`; its id."""
        oid = hash_of(kind, data)
        if not self.has(oid):
            self._keep(oid, zlib.compress(b"%s %d\0" % (kind.encode(), len(data)) + data, _LEVEL))
        return oid

    def put_file(self, path: Path) -> str:
        """Keep the content of a file, read in pieces; its id. Raises OSError."""
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size <= _CHUNK:
                return self.put("blob", file.read())
            digest, packer, read = hashlib.sha1(usedforsecurity=False), zlib.compressobj(_LEVEL), 0
            with tempfile.NamedTemporaryFile(dir=self._objects, delete=False) as draft:
                try:
                    piece = b"blob %d\0" % size
                    while piece:
                        digest.update(piece)
                        draft.write(packer.compress(piece))
                        piece = file.read(_CHUNK)
                        read += len(piece)
                    draft.write(packer.flush())
                except BaseException:
                    Path(draft.name).unlink()
                    raise
        if read != size:
            Path(draft.name).unlink()
            raise OSError(f"{path} changed while it was read")
        self._settle(Path(draft.name), digest.hexdigest())
        return digest.hexdigest()

    def get(self, oid: str, kind: str = "blob") -> bytes:
        """A content by id, checked against it. Raises WorkspaceError when it is gone or damaged."""
        try:
            raw = zlib.decompress(self._path(oid).read_bytes())
        except (OSError, zlib.error) as error:
            raise WorkspaceError(f"A part of the snapshot is missing ({kind} {oid[:12]}).") from error
        head, _, data = raw.partition(b"\0")
        if hashlib.sha1(raw, usedforsecurity=False).hexdigest() != oid or head != b"%s %d" % (kind.encode(), len(data)):
            raise WorkspaceError(f"A part of the snapshot is damaged ({kind} {oid[:12]}).")
        return data

    def write_tree(self, entries: Entries) -> str:
        """Keep the folders of a snapshot; the id of the topmost."""
        root: dict[bytes, Entry | dict] = {}
        for path, entry in entries.items():
            *folders, name = os.fsencode(path).split(b"/")
            place = root
            for folder in folders:
                place = place.setdefault(folder, {})  # type: ignore[assignment]
            place[name] = entry
        return self._write_folder(root)

    def read_tree(self, oid: str) -> Entries:
        """The files of a tree. Raises WorkspaceError."""
        entries: Entries = {}
        waiting = [(b"", oid)]
        while waiting:
            prefix, folder = waiting.pop()
            for mode, name, item in parse_tree(self.get(folder, "tree")):
                if mode == _DIRECTORY:
                    waiting.append((prefix + name + b"/", item))
                else:
                    entries[os.fsdecode(prefix + name)] = Entry(mode, item)
        return entries

    def record(self, tree: str, label: str, at_s: int) -> None:
        """Add the tree to the history that `git log` shows in the repository. Raises OSError."""
        ref = self.folder / "refs" / "heads" / "main"
        parent = f"parent {ref.read_text().strip()}\n" if ref.exists() else ""
        who = f"Longwatch <longwatch@localhost> {at_s} +0000"
        text = f"tree {tree}\n{parent}author {who}\ncommitter {who}\n\n{label}\n"
        draft = ref.with_suffix(".new")
        draft.write_text(self.put("commit", text.encode("utf-8", "replace")) + "\n")
        draft.replace(ref)

    def borrow_from(self, objects: Path) -> None:
        """Tell git where contents are that were not copied. Raises OSError."""
        (self.folder / "objects" / "info" / "alternates").write_bytes(os.fsencode(objects) + b"\n")

    def _write_folder(self, folder: dict[bytes, Entry | dict]) -> str:
        rows: list[tuple[bytes, int, bytes, str]] = []
        for name, item in folder.items():
            if isinstance(item, Entry):
                rows.append((name, item.mode, name, item.oid))
            else:
                rows.append((name + b"/", _DIRECTORY, name, self._write_folder(item)))
        data = b"".join(b"%o %s\0%s" % (mode, name, bytes.fromhex(oid)) for _, mode, name, oid in sorted(rows))
        return self.put("tree", data)

    def _path(self, oid: str) -> Path:
        return self._objects / oid[:2] / oid[2:]

    def _keep(self, oid: str, data: bytes) -> None:
        draft = self._objects / f"draft-{self._drafts}-{next(self._count)}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
        self._settle(draft, oid)

    def _settle(self, draft: Path, oid: str) -> None:
        target = self._path(oid)
        with suppress(FileExistsError):
            target.parent.mkdir(mode=0o700)
        draft.replace(target)


def hash_of(kind: str, data: bytes) -> str:
    """The id of a content of git's kind."""
    return hashlib.sha1(b"%s %d\0" % (kind.encode(), len(data)) + data, usedforsecurity=False).hexdigest()


def hash_file(path: Path) -> str:
    """The id that the content of a file would have. Raises OSError."""
    with path.open("rb") as file:
        digest = hashlib.sha1(b"blob %d\0" % os.fstat(file.fileno()).st_size, usedforsecurity=False)
        while piece := file.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def mode_of(status: os.stat_result) -> int:
    """The mode that git writes for a file or a link."""
    if stat.S_ISLNK(status.st_mode):
        return LINK
    return PROGRAM if status.st_mode & 0o100 else FILE


def parse_tree(data: bytes) -> Iterable[tuple[int, bytes, str]]:
    start = 0
    while start < len(data):
        end = data.index(b"\0", start)
        mode, _, name = data[start:end].partition(b" ")
        yield int(mode, 8), name, data[end + 1 : end + 21].hex()
        start = end + 21
