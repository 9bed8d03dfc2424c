"""What a screen is told of a session on another machine where it would look into the folder of one of this machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.boxes.line import Line
from core.boxes.remote import BoxAttendance, BoxClock, BoxControls, BoxPulses
from core.clock import Clock
from core.version import app_version
from tui.parting import ENDED


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """By the line to the machine."""

    line: Line
    controls: BoxControls
    clock: Clock

    @classmethod
    def by(cls, line: Line) -> Elsewhere:
        """For a line over which there was a Hello."""
        return cls(line, BoxControls(line), BoxClock(line.hello.now_us))

    @property
    def id(self) -> str:
        """The start of its id, by which it is called there."""
        return self.line.hello.session[:10]

    @property
    def short(self) -> str:
        """How it is called here: `build1:01abc`."""
        return f"{self.line.box.name}:{self.id}"

    def abilities(self, mode: str) -> dict[str, Any]:
        """What a screen can do with it beside its controls."""
        if mode == "replay":
            return {"fork": self.controls.fork}
        return {
            "gone": self.gone,
            "attendance": BoxAttendance(self.line.folder, self.line),
            "feel": BoxPulses(self.line).feel,
            "hand_over": self.controls.hand_over,
            "fork": self.controls.fork,
        }

    def gone(self) -> str | None:
        """In words that its runner is gone; None while it lives, and while nobody here can know."""
        if not self.line.unheld:
            return None
        return f"its runner is gone; longwatch resume {self.id} on {self.line.box.name} goes on"

    @property
    def held(self) -> bool:
        """Whether anybody runs it, as far as is known here."""
        return self.line.standing.held

    def way_back(self, state: str) -> str:
        """The last line at the prompt."""
        if state in ENDED or not self.held:
            return f"Look at it: longwatch replay {self.short}   On {self.line.box.name}: longwatch resume {self.id}"
        return f"It goes on there. Come back: longwatch attach {self.short}"

    @property
    def notice(self) -> str:
        """A sentence when the longwatch there is another one; empty when it is the same."""
        there, here = self.line.hello.longwatch, app_version()
        if there == here:
            return ""
        return (
            f"Longwatch {there} is on {self.line.box.name}, this is {here}: what one of them does not know is left out."
        )
