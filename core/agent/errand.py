"""What a delegated session came to, read from its log."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from msgspec.structs import replace

from core.events import (
    Event,
    FileChange,
    ModelRequested,
    ModelResponded,
    SessionContinued,
    SessionFinished,
    ToolFinished,
)
from core.folds.costs import charge_of
from core.journal.reader import Reader


@dataclass(slots=True)
class Errand:
    """`words`: its last ones. `ended` None: it is not over. `files`: what its calls changed in all, each file once."""

    words: str = ""
    ended: SessionFinished | None = None
    replies: int = 0
    calls: int = 0
    usd: Decimal = Decimal(0)
    unpriced: int = 0
    _files: dict[str, FileChange] = field(default_factory=dict)
    _asked: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def files(self) -> list[FileChange]:
        return [change for change in self._files.values() if change.before != change.after]

    def take(self, event: Event) -> None:
        body = event.body
        if isinstance(body, ModelRequested) and event.key:
            self._asked[event.key] = (body.purpose, body.model)
        if isinstance(body, ModelResponded):
            self.replies += 1
            self.words = "\n".join(str(block["text"]) for block in body.content if block.get("type") == "text").strip()
        elif isinstance(body, ToolFinished):
            self.calls += 1
            for change in body.files:
                self._change(change)
        elif isinstance(body, SessionFinished):
            self.ended = body
        elif isinstance(body, SessionContinued):
            self.ended = None
        if (charge := charge_of(event, *self._asked.pop(event.key or "", ("main", "")))) is not None:
            self.usd += Decimal(charge.price.cost or 0)
            self.unpriced += charge.price.cost is None

    def _change(self, new: FileChange) -> None:
        """A file that was changed before is compared with what it was then."""
        old = self._files.get(new.path)
        self._files[new.path] = new if old is None else replace(
            new, before=old.before, added=old.added + new.added, removed=old.removed + new.removed
        )  # fmt: skip


def read_errand(folder: Path) -> Errand:
    """Reads the whole log, which is short. May raise JournalError."""
    errand = Errand()
    with Reader(folder) as reader:
        for event in reader.events():
            errand.take(event)
    return errand
