"""Which files the agent wrote itself, and how: a runner that takes a session up knows what was seen of them."""

from __future__ import annotations

from core.events import Event, ToolFinished
from core.folds.fold import Handler


class Written:
    """`hashes`: by path, the SHA-256 of what the agent last wrote there, on any branch; deleted files are left out.

    What somebody else made of a file since then has another hash, so it is not taken for seen.
    """

    def __init__(self) -> None:
        self.hashes: dict[str, str] = {}

    def handlers(self) -> dict[str, Handler]:
        return {"tool.finished": self._finished}

    def _finished(self, event: Event) -> None:
        body = event.body
        if not isinstance(body, ToolFinished) or body.name not in ("edit_file", "write_file"):
            return
        for change in body.files:
            if change.after is None:
                self.hashes.pop(change.path, None)
            else:
                self.hashes[change.path] = change.after
