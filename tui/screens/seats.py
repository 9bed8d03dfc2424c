"""Who drives and who observes, as one of the screens of a session sees it. Pure text, no widgets."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field

from core.events import DriverChanged
from core.journal.viewers import Viewer, driver_of
from tui.panes import figures
from tui.safe import one_line


class Seats(Struct, frozen=True):
    """This screen and the others that look at the same session now; None: this one takes no part."""

    me: Viewer | None = None
    others: Sequence[Viewer] = field(default_factory=tuple)

    def driver(self, last: DriverChanged | None) -> str:
        """Who drives in place of this screen, as `anna on pts/3`; empty when this one may steer."""
        if self.me is None:
            return ""
        driver = driver_of(last.viewer if last else None, [self.me, *self.others])
        return "" if driver is None or driver.id == self.me.id else one_line(driver.who)

    def words(self, last: DriverChanged | None) -> tuple[str, str]:
        """`driving · 2 viewers` and, in short, `driver +1`; empty for a screen that is alone."""
        if self.me is None or not self.others:
            return "", ""
        if self.driver(last):
            return f"observing · {self.count}", "observing"
        return f"driving · {self.count}", f"driver +{len(self.others)}"

    def advice(self, last: DriverChanged | None, key: str) -> str:
        """Who drives in place of this screen, and the key that changes it; empty when this one may steer."""
        driver = self.driver(last)
        return f"{driver} drives, {self.count} · {key} takes the wheel" if driver else ""

    @property
    def count(self) -> str:
        """`2 viewers`, this screen among them."""
        return figures.plural(len(self.others) + 1, "viewer")
