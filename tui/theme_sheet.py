"""What a theme file may say, and what is wrong with one: colours, and roles that say what a colour means here.

A theme file has `label`, `dark`, `ansi` (use the terminal's own 16 colours), a table `[colors]` with Textual's colour
names, and a table `[roles]` for the variables of `ROLES`; a value may point at another one as `$name`. `like` names the
built-in theme that it starts from: then it says only what is different. Roles that a theme leaves out, and all of them
in Textual's own themes, are derived from its colours. The file's name is the theme's.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from msgspec import Struct, field
from textual.color import Color, ColorParseError

COLORS = (
    "primary", "secondary", "accent", "warning", "error", "success",
    "foreground", "background", "surface", "panel", "boost",
)  # fmt: skip
"""Names of the `[colors]` table; `primary` must be there."""

ROLES: Mapping[str, str] = {
    # Role: the colour it is derived from.
    "muted": "foreground 60%",
    "faint": "foreground 22%",
    "user": "accent",
    "agent": "foreground",
    "thinking": "muted",
    "guard": "secondary",
    "system": "muted",
    "memory": "secondary",
    "tool-name": "primary",
    "tool-ok": "success",
    "tool-fail": "error",
    "tool-running": "accent",
    "tool-waiting": "warning",
    "state-running": "success",
    "state-paused": "warning",
    "state-waiting": "accent",
    "state-finished": "primary",
    "state-failed": "error",
    "cost-ok": "success",
    "cost-warn": "warning",
    "cost-over": "error",
    "context-system": "foreground 45%",
    "context-tools": "primary",
    "context-pinned": "accent",
    "context-digest": "secondary",
    "context-text": "success",
    "context-results": "warning",
    "context-free": "foreground 12%",
    "context-reserve": "foreground 28%",
    "diff-add": "success",
    "diff-del": "error",
    "diff-hunk": "primary",
    "diff-add-background": "success 12%",
    "diff-del-background": "error 12%",
    "code-keyword": "secondary",
    "code-string": "success",
    "code-number": "warning",
    "code-comment": "muted",
    "code-name": "primary",
    "code-type": "accent",
    "hint-key": "accent",
    "hint-label": "muted",
    "cursor-line": "primary 16%",
    "cursor-mark": "accent",
    "match-background": "accent",
    "match-foreground": "background",
    "front-background": "primary",
    "front-foreground": "background",
    "selection-background": "primary 30%",
    "selection-foreground": "foreground",
}
"""Every variable beyond Textual's own that style sheets and content may use, with what it is derived from:
a colour, or so many percent of it over the background."""


class ThemeError(ValueError):
    """A theme file can't be used; the message is one plain sentence.

    `line` counts from 1; None is the file as a whole.
    """

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.line = line


class Sheet(Struct, frozen=True):
    """What a theme file says, its `$name`s not yet followed."""

    label: str = ""
    dark: bool = True
    ansi: bool = False
    colors: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)


@cache
def built_in() -> Mapping[str, Sheet]:
    """The sheets of the themes that come with the app, by name."""
    return {
        file.name.removesuffix(".toml"): _parse(file.read_text("utf-8"), {}) for file in theme_files(files("themes"))
    }


def theme_files(folder: Traversable) -> list[Traversable]:
    """The theme files of a folder, by name."""
    return sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)


def read_sheet(text: str) -> Sheet:
    """What a theme file says, on top of the built-in theme that it is `like`. Raises ThemeError."""
    return _parse(text, built_in())


def _parse(text: str, bases: Mapping[str, Sheet]) -> Sheet:
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _not_toml(text, error) from None
    try:
        sheet = _sheet(data, bases)
    except _WrongKey as wrong:
        raise ThemeError(wrong.reason, _line_of(text, wrong.key)) from None
    return sheet


class _WrongKey(Exception):
    """`key` of the file is wrong, for that reason; who has the text knows its line."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(reason)
        self.key, self.reason = key, reason


def _not_toml(text: str, error: Exception) -> ThemeError:
    what, _, place = str(error).partition(" (at ")
    number = re.match(r"line (\d+)", place)
    line = int(number[1]) if number else text.count("\n") + 1
    return ThemeError(f"this is not valid TOML ({what}).", line)


def _line_of(text: str, key: str) -> int | None:
    """The last line that begins with that key or that table; None where it is written in some other way."""
    begins = re.compile(rf"""\s*(?:\[\s*)?["']?{re.escape(key)}["']?\s*[=\]]""")
    found = [number for number, line in enumerate(text.splitlines(), 1) if begins.match(line)]
    return found[-1] if found else None


def _sheet(data: Mapping[str, Any], bases: Mapping[str, Sheet]) -> Sheet:
    _refuse_unknown("key", data, ("label", "like", "dark", "ansi", "colors", "roles"))
    base = _base(data, bases)
    colors, roles = _table(data, "colors"), _table(data, "roles")
    _refuse_unknown("colour", colors, COLORS)
    _refuse_unknown("role", roles, ROLES)
    sheet = Sheet(
        _label(data),
        _flag(data, "dark", base.dark),
        _flag(data, "ansi", base.ansi),
        {**base.colors, **colors},
        {**base.roles, **roles},
    )
    if "primary" not in sheet.colors:
        raise _WrongKey("colors", "its [colors] need at least a primary colour.")
    values = {**sheet.colors, **sheet.roles}
    for key in values:
        resolve(key, values)
    return sheet


def _base(data: Mapping[str, Any], bases: Mapping[str, Sheet]) -> Sheet:
    name = data.get("like")
    if name is None:
        return Sheet()
    if not isinstance(name, str) or name not in bases:
        raise _WrongKey("like", f"like is {name!r}, which is no built-in theme; there are {', '.join(sorted(bases))}.")
    return bases[name]


def _label(data: Mapping[str, Any]) -> str:
    label = data.get("label", "")
    if not isinstance(label, str):
        raise _WrongKey("label", "label must be a text.")
    return label


def _table(data: Mapping[str, Any], name: str) -> dict[str, str]:
    table = data.get(name, {})
    if not isinstance(table, dict):
        raise _WrongKey(name, f"[{name}] must be a table of texts.")
    for key, value in table.items():
        if not isinstance(value, str):
            raise _WrongKey(key, f"{key} must be a text, like '#7fb2e5'.")
    return table


def _flag(data: Mapping[str, Any], name: str, default: bool) -> bool:
    value = data.get(name, default)
    if not isinstance(value, bool):
        raise _WrongKey(name, f"{name} must be true or false.")
    return value


def _refuse_unknown(what: str, given: Iterable[str], known: Iterable[str]) -> None:
    for name in given:
        if name not in known:
            raise _WrongKey(name, f"there is no {what} {name!r}; known are {', '.join(known)}.")


def resolve(key: str, values: Mapping[str, str]) -> str:
    """The colour behind a key, following `$name`. A sheet that was read has one for each of its keys."""
    value, seen = values[key], {key}
    while value.startswith("$"):
        target = value[1:]
        if target in seen or target not in values:
            raise _WrongKey(key, f"{key} points at ${target}, which leads to no colour.")
        seen.add(target)
        value = values[target]
    try:
        Color.parse(value)
    except ColorParseError:
        raise _WrongKey(key, f"{key} is {value!r}, which is no colour; write it like '#7fb2e5'.") from None
    return value
