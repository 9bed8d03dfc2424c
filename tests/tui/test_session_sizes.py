"""What sessions take on the disk: measured when one is looked at, and not with every event of it."""

from pathlib import Path

from core.clock import VirtualClock
from core.journal.catalogue import Trace
from core.overview import Overview
from tui.session_rows import MEASURE_EVERY_S, SessionRow, Sizes


def row(grown: int, box: str = "") -> SessionRow:
    missing = Overview.missing("01a", Path("/home/sessions/01a"))
    trace = Trace(grown, 0, 0, 0)
    return SessionRow(Overview(missing.summary, missing.figures, trace), size=7 if box else 0, box=box)


def test_a_session_is_measured_once_and_again_when_it_has_grown_for_a_while():
    clock, measured = VirtualClock(0), []
    sizes = Sizes(clock, lambda folder: measured.append(folder.name) or 100 * len(measured))
    assert sizes.of(row(1)) == 0 and sizes.due(row(1))
    sizes.measure(row(1))
    assert sizes.of(row(1)) == 100 and not sizes.due(row(1)) and not sizes.due(row(2))
    clock.advance(MEASURE_EVERY_S)
    assert not sizes.due(row(1)) and sizes.due(row(2)) and sizes.of(row(2)) == 100
    sizes.measure(row(2))
    assert sizes.of(row(2)) == 200 and not sizes.due(row(2)) and measured == ["01a", "01a"]


def test_of_a_session_elsewhere_is_shown_what_that_machine_told():
    sizes = Sizes(VirtualClock(0))
    assert sizes.of(row(1, "one")) == 7 and not sizes.due(row(1, "one"))
