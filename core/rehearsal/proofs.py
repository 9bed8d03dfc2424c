"""The proofs of planted flaws, run against a workspace: which are mended, which are still there.

They run in an interpreter of their own, one file a proof, so that a module that can't be imported fails its own alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from core.rehearsal.town import Planted

SECONDS = 300
_RUN = """
import importlib, io, json, sys, unittest
sys.path[:0] = sys.argv[1:3]
passed = {}
for name in sys.argv[3:]:
    try:
        suite = unittest.defaultTestLoader.loadTestsFromModule(importlib.import_module(name))
        result = unittest.TextTestRunner(stream=io.StringIO()).run(suite)
        passed[name] = result.wasSuccessful() and result.testsRun > 0
    except Exception:
        passed[name] = False
print(json.dumps(passed))
"""
_SUITE = """
import sys, unittest
sys.path.insert(0, sys.argv[1])
unittest.main(None, argv=["", "discover", "-s", sys.argv[1] + "/tests", "-t", sys.argv[1], "-q"])
"""


def proven(flaws: Iterable[Planted], workspace: Path) -> Mapping[str, bool]:
    """By id, whether a flaw is mended: its proof passes. Blocks. Raises OSError, TimeoutExpired, CalledProcessError."""
    names = {f"proof_{flaw.id.replace('-', '_')}": flaw for flaw in flaws}
    with tempfile.TemporaryDirectory(prefix="proofs-") as folder:
        for name, flaw in names.items():
            Path(folder, f"{name}.py").write_text(flaw.proof, encoding="utf-8")
        done = _interpreted(_RUN, folder, str(workspace), *names)
    done.check_returncode()
    passed = json.loads(done.stdout.splitlines()[-1])
    return {flaw.id: bool(passed[name]) for name, flaw in names.items()}


def suite_passes(workspace: Path) -> bool:
    """Whether the town's own tests pass. Blocks."""
    return _interpreted(_SUITE, str(workspace)).returncode == 0


def _interpreted(code: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run code in an interpreter that looks at nothing of ours."""
    command = [sys.executable, "-I", "-B", "-c", code, *words]
    return subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=SECONDS, check=False)
