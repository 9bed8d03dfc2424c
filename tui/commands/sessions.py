"""`ls`, `report`, `export`, `events`, `rm`: what was kept, read without a screen."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from core.clock import MICROSECONDS
from core.folds.report import report as report_of
from core.folds.words import one_line
from core.journal.catalogue import Summary, find_session, list_sessions
from core.journal.errors import JournalError
from core.journal.lease import holder
from core.session import SessionSource, read_totals
from tui.commands.chosen import readable
from tui.safe import safe_text


@click.command()
@click.option("--json", "as_json", is_flag=True, help="A JSON list, with each session's report.")
@click.pass_obj
def ls(home: Path, as_json: bool) -> int:
    """List the sessions, the one that changed last first."""
    summaries = list_sessions(home)
    if as_json:
        click.echo(json.dumps([_row(summary) for summary in summaries], indent=2))
        return 0
    if not summaries:
        click.echo(f"No sessions in {home} yet. Start one: longwatch run TASK, or longwatch demo.")
        return 0
    click.echo(f"{'SESSION':<12}{'STATE':<13}{'CALLS':>6}  {'COST':>9}  {'CHANGED':<17}NAME")
    for summary in summaries:
        click.echo(_line(summary))
    return 0


def _row(summary: Summary) -> dict[str, Any]:
    detail = summary.detail
    if summary.state != "damaged":
        try:
            return report_of(read_totals(summary.folder), running=holder(summary.folder) is not None)
        except JournalError as error:  # further in than the summary reads
            detail = str(error)
    return {"session": summary.id, "state": "damaged", "detail": detail}


def _line(summary: Summary) -> str:
    changed = datetime.fromtimestamp(summary.changed_ns / 1e9).strftime("%Y-%m-%d %H:%M")
    start = f"{summary.id[:10]:<12}"
    row = _row(summary)
    if row["state"] == "damaged":
        return f"{start}{'damaged':<13}{'':>6}  {'':>9}  {changed:<17}{one_line(row['detail'], 160)}"
    state = summary.state if row["reason"] != "crashed" else "interrupted"
    cost = f"${row['cost_usd_known_part']:.2f}{'+?' if row['unpriced_replies'] else ''}"
    return f"{start}{state:<13}{row['tool_calls']:>6}  {cost:>9}  {changed:<17}{safe_text(row['name'])}"


@click.command()
@click.argument("session", required=False)
@click.option("--format", "form", type=click.Choice(["text", "md", "json"]), default="text")
@click.pass_obj
def report(home: Path, session: str | None, form: str) -> int:
    """Print the report of a session: duration, calls, repetition, tokens, cost, interventions."""
    from core.agent.hindsight import hindsight

    summary = readable(home, session)
    fields = report_of(
        read_totals(summary.folder),
        running=holder(summary.folder) is not None,
        counterfactuals=hindsight(summary.folder) or None,
    )
    if form == "json":
        click.echo(json.dumps(fields, indent=2))
    else:
        from tui.report_text import as_markdown, as_text

        click.echo(as_text(fields) if form == "text" else as_markdown(fields))
    return 0


@click.command()
@click.argument("session")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["session", "jsonl"]), help="Default: by the file's name.")
@click.pass_obj
def export(home: Path, session: str, file: Path, form: str | None) -> int:
    """Write a session to a FILE: `session` packs all of it into one .longwatch file, `jsonl` one event a line."""
    from core.journal.export import export_jsonl, export_session
    from core.journal.reader import Reader

    summary = readable(home, session)
    form = form or ("jsonl" if file.suffix == ".jsonl" else "session")
    aside = file.with_name(f".{file.name}.new")
    try:
        if form == "jsonl":
            with Reader(summary.folder) as reader, aside.open("wb") as out:
                export_jsonl(reader, out)
        else:
            export_session(summary.folder, aside)
        aside.replace(file)
    except OSError as error:
        raise click.UsageError(f"{file} can't be written: {error.strerror}.") from error
    finally:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
    click.echo(f"{file} ({file.stat().st_size:,} bytes)", err=True)
    return 0


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
    from tui.plain import PlainLines, json_line

    source, plain = SessionSource(folder), PlainLines()
    try:
        async for batch in source.batches():
            for event in batch:
                for line in [json_line(event)] if as_json else plain.lines(event):
                    click.echo(line)
            if not batch and not follow:
                break
    finally:
        await source.close()


@click.command()
@click.argument("session")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def rm(home: Path, session: str, yes: bool) -> int:
    """Delete a session for good: its log, its snapshots, its outputs."""
    summary = find_session(home, session)
    if holder(summary.folder) is not None:
        raise click.UsageError(
            f"Session {summary.id[:10]} is running; stop it first: longwatch send {summary.id[:10]} stop"
        )
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError(f"Nobody is here to confirm; add --yes to delete session {summary.id[:10]}.")
        click.confirm(f"Delete session {summary.id[:10]} ({_described(summary)})?", abort=True)
    try:
        shutil.rmtree(summary.folder)
    except OSError as error:
        raise click.UsageError(f"{summary.folder} can't be deleted whole: {error.strerror}.") from error
    return 0


def _described(summary: Summary) -> str:
    if summary.state == "damaged":
        return "damaged"
    began = datetime.fromtimestamp(summary.opened_us / MICROSECONDS, UTC).date()
    return f"{safe_text(summary.name)}, begun {began}"
