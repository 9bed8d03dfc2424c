"""Where programs are found that we start ourselves: on PATH, but never where a command may have put them.

A workspace often has a folder on PATH (`.venv/bin`, `node_modules/.bin`). What lies there is right for commands in
their sandbox; a `git` or `mv` that one of them left there must not be what we run outside of it.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_LOADING: Final = re.compile(r"LD_\w+|DYLD_\w+|GCONV_PATH")
"""Variables that name what is loaded into a program; an empty entry in one is the folder that the program runs in."""


def find_program(name: str, *within: Path) -> str | None:
    """The program of that name that does not lie `within` what commands may write, or None."""
    return shutil.which(name, path=_outside(os.environ.get("PATH") or os.defpath, within))


def set_apart(environment: Mapping[str, str], *within: Path) -> tuple[dict[str, str], dict[str, str]]:
    """What of an environment is safe outside of a sandbox, and what has to be put back for who runs inside of it."""
    path = environment.get("PATH") or os.defpath
    safe = _outside(path, within)
    inside = {name: value for name, value in environment.items() if _LOADING.fullmatch(name)}
    inside |= {} if safe == path else {"PATH": path}
    return {name: value for name, value in environment.items() if name not in inside} | {"PATH": safe}, inside


def _outside(path: str, within: tuple[Path, ...]) -> str:
    """The folders of a PATH but those within these; relative ones may be anywhere."""
    closed = [os.path.realpath(place) for place in within]
    return os.pathsep.join(entry for entry in path.split(os.pathsep) if _is_outside(entry, closed))


def _is_outside(entry: str, closed: list[str]) -> bool:
    if not os.path.isabs(entry):  # noqa: PTH117 - PATH is a list of words
        return False
    ways = (os.path.normpath(entry), os.path.realpath(entry))
    return not any(Path(way).is_relative_to(place) for way in ways for place in closed)
