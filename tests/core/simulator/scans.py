"""Commands that only look at files, each really run once on the same files: scans and tests say the same again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

Files = frozenset[tuple[str, bytes]]
_PLACE = "<the place>"
_ANSWERS: dict[tuple[str, Files], tuple[int, str]] = {}


def answer(command: str, root: Path, timeout: float = 120) -> tuple[int, str]:
    """Exit code and output of a shell command in `root`."""
    found = files(root)
    if (command, found) not in _ANSWERS:
        done = _run(command, root, timeout)
        assert files(root) == found, f"{command} changes files, so it can't be answered from memory"
        _ANSWERS[command, found] = done.returncode, done.stdout.replace(str(root), _PLACE)
    code, text = _ANSWERS[command, found]
    return code, text.replace(_PLACE, str(root))


def files(root: Path) -> Files:
    """Names and contents of what is there, but for what Python keeps of it."""
    found = [path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return frozenset((path.relative_to(root).as_posix(), path.read_bytes()) for path in found)


def _run(command: str, root: Path, timeout: float) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        command,
        shell=True,
        cwd=root,
        env=os.environ | {"PATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )
