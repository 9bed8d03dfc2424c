"""The machine that sessions live on: what of it could harm them, each as a finding. Nothing here writes."""

from __future__ import annotations

import getpass
import os
import platform
import shutil
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from core.journal import inbox, live, schema
from core.journal.catalogue import SESSIONS
from core.journal.findings import Finding, fine, note, problem, warning
from core.journal.lease import LOCK, TRUSTED_S, Holder, holder, unresponsive
from core.journal.trash import folder_size

_MB: Final = 1024 * 1024
_LOW_BYTES: Final = 1024 * _MB
_NO_BYTES: Final = 64 * _MB
_RESET_RACE_FIXED: Final = (3, 51, 3)
_SHOWN: Final = 3
_PARTS: Final = (schema.DATABASE, "files.git", schema.JOBS, "recall.db", "view.pages")
"""What of a session's folder may be big."""
_LOGIND: Final = (
    *("busctl", "get-property", "org.freedesktop.login1", "/org/freedesktop/login1"),
    *("org.freedesktop.login1.Manager", "KillUserProcesses"),
)


def examine_machine(home: Path) -> list[Finding]:
    """Versions, the home folder, its disk, and whether logging out ends an agent."""
    found = [*_versions(), *_modes(home), *_disk(home), *_file_system(home), *_sizes(home)]
    return [*found, *_logging_out()]


def examine_surroundings(folder: Path) -> list[Finding]:
    """What lies in a session's folder beside its journal: who holds it, what a crash left, how big it is."""
    runner = holder(folder)
    found = list(_modes_of(folder, [folder, *folder.glob("*.db*")], "files"))
    found += [*_lease(folder, runner), *([] if runner else _leftovers(folder))]
    parts = {name: size_of(folder / name) for name in _PARTS}
    named = ", ".join(f"{name} {megabytes(size)}" for name, size in parts.items() if size)
    return [*found, fine("size", f"The session takes {megabytes(size_of(folder))} ({named}).")]


def tighten(home: Path) -> None:
    """Close the home folder and what is in it to others: folders 0700, files 0600. Raises OSError."""
    for path in _open_to_others([home, home / SESSIONS, *_folders(home), *(home / SESSIONS).glob("*/*.db*")]):
        path.chmod(0o700 if path.is_dir() else stat.S_IMODE(path.stat().st_mode) & 0o600)


def logging_out_kills() -> bool | None:
    """Whether this system ends a user's processes when their last terminal goes; None when it can't be told."""
    if not Path("/run/systemd/system").exists() or os.getuid() == 0:
        return False  # systemd leaves root's processes alone, as it is delivered.
    if Path("/var/lib/systemd/linger", getpass.getuser()).exists():
        return False
    try:
        answer = subprocess.run(_LOGIND, capture_output=True, text=True, timeout=2, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return _configured(Path("/"))
    return answer.split() == ["b", "true"]


def _configured(root: Path) -> bool | None:
    """The same by the files of logind, where it does not answer; the last word counts. None: they say nothing."""
    places = [root / "etc/systemd/logind.conf"]
    for folder in ("usr/lib", "run", "etc"):
        places += sorted((root / folder / "systemd/logind.conf.d").glob("*.conf"))
    said = None
    for place in places:
        with suppress(OSError):
            for line in place.read_text(encoding="utf-8", errors="replace").splitlines():
                name, _, value = line.partition("=")
                if name.strip() == "KillUserProcesses":
                    said = value.strip().lower() in ("yes", "true", "1", "on")
    return said


def logging_out_warning() -> str:
    """A sentence when logging out would end a detached agent; empty otherwise."""
    if not logging_out_kills():
        return ""
    return f"Logging out would end the agent; run once: loginctl enable-linger {getpass.getuser()}"


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files below a folder; 0 where it can't be read."""
    try:
        return folder_size(path) if path.is_dir() else path.lstat().st_size
    except OSError:
        return 0


def megabytes(size: int) -> str:
    """A size for people."""
    return f"{size / _MB:,.1f} MB" if size >= _MB // 10 else f"{size / 1024:,.1f} KB"


def _versions() -> Iterator[Finding]:
    version, text = sqlite3.sqlite_version_info, f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    if version < _RESET_RACE_FIXED:
        says = (
            f"{text}: this SQLite can damage a database that two programs write to at the same moment. "
            "A session has one writer, which alone checkpoints, so it is not exposed."
        )
        yield note("versions", says, "open no session.db for writing with other programs")
    else:
        yield fine("versions", f"{text}.")


def _modes(home: Path) -> Iterator[Finding]:
    if not home.exists():
        yield note("home", f"There are no sessions in {home} yet.")
        return
    yield from _modes_of(home, [home, home / SESSIONS, *_folders(home)], "home")


def _modes_of(place: Path, paths: list[Path], check: str) -> Iterator[Finding]:
    opened = _open_to_others(paths)
    if opened:
        names = ", ".join(path.name for path in opened[:_SHOWN]) + (" and more" if len(opened) > _SHOWN else "")
        says = f"Others can read what is in {place}: {names}."
        yield problem(check, says, "run `longwatch doctor --repair`, or chmod -R go-rwx the folder", mendable=True)
    else:
        yield fine(check, f"{place} is closed to others.")


def _open_to_others(paths: list[Path]) -> list[Path]:
    found = []
    for path in paths:
        try:
            if not path.is_symlink() and path.stat().st_mode & 0o077:
                found.append(path)
        except OSError:
            continue
    return found


def _disk(home: Path) -> Iterator[Finding]:
    place = next(folder for folder in (home, *home.parents) if folder.exists())
    try:
        free = shutil.disk_usage(place).free
    except OSError as error:
        yield warning("disk", f"The free space of {place} can't be told: {error.strerror}.", "look at it with df")
        return
    says = f"{megabytes(free)} are free on the disk of {home}."
    remedy = "free some space: a session that can't record pauses until it can"
    if not os.access(place, os.W_OK):
        yield problem("disk", f"{place} can't be written.", "make it writable, or choose another --home")
    elif free < _NO_BYTES:
        yield problem("disk", says, remedy)
    else:
        yield warning("disk", says, remedy) if free < _LOW_BYTES else fine("disk", says)


def _file_system(home: Path) -> Iterator[Finding]:
    if schema.wal_works(home):
        yield fine("file system", "The disk is local: sessions use a write-ahead log.")
    else:
        says = f"{home} is on a network file system: sessions use a rollback journal, which is slower."
        yield warning("file system", says, "choose a --home on a local disk, where locks can be relied on")


def _sizes(home: Path) -> Iterator[Finding]:
    if folders := _folders(home):
        largest = max(folders, key=size_of)
        says = f"{len(folders)} sessions take {megabytes(sum(map(size_of, folders)))}"
        yield fine("sizes", f"{says}, the largest is {largest.name} with {megabytes(size_of(largest))}.")


def _logging_out() -> Iterator[Finding]:
    kills = logging_out_kills()
    if kills:
        says = "This system ends your processes when you log out, and with them a detached agent."
        yield warning("logging out", says, f"run once: loginctl enable-linger {getpass.getuser()}")
    elif kills is None:
        says = "Whether logging out ends a detached agent can't be told on this system."
        yield note("logging out", says, f"loginctl enable-linger {getpass.getuser()} makes sure that it does not")
    else:
        yield fine("logging out", "A detached agent outlives your logging out.")


def _lease(folder: Path, runner: Holder | None) -> Iterator[Finding]:
    if runner is not None:
        says = f"Process {runner.pid} on {runner.host} runs the session"
        if unresponsive(folder) is None:
            yield fine("runner", f"{says}.")
        else:
            says += f", and has given no sign of life for {TRUSTED_S:.0f} s and more: it is stopped, or hangs."
            yield warning("runner", says, f"if it stays so, end it; `longwatch resume {folder.name[:10]}` goes on")
        return
    try:
        last = msgspec.json.decode((folder / LOCK).read_bytes(), type=Holder)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return
    if last.pid:
        says = f"Its last runner (process {last.pid} on {last.host}) ended without a word."
        yield note("runner", says, f"`longwatch resume {folder.name[:10]}` takes the session over and goes on")


def _leftovers(folder: Path) -> Iterator[Finding]:
    again = f"`longwatch resume {folder.name[:10]}`"
    for name, pattern, says, remedy in (
        (live.LIVE, "*.jsonl", "replies that were in flight when the runner ended", f"{again} removes them"),
        (inbox.INBOX, "*.json", "commands that nobody has taken yet", f"{again} takes them"),
        (f"{inbox.INBOX}/{inbox.BAD}", "*.reason", "files that were no commands", "look at them, then delete them"),
        (schema.JOBS, "*", "commands whose output was not taken in, or runs on", f"{again} takes it in"),
    ):
        count = len(list((folder / name).glob(pattern)))
        if count:
            yield note(name, f"{count} left in {name}/: {says}.", remedy)


def _folders(home: Path) -> list[Path]:
    """The folders of sessions."""
    try:
        return sorted(entry for entry in (home / SESSIONS).iterdir() if entry.is_dir() and not entry.is_symlink())
    except OSError:
        return []
