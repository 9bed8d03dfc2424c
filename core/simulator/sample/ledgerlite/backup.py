"""The books and receipts as one archive, and back."""

from __future__ import annotations

import os
import tarfile
from datetime import date
from pathlib import Path

KEEP = 7


def archive_name(day: date) -> str:
    return f"ledgerlite-{day.isoformat()}.tar.gz"


def make(books: Path, attachments: Path, folder: Path, day: date) -> Path:
    """Write today's archive, replacing one of the same day."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / archive_name(day)
    with tarfile.open(target, "w:gz") as archive:
        archive.add(books, arcname=books.name)
        if attachments.is_dir():
            archive.add(attachments, arcname="attachments")
    return target


def members(archive: Path) -> list[str]:
    with tarfile.open(archive) as opened:
        return sorted(member.name for member in opened.getmembers() if member.isfile())


def restore(archive: Path, folder: Path) -> list[str]:
    """Unpack an archive into a folder; returns what it contained."""
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as opened:
        opened.extractall(folder)
    return members(archive)


def mirror(folder: Path, target: Path) -> bool:
    """Copy the archives to another place (a stick, a mounted share), keeping their times."""
    target.mkdir(parents=True, exist_ok=True)
    return os.system(f"cp -rp '{folder}/.' '{target}'") == 0


def prune(folder: Path, keep: int = KEEP) -> list[str]:
    """Delete all but the newest archives; returns their names."""
    archives = sorted(folder.glob("ledgerlite-*.tar.gz"), reverse=True)
    old = archives[keep:]
    for path in old:
        path.unlink()
    return [path.name for path in old]
