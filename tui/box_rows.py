"""The sessions of other machines as rows of the list: what each box last said, and since when it says nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.boxes.roll import Answer, Row, ask
from core.boxes.ssh import Box
from core.clock import MICROSECONDS, Clock
from core.journal.catalogue import Summary, Trace
from core.overview import Figures, Overview
from tui.panes import figures
from tui.safe import one_line
from tui.session_rows import SessionRow

EVERY_S = 30.0
"""Seconds between two questions to a box that answers, and (three times as long) to one that does not."""
ASKING = frozenset({"approval", "question"})
NOWHERE = Trace(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Known:
    """What a box said last; `problem` why it says nothing now, `at_us` when it last did (0: never)."""

    rows: tuple[SessionRow, ...] = ()
    problem: str = ""
    at_us: int = 0


class Boxes:
    """The boxes that a list shows, asked for again and again; a box is asked by whoever shows the list."""

    def __init__(self, boxes: Sequence[Box], clock: Clock) -> None:
        self.boxes = tuple(boxes)
        self._clock = clock
        self._known: dict[str, Known] = {}

    @property
    def rows(self) -> list[SessionRow]:
        """The sessions of every box that ever answered, as of its last answer."""
        return [row for known in self._known.values() for row in known.rows]

    @property
    def asked(self) -> int:
        """How many boxes have not answered yet in any way."""
        return sum(box.name not in self._known for box in self.boxes)

    async def look(self, box: Box) -> float:
        """Ask one box for its sessions; the seconds after which to ask again."""
        answer, before = await ask(box), self._known.get(box.name, Known())
        if answer.problem:
            self._known[box.name] = Known(before.rows, answer.problem, before.at_us)
            return 3 * EVERY_S
        self._known[box.name] = Known(_rows(answer), "", self._clock.now_us())
        return EVERY_S

    def trouble(self, box: Box) -> str:
        """Why a box says nothing, on one line; empty while it answers."""
        known = self._known.get(box.name, Known())
        if not known.problem:
            return ""
        age = figures.ago(self._clock.now_us() - known.at_us).replace("now", "a moment")
        seen = f" Its sessions are shown as of {age} ago." if known.rows else ""
        return one_line(f"{box.name}: {known.problem}{seen}")


def _rows(answer: Answer) -> tuple[SessionRow, ...]:
    pairs = zip(answer.rows, answer.said, strict=True)
    return tuple(SessionRow(_overview(row), size=row.bytes, box=answer.box.name, said=said) for row, said in pairs)


def _overview(row: Row) -> Overview:
    """As a session here is known; what only its own folder would tell is left out."""
    waiting = row.state == "waiting"
    state, asking = "running" if waiting else row.state, waiting and row.reason in ASKING
    summary = Summary(
        id=one_line(row.session),
        folder=Path(row.session),
        state="interrupted" if row.reason == "crashed" else state,
        changed_ns=0,
        name=row.name,
        task=row.task,
        model=row.model,
        workspace=row.workspace,
        opened_us=row.started_us,
        last_us=row.last_us,
        reason=row.reason,
        detail=row.detail,
        held=state == "running" if row.held is None else row.held,
        parent=row.delegated_by or "",
    )
    numbers = Figures(
        calls=row.tool_calls,
        usd=f"{row.cost_usd_known_part:.6f}",
        unpriced=row.unpriced_replies,
        started_us=row.started_us,
        lasted_us=int(row.duration_s * MICROSECONDS),
        waiting=waiting and not asking,
        asking=asking,
    )
    return Overview(summary, numbers, NOWHERE)
