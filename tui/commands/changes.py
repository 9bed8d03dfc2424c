"""`diff`, `blame` and `land`: what a session changed, and who is behind each line of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from msgspec.structs import replace

from core.changes.blame import lines_of, origins
from core.changes.course import Author, Course, course_of
from core.changes.net import FileDiff, net
from core.changes.trees import Trees
from core.clock import iso
from core.journal.errors import JournalError
from core.journal.margin import Margin
from core.journal.seen import read_seen
from core.workspace.errors import WorkspaceError
from core.workspace.snapshots import FILES
from tui.commands.chosen import margin_of, readable, session_or_film
from tui.progress import Progress
from tui.safe import one_line, safe_text
from tui.say import say, say_json

NOTHING = "This session kept no state of its files (it changed none, or another tool ran it)."

SHORT = 8
"""Digits of the name of a hunk, by which `send S revert FILE HUNK` takes it back."""


@click.command()
@click.argument("session", required=False)
@click.argument("paths", nargs=-1)
@click.option(
    "--since", "start", default="start", show_default=True, help="start, left (what you have seen), or an event."
)
@click.option("--stat", is_flag=True, help="Files and who changed them, without their lines.")
@click.option("--patch", type=click.Path(path_type=Path), help="Write it to a file that `git apply` takes.")
@click.option("--unreviewed", is_flag=True, help="Only what is not marked as reviewed.")
@click.option("--reviewed", is_flag=True, help="Mark what is shown as reviewed.")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def diff(
    home: Path,
    session: str | None,
    paths: tuple[str, ...],
    start: str,
    stat: bool,
    patch: Path | None,
    unreviewed: bool,
    reviewed: bool,
    as_json: bool,
) -> int:
    """Show what a session changed: file by file, each hunk with the call behind it, and the tests before and after.

    PATHS narrow it to files or folders. What was changed by hand is marked. SESSION may be a .longwatch FILE that was
    exported with --files.
    """
    with session_or_film(home, session) as (folder, film):
        course = _course(folder, film)
        since = _since(start, folder, course)
        margin = margin_of(folder, film)
        files = list(net(course, Trees(folder, Path(course.workspace)), since, paths))
        if unreviewed:
            files = list(_left(files, margin.read()))
        if reviewed:
            margin.review([one for file in files for one in file.fingerprints])
    if patch is not None:
        return _write_patch(patch, files)
    if as_json:
        say_json(json.dumps([_row(file) for file in files], indent=2))
        return 0
    for line in _told(course, files, since, stat=stat):
        say(line)
    return 0


def _course(folder: Path, film: Path | None) -> Course:
    """What a session did to its files. Raises JournalError where no state of them is at hand."""
    with Progress("reading"):
        course = course_of(folder)
    if course.tree is None:
        raise JournalError(NOTHING)
    if not (folder / FILES).is_dir():
        where = "This session" if film is None else str(film)
        raise JournalError(f"{where} holds no files, only the log: export the session with --files, where it ran.")
    return course


@click.command()
@click.argument("session")
@click.argument("place", metavar="FILE:LINE")
@click.pass_obj
def blame(home: Path, session: str, place: str) -> int:
    """Say who wrote a line of a file: the call, what the agent said before it, its guidance and plan step.

    SESSION may be a .longwatch FILE that was exported with --files.
    """
    path, _, number = place.rpartition(":")
    if not path or not number.isdigit() or int(number) < 1:
        raise click.UsageError(f"{place!r} names no line; write it like src/app.py:12.")
    with session_or_film(home, session) as (folder, film):
        course = _course(folder, film)
        trees = Trees(folder, Path(course.workspace))
        path = _inside(path, course.workspace)
        content = trees.at(course.tree or "", path)
        if content is None:
            raise WorkspaceError(f"There is no {path} in the last state of the files that this session kept.")
        lines, line = lines_of(content), int(number) - 1
        if line >= len(lines):
            raise click.UsageError(f"{path} has {len(lines):,} lines.")
        author = origins(trees, path, course.changes, [line])[line]
    say(f"{path}:{number}  {safe_text(lines[line].rstrip())}")
    for told in ["It was there when the session began."] if author is None else list(_author_lines(author)):
        say(told)
    return 0


@click.command()
@click.argument("session")
@click.option("--branch", required=True, help="The branch to make; there must be none of that name yet.")
@click.option("--per-step", is_flag=True, help="One commit for each step of the plan, instead of one.")
@click.pass_obj
def land(home: Path, session: str, branch: str, per_step: bool) -> int:
    """Land what a session changed as a new branch at HEAD of its workspace's repository.

    Your checkout, your index and your files stay as they are, and nothing is pushed.
    """
    from core.changes.landing import land as make
    from core.changes.landing import parts_of

    summary = readable(home, session)
    with Progress("reading"):
        course = course_of(summary.folder)
    parts = parts_of(course, summary.name or "session", per_step=per_step)
    if not parts:
        raise JournalError(NOTHING)
    workspace = Path(course.workspace)
    if course.original and not workspace.is_dir():
        workspace = Path(course.original)
    commits = make(Trees(summary.folder, workspace), workspace, branch, parts)
    for part, commit in zip(parts, commits, strict=True):
        say(f"{commit[:10]}  {one_line(part.subject)}")
    say(f"Branch {one_line(branch)} is there; look at it: git -C {one_line(str(workspace))} log -p {one_line(branch)}")
    return 0


def _left(files: Sequence[FileDiff], margin: Margin) -> Iterator[FileDiff]:
    """What nobody has marked as reviewed."""
    for file in files:
        if file.hunks:
            hunks = tuple(hunk for hunk in file.hunks if not margin.has_reviewed(hunk.fingerprint(file.path)))
            if hunks:
                yield replace(file, hunks=hunks)
        elif not all(map(margin.has_reviewed, file.fingerprints)):
            yield file


def _since(text: str, folder: Path, course: Course) -> int:
    if text == "start":
        return 0
    if text == "left":
        return read_seen(folder).seq
    if not text.lstrip("#").isdigit():
        raise click.UsageError(f"--since {text!r} can't be used; write start, left, or the number of an event.")
    if (seq := int(text.lstrip("#"))) > course.last_seq:
        raise click.UsageError(f"There is no event #{seq:,}; the session has {course.last_seq:,}.")
    return seq


def _inside(path: str, workspace: str) -> str:
    root = f"{workspace.rstrip('/')}/"
    return path.removeprefix(root).removeprefix("./")


def _write_patch(target: Path, files: Sequence[FileDiff]) -> int:
    text = "".join(file.patch for file in files)
    try:
        target.write_text(text, encoding="utf-8", errors="surrogateescape", newline="")
    except OSError as error:
        raise click.UsageError(f"{target} can't be written: {error.strerror}.") from error
    left_out = [file.path for file in files if file.note]
    say(f"{target}: {len(files) - len(left_out):,} files", err=True)
    if left_out:
        say(f"not in it, for no text says how they differ: {', '.join(map(one_line, left_out))}", err=True)
    return 0


def _told(course: Course, files: Sequence[FileDiff], since: int, *, stat: bool) -> Iterator[str]:
    added, removed = sum(file.added for file in files), sum(file.removed for file in files)
    began = "since the session began" if not since else f"since #{since:,}"
    yield f"{len(files):,} files differ {began}: +{added:,} −{removed:,}"
    yield from _tests(course, since)
    yield from _steps(files)
    for file in files:
        yield ""
        yield f"{file.status} {one_line(file.path)}  +{file.added:,} −{file.removed:,}" + (
            f"  {file.note}" if file.note else ""
        )
        if stat:
            yield from (f"    {_brief(author)}" for author in file.authors)
            continue
        for hunk in file.hunks:
            yield f"  ┌ {hunk.fingerprint(file.path)[:SHORT]}"
            yield from (f"  ┌ {_brief(author)}" for author in hunk.authors)
            yield from (f"  {safe_text(row.rstrip(chr(10)))}" for row in hunk.lines)


def _tests(course: Course, since: int) -> Iterator[str]:
    """Each check's outcome before and after, where it has one after."""
    before, after = course.checks_until(since), course.checks_until(course.last_seq)
    for command, check in after.items():
        if check.seq <= since:
            continue
        was = before.get(command)
        first = next((one for one in course.checks if one.command == command and one.seq > since), check)
        start = was or (first if first.seq != check.seq else None)
        told = f"{'passed' if start.passed else 'failed'} #{start.seq} → " if start else ""
        yield f"  {told}{'passed' if check.passed else 'FAILED'} #{check.seq}  {one_line(command)[:90]}"


def _steps(files: Sequence[FileDiff]) -> Iterator[str]:
    """What each step of the plan changed."""
    steps: dict[str, list[str]] = {}
    for file in files:
        for step in dict.fromkeys(author.step for author in file.authors if author.step):
            steps.setdefault(step, []).append(file.path)
    for step, paths in steps.items():
        shown = ", ".join(map(one_line, paths[:4])) + (f" and {len(paths) - 4} more" if len(paths) > 4 else "")
        yield f"  step {one_line(step)[:60]}: {shown}"


def _brief(author: Author) -> str:
    mark = {"call": "", "hand": "BY HAND: ", "rewind": "rewind: "}[author.kind]
    why = f"  ({one_line(author.said)[:70]})" if author.said else ""
    return f"#{author.seq} {mark}{one_line(author.line)[:80]}{why}"


def _author_lines(author: Author) -> Iterator[str]:
    when = f", {iso(author.at_us)[:19]}" if author.at_us else ""
    yield f"  {_brief(author).partition('  (')[0]}{when}"
    for title, text in (("said before", author.said), ("your guidance", author.guidance), ("plan step", author.step)):
        if text:
            yield f"  {title}: {one_line(text)}"
    yield f"  see it: longwatch replay S --at {author.seq}"


def _row(file: FileDiff) -> dict[str, Any]:
    return {
        "path": file.path,
        "status": file.status,
        "added": file.added,
        "removed": file.removed,
        "note": file.note,
        "hunks": [
            {
                "id": hunk.fingerprint(file.path),
                "lines": list(hunk.lines),
                "authors": [
                    {"kind": one.kind, "seq": one.seq, "call": one.line, "said": one.said}
                    | {"guidance": one.guidance, "step": one.step}
                    for one in hunk.authors
                ],
            }
            for hunk in file.hunks
        ],
    }
