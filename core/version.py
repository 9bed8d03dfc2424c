"""Which version this is, and whether another one runs a session."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from core.journal.lease import holder


@cache
def app_version() -> str:
    """The installed version when this process first asked, which is the one that it runs."""
    try:
        return version("longwatch")
    except PackageNotFoundError:
        return "0"


def version_notice(folder: Path) -> str:
    """A sentence when another version than this one runs the session; empty otherwise, and when it can't be told."""
    runner = holder(folder)
    if runner is None or not runner.version or runner.version == app_version():
        return ""
    short = folder.name[:10]
    return (
        f"Longwatch {runner.version} runs this session, this is {app_version()}. "
        f"`longwatch send {short} hand-over` moves it to this one at a safe point."
    )
