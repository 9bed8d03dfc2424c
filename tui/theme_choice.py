"""Which theme fits a terminal when nobody chose one: by what it says of its colours and its background.

The background is taken from COLORFGBG alone. Asking the terminal itself (OSC 11) needs an answer among the keys, which
over a slow line comes when nobody waits for it any more.
"""

from __future__ import annotations

from collections.abc import Mapping

DARK, LIGHT, COLOURLESS = "night-watch", "daybreak", "ink"

_COLOURLESS_TERMS = ("dumb", "unknown", "vt", "ansi-m", "linux-m", "wy", "hpterm")
_LIGHT_BACKGROUNDS = frozenset({"7", *map(str, range(9, 16))})


def has_colours(environ: Mapping[str, str]) -> bool:
    """Whether colours are known and wanted: NO_COLOR is empty, and TERM names no terminal without them."""
    term = environ.get("TERM", "")
    return not environ.get("NO_COLOR") and not (term.startswith(_COLOURLESS_TERMS) or term.endswith(("-m", "-mono")))


def is_light(environ: Mapping[str, str]) -> bool:
    """Whether the terminal says that its background is light; `COLORFGBG` is `15;0` or `0;default;15`."""
    return environ.get("COLORFGBG", "").rpartition(";")[2] in _LIGHT_BACKGROUNDS


def fitting_theme(environ: Mapping[str, str]) -> str:
    """The name of the built-in theme that fits the terminal of this environment."""
    if not has_colours(environ):
        return COLOURLESS
    return LIGHT if is_light(environ) else DARK
