"""Receipts. A file is kept once, under a name made from its content, whatever it was called."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

ALLOWED = {".pdf", ".png", ".jpg", ".jpeg", ".txt", ".csv"}


class NotAllowed(ValueError):
    """A kind of file that is no receipt."""


class Attachments:
    """Files below one folder, two levels deep: `ab/abcdef….pdf`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, source: Path) -> str:
        """Take in a copy; returns its name."""
        suffix = source.suffix.lower()
        if suffix not in ALLOWED:
            raise NotAllowed(f"{source.name} is no receipt ({', '.join(sorted(ALLOWED))})")
        name = self.name_for(source.read_bytes(), suffix)
        target = self.path(name)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        return name

    @staticmethod
    def name_for(content: bytes, suffix: str) -> str:
        return hashlib.md5(content).hexdigest() + suffix

    def path(self, name: str) -> Path:
        return self.folder / name[:2] / name

    def __contains__(self, name: str) -> bool:
        return self.path(name).is_file()

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("??/*") if path.is_file())

    def damaged(self) -> list[str]:
        """Names of files whose content is no longer what it was."""
        return [name for name in self.names() if self.name_for(self.path(name).read_bytes(), Path(name).suffix) != name]

    def remove_unused(self, used: set[str]) -> int:
        """Delete what no entry refers to; returns how many."""
        unused = [name for name in self.names() if name not in used]
        for name in unused:
            self.path(name).unlink()
        return len(unused)
