"""Trying the ways out of a sandbox as one user or another, by what is outside afterwards rather than by their word."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from unittest.mock import patch

from escapes import PYTHON, Escape, Outside, outside

from core.sandbox.access import Surroundings
from core.sandbox.sandbox import Confinement, Sandbox

NOBODY: Final = 65534
USERS: Final = {"root": 0, "nobody": NOBODY} if os.geteuid() == 0 else {"user": os.getuid()}
BEYOND: Final = {"bubblewrap": set(), "landlock": {"a file outside is made executable"}}
"""What a backend does not cover, and the README says so: Landlock knows no rule for a file's mode, owner and times."""
NONE: Final = Sandbox("none", "this is the control")


@contextmanager
def acting_as(user: int) -> Iterator[None]:
    """The words of a sandbox are made as that user would make them."""
    if user == os.getuid():
        yield
        return
    with patch.object(os, "geteuid", lambda: user), patch.object(sys, "executable", PYTHON):
        yield


@contextmanager
def reachable_place() -> Iterator[Path]:
    """A folder that any user can get to."""
    with tempfile.TemporaryDirectory(prefix="longwatch-escape-", dir="/var/tmp") as name:
        place = Path(name).resolve()
        place.chmod(0o755)
        yield place


def gets_out(escape: Escape, place: Path, sandbox: Sandbox, user: int) -> bool:
    """Try one in a workspace that is made in `place`, which must not exist yet."""
    place.mkdir()
    with outside(place, user) as out:
        return _succeeded(escape, out, sandbox, user)


def _succeeded(escape: Escape, out: Outside, sandbox: Sandbox, user: int) -> bool:
    config = out.place / "user/.config/longwatch/c"
    confinement = Confinement(sandbox, Surroundings(out.workspace, out.session / "tmp", out.place / "home", config))
    cell = confinement.cell(out.workspace, out.environment)
    if sandbox.confines:
        os.chown(out.session / "tmp", user, user)
    ids = {} if user == os.getuid() else {"user": user, "group": user, "extra_groups": []}
    environment, given = confinement.environment(out.environment)
    answer = subprocess.run(
        [*cell.words, *given, "bash", "-c", escape.command],
        cwd=out.workspace,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        timeout=60,
        **ids,  # type: ignore[call-overload]
    )
    cell.close(out.session)
    return escape.witness(out) if escape.witness else answer.returncode == 0
