"""Where everything that sessions keep and give away is looked through for what was planted."""

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from core.journal.reader import Reader


def kept(home: Path) -> dict[str, bytes]:
    """Every file of a home by its name, and every text in its journals."""
    found = {str(path): path.read_bytes() for path in home.rglob("*") if path.is_file()}
    for session in (home / "sessions").iterdir():
        with Reader(session) as reader:
            found |= {f"event {event.seq}": repr(event).encode() for event in reader.events()}
            found |= {f"output {name}": reader.blob(name) or b"" for name, _ in reader.blobs()}
    return found


def members(path: Path) -> dict[str, bytes]:
    """What is packed in an exported session."""
    with zipfile.ZipFile(path) as archive:
        return {f"{path.name}/{name}": archive.read(name) for name in archive.namelist()}


def holding(needles: Iterable[bytes], found: Mapping[str, bytes]) -> list[str]:
    """The names of what holds one of the needles."""
    needles = list(needles)
    return sorted(name for name, data in found.items() if any(needle in data for needle in needles))
