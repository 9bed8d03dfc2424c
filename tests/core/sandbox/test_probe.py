"""A sandbox is claimed where attempts to break out of it fail, not where the kernel has a thing of that name."""

from __future__ import annotations

from pathlib import Path

import pytest
from cage import sandbox_named

from core.sandbox import landlock_child
from core.sandbox.probe import try_to_escape


def test_a_landlock_under_which_files_outside_can_be_cut_is_not_claimed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As before Linux 6.2, whose Landlock knew no rule for it."""
    sandbox, older = sandbox_named("landlock"), tmp_path / "older.py"
    child = Path(landlock_child.__file__)
    older.write_text(child.read_text().replace("version = abi()", "version = min(2, abi())"))
    monkeypatch.setattr(landlock_child, "__file__", str(older))
    assert try_to_escape(sandbox) == "a file outside can be cut"
