"""A command limited by the kernel's Landlock, where there is no bubblewrap: the words to put before it.

Landlock only allows, folder by folder with all that is in it. So what is hidden or private is left out by allowing its
neighbours one by one, and a file in a writable folder can't be kept from being written: `core.sandbox.guard` puts such
ones back afterwards.
"""

from __future__ import annotations

import binascii
import json
import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from core.sandbox import landlock_child
from core.sandbox.access import EMPTY, PRIVATE_TEMPORARY, Access
from core.tools.child import python, text_of

_SCRIPT: Final = text_of(landlock_child)
_LONGEST_WORD: Final = 100_000
"""Characters of a word of a command; the kernel takes a few more."""
_DEVICES: Final = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_UNSEEN: Final = (*PRIVATE_TEMPORARY, EMPTY, Path("/dev"))
_RESOLVERS: Final = (Path("/run/systemd/resolve"), Path("/run/NetworkManager"), Path("/run/resolvconf"))


def landlock(access: Access) -> list[str]:
    """The words to put before a command."""
    closed = frozenset((*access.hidden, *_UNSEEN))
    read = [*_open_parts(Path("/"), closed), *(_RESOLVERS if access.network else ())]
    read += [part for path in access.readable for part in _open_parts(path, _inside(path, access.hidden))]
    write = [part for path in access.writable for part in _open_parts(path, frozenset(access.hidden))]
    spec = {
        "read": [str(path) for path in read],
        "write": [*map(str, write), str(access.temporary), *_DEVICES],
        "network": access.network,
    }
    return [*python(_SCRIPT), *_packed(spec)]


def _packed(spec: dict[str, object]) -> list[str]:
    """How many words follow, and they: a folder with thousands of neighbours to allow makes a long list."""
    text = binascii.b2a_base64(zlib.compress(json.dumps(spec).encode()), newline=False).decode()
    words = [text[start : start + _LONGEST_WORD] for start in range(0, len(text), _LONGEST_WORD)]
    return [str(len(words)), *words]


def _inside(folder: Path, paths: Iterable[Path]) -> frozenset[Path]:
    return frozenset(path for path in paths if path != folder and path.is_relative_to(folder))


def _open_parts(folder: Path, closed: frozenset[Path]) -> Iterator[Path]:
    """The largest folders and files at and below `folder` that hold nothing of what is closed.

    Links are passed over: what they lead to is allowed, or not, by its own name.
    """
    if folder in closed or folder.is_symlink():
        return
    if not any(path.is_relative_to(folder) for path in closed):
        yield folder
        return
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if not entry.is_symlink():
            yield from _open_parts(Path(entry.path), closed)
