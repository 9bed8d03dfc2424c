"""Themes load, are complete and readable, say what is wrong with them, and change while the app runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner
from textual.app import ComposeResult
from textual.color import Color
from textual.containers import Vertical
from textual.theme import BUILTIN_THEMES, Theme

from tui.commands.setup import themes
from tui.compositor import ThriftyApp
from tui.theme_choice import fitting_theme, has_colours
from tui.theme_sheet import ROLES, ThemeError
from tui.themed_app import ThemedApp as OurApp
from tui.theming import DEFAULT_THEME, apply_themes, load_themes, parse_theme, role_variables, watch_themes
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
            yield HintBar()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return role_variables(self.current_theme)

    def on_mount(self) -> None:
        apply_themes(self, load_themes())
        parts = [Part("a", 3, "context-text"), Part("b", 5, "context-free", True)]
        self.query_one("#bar", LiveLabel).update(stacked(parts, 40))
        self.query_one(HintBar).show([Hint("q", "leave", "app.quit")])


def test_the_built_in_themes_load_without_a_complaint() -> None:
    loaded = load_themes()
    assert loaded.failed == []
    assert DEFAULT_THEME in {theme.name for theme in loaded.themes}
    assert {"night-watch", "daybreak", "beacon", "harbour", "terminal", "ink"} <= set(loaded.labels)
    assert {theme.dark for theme in loaded.themes} == {True, False}
    assert any(theme.ansi for theme in loaded.themes)


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


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("[colors", 1, "not valid TOML"),
        ('[colors]\nprimary = "#12', 2, "not valid TOML"),
        ("[colors]\n", 1, "at least a primary"),
        ('[colors]\nprimary = "blurple"', 2, "'blurple', which is no colour"),
        ('[colors]\nprimary = "#123456"\nprimry = "#123456"', 3, "no colour 'primry'"),
        ('[colors]\nprimary = "#123456"\n[roles]\ntool-okay = "#123456"', 4, "no role 'tool-okay'"),
        ('[colors]\nprimary = "$primary"', 2, "leads to no colour"),
        ('[colors]\nprimary = "#123456"\n[roles]\n\n"user" = "$nobody"', 5, "leads to no colour"),
        ('dark = "yes"\n[colors]\nprimary = "#123456"', 1, "dark must be true or false"),
        ("[colors]\nprimary = 7", 2, "primary must be a text"),
        ("colors = 7", 1, "table of texts"),
        ('\n\nlike = "sunset"', 3, "no built-in theme; there are beacon"),
        ("label = 1", 1, "label must be a text"),
        ('{"a" = 1}', 1, "not valid TOML"),
    ],
)
def test_what_is_wrong_with_a_theme_is_one_sentence_with_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(ThemeError, match=reason) as caught:
        parse_theme("mine", text)
    assert caught.value.line == line
    assert str(caught.value).endswith(".")


def test_a_theme_may_start_from_a_built_in_one() -> None:
    base = load_themes().get("daybreak")
    mine = parse_theme("mine", 'like = "daybreak"\n[colors]\naccent = "#7a3b00"')
    assert base is not None and mine.accent == "#7a3b00" and mine.primary == base.primary and not mine.dark
    assert role_variables(mine)["user"] == "#7a3b00", "a role that points at a colour follows it"


def test_a_users_theme_replaces_a_built_in_one_and_a_broken_one_is_reported(tmp_path: Path) -> None:
    (tmp_path / "ember.toml").write_text('[colors]\nprimary = "#abcdef"')
    (tmp_path / "broken.toml").write_text("# mine\nnonsense")
    (tmp_path / "latin.toml").write_bytes(b'label = "\xe9"')
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "notes.txt").write_text("not a theme")
    loaded = load_themes(tmp_path)
    assert loaded.get("ember").primary == "#abcdef"  # type: ignore[union-attr]
    broken, folder, latin = loaded.failed
    assert broken.startswith("The theme file broken.toml can't be used, line 2: this is not valid TOML")
    assert folder == "The theme file folder.toml can't be read: Is a directory."
    assert latin == "The theme file latin.toml can't be used: it is not UTF-8 text; save it as UTF-8."


def test_a_file_that_breaks_leaves_its_theme_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "ember.toml"
    file.write_text('label = "Mine"\n[colors]\nprimary = "#abcdef"')
    first = load_themes(tmp_path)
    file.write_text('label = "Mine"\n[colors]\nprimary = "#abcd')
    second = load_themes(tmp_path, first)
    assert second.get("ember") == first.get("ember") and second.labels["ember"] == "Mine"
    assert ", line 3: " in second.failed[0]
    file.unlink()
    assert load_themes(tmp_path, second).get("ember") == load_themes().get("ember")


def test_what_a_foreign_theme_file_says_can_not_reach_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "evil.toml").write_text('label = "\\u001b]0;owned\\u0007"\n[colors]\nprimary = "$\\u001b[2J"')
    (tmp_path / "sly.toml").write_text('like = "ember"\nlabel = "\\u001b]0;owned\\u0007"')
    loaded = load_themes(tmp_path)
    assert all(text.isprintable() for text in (*loaded.failed, *loaded.labels.values()))


async def test_an_edited_theme_file_is_worn_at_once_and_a_broken_one_changes_nothing(tmp_path: Path) -> None:
    file, rounds = tmp_path / "ember.toml", 0
    app = OurApp(theme="ember", theme_folder=tmp_path)

    async def write_until(text: str, seen: Callable[[], bool]) -> None:
        nonlocal rounds
        for rounds in range(100):
            file.write_text(f"# {rounds}\n{text}")
            await pilot.pause(0.1)
            if seen():
                return
        raise AssertionError(f"never seen: {text}")

    async with app.run_test() as pilot:
        before = app.theme_variables["primary"].lower()
        await write_until('[colors]\nprimary = "#abcdef"', lambda: app.theme_variables["primary"].lower() == "#abcdef")
        await write_until('[colors]\nprimary = "#ab"', lambda: bool(app._themes.failed))
        assert app.theme_variables["primary"].lower() == "#abcdef" != before
        toast = [notification.message for notification in app._notifications]
        assert any("ember.toml can't be used, line 3: primary is '#ab'" in message for message in toast)


async def test_a_link_to_a_theme_file_is_watched_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    (tmp_path / "themes").mkdir()
    target, seen, stop = tmp_path / "dotfiles" / "mine.toml", asyncio.Event(), asyncio.Event()
    target.write_text('like = "ember"')
    (tmp_path / "themes" / "mine.toml").symlink_to(target)
    watcher = asyncio.create_task(watch_themes(tmp_path / "themes", seen.set, stop=stop))
    for number in range(100):
        target.write_text(f'like = "ember" # {number}')
        with suppress(TimeoutError):
            await asyncio.wait_for(seen.wait(), 0.1)
            break
    stop.set()
    await watcher
    assert seen.is_set()


async def test_a_theme_that_is_not_there_is_named_in_a_sentence() -> None:
    app = OurApp(theme="sunset")
    async with app.run_test():
        assert app.theme == DEFAULT_THEME
        assert [note.message for note in app._notifications] == ["There is no theme 'sunset'; this is night-watch."]


@pytest.mark.parametrize(
    ("environ", "theme"),
    [
        ({"TERM": "xterm-256color"}, "night-watch"),
        ({"TERM": "xterm-256color", "COLORFGBG": "15;0"}, "night-watch"),
        ({"TERM": "xterm-256color", "COLORFGBG": "0;15"}, "daybreak"),
        ({"TERM": "rxvt-unicode", "COLORFGBG": "0;default;7"}, "daybreak"),
        ({"TERM": "xterm", "COLORFGBG": "15;8"}, "night-watch"),
        ({"TERM": "xterm", "COLORFGBG": "default;default"}, "night-watch"),
        ({"TERM": "xterm-256color", "NO_COLOR": "1", "COLORFGBG": "0;15"}, "ink"),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, "night-watch"),
        ({"TERM": "dumb"}, "ink"),
        ({"TERM": "vt220"}, "ink"),
        ({"TERM": "xterm-mono"}, "ink"),
        ({"TERM": "linux"}, "night-watch"),
        ({}, "night-watch"),
    ],
)
def test_a_theme_fits_what_the_terminal_says_of_itself(environ: dict[str, str], theme: str) -> None:
    assert fitting_theme(environ) == theme
    assert has_colours(environ) == (theme != "ink")


def test_the_command_shows_each_theme_with_its_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "themes").mkdir()
    (tmp_path / "themes" / "fog.toml").write_text('like = "ink"\nlabel = "Fog"\n[roles]\nmuted = "#333333"')
    (tmp_path / "themes" / "torn.toml").write_text('[colors]\nprimary = "mauve-ish"')
    monkeypatch.setenv("LONGWATCH_CONFIG", str(tmp_path / "config.toml"))
    result = CliRunner().invoke(themes)
    lines = result.stdout.splitlines()
    assert len(lines) == len(BUILT_IN) + 1 and all("● running" in line and "muted" in line for line in lines)
    assert "torn.toml can't be used, line 2: primary is 'mauve-ish'" in result.stderr
    assert "on cursor-line has a contrast of 1.1; 4.5 is readable. (20 such pairs)" in result.stderr
