"""`import`: films of other tools, and exports of our own, into the list of sessions."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click

from core.config import load_config
from core.importers.importing import STANDARD_INPUT, Imported, Importer, Made
from core.importers.rows import ImportProblem
from core.journal.errors import JournalError
from tui.progress import Progress, telling
from tui.safe import one_line
from tui.say import say, say_json

KEPT = 4
"""Kinds of rows that were kept without being understood, named before the rest is summed up."""


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, allow_dash=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="What became of each file, as JSON.")
@click.pass_obj
def import_(home: Path, files: tuple[Path, ...], as_json: bool) -> int:
    """Make sessions of the transcripts of other tools, to replay, search and report on them.

    FILE is a transcript of Claude Code, a rollout of Codex, a trajectory of mini-swe-agent or SWE-agent, events of
    OpenHands (also a folder of them), a log of Inspect (.eval or .json), or an export of Longwatch (`-`: on standard
    input). Which, is found by what it holds.
    """
    importer = Importer(home, os.environ, load_config().prices)
    progress = Progress("import")
    rows, failed = [], 0
    for file in files:
        try:
            imported = importer.read(file, telling(progress, file))
        except (ImportProblem, JournalError) as error:
            progress.clear()
            failed += 1
            rows.append({"file": str(file), "error": str(error)})
            if not as_json:
                say(f"longwatch: {error}", err=True)
            continue
        progress.clear()
        rows.append(_row(imported))
        if not as_json:
            for line in told(imported):
                say(line)
    if as_json:
        say_json(json.dumps(rows, indent=2))
    return 2 if failed else 0


def told(imported: Imported) -> list[str]:
    """What became of a file, for people."""
    tally = imported.tally
    unread = f", {tally.unreadable:,} unreadable" if tally.unreadable else ""
    many = f", {len(imported.sessions):,} sessions" if len(imported.sessions) > 1 else ""
    name = STANDARD_INPUT if str(imported.file) == "-" else one_line(str(imported.file))
    lines = [f"{name}: {imported.what}, {tally.rows:,} rows{unread}{many}"]
    for made in imported.sessions:
        lines += [_session(made), *_remarks(made)]
    if tally.left_out:
        names = ", ".join(f"{count:,} {what}" for what, count in _most(tally.left_out))
        lines.append(f"  left out, for they only repeat or tick: {names}")
    if len(imported.sessions) == 1:
        lines.append(f"  See it: longwatch replay {imported.sessions[0].id[:_SHORT]}")
    return lines


_SHORT = 10


def _session(made: Made) -> str:
    here = "is here already, event for event" if made.known else f"{made.replies:,} replies, {made.calls:,} calls"
    return f"  {made.id[:_SHORT]}  {one_line(made.name)}: {here}"


def _remarks(made: Made) -> list[str]:
    lines = []
    if made.kept:
        names = ", ".join(f"{count:,} {one_line(what)}" for what, count in _most(made.kept))
        lines.append(f"  kept as they are: {names}")
    if made.early:
        lines.append(f"  {made.early:,} rows are older than the row before; they stand in the order of the file")
    if made.uncounted:
        lines.append(f"  {made.uncounted:,} replies tell no tokens: those are unknown")
    return lines


def _most(counts: Any) -> list[tuple[str, int]]:
    ordered = sorted(counts.items(), key=lambda row: -row[1])
    rest = sum(count for _, count in ordered[KEPT:])
    return [*ordered[:KEPT], *([("others", rest)] if rest else [])]


def _row(imported: Imported) -> dict[str, Any]:
    tally = imported.tally
    return {
        "file": str(imported.file),
        "what": imported.what,
        "rows": tally.rows,
        "unreadable": tally.unreadable,
        "left_out": tally.left_out,
        "sessions": [
            {"session": made.id, "name": made.name, "replies": made.replies, "calls": made.calls, "known": made.known}
            | {"kept": dict(made.kept), "out_of_order": made.early, "replies_without_tokens": made.uncounted}
            for made in imported.sessions
        ],
    }
