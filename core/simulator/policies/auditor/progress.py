"""Where the auditor stands, as the line that ends each of its texts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from core.simulator.policies.places import read_line


@dataclass(frozen=True, slots=True)
class Progress:
    """`step` is what comes next; `file`, `rule`, `attempt` and `rest` (findings a repair leaves) say what is in work.

    `tries` counts repetitions of the step, `misfits` edits that did not fit the file, `replies` everything said so
    far. `skip`, `focus` and `closing` are what guidance asked for; `scanner` is the command, `compact` says that a
    big project is scanned in short form.
    """

    step: str = "survey"
    file: str = ""
    rule: str = ""
    attempt: int = 1
    rest: int = 0
    tries: int = 0
    misfits: int = 0
    replies: int = 0
    skip: tuple[str, ...] = ()
    focus: tuple[str, ...] = ()
    closing: bool = False
    compact: bool = False
    scanner: str = "bandit"

    def next(self, step: str) -> Progress:
        """On to a step, with nothing in work."""
        return replace(self, step=step, file="", rule="", attempt=1, rest=0, tries=0, misfits=0)

    def again(self) -> Progress:
        """The same step once more."""
        return replace(self, tries=self.tries + 1)


def read_progress(texts: Iterable[str]) -> Progress | None:
    """The last progress line of some texts; None when there is none that can be read."""
    return read_line(texts, Progress)
