"""What a repair rule is: for one kind of finding, the ways to mend it, best first."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from core.simulator.policies.auditor.source import Rewrite, Source

Lines = Collection[int]
Change = Callable[[Rewrite, Lines], int]


@dataclass(frozen=True, slots=True)
class Option:
    """One way to mend. `change` works on a rewrite and returns how many findings it dealt with.

    `finish`, where given, changes the text of the module once more (to add a definition).
    """

    title: str
    change: Change
    finish: Callable[[str], str] | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """The options for a kind of finding, and why it stays when none of them holds."""

    name: str
    options: tuple[Option, ...]
    stays: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A module after a repair: its text, and how many of the findings were dealt with."""

    text: str
    title: str
    handled: int


def apply(option: Option, text: str, lines: Lines) -> Fix | None:
    """The repaired module, or None when the option does not fit this code."""
    try:
        rewrite = Rewrite(Source(text))
        handled = option.change(rewrite, lines)
        changed = rewrite.text() if handled else text
        changed = option.finish(changed) if handled and option.finish else changed
        Source(changed)
    except (SyntaxError, ValueError):
        return None
    return Fix(changed, option.title, handled) if changed != text else None
