"""`doctor`: is the machine fit to keep sessions, is each session whole, and what can be saved of one that is not."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from core.boxes.copies import KEEP_DAYS, all_copies
from core.clock import SystemClock
from core.config import ConfigError, load_config
from core.journal.catalogue import SESSIONS, find_session
from core.journal.doctor import examine
from core.journal.errors import JournalError
from core.journal.findings import Finding, fine, is_broken, note, problem, warning
from core.journal.lease import holder
from core.journal.rescue import is_half_exchanged, mend
from core.journal.schema import DATABASE
from core.journal.surroundings import examine_machine, examine_surroundings, megabytes, tighten
from core.sandbox.probe import find_sandbox
from core.tools.crowd import how_limited
from tui.progress import Progress
from tui.safe import one_line
from tui.say import say, say_json
from tui.terminal import has_terminal, is_dumb

_MARKS = {"ok": "ok", "note": "note", "warning": "WARNING", "problem": "PROBLEM"}
_SMALLEST = (80, 24)


@click.command()
@click.argument("session", required=False)
@click.option("--repair", is_flag=True, help="Save what can be read of damaged sessions; the originals are kept.")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def doctor(home: Path, session: str | None, repair: bool, as_json: bool) -> int:
    """Check the machine and the sessions, or one of them: each finding with what to do. Ends with 1 at a problem."""
    folders = _chosen(home, session)
    repairs = _repair(home, folders) if repair else {}
    machine = [*examine_machine(home), *_sandbox(), *_processes(), *_configured(), *_servers()]
    machine += [*_copies(home), *_terminal()]
    sessions = _examined(folders)
    if as_json:
        say_json(json.dumps(_as_json(machine, sessions, repairs), indent=2))
    else:
        for line in _lines(machine, sessions, repairs):
            say(line)
    return int(is_broken(machine) or any(map(is_broken, sessions.values())))


def _examined(folders: list[Path]) -> dict[Path, list[Finding]]:
    found = {}
    with Progress("doctor") as progress:
        for number, folder in enumerate(folders, 1):
            progress.what = f"session {number:,} of {len(folders):,}"
            found[folder] = [*examine(folder), *examine_surroundings(folder)]
    return found


def _chosen(home: Path, words: str | None) -> list[Path]:
    """The sessions to look at: all, or the one that the words name, also one with nothing but a half-made rescue."""
    try:
        places = sorted(path for path in (home / SESSIONS).iterdir() if path.is_dir() and not path.is_symlink())
    except OSError:
        places = []
    folders = [path for path in places if (path / DATABASE).exists() or is_half_exchanged(path)]
    if words is None:
        return folders
    named = [path for path in folders if path.name.startswith(words)]
    return named if len(named) == 1 else [find_session(home, words).folder]


def _repair(home: Path, folders: list[Path]) -> dict[Path, list[str]]:
    """What was done for each session that needed it, in sentences."""
    try:
        tighten(home)
    except OSError as error:
        raise click.UsageError(f"{home} can't be closed to others: {error.strerror}.") from error
    done = {}
    for folder in folders:
        if any(finding.mendable and finding.level == "problem" for finding in examine(folder)):
            done[folder] = _rescued(folder)
    return done


def _rescued(folder: Path) -> list[str]:
    if holder(folder) is not None:
        return ["It is running: stop it first, then repair it. Nothing was changed."]
    try:
        return mend(folder, SystemClock())
    except JournalError as error:
        return [str(error)]


def _sandbox() -> Iterator[Finding]:
    """What confines commands, found by trying to break out of it."""
    sandbox = find_sandbox()
    if sandbox.confines:
        yield fine("sandbox", f"Commands are confined with {sandbox.backend}: attempts to break out were refused.")
    else:
        yield warning(
            "sandbox",
            f"Commands run with all your rights, for nothing confines them here ({sandbox.why}).",
            "install bubblewrap, or work in a container or on a box that you can afford to lose",
        )


def _processes() -> Iterator[Finding]:
    """Whether a command that forks without end is held down."""
    if how := how_limited():
        yield fine("processes", f"The processes of a command are limited {how}.")
    else:
        yield note("processes", "Nothing limits here how many processes a command has: no control group can be made.")


def _configured() -> Iterator[Finding]:
    """Whether the configuration can be read: no session is begun or resumed without it, after a reboot neither."""
    try:
        load_config()
    except ConfigError as error:
        yield problem("configuration", str(error), "mend it: nothing can be run or resumed meanwhile")


def _servers() -> Iterator[Finding]:
    """Servers of tools, as far as that can be told without starting them."""
    from core.tools.mcp.specs import secrets_of, server_specs
    from core.tools.secrets import Redactor

    try:
        specs = server_specs(load_config(), Path.cwd(), os.environ)
    except ConfigError:
        return  # The configuration has a finding of its own.
    redact = Redactor({**os.environ, **secrets_of(specs.servers)})
    for why in specs.problems.values():
        yield warning("servers", why, "mend it in the configuration, or in the file that names it")
    for spec in specs.servers:
        if spec.command and shutil.which(spec.command[0]) is None:
            says = f"The program of the server {spec.name} ({redact(spec.command[0])}) was not found."
            yield warning("servers", says, "install it, or write its whole path")
        elif spec.command and not spec.sandbox:
            yield note("servers", f"The server {spec.name} runs outside of the sandbox, as it is configured.")
    if specs.servers:
        yield fine(
            "servers", f"{len(specs.servers)} configured; `longwatch mcp check` starts them and lists their tools."
        )


def _copies(home: Path) -> Iterator[Finding]:
    """What was copied here of sessions on other machines."""
    found = all_copies(home)
    if found:
        size, boxes = megabytes(sum(copy.size for copy in found)).strip(), ", ".join(sorted({it.box for it in found}))
        yield fine(
            "boxes",
            f"{len(found):,} copies of sessions on {boxes} take {size}; what nobody looks at for {KEEP_DAYS} days"
            " goes by itself, `longwatch rm BOX:SESSION` removes one.",
        )


def _terminal() -> Iterator[Finding]:
    if not has_terminal():
        yield note("terminal", "This is no terminal; the screen can't be judged from here.")
        return
    size, colours = shutil.get_terminal_size(), os.environ.get("COLORTERM") in ("truecolor", "24bit")
    encoding = (sys.stdout.encoding or "").lower()
    says = f"The terminal {os.environ.get('TERM', '')} has {size.columns} x {size.lines} cells"
    if is_dumb():
        yield problem("terminal", f"{says} and can place no cursor.", "set TERM, or use --plain")
    elif encoding not in ("utf-8", "utf8"):
        yield problem("terminal", f"{says} and prints {encoding or 'unknown'} text.", "set LANG to a UTF-8 locale")
    elif size < _SMALLEST:
        yield note("terminal", f"{says}.", f"panes need {_SMALLEST[0]} x {_SMALLEST[1]} to stand side by side")
    elif not colours:
        yield note("terminal", f"{says} and claims no true colour.", "export COLORTERM=truecolor if it has it")
    else:
        yield fine("terminal", f"{says}, true colour and UTF-8.")


def _lines(
    machine: list[Finding], sessions: dict[Path, list[Finding]], repairs: dict[Path, list[str]]
) -> Iterator[str]:
    yield from map(_line, machine)
    for folder, findings in sessions.items():
        yield ""
        yield f"session {one_line(folder.name)}"
        for sentence in repairs.get(folder, ()):
            yield f"  {'repair':<8} {one_line(sentence)}"
        yield from map(_line, findings)
    every = [*machine, *(finding for findings in sessions.values() for finding in findings)]
    count = sum(finding.level == "problem" for finding in every)
    yield ""
    yield f"{count} problem{'' if count == 1 else 's'} found." if count else "No problem found."


def _line(finding: Finding) -> str:
    remedy = f" -> {one_line(finding.remedy)}" if finding.remedy else ""
    return f"  {_MARKS[finding.level]:<8} {finding.check}: {one_line(finding.says)}{remedy}"


def _as_json(
    machine: list[Finding], sessions: dict[Path, list[Finding]], repairs: dict[Path, list[str]]
) -> dict[str, Any]:
    rows = [
        {
            "session": folder.name,
            "ok": not is_broken(findings),
            "repair": repairs.get(folder, []),
            "findings": msgspec.to_builtins(findings),
        }
        for folder, findings in sessions.items()
    ]
    healthy = not is_broken(machine)
    return {"ok": healthy and all(row["ok"] for row in rows), "machine": msgspec.to_builtins(machine), "sessions": rows}
