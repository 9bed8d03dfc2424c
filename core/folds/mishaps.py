"""What went wrong beside the agent's own work, as of any event, and what its user has done since."""

from __future__ import annotations

from typing import NamedTuple

from core.events import (
    CommandAccepted,
    Event,
    MachineSlept,
    ModelConsulted,
    ScreenCame,
    ScreenLost,
    WorkspaceChanged,
)
from core.folds.fold import Handler, Ordinals, Series

DIGEST = "digest"
"""How the attempts of requests for a paragraph are named."""


class Mishap(NamedTuple):
    """Event `seq` at `at_us`; `what` in a few words. Without a seq there was none."""

    seq: int = 0
    at_us: int = 0
    what: str = ""


class Slept(NamedTuple):
    """The machine slept for so many microseconds until event `seq` at `at_us`."""

    seq: int = 0
    at_us: int = 0
    us: int = 0


class Unseen(NamedTuple):
    """The screen of `who` was lost at event `lost`, `lost_us`; event `seq` at `at_us`: `by` is the first to look again.

    While nobody has come, or where others looked all the time, `by` is empty and the times are the same.
    """

    lost: int = 0
    lost_us: int = 0
    who: str = ""
    seq: int = 0
    at_us: int = 0
    by: str = ""


class Mishaps:
    """The last one of each sort, and every control that was given. A paragraph that is taken ends a refused one."""

    def __init__(self) -> None:
        self.sleep: Series[Slept] = Series(Slept())
        self.unseen: Series[Unseen] = Series(Unseen())
        self.digest: Series[Mishap] = Series(Mishap())
        self.handwork: Series[tuple[Mishap, tuple[str, ...]]] = Series((Mishap(), ()))
        self._given: dict[str, Ordinals] = {}

    def handlers(self) -> dict[str, Handler]:
        return {
            "model.consulted": self._consulted,
            "workspace.changed": self._changed,
            "command.accepted": self._accepted,
            "machine.slept": self._slept,
            "screen.lost": self._lost,
            "screen.came": self._came,
        }

    def given(self, verb: str, after: int, at: int | None = None) -> bool:
        """Whether the user gave this control after one event and until another."""
        given = self._given.get(verb)
        return given is not None and given.at(at) > given.at(after)

    def _slept(self, event: Event) -> None:
        if isinstance(event.body, MachineSlept):
            self.sleep.append(event.seq, Slept(event.seq, event.at_us, event.body.us))

    def _lost(self, event: Event) -> None:
        if isinstance(event.body, ScreenLost):
            lost = Unseen(event.seq, event.at_us, event.body.who, event.seq, event.at_us)
            self.unseen.append(event.seq, lost)

    def _came(self, event: Event) -> None:
        if isinstance(event.body, ScreenCame):
            came = self.unseen.last._replace(seq=event.seq, at_us=event.at_us, by=event.body.who)
            self.unseen.append(event.seq, came)

    def _consulted(self, event: Event) -> None:
        body = event.body
        if not isinstance(body, ModelConsulted) or not (event.key or "").startswith(DIGEST):
            return
        if not body.used:
            self.digest.append(event.seq, Mishap(event.seq, event.at_us, body.detail))
        elif self.digest.last.seq:
            self.digest.append(event.seq, Mishap())

    def _accepted(self, event: Event) -> None:
        if isinstance(event.body, CommandAccepted):
            self._given.setdefault(event.body.verb, Ordinals()).add(event.seq)

    def _changed(self, event: Event) -> None:
        if isinstance(event.body, WorkspaceChanged) and event.body.files:
            paths = tuple(file.path for file in event.body.files)
            self.handwork.append(event.seq, (Mishap(event.seq, event.at_us, paths[0]), paths))
