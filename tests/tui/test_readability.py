"""Every word of every built-in theme can be read, by everybody, on what is really behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sample_sessions import audit_session
from textual.color import Color
from textual.theme import Theme
from watching_app import app_over, read

from tui.readability import GROUNDS, OWN_GROUNDS, PAIRS, READABLE, TEXTS, contrast, linear, luminance, weaknesses
from tui.theming import load_themes, parse_theme, role_variables

BUILT_IN = load_themes().themes
COLOURED = [theme for theme in BUILT_IN if not theme.ansi]
SOURCES = [
    path
    for suffix in ("py", "tcss")
    for path in (Path(__file__).parents[2] / "tui").rglob(f"*.{suffix}")
    if path.name not in ("theming.py", "theme_sheet.py", "readability.py") and path.parent.name != "commands"
]
GRAPHIC = ("context-", "faint", "cursor-mark", "panel-lighten-1", "match-", "selection-")
"""Names that colour bars, rules and marks, or that have their own pair."""

BLINDNESS = {
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
}
"""Matrices over linear RGB (Machado, Oliveira and Fernandes, 2009, at full severity)."""
TOLD_APART = 20
"""Least distance in CIELAB of two colours that must not be mistaken; 2.3 is just noticed side by side."""
STATES = (
    *(("success", "warning"), ("success", "error"), ("warning", "error")),
    *(("tool-ok", "tool-fail"), ("tool-running", "tool-ok"), ("tool-running", "tool-fail")),
    *(("state-running", "state-paused"), ("state-running", "state-failed"), ("state-paused", "state-failed")),
    *(("cost-ok", "cost-warn"), ("cost-warn", "cost-over"), ("diff-add", "diff-del"), ("user", "agent")),
)

PALETTES = {
    "vga": "000000 aa0000 00aa00 aa5500 0000aa aa00aa 00aaaa aaaaaa "
    "555555 ff5555 55ff55 ffff55 5555ff ff55ff 55ffff ffffff",
    "xterm": "000000 cd0000 00cd00 cdcd00 0000ee cd00cd 00cdcd e5e5e5 "
    "7f7f7f ff0000 00ff00 ffff00 5c5cff ff00ff 00ffff ffffff",
    "windows": "0c0c0c c50f1f 13a10e c19c00 0037da 881798 3a96dd cccccc "
    "767676 e74856 16c60c f9f1a5 3b78ff b4009e 61d6d6 f2f2f2",
}
"""The 16 colours of usual dark terminals, black to bright white; words without a colour are in the eighth."""
NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")


def colors_of(theme: Theme) -> dict[str, str]:
    return theme.to_color_system().generate() | role_variables(theme)


@pytest.mark.parametrize("theme", COLOURED, ids=lambda theme: theme.name)
def test_every_word_of_a_built_in_theme_is_readable(theme: Theme) -> None:
    assert weaknesses(theme) == []


def test_high_contrast_is_higher() -> None:
    beacon = colors_of(next(theme for theme in BUILT_IN if theme.name == "beacon"))
    assert min(contrast(Color.parse(beacon[text]), Color.parse(beacon["surface"])) for text in TEXTS) >= 7


@pytest.mark.parametrize("palette", PALETTES)
def test_the_sixteen_colours_are_readable_on_usual_terminals(palette: str) -> None:
    shades = [Color.parse(f"#{shade}") for shade in PALETTES[palette].split()]
    known = {f"ansi_{name}": shades[index] for index, name in enumerate(NAMES)}
    known |= {f"ansi_bright_{name}": shades[index + 8] for index, name in enumerate(NAMES)}
    colors = colors_of(next(theme for theme in BUILT_IN if theme.ansi))
    for text, ground in PAIRS:
        behind = known.get(colors[ground], shades[0])
        ratio = contrast(known.get(colors[text], shades[7]), behind)
        assert ratio >= READABLE or colors[text] == colors[ground], f"{text} on {ground}: {ratio:.1f}"


def test_what_the_style_sheets_name_is_what_is_measured() -> None:
    texts = {*TEXTS, *(text for text, _ in OWN_GROUNDS)}
    grounds = {*GROUNDS, *(ground for pair in OWN_GROUNDS for ground in pair)}  # Turned round it reads as well.
    for path in SOURCES:
        source = path.read_text("utf-8")
        for ground in re.findall(r"(?:background: *| on )\$([a-z0-9-]+)", source):
            assert ground in grounds or ground.startswith(GRAPHIC), f"{path.name}: {ground}"
        for text in re.findall(r"(?<!on )(?<!background: )(?<!-color: )\$([a-z][a-z0-9-]+)", source):
            known = text in texts or text in grounds or text.startswith(GRAPHIC)
            assert known, f"{path.name}: {text}"


def hard_to_read(app: object) -> Iterator[str]:
    """Words on the screen with too little contrast, with their colours."""
    for strip in app.screen._compositor.render_strips():  # type: ignore[attr-defined]
        for text, style, _ in strip:
            if style is None or not style.color or not style.bgcolor or not any(map(str.isalnum, text)):
                continue
            words, ground = (Color.from_rich_color(color) for color in (style.color, style.bgcolor))
            if contrast(words, ground) < READABLE:
                yield f"{text.strip()!r} {words.hex} on {ground.hex}"


@pytest.mark.parametrize("theme", COLOURED, ids=lambda theme: theme.name)
async def test_every_word_that_is_really_painted_is_readable(theme: Theme) -> None:
    app = app_over(audit_session(running=True), theme=theme.name)
    async with app.run_test(size=(200, 50)) as pilot:
        await read(pilot)
        for keys in ((), ("2", "home", "down"), ("enter",), ("escape", "?"), ("escape", "r", "down"), ("escape", "[")):
            await pilot.press(*keys)
            await pilot.pause()
            assert list(hard_to_read(app)) == [], keys


def simulated(color: Color, blindness: str) -> tuple[float, ...]:
    """Linear RGB as it is seen with that blindness."""
    light = [linear(part) for part in color.normalized]
    rows = BLINDNESS[blindness]
    return tuple(min(1.0, max(0.0, sum(a * b for a, b in zip(row, light, strict=True)))) for row in rows)


def lab(light: tuple[float, ...]) -> tuple[float, float, float]:
    """CIELAB (D65) of linear RGB."""
    rows = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    white = (0.95047, 1.0, 1.08883)
    x, y, z = (
        part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116
        for part in (
            sum(a * b for a, b in zip(row, light, strict=True)) / w for row, w in zip(rows, white, strict=True)
        )
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def distance(one: Color, other: Color, blindness: str) -> float:
    pairs = zip(lab(simulated(one, blindness)), lab(simulated(other, blindness)), strict=True)
    return float(sum((a - b) ** 2 for a, b in pairs) ** 0.5)


@pytest.mark.parametrize("blindness", BLINDNESS)
def test_who_is_colour_blind_tells_the_states_and_the_speakers_apart(blindness: str) -> None:
    colors = colors_of(next(theme for theme in BUILT_IN if theme.name == "harbour"))
    apart = {pair: distance(Color.parse(colors[pair[0]]), Color.parse(colors[pair[1]]), blindness) for pair in STATES}
    assert {pair: round(far) for pair, far in apart.items() if far < TOLD_APART} == {}


def test_the_simulation_knows_what_is_mistaken() -> None:
    red, green, blue = Color.parse("#d35f5f"), Color.parse("#8f9a3c"), Color.parse("#5f7fd3")
    assert distance(red, green, "deuteranopia") < TOLD_APART < distance(red, blue, "deuteranopia")


def test_contrast_is_what_the_standard_says() -> None:
    assert contrast(Color(255, 255, 255), Color(0, 0, 0)) == pytest.approx(21)
    assert contrast(Color.parse("#767676"), Color(255, 255, 255)) == pytest.approx(4.54, abs=0.01)
    assert luminance(Color(255, 255, 255)) == pytest.approx(1)


def test_a_hard_to_read_theme_is_told_so_with_the_worst_first() -> None:
    theme = parse_theme("fog", '[colors]\nprimary = "#333344"\nforeground = "#555555"\nbackground = "#444444"')
    told = weaknesses(theme)
    ratios = [float(re.search(r"contrast of ([\d.]+);", sentence)[1]) for sentence in told]  # type: ignore[index]
    assert ratios == sorted(ratios) and any(sentence.startswith("foreground on background") for sentence in told)
