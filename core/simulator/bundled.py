"""The sample project that comes with the package, for the demo and for tests."""

from __future__ import annotations

import shutil
from pathlib import Path

SAMPLE = Path(__file__).with_name("sample")


def copy_sample(target: Path) -> None:
    """Copy the sample project to `target`, which is made if it is missing. Raises OSError when it can't be written."""
    shutil.copytree(SAMPLE, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"), dirs_exist_ok=True)
