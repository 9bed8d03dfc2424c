"""What a process was started with stays its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from escapes import PYTHON

ROOT = Path(__file__).parents[3]
AGENT = """
import subprocess, sys
sys.path.insert(0, sys.argv[1])
from core.sandbox.shield import close_to_others
if sys.argv[2] == "closed":
    close_to_others()
print(subprocess.run(["/bin/sh", "-c", "cat /proc/$PPID/environ"], capture_output=True).stdout)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="root may read everything, so another user is needed to try it")
@pytest.mark.parametrize("state", ["closed", "open"])
def test_a_command_of_the_same_user_reads_the_agents_environment_only_without_the_shield(state: str) -> None:
    said = subprocess.run(
        [PYTHON, "-S", "-B", "-c", AGENT, str(ROOT), state],
        env={"PATH": os.environ["PATH"], "MY_KEY": "canary"},
        capture_output=True,
        text=True,
        check=True,
        user=65534,
        group=65534,
        extra_groups=[],
    ).stdout
    assert ("canary" in said) is (state == "open")
