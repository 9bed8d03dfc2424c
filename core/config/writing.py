"""Changing settings in the user's file: the lines that say something else, and no other line of it."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from core.config.checking import ConfigError

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
        lines = "; ".join(f"{name} = {_toml(it)}" for name, it in values.items() if it is not None)
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
    """Change the text of a file, made where it is missing, whole or not at all. Raises Unwritable."""
    real = Path(os.path.realpath(file))
    try:
        changed = change(real.read_text(encoding="utf-8-sig") if real.exists() else "")
        real.parent.mkdir(parents=True, exist_ok=True)
        aside = real.with_name(f".{real.name}.new")
        aside.unlink(missing_ok=True)
        aside.touch(mode=0o600, exist_ok=False)
        aside.write_text(changed, encoding="utf-8")
        aside.chmod(real.stat().st_mode & 0o777 if real.exists() else 0o600)
        aside.replace(real)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise Unwritable(reason) from None


def _changed(text: str, section: str, values: Mapping[str, Value | None]) -> str:
    header = re.compile(rf"^[ \t]*\[[ \t]*{re.escape(section)}[ \t]*\][ \t]*(#[^\n]*)?$", re.M).search(text)
    new = [f"{name} = {_toml(it)}\n" for name, it in values.items() if it is not None]
    if header is None:
        gap = "" if not text or text.endswith("\n\n") else "\n" if text.endswith("\n") else "\n\n"
        return f"{text}{gap}[{section}]\n{''.join(new)}"
    following = re.compile(r"^[ \t]*\[", re.M).search(text, header.end())
    end = following.start() if following else len(text)
    body = text[header.end() : end]
    for name in values:
        body = re.sub(rf"^[ \t]*{re.escape(name)}[ \t]*=[^\n]*\n?", "", body, flags=re.M)
    return f"{text[: header.end()]}\n{''.join(new)}{body.removeprefix(chr(10))}{text[end:]}"


def _toml(value: Value) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def _read(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise ConfigError("The configuration is not valid TOML, so nothing can be added; mend it first.") from None
