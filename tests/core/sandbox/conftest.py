"""Each sandbox that works on this machine, with a workspace in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cage import Cage

from core.sandbox.probe import candidates, try_to_escape
from core.sandbox.sandbox import Sandbox

_TROUBLE: dict[str, str] = {}


def sandbox_named(backend: str) -> Sandbox:
    """The sandbox of that kind; the test is skipped with the reason where it does not work."""
    found = next((it for it in candidates() if it.backend == backend), Sandbox("none", "only Linux is supported"))
    if backend not in _TROUBLE:
        _TROUBLE[backend] = found.why or try_to_escape(found)
    if _TROUBLE[backend]:
        pytest.skip(f"no {backend} here: {_TROUBLE[backend]}")
    return found


@pytest.fixture(params=["bubblewrap", "landlock"])
def cage(request: pytest.FixtureRequest, tmp_path: Path) -> Cage:
    """A workspace whose commands are confined, by each backend in turn."""
    return Cage(tmp_path, sandbox_named(request.param), {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "user")})
