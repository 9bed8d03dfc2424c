"""`branches`: the branches that rewinds left, each with what it came to; two of them side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from core.changes.net import differing
from core.folds.branch_deeds import Comparison, compared
from core.folds.branch_tree import Branch, branch_named
from core.folds.view import SessionView
from core.journal.kept_view import viewed
from tui.branching import Told, comparison_lines, lines_of, told
from tui.commands.chosen import readable
from tui.safe import one_line, safe_text
from tui.say import say, say_json


@click.command()
@click.argument("session", required=False)
@click.option("--compare", nargs=2, metavar="A B", help="Two branches, by number or name, side by side.")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def branches(home: Path, session: str | None, compare: tuple[str, str] | None, as_json: bool) -> int:
    """List what was gone back from: each branch with where it began, its calls, cost, files, and how it ended.

    `send S switch BRANCH` goes on with one, `send S name-branch BRANCH NAME` names it, `replay S --at SEQ` shows it.
    """
    folder = readable(home, session).folder
    with viewed(folder) as view:
        rows = told(view)
        if compare is not None:
            _tell_comparison(folder, view, compared(view, *(_chosen(rows, text) for text in compare)))
        elif as_json:
            say_json(json.dumps([_fields(row) for row in rows], indent=2))
        else:
            for line in lines_of(rows):
                say(line)
    return 0


def _chosen(rows: list[Told], text: str) -> Branch:
    found = branch_named(sorted((row.branch for row in rows), key=lambda branch: branch.number), text)
    if found is None:
        raise click.UsageError(f"There is no branch {text!r}; without --compare they are listed.")
    return found


def _tell_comparison(folder: Path, view: SessionView, found: Comparison) -> None:
    for text, _ in comparison_lines(view, found):
        say(one_line(text))
    before, after = found.trees
    say("")
    if before is None or after is None:
        say("The files can't be compared: no snapshot was made on one of them.")
        return
    files = differing(folder, before, after)
    say(f"Files, from the first to the second: {len(files):,} differ")
    for file in files:
        say(f"{file.status} {one_line(file.path)}  +{file.added:,} −{file.removed:,}  {file.note}".rstrip())
        for hunk in file.hunks:
            for row in hunk.lines:
                say(f"  {safe_text(row.rstrip(chr(10)))}")


def _fields(row: Told) -> dict[str, Any]:
    branch, done = row.branch, row.deeds
    return {
        "branch": branch.number,
        "name": branch.name,
        "parent": branch.parent or None,
        "fork": branch.fork or None,
        "began": branch.began,
        "ended": branch.ended,
        "current": not branch.left,
        "turns": done.turns,
        "calls": done.calls,
        "failed": done.failed,
        "cost_usd": None if done.unpriced else str(done.usd),
        "cost_usd_known_part": str(done.usd),
        "outcome": row.outcome,
        "files": list(done.files),
        "last_words": done.words,
    }
