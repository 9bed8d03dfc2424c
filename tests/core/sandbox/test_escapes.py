"""Every known way out is tried against each sandbox, as root and as nobody, and without any to see that it works."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import sandbox_named
from escapes import ESCAPES, PYTHON, Escape, Outside, outside

from core.sandbox.access import Surroundings
from core.sandbox.sandbox import Confinement, Sandbox

NOBODY = 65534
AS_ROOT = os.geteuid() == 0
USERS = ["root", "nobody"] if AS_ROOT else ["user"]
BEYOND = {"bubblewrap": set(), "landlock": {"a file outside is made executable"}}
"""What a backend does not cover, and the README says so: Landlock knows no rule for a file's mode, owner and times."""
NONE = Sandbox("none", "this is the control")


@pytest.fixture(params=USERS)
def uid(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Who tries; the words of a sandbox are made as that user would make them."""
    user = NOBODY if request.param == "nobody" else os.getuid()
    if user != os.getuid():
        monkeypatch.setattr(os, "geteuid", lambda: user)
        monkeypatch.setattr(sys, "executable", PYTHON)
    return user


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that any user can get to."""
    with tempfile.TemporaryDirectory(prefix="longwatch-escape-", dir="/var/tmp") as name:
        yield Path(name).resolve()


def succeeded(escape: Escape, out: Outside, sandbox: Sandbox, user: int) -> bool:
    """Run one in the workspace and tell whether it got out, by what is outside rather than by its word."""
    around = Surroundings(
        out.workspace, out.session / "tmp", out.place / "home", out.place / "user/.config/longwatch/c"
    )
    confinement = Confinement(sandbox, around)
    cell = confinement.cell(out.workspace, out.environment)
    if sandbox.confines:
        os.chown(out.session / "tmp", user, user)
    ids = {} if user == os.getuid() else {"user": user, "group": user, "extra_groups": []}
    answer = subprocess.run(
        [*cell.words, "bash", "-c", escape.command],
        cwd=out.workspace,
        env=confinement.environment(out.environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        timeout=60,
        **ids,  # type: ignore[call-overload]
    )
    cell.close()
    return escape.witness(out) if escape.witness else answer.returncode == 0


def tried(place: Path, sandbox: Sandbox, user: int) -> set[str]:
    """The escapes that got out."""
    found = set()
    for number, (name, escape) in enumerate(ESCAPES.items()):
        with outside(_fresh(place / str(number)), user) as out:
            if succeeded(escape, out, sandbox, user):
                found.add(name)
    return found


def _fresh(folder: Path) -> Path:
    folder.mkdir()
    return folder


@pytest.mark.parametrize("backend", ["bubblewrap", "landlock"])
def test_no_escape_gets_out_but_what_is_known_to(backend: str, uid: int, place: Path) -> None:
    place.chmod(0o755)
    assert tried(place, sandbox_named(backend), uid) == BEYOND[backend]


def test_without_a_sandbox_every_escape_gets_out(uid: int, place: Path) -> None:
    place.chmod(0o755)
    possible = {name for name, escape in ESCAPES.items() if uid == 0 or not escape.root}
    assert possible - tried(place, NONE, uid) == set()
    assert len(ESCAPES) >= 20
