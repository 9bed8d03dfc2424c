"""A sandbox is claimed where attempts to break out of it fail, not where the kernel has a thing of that name."""

from __future__ import annotations

import pytest
from cage import sandbox_named

from core.sandbox import landlock, landlock_child
from core.sandbox.probe import try_to_escape
from core.tools.child import text_of


def test_a_landlock_under_which_files_outside_can_be_cut_is_not_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As before Linux 6.2, whose Landlock knew no rule for it."""
    sandbox, script = sandbox_named("landlock"), text_of(landlock_child)
    monkeypatch.setattr(landlock, "_SCRIPT", script.replace("version = abi()", "version = min(2, abi())"))
    assert try_to_escape(sandbox) == "a file outside can be cut"
