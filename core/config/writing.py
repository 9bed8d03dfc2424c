"""Changing settings in the user's file: the lines that say something else, and no other line of it."""

from __future__ import annotations

import fcntl
import json
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from core.config.checking import ConfigError
from core.private import make_private

Value = str | int | float | bool


def with_settings(text: str, section: str, values: Mapping[str, Value | None]) -> str:
    """The file's text with these settings of a section; None takes one away. Raises ConfigError.

    Nothing else may change by it: where a line can't be found for sure, it is said what to write by hand.
    """
    before = _read(text)
    wanted_section = {**before.get(section, {}), **{name: it for name, it in values.items() if it is not None}}
    wanted_section = {name: it for name, it in wanted_section.items() if values.get(name, it) is not None}
    changed = _changed(text, section, values)
    try:
        same = tomllib.loads(changed) == {**before, section: wanted_section}
    except tomllib.TOMLDecodeError:
        same = False
    if not same:
        lines = "; ".join(f"{name} = {toml_value(it)}" for name, it in values.items() if it is not None)
        raise ConfigError(f"The configuration can't be changed here as it is written; in [{section}] say: {lines}.")
    return changed


def write_settings(file: Path, section: str, values: Mapping[str, Value | None]) -> None:
    """The same in the file, made where it is missing, whole or not at all. Raises ConfigError."""
    try:
        rewrite(file, lambda text: with_settings(text, section, values))
    except Unwritable as why:
        raise ConfigError(f"{file} can't be changed: {why}.") from None


class Unwritable(Exception):
    """Why a file can't be changed."""


def rewrite(file: Path, change: Callable[[str], str]) -> None:
    """Change the text of a file, made where it is missing, whole or not at all, one process after the other.

    The ends of its lines stay what they are. Raises Unwritable.
    """
    real = Path(os.path.realpath(file))
    try:
        make_private(real.parent)
        with _alone_in(real.parent):
            before = real.read_bytes().decode("utf-8-sig") if real.exists() else ""
            windows = before.count("\r\n") == before.count("\n") > 0
            changed = change(before.replace("\r\n", "\n"))
            _put(real, (changed.replace("\n", "\r\n") if windows else changed).encode())
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise Unwritable(reason) from None


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """While no other process changes a file there; where the file system has no locks, without."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _put(file: Path, content: bytes) -> None:
    """In one step, so that a crash leaves the old file or the new one. Raises OSError."""
    aside = file.with_name(f".{file.name}.new")
    aside.unlink(missing_ok=True)
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    aside.chmod(file.stat().st_mode & 0o777 if file.exists() else 0o600)
    aside.replace(file)


def _changed(text: str, section: str, values: Mapping[str, Value | None]) -> str:
    header = re.compile(rf"^[ \t]*\[[ \t]*{re.escape(section)}[ \t]*\][ \t]*(#[^\n]*)?$", re.M).search(text)
    new = [f"{name} = {toml_value(it)}\n" for name, it in values.items() if it is not None]
    if header is None:
        gap = "" if not text or text.endswith("\n\n") else "\n" if text.endswith("\n") else "\n\n"
        return f"{text}{gap}[{section}]\n{''.join(new)}"
    following = re.compile(r"^[ \t]*\[", re.M).search(text, header.end())
    end = following.start() if following else len(text)
    body = text[header.end() : end]
    for name in values:
        body = re.sub(rf"^[ \t]*{re.escape(name)}[ \t]*=[^\n]*\n?", "", body, flags=re.M)
    return f"{text[: header.end()]}\n{''.join(new)}{body.removeprefix(chr(10))}{text[end:]}"


def toml_value(value: Value) -> str:
    """As TOML writes it, which has no raw DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def _read(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise ConfigError("The configuration is not valid TOML, so nothing can be added; mend it first.") from None
