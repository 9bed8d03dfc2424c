"""Themes load, are complete and readable, say what is wrong with them, and change while the app runs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.app import ComposeResult
from textual.color import Color
from textual.containers import Vertical
from textual.theme import BUILTIN_THEMES, Theme

from tui.compositor import ThriftyApp
from tui.theming import (
    DEFAULT_THEME,
    ROLES,
    Loaded,
    ThemeError,
    apply_themes,
    contrast,
    load_themes,
    parse_theme,
    role_variables,
    watch_themes,
    weaknesses,
)
from tui.widgets.chart import Chart
from tui.widgets.gauge import Part, stacked
from tui.widgets.hint_bar import Hint, HintBar
from tui.widgets.line_list import LineList
from tui.widgets.live_label import LiveLabel
from tui.widgets.rows import TextRows
from tui.widgets.status_line import Field, StatusLine

BUILT_IN = load_themes().themes


class ThemedApp(ThriftyApp[None]):
    def compose(self) -> ComposeResult:
        with Vertical():
            yield StatusLine([Field("state", 10)])
            yield LineList(TextRows(["one", "two"]))
            yield LiveLabel(id="bar")
            yield Chart()
            yield HintBar()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return role_variables(self.current_theme)

    def on_mount(self) -> None:
        apply_themes(self, load_themes())
        parts = [Part("a", 3, "context-text"), Part("b", 5, "context-free", True)]
        self.query_one("#bar", LiveLabel).update(stacked(parts, 40))
        self.query_one(Chart).show([1, 2, 3])
        self.query_one(HintBar).show([Hint("q", "leave", "app.quit")])


def test_the_built_in_themes_load_without_a_complaint() -> None:
    loaded = load_themes()
    assert loaded.failed == []
    assert DEFAULT_THEME in {theme.name for theme in loaded.themes}
    assert len(loaded.themes) >= 5
    assert {theme.dark for theme in loaded.themes} == {True, False}
    assert any(theme.ansi for theme in loaded.themes)


@pytest.mark.parametrize("theme", BUILT_IN, ids=lambda theme: theme.name)
def test_every_text_of_a_built_in_theme_is_readable(theme: Theme) -> None:
    assert weaknesses(theme) == []


@pytest.mark.parametrize("theme", [*BUILT_IN, *BUILTIN_THEMES.values()], ids=lambda theme: theme.name)
def test_every_theme_gives_every_role_a_colour(theme: Theme) -> None:
    roles = role_variables(theme)
    assert set(ROLES) <= set(roles)
    for colour in roles.values():
        Color.parse(colour)


async def test_an_app_can_wear_every_theme() -> None:
    app = ThemedApp()
    async with app.run_test() as pilot:
        for name in list(app.available_themes):
            app.theme = name
            await pilot.pause()
            assert app.theme_variables["tool-fail"]


def test_contrast_is_what_the_standard_says() -> None:
    assert contrast(Color(255, 255, 255), Color(0, 0, 0)) == pytest.approx(21)
    assert contrast(Color.parse("#767676"), Color(255, 255, 255)) == pytest.approx(4.54, abs=0.01)


def test_a_hard_to_read_theme_is_told_so() -> None:
    theme = parse_theme("fog", '[colors]\nprimary = "#333344"\nforeground = "#555555"\nbackground = "#444444"')
    assert any(sentence.startswith("foreground on background") for sentence in weaknesses(theme))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[colors", "not valid TOML"),
        ("[colors]\n", "at least a primary"),
        ('[colors]\nprimary = "blurple"', "'blurple', which is no colour"),
        ('[colors]\nprimary = "#123456"\nprimry = "#123456"', "unknown colour, 'primry'"),
        ('[colors]\nprimary = "#123456"\n[roles]\ntool-okay = "#123456"', "unknown role, 'tool-okay'"),
        ('[colors]\nprimary = "$primary"', "leads to no colour"),
        ('[colors]\nprimary = "#123456"\n[roles]\nuser = "$nobody"', "leads to no colour"),
        ('dark = "yes"\n[colors]\nprimary = "#123456"', "dark must be true or false"),
        ("[colors]\nprimary = 7", "table of texts"),
    ],
)
def test_what_is_wrong_with_a_theme_is_one_sentence(text: str, reason: str) -> None:
    with pytest.raises(ThemeError, match=reason):
        parse_theme("mine", text)


def test_a_users_theme_replaces_a_built_in_one_and_a_broken_one_is_reported(tmp_path: Path) -> None:
    (tmp_path / "ember.toml").write_text('[colors]\nprimary = "#abcdef"')
    (tmp_path / "broken.toml").write_text("nonsense")
    (tmp_path / "notes.txt").write_text("not a theme")
    loaded = load_themes(tmp_path)
    assert next(theme for theme in loaded.themes if theme.name == "ember").primary == "#abcdef"
    assert len(loaded.failed) == 1 and loaded.failed[0].startswith("The theme file broken.toml can't be used")


async def test_an_edited_theme_file_is_worn_at_once(tmp_path: Path) -> None:
    app, stop, seen = ThemedApp(), asyncio.Event(), asyncio.Event()

    def changed(loaded: Loaded) -> None:
        apply_themes(app, loaded)
        if any(theme.primary == "#abcdef" for theme in loaded.themes):
            seen.set()

    async with app.run_test() as pilot:
        app.theme = "ember"
        watcher = asyncio.create_task(watch_themes(tmp_path, changed, stop=stop))
        for _ in range(100):
            (tmp_path / "ember.toml").write_text('[colors]\nprimary = "#abcdef"')
            try:
                await asyncio.wait_for(seen.wait(), 0.2)
                break
            except TimeoutError:
                continue
        await pilot.pause()
        assert app.theme_variables["primary"].lower() == "#abcdef"
        stop.set()
        await watcher
