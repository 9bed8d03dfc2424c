"""What a check came to: one sentence, and one on what to do."""

from __future__ import annotations

from typing import Literal

import msgspec

Level = Literal["ok", "note", "warning", "problem"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one check. `mendable`: `doctor --repair` can do something about it.

    `ok` and `note` ask for nothing, `warning` may matter later, `problem` is broken or unsafe now.
    """

    check: str
    level: Level
    says: str
    remedy: str = ""
    mendable: bool = False


def fine(check: str, says: str) -> Finding:
    """Nothing to do."""
    return Finding(check=check, level="ok", says=says)


def note(check: str, says: str, remedy: str = "") -> Finding:
    """Worth knowing."""
    return Finding(check=check, level="note", says=says, remedy=remedy)


def warning(check: str, says: str, remedy: str) -> Finding:
    """May matter later."""
    return Finding(check=check, level="warning", says=says, remedy=remedy)


def problem(check: str, says: str, remedy: str, *, mendable: bool = False) -> Finding:
    """Broken or unsafe now."""
    return Finding(check=check, level="problem", says=says, remedy=remedy, mendable=mendable)


def is_broken(findings: list[Finding]) -> bool:
    """Whether any of them is a problem."""
    return any(finding.level == "problem" for finding in findings)
