"""Whether the words of a theme can be read on everything that is behind them.

Names are those of style sheets; `tests/tui/test_readability.py` holds them against what the screens really use.
"""

from __future__ import annotations

from textual.color import Color
from textual.theme import Theme

from tui.theme_sheet import ROLES
from tui.theming import role_variables

READABLE = 4.5
"""Least contrast of text (WCAG 2, level AA)."""

GROUNDS = ("background", "surface", "panel", "cursor-line")
"""What any words may stand on."""

_GRAPHIC = ("context-", "cursor-", "match-", "front-", "selection-")
TEXTS = (
    *("foreground", "primary", "secondary", "accent", "warning", "error", "success"),
    *(role for role in ROLES if not role.startswith(_GRAPHIC) and not role.endswith("-background") and role != "faint"),
)
"""What colours words."""

OWN_GROUNDS = (
    ("match-foreground", "match-background"),
    ("selection-foreground", "selection-background"),
    ("front-foreground", "front-background"),
    *((text, f"diff-{change}-background") for change in ("add", "del") for text in (f"diff-{change}", "foreground")),
)
"""Words with a ground of their own."""

PAIRS = (*((text, ground) for text in TEXTS for ground in GROUNDS), *OWN_GROUNDS)
"""(words, ground) of everything that is written."""


def contrast(one: Color, other: Color) -> float:
    """Contrast ratio of two opaque colours, 1 to 21 (WCAG 2)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(color: Color) -> float:
    """Relative luminance, 0 to 1 (WCAG 2)."""
    red, green, blue = (linear(part) for part in color.normalized)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def linear(part: float) -> float:
    """A channel of sRGB, 0 to 1, as an amount of light."""
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def weaknesses(theme: Theme) -> list[str]:
    """What would be hard to read, a sentence each, the worst first.

    A theme of the terminal's own colours can't be judged.
    """
    if theme.ansi:
        return []
    colors = {name: Color.parse(color) for name, color in _colors(theme).items()}
    measured = sorted((contrast(colors[text], colors[ground]), text, ground) for text, ground in PAIRS)
    return [
        f"{text} on {ground} has a contrast of {ratio:.1f}; {READABLE} is readable."
        for ratio, text, ground in measured
        if ratio < READABLE
    ]


def _colors(theme: Theme) -> dict[str, str]:
    """The colour of every name in `PAIRS`."""
    colors = theme.to_color_system().generate() | role_variables(theme)
    return {name: colors[name] for pair in PAIRS for name in pair}
