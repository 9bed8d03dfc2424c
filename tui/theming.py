"""Themes from TOML files: colours, and roles that say what a colour means here.

A theme file has `label`, `dark`, `ansi` (use the terminal's own 16 colours), a table `[colors]` with Textual's colour
names, and a table `[roles]` for the variables of `ROLES`; a value may point at another one as `$name`. Roles that a
theme leaves out, and all of them in Textual's own themes, are derived from its colours. The file's name is the theme's.
"""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from textual.app import App
from textual.color import Color, ColorParseError
from textual.theme import Theme
from watchfiles import awatch

DEFAULT_THEME = "night-watch"

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
}
"""Every variable beyond Textual's own that style sheets and content may use, with what it is derived from:
a colour, or so many percent of it over the background."""

TEXT_ROLES = tuple(
    role
    for role in ROLES
    if not role.startswith(("context-", "cursor-", "match-")) and not role.endswith("-background") and role != "faint"
)
"""Roles that colour words, which must be readable on every background."""

_ANSI_SHADES = {"muted": "ansi_bright_black", "faint": "ansi_bright_black", "context-free": "ansi_black"}
_ANSI_BACKGROUNDS = {"cursor-line": "ansi_default", "diff-add-background": "ansi_default",
                     "diff-del-background": "ansi_default", "match-foreground": "ansi_black"}  # fmt: skip

READABLE = 4.5
"""Least contrast of text (WCAG 2, level AA)."""


class ThemeError(ValueError):
    """A theme file can't be used; the message is one plain sentence."""


@dataclass
class Loaded:
    """Themes that can be used, and one sentence for each file that can't."""

    themes: list[Theme] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def load_themes(user_folder: Path | None = None) -> Loaded:
    """The built-in themes, then those of `user_folder`; a user's theme replaces a built-in one of the same name."""
    sources: list[Traversable] = [files("themes")]
    if user_folder is not None and user_folder.is_dir():
        sources.append(user_folder)
    loaded: dict[str, Theme] = {}
    failed: list[str] = []
    for source in sources:
        for file in _theme_files(source):
            try:
                theme = parse_theme(file.name.removesuffix(".toml"), file.read_text("utf-8"))
                loaded[theme.name] = theme
            except (ThemeError, OSError, UnicodeDecodeError) as error:
                failed.append(f"The theme file {file.name} can't be used: {error}")
    return Loaded(list(loaded.values()), failed)


def _theme_files(source: Traversable) -> list[Traversable]:
    return sorted((file for file in source.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)


def parse_theme(name: str, text: str) -> Theme:
    """A theme from the text of its file.

    Raises:
        ThemeError: with one sentence on the first thing that is wrong.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ThemeError(f"it is not valid TOML ({error}).") from None
    _refuse_unknown("key", data, ("label", "dark", "ansi", "colors", "roles"))
    colors, roles = _table(data, "colors"), _table(data, "roles")
    _refuse_unknown("colour", colors, COLORS)
    _refuse_unknown("role", roles, ROLES)
    if "primary" not in colors:
        raise ThemeError("its [colors] need at least a primary colour.")
    values = {key: _resolve(key, {**colors, **roles}) for key in {**colors, **roles}}
    theme = Theme(
        name,
        primary=values["primary"],
        dark=_flag(data, "dark", True),
        ansi=_flag(data, "ansi", False),
        variables={role: values[role] for role in roles},
    )
    for color in colors:
        setattr(theme, color, values[color])
    return theme


def _table(data: Mapping[str, Any], name: str) -> dict[str, str]:
    table = data.get(name, {})
    if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
        raise ThemeError(f"[{name}] must be a table of texts.")
    return table


def _flag(data: Mapping[str, Any], name: str, default: bool) -> bool:
    value = data.get(name, default)
    if not isinstance(value, bool):
        raise ThemeError(f"{name} must be true or false.")
    return value


def _refuse_unknown(what: str, given: Iterable[str], known: Iterable[str]) -> None:
    for name in given:
        if name not in known:
            raise ThemeError(f"it has an unknown {what}, {name!r}; known are {', '.join(known)}.")


def _resolve(key: str, values: Mapping[str, str]) -> str:
    """The colour behind a key, following `$name`."""
    value, seen = values[key], {key}
    while value.startswith("$"):
        target = value[1:]
        if target in seen or target not in values:
            raise ThemeError(f"{key} points at ${target}, which leads to no colour.")
        seen.add(target)
        value = values[target]
    try:
        Color.parse(value)
    except ColorParseError:
        raise ThemeError(f"{key} is {value!r}, which is no colour; write it like '#7fb2e5'.") from None
    return value


def role_variables(theme: Theme) -> dict[str, str]:
    """Every role of `theme`: its own, else derived. This is what `App.get_theme_variable_defaults` returns."""
    colors = theme.to_color_system().generate()
    # Textual's style sheets use these two, and its own 16-colour themes are the only ones to define them.
    roles = {"ansi-background": "ansi_default", "ansi-foreground": "ansi_default"} if theme.ansi else {}
    for role, origin in ROLES.items():
        own = theme.variables.get(role)
        roles[role] = own if own is not None else _derive(role, origin, {**colors, **roles}, theme.ansi)
    return roles


def _derive(role: str, origin: str, colors: Mapping[str, str], ansi: bool) -> str:
    name, _, percent = origin.partition(" ")
    if ansi:
        return (_ANSI_SHADES | _ANSI_BACKGROUNDS).get(role, colors[name])
    if not percent:
        return colors[name]
    background, color = Color.parse(colors["background"]), Color.parse(colors[name])
    return background.blend(color, int(percent[:-1]) / 100, alpha=1.0).hex


def contrast(one: Color, other: Color) -> float:
    """Contrast ratio of two opaque colours, 1 to 21 (WCAG 2)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: Color) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def weaknesses(theme: Theme) -> list[str]:
    """What would be hard to read, a sentence each. A theme of the terminal's own colours can't be judged."""
    if theme.ansi:
        return []
    colors = theme.to_color_system().generate() | role_variables(theme)
    pairs = [(text, ground) for text in ("foreground", *TEXT_ROLES) for ground in ("background", "surface")]
    pairs += [
        ("foreground", ground) for ground in ("panel", "cursor-line", "diff-add-background", "diff-del-background")
    ]
    pairs += [("match-foreground", "match-background")]
    measured = [
        (text, ground, contrast(Color.parse(colors[text]), Color.parse(colors[ground]))) for text, ground in pairs
    ]
    return [
        f"{text} on {ground} has a contrast of {ratio:.1f}; {READABLE} is readable."
        for text, ground, ratio in measured
        if ratio < READABLE
    ]


def apply_themes(app: App[Any], loaded: Loaded) -> None:
    """Register the themes; when the one in use is among them, paint with its new colours."""
    for theme in loaded.themes:
        app.register_theme(theme)
    if any(theme.name == app.theme for theme in loaded.themes):
        app._watch_theme(app.theme)  # The name did not change, so nothing else would look.


async def watch_themes(folder: Path, changed: Callable[[Loaded], None], *, stop: asyncio.Event | None = None) -> None:
    """Call `changed` with all themes, built in and of `folder`, whenever a file of `folder` is edited."""
    async for _ in awatch(folder, stop_event=stop, recursive=False):
        changed(load_themes(folder))
