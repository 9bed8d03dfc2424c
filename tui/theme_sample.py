"""A theme in one line: what its words look like on its own ground, for the list of themes."""

from __future__ import annotations

from rich.style import Style as RichStyle
from rich.text import Text
from textual.color import Color
from textual.theme import Theme

from tui.theming import role_variables

_WORDS = (
    ("● running", "state-running"),
    ("◌ waiting", "state-waiting"),
    ("‖ paused", "state-paused"),
    ("✗ failed", "state-failed"),
    ("you", "user"),
    ("agent", "agent"),
    ("+12", "diff-add"),
    ("−3", "diff-del"),
    ("muted", "muted"),
)


def sample(theme: Theme) -> Text:
    """The states and the speakers in the colours of `theme`."""
    colors = theme.to_color_system().generate() | role_variables(theme)
    ground = Color.parse(colors["surface"]).rich_color
    line = Text(" ", RichStyle(bgcolor=ground), no_wrap=True)
    for words, role in _WORDS:
        line.append(f"{words}  ", RichStyle(color=Color.parse(colors[role]).rich_color, bgcolor=ground))
    return line
