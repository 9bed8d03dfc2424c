"""Pictures of the screen, made by driving the app itself: SVG always, PNG beside it where cairosvg is installed."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from html import unescape
from itertools import accumulate
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from textual.app import App
from textual.pilot import Pilot

FONT = "DejaVu Sans Mono"
"""A font that has every glyph of the screen; the default one of the export is fetched from the network."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture: its file name, the terminal's size, keys to press, and what to wait for before and after them.

    `ready` is awaited once the app runs (for a session to be read to its end, say), `shown` after the keys.
    """

    name: str
    size: tuple[int, int] = (120, 36)
    keys: Sequence[str] = ()
    theme: str | None = None
    ready: Callable[[Pilot[Any]], Awaitable[None]] | None = None
    shown: Callable[[Pilot[Any]], Awaitable[None]] | None = None


async def take(app_factory: Callable[[], App[Any]], scenes: Sequence[Scene], folder: Path) -> list[Path]:
    """Make every scene's picture in `folder`, each from a fresh app; the files written."""
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for scene in scenes:
        svg = folder / f"{scene.name}.svg"
        svg.write_text(await picture(app_factory(), scene), encoding="utf-8")
        png = svg.with_suffix(".png")
        written += [svg, png] if to_png(svg, png) else [svg]
    return written


async def picture(app: App[Any], scene: Scene) -> str:
    """The scene as SVG, in a font that is installed."""
    async with app.run_test(size=scene.size) as pilot:
        if scene.theme:
            while scene.theme not in app.available_themes:
                await pilot.pause()
            app.theme = scene.theme
        if scene.ready:
            await scene.ready(pilot)
        await pilot.pause()
        await pilot.press(*scene.keys)
        if scene.shown:
            await scene.shown(pilot)
        await pilot.pause()
        return _offline(app.export_screenshot(title=scene.name))


def _offline(svg: str) -> str:
    """The picture without the fonts that it would fetch, in one that readers have."""
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL).replace("Fira Code", FONT)


def to_png(svg: Path, png: Path) -> bool:
    """Draw the SVG as PNG; False where cairosvg is not installed."""
    try:
        import cairosvg  # type: ignore[import-untyped]
    except ImportError:
        return False
    placed = _TEXT.sub(_in_cells, svg.read_text(encoding="utf-8"))
    cairosvg.svg2png(bytestring=placed.encode(), write_to=str(png))
    return True


_TEXT = re.compile(r'<text ([^>]*?)x="([\d.]+)" ([^>]*?)textLength="([\d.]+)"([^>]*)>([^<]*)</text>')


def _in_cells(found: re.Match[str]) -> str:
    """A text with a place for each of its characters: bold ones and blanks would drift from their cells otherwise."""
    before, x, middle, length, after, text = found.groups()
    characters = unescape(text)
    if not any(map(str.isalnum, characters)) and not any(map(str.isspace, characters)):
        # Rules and bars: rounded places would leave seams in them.
        return found[0]
    step = float(length) / max(1, cell_len(characters))
    starts = accumulate(map(cell_len, characters), initial=0)
    places = " ".join(f"{float(x) + cells * step:.1f}" for cells, _ in zip(starts, characters, strict=False))
    return f'<text {before}x="{places}" {middle}{after}>{text}</text>'
