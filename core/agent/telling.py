"""How sessions are going, for another program that asks: a list, reports, and what was said."""

from __future__ import annotations

import json
from pathlib import Path

from core.agent.hindsight import hindsight
from core.clock import iso
from core.folds.branches import Branches
from core.folds.conversation import Conversation
from core.folds.fold import Dispatcher
from core.folds.report import report
from core.journal.catalogue import Summary, list_sessions
from core.journal.errors import JournalError
from core.journal.lease import holder
from core.journal.reader import Reader
from core.models.keys import known_secrets
from core.overview import read_totals
from core.tools.mcp.serving import Told
from core.tools.secrets import Redactor

ROOT = "longwatch://sessions"
MOST_ENTRIES = 300
"""Of a transcript the latest so many entries."""
ENTRY_CHARS = 2_000
_CHUNK = 2_000


class Sessions:
    """The sessions of a home folder: all, or (`workspace`) those that work in one place. Reads only, and blocks."""

    def __init__(self, home: Path, workspace: Path | None) -> None:
        self._home = home
        self._workspace = workspace
        self._redact = Redactor(known_secrets())

    def resources(self) -> list[Told]:
        """The list, and for each session a report and a transcript."""
        told = [
            Told(ROOT, "sessions", "All sessions, the latest first: state, reason, task.", "application/json"),
            Told(f"{ROOT}/{{id}}/report", "report", "How a session is going: calls, cost, errors.", "application/json"),
            Told(f"{ROOT}/{{id}}/transcript", "transcript", f"Its latest {MOST_ENTRIES} entries.", "text/plain"),
        ]
        for summary in self._known():
            about = f"{summary.name}: {summary.state}"
            told.append(Told(f"{ROOT}/{summary.id}/report", f"report of {summary.name}", about, "application/json"))
            told.append(Told(f"{ROOT}/{summary.id}/transcript", f"transcript of {summary.name}", about, "text/plain"))
        return told

    def read(self, uri: str) -> tuple[str, str]:
        """Text and media type. Raises LookupError with a sentence where there is no such resource."""
        if uri == ROOT:
            return json.dumps([_row(summary) for summary in self._known()], indent=2), "application/json"
        session, _, what = uri.removeprefix(f"{ROOT}/").partition("/")
        summary = next((it for it in self._known() if it.id == session), None)
        if not uri.startswith(f"{ROOT}/") or summary is None or what not in ("report", "transcript"):
            raise LookupError(f"There is no resource {uri!r}; {ROOT} lists the sessions.")
        try:
            if what == "report":
                return self._redact(self._report(summary)), "application/json"
            return self._redact(_transcript(summary.folder)), "text/plain"
        except JournalError as error:
            raise LookupError(str(error)) from None

    def _known(self) -> list[Summary]:
        place = None if self._workspace is None else str(self._workspace)
        return [it for it in list_sessions(self._home) if place is None or it.workspace == place]

    def _report(self, summary: Summary) -> str:
        told = hindsight(summary.folder)
        fields = report(
            read_totals(summary.folder),
            running=holder(summary.folder) is not None,
            counterfactuals=told.counterfactuals or None,
            guards=told.guards,
            quality=told.quality,
        )
        return json.dumps(fields, indent=2)


def _row(summary: Summary) -> dict[str, object]:
    return {
        "id": summary.id,
        "name": summary.name,
        "state": summary.state,
        "reason": summary.reason,
        "task": summary.task,
        "workspace": summary.workspace,
    }


def _transcript(folder: Path) -> str:
    """The latest entries of the current branch, one after the other, each with when and who."""
    branches, conversation = Branches(), Conversation()
    dispatch = Dispatcher((branches, conversation))
    with Reader(folder) as reader:
        after = 0
        while batch := reader.events(after, _CHUNK):
            for event in batch:
                dispatch.apply(event)
            after = batch[-1].seq
    items = conversation.column.within(branches.spans())
    left = len(items) - MOST_ENTRIES
    lines = [f"({left} earlier entries are left out)"] if left > 0 else []
    for item in items[-MOST_ENTRIES:]:
        text = item.text if len(item.text) <= ENTRY_CHARS else f"{item.text[: ENTRY_CHARS - 1]}…"
        lines.append(f"[{iso(item.at_us)} #{item.seq} {item.speaker} {item.kind}] {text}")
    return "\n".join(lines)
