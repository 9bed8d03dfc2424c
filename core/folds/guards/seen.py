"""One finished call as guards see it: what was asked, what was answered, in forms in which equal things are equal."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from msgspec import Struct

from core.events import FileChange, ToolFinished, ToolStarted

_ERROR_LINE = 400
_VARYING = (
    (re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`"), "'…'"),
    (re.compile(r"(?:[\w.\-~]*/)+[\w.\-]*"), "<path>"),
    (re.compile(r"0x[0-9a-fA-F]+|\b[0-9a-fA-F]{7,}\b|\d+"), "#"),
)
"""What differs between two messages about the same mistake."""


class Seen(Struct, frozen=True):
    """A finished call. `asked` stands for tool and arguments, `answered` for these and the result, `failed` for the
    manner of its failure (empty where it did not fail); `began` and `seq` are its two events."""

    began: int
    seq: int
    at_us: int
    name: str
    effect: str
    asked: str
    answered: str
    failed: str
    line: str
    files: tuple[FileChange, ...] = ()
    invalid: bool = False

    @property
    def signatures(self) -> tuple[str, ...]:
        """By which it is recognised as more of the same: its question, its failure, the states of files it made."""
        states = (state_of(change) for change in self.files if change.after is not None)
        return (self.asked, *((self.failed,) if self.failed else ()), *states)


def seen(began: int, started: ToolStarted, seq: int, at_us: int, finished: ToolFinished, line: str) -> Seen:
    """What guards make of a call; `line` is how it is told to people."""
    asked = asked_of(started.name, started.arguments)
    answer = finished.fingerprint or _digest(finished.content)
    return Seen(
        began,
        seq,
        at_us,
        started.name,
        started.effect,
        asked,
        f"{asked}:{answer[:12]}",
        "" if finished.ok else failure_of(started, finished),
        line,
        tuple(finished.files),
        finished.invalid,
    )


def asked_of(name: str, arguments: dict[str, Any]) -> str:
    """12 hex digits, the same for calls that differ only in white space and in how a path is written."""
    return _digest(json.dumps([name, _plain(arguments)], sort_keys=True, separators=(",", ":")))


def failure_of(started: ToolStarted, finished: ToolFinished) -> str:
    """The manner of a failure. A command failed in the same way when all of its output is the same: a test that fails
    by other lines has come on. Of other tools the first line counts, without names, paths and numbers."""
    if started.effect == "command":
        told = finished.fingerprint or _digest(finished.content)
        return f"!{_digest(f'{started.name}:{finished.exit_code}:{told}')}"
    line = finished.content.split("\n", 1)[0][:_ERROR_LINE]
    for pattern, name in _VARYING:
        line = pattern.sub(name, line)
    return f"!{_digest(f'{started.name}:{line}')}"


def state_of(change: FileChange) -> str:
    """A state of a file, as a signature."""
    return state_name(change.path, change.after or "")


def state_name(path: str, state: str) -> str:
    """The same, from the hash of its content."""
    return f"{path}={state[:12]}"


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return " ".join(value.removeprefix("./").split())
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
