"""Pictures of the screen, made by driving the app itself: SVG always, PNG beside it where cairosvg is installed."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    cairosvg.svg2png(bytestring=svg.read_bytes(), write_to=str(png))
    return True
