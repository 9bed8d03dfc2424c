"""Each sandbox that works on this machine, with a workspace in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cage import Cage, sandbox_named


@pytest.fixture(params=["bubblewrap", "landlock"])
def cage(request: pytest.FixtureRequest, tmp_path: Path) -> Cage:
    """A workspace whose commands are confined, by each backend in turn."""
    return Cage(tmp_path, sandbox_named(request.param), {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "user")})
