"""A session of the catalogue as a row of the list, and its report: what the list shows of folders, in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core.clock import MICROSECONDS
from core.folds.report import report
from core.folds.totals import Totals
from core.journal.catalogue import Summary
from core.journal.errors import JournalError
from core.journal.lease import holder
from core.session import read_totals
from tui.panes import figures
from tui.report_text import as_text
from tui.screens.sessions import SessionRow


def session_row(summary: Summary, totals_of: Callable[[Path], Totals], now_us: int) -> SessionRow:
    """The row of one session; one that can't be read is `damaged`, and its task says why."""
    changed = figures.ago(now_us - summary.changed_ns // 1000)
    if summary.state == "damaged":
        return SessionRow(summary.id, summary.id[:10], "damaged", summary.detail, changed=changed)
    try:
        fields = report(totals_of(summary.folder), running=summary.state == "running")
    except JournalError as error:
        return SessionRow(summary.id, summary.name, "damaged", str(error), changed=changed)
    return SessionRow(
        id=summary.id,
        name=summary.name,
        state=summary.state,
        task=summary.task,
        calls=fields["tool_calls"],
        cost=f"{figures.usd(str(fields['cost_usd_known_part']))}{'+?' if fields['unpriced_replies'] else ''}",
        duration=figures.elapsed(int(fields["duration_s"] * MICROSECONDS)),
        changed=changed,
    )


def report_text(folder: Path) -> str:
    """The report of a session as aligned lines; blocks. Raises JournalError."""
    return as_text(report(read_totals(folder), running=holder(folder) is not None))
