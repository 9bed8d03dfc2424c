"""Commands to a session, from any process: one small file each, written aside and renamed in.

Whoever holds the lease takes them in order of their ids, journals each and only then discards the file, so a command
is neither lost nor taken twice (its id is its key in the journal).
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from core.events import clean_text
from core.journal.errors import JournalError

INBOX: Final = "inbox"
BAD: Final = "bad"
_ID = re.compile(r"[0-9a-hjkmnp-tv-z]{26}")
_SUFFIX: Final = ".json"
_MAX_BYTES: Final = 1024 * 1024


class Command(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What somebody wants. `head` is the HEAD that the sender saw, `at` microseconds UTC, `actor` who sent it.

    `origin` says in words who sent it and where; `viewer` is the id of the screen it came from, empty for a shell.
    Fields that a newer sender knows are passed over.
    """

    id: str
    verb: str
    args: dict[str, Any] = {}
    head: int | None = None
    actor: str = "user"
    at: int = 0
    origin: str = ""
    viewer: str = ""


def post(folder: Path, command: Command) -> None:
    """Put a command into the session's inbox; it is whole or not there. Raises JournalError."""
    target = _place(folder, command.id)
    aside = target.with_name(f".{command.id}.new")
    try:
        target.parent.mkdir(mode=0o700, exist_ok=True)
        _write(aside, msgspec.json.encode(clean_text(msgspec.to_builtins(command))))
        aside.rename(target)
    except OSError as error:
        raise JournalError(f"The command can't be left in {target.parent}: {error.strerror}.") from error


def pending(folder: Path, report: Callable[[str, str], None] | None = None) -> list[Command]:
    """Commands that wait, oldest first.

    A file that is no command goes to `inbox/bad/` with the reason beside it, and `report(name, reason)` is called.
    """
    inbox, commands = folder / INBOX, []
    try:
        names = sorted(entry.name for entry in os.scandir(inbox) if entry.name.endswith(_SUFFIX))
    except FileNotFoundError:
        return []
    for name in names:
        try:
            commands.append(_read(inbox / name))
        except FileNotFoundError:
            continue
        except (OSError, ValueError, RecursionError) as error:
            reason = _reason(error)
            _set_aside(inbox, name, reason)
            if report is not None:
                report(name, reason)
    return commands


def discard(folder: Path, command_id: str) -> None:
    """Forget a command that has been journalled."""
    _place(folder, command_id).unlink(missing_ok=True)


def _place(folder: Path, command_id: str) -> Path:
    if not _ID.fullmatch(command_id):
        raise JournalError(f"{command_id!r} is not the id of a command.")
    return folder / INBOX / f"{command_id}{_SUFFIX}"


def _write(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> Command:
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("it is not a plain file")
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise ValueError("it is larger than 1 MB")
    command = msgspec.json.decode(data, type=Command)
    if not _ID.fullmatch(command.id) or command.id != path.name.removesuffix(_SUFFIX):
        raise ValueError("its id does not match its name")
    return command


def _reason(error: Exception) -> str:
    return error.strerror or "it can't be read" if isinstance(error, OSError) else str(error)


def _set_aside(inbox: Path, name: str, reason: str) -> None:
    bad = inbox / BAD
    try:
        bad.mkdir(mode=0o700, exist_ok=True)
        (inbox / name).rename(bad / name)
        _write(bad / f"{name}.reason", f"{reason}\n".encode("utf-8", "replace"))
    except OSError:
        return  # It stays where it is and is reported again.
