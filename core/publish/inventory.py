"""What an export would take along, counted before anything leaves."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from core.journal.cargo import Cargo
from core.journal.margin import Margin
from core.journal.reader import Reader
from core.publish.redaction import found_in
from core.publish.words import moment

_CHUNK: Final = 500
_MARK: Final = re.compile(r"\[redacted: ([^\]]{1,80})\]")
_NAMED: Final = 8


class Inventory:
    """`secrets`: marks that redaction left or would leave, by kind; `traces`: what tells where and who."""

    def __init__(self) -> None:
        self.events: Counter[str] = Counter()
        self.bytes = self.outputs = self.output_bytes = 0
        self.secrets: Counter[str] = Counter()
        self.traces: dict[str, Counter[str]] = {}
        self.first_us = self.last_us = 0
        self.workspace = self.model = ""
        self.states = self.contents = self.content_bytes = self.unclean = 0
        self.files = False
        self.notes = 0

    def lines(self) -> list[str]:
        """For people."""
        total = sum(self.events.values())
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in self.events.most_common(_NAMED))
        when = f"{moment(self.first_us)} to {moment(self.last_us)} UTC" if self.first_us else "times unknown"
        lines = [
            f"{total:,} events, {self.bytes:,} bytes: {kinds}" + (", …" if len(self.events) > _NAMED else ""),
            f"{self.outputs:,} whole outputs and fixed parts of requests, {self.output_bytes:,} bytes",
            f"from {when}; workspace {self.workspace or 'unknown'}; model {self.model or 'unknown'}",
            "your words, the agent's, every argument and every output; no key",
            self._files_line(),
            f"notes in the margin: {self.notes:,}, of which only md and html take along any; --no-notes leaves them out"
            if self.notes
            else "no notes in the margin",
        ]
        found = ", ".join(f"{count:,} × {kind}" for kind, count in self.secrets.most_common(_NAMED))
        lines.append(f"secrets taken out: {found or 'none was found'}")
        for kind, names in sorted(self.traces.items()):
            shown = ", ".join(name for name, _ in names.most_common(_NAMED))
            more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
            lines.append(
                f"{len(names):,} {kind}{'' if len(names) == 1 else 's' if kind[-1] != 's' else 'es'}: {shown}{more}"
            )
        return lines

    def _files_line(self) -> str:
        size = f"{self.states:,} states of {self.contents:,} contents, {self.content_bytes:,} bytes before packing"
        if not self.states:
            return "no snapshots of files: there are none"
        if not self.files:
            return f"no snapshots of files; --files takes them along: {size}"
        return f"snapshots of files: {size}; secrets taken out of {self.unclean:,} contents"


def take_stock(
    folder: Path, redact: Callable[[Any], Any], *, files: bool = False, margin: Margin | None = None
) -> Inventory:
    """Read a session as it would leave after `redact`, with the notes that go along. Blocks; raises JournalError."""
    found = Inventory()
    for _, note in margin.standing() if margin is not None else ():
        found.notes += 1
        _look(found, redact(note.text))
    with Reader(folder) as reader:
        _count_files(found, Cargo(folder, reader, redact if files else lambda value: value), files)
        after = 0
        while rows := reader.raw(after, _CHUNK):
            for row in rows:
                body = redact(msgspec.json.decode(row.body))
                _count(found, row.kind, row.at_us, body)
            after = rows[-1].seq
        for name, size in reader.blobs():
            found.outputs += 1
            found.output_bytes += size
            data = reader.blob(name) or b""
            _look(found, redact(data.decode("utf-8", "surrogateescape")))
    return found


def _count_files(found: Inventory, cargo: Cargo, files: bool) -> None:
    cargo.load(lambda name, data: None)
    about, found.files = cargo.about(), files
    found.states, found.contents = about["states"], about["contents"]
    found.content_bytes, found.unclean = about["bytes"], about["redacted"]


def _count(found: Inventory, kind: str, at_us: int, body: Any) -> None:
    found.events[kind] += 1
    found.first_us, found.last_us = found.first_us or at_us, max(found.last_us, at_us)
    if kind == "session.opened" and isinstance(body, dict):
        found.workspace, found.model = str(body.get("workspace", "")), str(body.get("model", ""))
    text = msgspec.json.encode(body).decode()
    found.bytes += len(text)
    _look(found, text)


def _look(found: Inventory, text: str) -> None:
    found.secrets.update(mark[1] for mark in _MARK.finditer(text))
    for kind, what in found_in(text):
        found.traces.setdefault(kind, Counter())[what] += 1
