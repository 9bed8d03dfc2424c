"""Whether the terminal stands at the end of a slow line, and how sparing the screen is then.

Inside an SSH connection the answers of the terminal (see `tui.sightings`) say how far it is: the way there and back,
and all that waits to be sent before the question. What is called slow here is felt by whoever types.
"""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Mapping
from typing import Literal, Protocol, runtime_checkable

Thrift = Literal["auto", "always", "never"]

FAST, FAR, THRIFTY = 10.0, 4.0, 1.0
"""Frames a second: on a local terminal, over SSH, and over a slow line."""
SLOW_S, QUICK_S = 0.25, 0.12
"""Seconds from a question to its answer, as a median, from which on a line is slow; under which it no longer is."""
ANSWERS = 3
"""So many are looked at: a single one may have waited for a busy machine."""
UNHURRIED_S, ASIDE_S = 60.0, 180.0
"""Seconds after which the gauges are drawn again over a slow line; panes that are not in front."""
SECONDS_A_TICK = 5
"""Seconds after which running clocks move over a slow line."""


def is_far(environ: Mapping[str, str]) -> bool:
    """Whether this process runs in an SSH connection."""
    return bool(environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"))


class LineSpeed:
    """Told how long the terminal took to answer, it says whether to be thrifty, unless that is set."""

    def __init__(self, *, far: bool, thrift: Thrift = "auto") -> None:
        self.far, self.thrift = far, thrift
        self._answers: deque[float] = deque(maxlen=ANSWERS)
        self._slow = False

    def answered(self, seconds: float) -> None:
        """The terminal answered a question after so long."""
        self._answers.append(seconds)
        if len(self._answers) == ANSWERS:
            self._slow = self.delay_s > (QUICK_S if self._slow else SLOW_S)

    @property
    def delay_s(self) -> float:
        """Seconds from a question to its answer, the median of the latest; 0 before there is one."""
        return statistics.median(self._answers) if self._answers else 0.0

    @property
    def thrifty(self) -> bool:
        return self.thrift == "always" or (self.thrift == "auto" and self.far and self._slow)

    @property
    def frames_per_second(self) -> float:
        return THRIFTY if self.thrifty else FAR if self.far else FAST


@runtime_checkable
class LinedApp(Protocol):
    """An app that knows the line to its terminal, how many bytes it took, and can ask at its other end."""

    line: LineSpeed

    @property
    def bytes_sent(self) -> int: ...

    def sight(self) -> int: ...
