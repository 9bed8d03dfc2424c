"""Themes as the app wears them: loaded from files, every role with a colour, changed while the app runs.

`tui.theme_sheet` reads a file, `tui.readability` judges what it comes to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from textual.app import App
from textual.color import Color
from textual.theme import Theme

from tui.safe import one_line
from tui.theme_choice import DARK
from tui.theme_sheet import ROLES, Sheet, ThemeError, built_in, read_sheet, resolve, theme_files

DEFAULT_THEME = DARK

_ANSI_SHADES = {"muted": "ansi_default", "faint": "ansi_bright_black", "context-free": "ansi_black"}
_ANSI_BACKGROUNDS = {
    **dict.fromkeys(("cursor-line", "diff-add-background", "diff-del-background"), "ansi_default"),
    **dict.fromkeys(("match-foreground", "front-foreground", "selection-foreground"), "ansi_black"),
    "selection-background": "ansi_cyan",
}


class Loaded(Struct):
    """Themes that can be used with their labels, and one sentence for each file that can't."""

    themes: list[Theme] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def add(self, theme: Theme, label: str) -> None:
        """A theme, in the place of one of the same name."""
        self.themes = [*(other for other in self.themes if other.name != theme.name), theme]
        self.labels[theme.name] = one_line(label) or theme.name

    def get(self, name: str) -> Theme | None:
        """The theme of that name, if it can be used."""
        return next((theme for theme in self.themes if theme.name == name), None)


def load_themes(
    user_folder: Path | None = None, before: Loaded | None = None, only: Collection[str] | None = None
) -> Loaded:
    """The built-in themes, then those of `user_folder`; a user's theme replaces a built-in one of the same name.

    A file that can't be used leaves its theme as it was in `before`. `only`: none but those of these names.
    """
    loaded = Loaded()
    for name, sheet in built_in().items():
        if only is None or name in only:
            loaded.add(make_theme(name, sheet), sheet.label)
    for file in theme_files(user_folder) if user_folder is not None and user_folder.is_dir() else []:
        name = file.name.removesuffix(".toml")
        if only is not None and name not in only:
            continue
        try:
            sheet = read_sheet(file.read_text("utf-8"))
            loaded.add(make_theme(name, sheet), sheet.label)
        except (ThemeError, OSError, UnicodeDecodeError) as error:
            loaded.failed.append(one_line(f"The theme file {file.name} {_complaint(error)}"))
            if before is not None and (last := before.get(name)) is not None:
                loaded.add(last, before.labels[name])
    return loaded


def _complaint(error: Exception) -> str:
    match error:
        case ThemeError(line=int(line)):
            return f"can't be used, line {line}: {error}"
        case UnicodeDecodeError():
            return "can't be used: it is not UTF-8 text; save it as UTF-8."
        case OSError(strerror=reason):
            return f"can't be read: {reason}."
    return f"can't be used: {error}"


def parse_theme(name: str, text: str) -> Theme:
    """A theme from the text of its file. Raises ThemeError on the first thing that is wrong."""
    return make_theme(name, read_sheet(text))


def make_theme(name: str, sheet: Sheet) -> Theme:
    """The theme of a sheet, every `$name` followed."""
    values = {**sheet.colors, **sheet.roles}
    colors = {color: resolve(color, values) for color in sheet.colors}
    roles = {role: resolve(role, values) for role in sheet.roles}
    theme = Theme(name, primary=colors["primary"], dark=sheet.dark, ansi=sheet.ansi, variables=roles)
    for color, value in colors.items():
        setattr(theme, color, value)
    return replace(theme, variables={**roles, **_selections(role_variables(theme))})


def _selections(roles: Mapping[str, str]) -> dict[str, str]:
    """Textual's own names for what is selected; its defaults would leave muted text unreadable there."""
    return {
        f"{owner}-selection-{ground}": roles[f"selection-{ground}"]
        for owner in ("screen", "input")
        for ground in ("background", "foreground")
    }


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


def apply_themes(app: App[Any], loaded: Loaded) -> None:
    """Register the themes; when the one in use has changed, paint with its new colours."""
    worn = app.get_theme(app.theme)
    for theme in loaded.themes:
        app.register_theme(theme)
    if app.get_theme(app.theme) != worn:
        app._watch_theme(app.theme)  # The name did not change, so nothing else would look.


async def watch_themes(folder: Path, changed: Callable[[], None], *, stop: asyncio.Event | None = None) -> None:
    """Call `changed` whenever a theme file of `folder` is edited, also where it is a link to a file elsewhere."""
    from watchfiles import awatch

    linked = {file.resolve().parent for file in folder.glob("*.toml") if file.is_symlink()}
    async for _ in awatch(folder, *linked, stop_event=stop, recursive=False):
        changed()
