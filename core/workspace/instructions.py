"""Instruction files that a workspace brings along, as agents are used to find them: AGENTS.md, CLAUDE.md.

They are read once, when a session is made, and stay in its log: what the model was told does not change with the file.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path

from core.hidden import without_hidden

BYTES_PER_TOKEN = 4


def instruction_files(
    workspace: Path, names: Iterable[str], most_tokens: int, redact: Callable[[str], str]
) -> list[dict[str, str]]:
    """`path` and `text` of each that is there, about so many tokens in all; a text that is cut says so at its end.

    Like all that is read of a workspace, they go through `redact`.

    Only regular files inside of the workspace, whatever links say; of two with the same text the first.
    """
    found: list[dict[str, str]] = []
    room = most_tokens * BYTES_PER_TOKEN
    for name in names:
        text = redact(_read(workspace, name, room))
        if text.strip() and text not in [it["text"] for it in found]:
            found.append({"path": name, "text": text})
            room -= len(text)
        if room <= 0:
            break
    return found


def _read(workspace: Path, name: str, room: int) -> str:
    try:
        place, file = os.path.realpath(workspace), os.path.realpath(workspace / name)
        if os.path.commonpath([place, file]) != place:
            return ""
        opened = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except (OSError, ValueError):
        return ""
    with os.fdopen(opened, "rb") as source:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            return ""
        raw = source.read(room + 1)
    text = without_hidden(raw[:room].decode("utf-8", "replace")).strip()
    return text if len(raw) <= room else f"{text}\n[… cut here; read_file shows the rest of {name} …]"
