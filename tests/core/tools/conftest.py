from __future__ import annotations

from pathlib import Path

import pytest
from tool_helpers import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """An empty workspace with tools around it."""
    return Bench(tmp_path)
