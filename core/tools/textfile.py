"""Text files as they are on disk: encoding and newlines found, kept, and put back; replaced whole or not at all."""

from __future__ import annotations

import codecs
import difflib
import hashlib
import os
import stat
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.tools.base import ToolError
from core.tools.capping import SNIFF_BYTES, describe_binary, is_binary

MAX_EDIT_BYTES = 10_000_000
_MAX_DIFF_LINES = 50_000
_BOMS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


@dataclass(frozen=True, slots=True)
class TextFile:
    """One file's bytes and how they read. A byte order mark stays in `text`, so that encoding again is exact."""

    data: bytes
    text: str
    encoding: str

    @property
    def newline(self) -> str:
        """The newline that most lines end in."""
        return "\r\n" if self.text.count("\r\n") * 2 > self.text.count("\n") else "\n"

    @property
    def sha256(self) -> str:
        return digest(self.data)

    def encode(self, text: str, name: str) -> bytes:
        """`text` in this file's encoding. Raises ToolError when that can't hold it."""
        try:
            return text.encode(self.encoding)
        except UnicodeEncodeError as error:
            letter = text[error.start]
            raise ToolError(f"{name} is encoded as {self.encoding}, which has no {letter!r}; leave it out.") from error

    def in_style(self, text: str, name: str) -> bytes:
        """A whole new content with this file's encoding, newlines and byte order mark."""
        if self.newline == "\r\n" and "\r\n" not in text:
            text = text.replace("\n", "\r\n")
        if self.text.startswith("\ufeff") and not text.startswith("\ufeff"):
            text = "\ufeff" + text
        return self.encode(text, name)


def digest(data: bytes) -> str:
    """SHA-256 as 64 hexadecimal characters."""
    return hashlib.sha256(data).hexdigest()


def load(path: Path, name: str) -> TextFile | None:
    """The file, or None when there is none. Raises ToolError for what is no text file or too big; OSError."""
    try:
        about = path.stat()
    except FileNotFoundError:
        return None
    require_regular(about.st_mode, name)
    if about.st_size > MAX_EDIT_BYTES:
        raise ToolError(f"{name} has {about.st_size:,} bytes, too many to edit in one piece; use run_command.")
    data = path.read_bytes()
    encoding = sniff(data[:SNIFF_BYTES])
    if encoding is None:
        raise ToolError(f"{name} is not text ({describe_binary(data[:SNIFF_BYTES], len(data))}); use run_command.")
    return _decode(data, encoding)


def _decode(data: bytes, encoding: str) -> TextFile:
    try:
        return TextFile(data, data.decode(encoding), encoding)
    except UnicodeDecodeError:
        return TextFile(data, data.decode("latin-1"), "latin-1")


def require_regular(mode: int, name: str) -> None:
    """Raises ToolError for folders, and for pipes and devices, which would block whoever opens them."""
    if stat.S_ISDIR(mode):
        raise ToolError(f"{name} is a folder, not a file.")
    if not stat.S_ISREG(mode):
        raise ToolError(f"{name} is not a regular file.")


def sniff(start: bytes) -> str | None:
    """The encoding that the first bytes speak for: UTF-16 by its mark, UTF-8, else Latin-1; None for binary."""
    for mark, encoding in _BOMS.items():
        if start.startswith(mark):
            return encoding
    if is_binary(start):
        return None
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def replace_file(path: Path, data: bytes, call: str) -> None:
    """Put `data` at `path` so that a reader, or a crash, sees the old content or the new and nothing between.

    Parents are made, mode and owner kept. The temporary name comes from the call, so what a crash left is reused.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    old = path.stat() if path.exists() else None
    if old is not None and not os.access(path, os.W_OK):
        raise PermissionError(13, "the file is read-only")
    part = path.parent / f".longwatch-{call}.part"
    with suppress(FileNotFoundError):
        part.unlink()
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
            file.write(data)
            file.flush()
            _keep_identity(file.fileno(), old)
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _keep_identity(descriptor: int, old: os.stat_result | None) -> None:
    if old is None:
        return
    if (old.st_uid, old.st_gid) != (os.getuid(), os.getgid()):
        with suppress(PermissionError):
            os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode))


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def split_lines(text: str) -> list[str]:
    """Lines as read_file numbers them, without their ends (`str.splitlines` also cuts at form feeds and others)."""
    return text.replace("\r\n", "\n").removesuffix("\n").split("\n") if text else []


def line_diff(before: str, after: str, name: str) -> tuple[str, int, int]:
    """A unified diff with its counts of added and removed lines. The diff is empty when it would take too long."""
    old, new = split_lines(before), split_lines(after)
    if len(old) + len(new) > _MAX_DIFF_LINES:
        added, removed = Counter(new) - Counter(old), Counter(old) - Counter(new)
        return "", added.total(), removed.total()
    lines = list(difflib.unified_diff(old, new, name, name, lineterm="", n=2))
    body = lines[2:]
    return "\n".join(lines), sum(x.startswith("+") for x in body), sum(x.startswith("-") for x in body)
