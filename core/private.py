"""Folders for their owner alone, whatever the umask says."""

from __future__ import annotations

from pathlib import Path


def make_private(folder: Path) -> None:
    """Make a folder, and what is missing above it, for its owner alone. Raises OSError."""
    for missing in [place for place in reversed((folder, *folder.parents)) if not place.exists()]:
        missing.mkdir(mode=0o700, exist_ok=True)
