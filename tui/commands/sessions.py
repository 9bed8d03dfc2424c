"""`ls`, `events`, `rm`: what was kept, read without a screen."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from core.clock import MICROSECONDS, iso
from core.folds.report import report as report_of
from core.folds.words import one_line
from core.journal import trash
from core.journal.catalogue import Summary, find_session, list_sessions, summarize
from core.journal.errors import JournalError
from core.journal.lease import holder
from core.journal.surroundings import megabytes
from core.metrics import metrics
from core.overview import Overview, Overviews, read_totals
from core.source import SessionSource
from core.workspace.worktree import Worktree, in_worktree, remove_worktree, worktree_of
from tui.commands.chosen import named_elsewhere, readable
from tui.safe import safe_text
from tui.say import confirm, say, say_json


@click.command()
@click.option("--json", "as_json", is_flag=True, help="A JSON list, with each session's report.")
@click.option("--prometheus", is_flag=True, help="As metrics, in the text format of Prometheus.")
@click.option("--trash", "trashed", is_flag=True, help="What was deleted and can be put back.")
@click.option(
    "--host", "hosts", metavar="BOX...", multiple=True, help="Those on other machines, by ssh; for several: --host A B."
)
@click.argument("more", metavar="", nargs=-1)
@click.pass_obj
def ls(
    home: Path, as_json: bool, prometheus: bool, trashed: bool, hosts: tuple[str, ...], more: tuple[str, ...]
) -> int:
    """List the sessions, the one that changed last first; `ls --host BOX BOX ...` lists those of other machines."""
    if hosts:
        from tui.commands.boxes import list_boxes

        return list_boxes([*hosts, *more], as_json)
    if more:
        raise click.UsageError("`ls` lists all sessions; it takes names only after --host, of machines.")
    if trashed:
        return _list_trash(home, as_json)
    if prometheus:
        for line in metrics(_row(summary) for summary in list_sessions(home)):
            say(line)
        return 0
    if as_json:
        say_json(json.dumps([_row(summary) for summary in list_sessions(home)], indent=2))
        return 0
    overviews = Overviews(home)
    sessions = list(overviews.look())[-1].sessions
    if not sessions:
        say(f"No sessions in {home} yet. Start one: longwatch run TASK, or longwatch demo.")
        return 0
    overviews.keep()
    say(f"{'SESSION':<12}{'STATE':<13}{'CALLS':>6}  {'COST':>9}  {'SIZE':>10}  {'CHANGED':<17}NAME")
    for overview in sorted(sessions, key=lambda one: (one.summary.changed_ns, one.id), reverse=True):
        say(_line(overview))
    return 0


def _row(summary: Summary) -> dict[str, Any]:
    """A session's report, and what all its files take on the disk."""
    detail, size = summary.detail, {"bytes": trash.folder_size(summary.folder)}
    if summary.state != "damaged":
        try:
            return report_of(read_totals(summary.folder), running=holder(summary.folder) is not None) | size
        except JournalError as error:  # further in than the summary reads
            detail = str(error)
    return {"session": summary.id, "state": "damaged", "detail": detail} | size


def _line(overview: Overview) -> str:
    summary, figures = overview.summary, overview.figures
    changed = f"{megabytes(trash.folder_size(summary.folder)):>10}  {_local(summary.changed_ns // 1000):<17}"
    waits = summary.state == "running" and (figures.asking or figures.waiting)
    start = f"{summary.id[:10]:<12}{'waiting' if waits else summary.state:<13}"
    if summary.state == "damaged":
        return f"{start}{'':>6}  {'':>9}  {changed}{one_line(summary.detail, 160)}"
    cost = f"${overview.usd:.2f}{'+?' if figures.unpriced else ''}"
    return f"{start}{figures.calls:>6}  {cost:>9}  {changed}{'↳ ' if summary.parent else ''}{safe_text(summary.name)}"


def _list_trash(home: Path, as_json: bool) -> int:
    found = [(one, summarize(one.folder), trash.folder_size(one.folder)) for one in trash.list_trash(home)]
    if as_json:
        rows = [
            {"session": one.id, "name": summary.name, "deleted_at": iso(one.at_us), "until": iso(one.until_us)}
            | {"bytes": size}
            for one, summary, size in found
        ]
        say_json(json.dumps(rows, indent=2))
        return 0
    if not found:
        say("The trash is empty.")
        return 0
    say(f"{'SESSION':<12}{'DELETED':<18}{'GOES':<18}{'BYTES':>13}  NAME")
    for one, summary, size in found:
        when = f"{_local(one.at_us):<18}{_local(one.until_us):<18}"
        say(f"{one.id[:10]:<12}{when}{size:>13,}  {safe_text(summary.name)}")
    return 0


def _local(at_us: int) -> str:
    return datetime.fromtimestamp(at_us / MICROSECONDS).strftime("%Y-%m-%d %H:%M")


@click.command()
@click.argument("session", required=False)
@click.option("--follow", is_flag=True, help="Go on printing as events come.")
@click.option("--json", "as_json", is_flag=True, help="One event a line, as stored.")
@click.pass_obj
def events(home: Path, session: str | None, follow: bool, as_json: bool) -> int:
    """Print the log of a session as lines."""
    asyncio.run(_print_events(readable(home, session).folder, follow, as_json))
    return 0


async def _print_events(folder: Path, follow: bool, as_json: bool) -> None:
    from tui.plain.lines import PlainLines, json_line

    source, plain = SessionSource(folder), PlainLines()
    try:
        async for batch in source.batches():
            for event in batch:
                for line in [json_line(event)] if as_json else plain.lines(event):
                    (say_json if as_json else say)(line)
            if not batch and not follow:
                break
    finally:
        await source.close()


@click.command()
@click.argument("session")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--now", is_flag=True, help="Delete it for good at once, also when it is in the trash already.")
@click.option("--back", is_flag=True, help="Put it back from the trash.")
@click.option("--worktree", is_flag=True, help="Remove the git worktree that was made for it, too; for good.")
@click.pass_obj
def rm(home: Path, session: str, yes: bool, now: bool, back: bool, worktree: bool) -> int:
    """Move a session to the trash, from where it goes for good after 30 days: its log, its snapshots, its outputs.

    Of BOX:SESSION, or BOX: alone, the copy that was made here by looking at it goes; nothing is done on BOX.
    """
    if not session.strip():  # Elsewhere that means the newest one, which nobody deletes by a variable that is empty.
        raise click.UsageError("Name the session to delete; `longwatch ls` lists them.")
    if (far := named_elsewhere(home, session)) is not None:
        from tui.commands.boxes import forget_box

        if now or back or worktree:
            raise click.UsageError(
                "Of a session on another machine only the copy here is removed; give no option but --yes."
            )
        return forget_box(home, *far, lambda question: _confirm(yes, question, session))
    if now and back:
        raise click.UsageError("--now deletes for good and --back puts back; give one of them.")
    if back:
        say(f"{trash.restore(home, _in_trash(home, session)).name[:10]} is back.")
        return 0
    trash.sweep(home)
    summary = None if now and _deleted(home, session) else find_session(home, session)
    if summary is None:
        _confirm(yes, f"Delete session {_in_trash(home, session).id[:10]} of the trash for good", session)
        trash.purge([_in_trash(home, session)])
        return 0
    if holder(summary.folder) is not None:
        raise click.UsageError(
            f"Session {summary.id[:10]} is running; stop it first: longwatch send {summary.id[:10]} stop"
        )
    _confirm(yes, f"Delete session {summary.id[:10]} ({_described(summary)}){' for good' if now else ''}", session)
    place = Path(summary.workspace)
    apart = asyncio.run(worktree_of(place, summary.id)) if summary.workspace and in_worktree(place) else None
    trashed = trash.discard(home, summary.folder)
    if apart is not None:
        _part_with(apart, worktree, yes=yes)
    if now:
        trash.purge([trashed])
    else:
        say(f"In the trash for {trash.KEEP_DAYS} days. Put it back: longwatch rm --back {summary.id}")
    return 0


def _part_with(apart: Worktree, wanted: bool, *, yes: bool) -> None:
    """The worktree of a deleted session goes when that is wanted; it is asked where somebody is here."""
    unsaved = f", with {apart.unsaved:,} files that no commit holds" if apart.unsaved else ""
    if not wanted and not yes and sys.stdin.isatty():
        wanted = confirm(f"Remove its worktree {apart.top}, too{unsaved}?")
    if not wanted:
        say(f"Its worktree stays: {safe_text(str(apart.top))}{unsaved}. `git worktree remove` takes it away.")
        return
    asyncio.run(remove_worktree(apart.top, apart.top))
    say(f"Its worktree is gone: {safe_text(str(apart.top))}.")


def _confirm(yes: bool, question: str, session: str) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"Nobody is here to confirm; add --yes to delete session {session[:10]}.")
    confirm(f"{question}?", abort=True)


def _deleted(home: Path, text: str) -> list[trash.Trashed]:
    """What in the trash answers to `text`: an id, a name, or the start of an id."""
    found = trash.list_trash(home)
    exact = [one for one in found if text in (one.id, summarize(one.folder).name)]
    return exact or [one for one in found if one.id.startswith(text.lower())]


def _in_trash(home: Path, text: str) -> trash.Trashed:
    matches = _deleted(home, text)
    if len(matches) != 1:
        many = f"{len(matches)} sessions in the trash answer" if matches else "No session in the trash answers"
        raise click.UsageError(f"{many} to {text!r}; see: longwatch ls --trash")
    return matches[0]


def _described(summary: Summary) -> str:
    if summary.state == "damaged":
        return "damaged"
    began = datetime.fromtimestamp(summary.opened_us / MICROSECONDS, UTC).date()
    return f"{safe_text(summary.name)}, begun {began}"
