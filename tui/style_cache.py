"""Lets what Textual drew of a closed dialog go.

Textual remembers the colours of each widget's edges in one cache for all, whose keys hold the widget's own cache of
lines: up to 1,024 closed widgets with all that was ever drawn of them. Here the colours alone are the key.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from textual._styles_cache import StylesCache
from textual.color import Color
from textual.style import Style


def let_closed_widgets_go() -> None:
    """Key the cache by its colours; nothing, where it has another form than the one known here."""
    computed: Any = getattr(StylesCache.get_inner_outer, "__wrapped__", None)
    if computed is None:
        return

    @lru_cache(1024)
    def edges(base_background: Color, background: Color) -> tuple[Style, Style]:
        found: tuple[Style, Style] = computed(StylesCache, base_background, background)
        return found

    def get_inner_outer(_: StylesCache, base_background: Color, background: Color) -> tuple[Style, Style]:
        return edges(base_background, background)

    StylesCache.get_inner_outer = get_inner_outer  # type: ignore[method-assign,assignment]
