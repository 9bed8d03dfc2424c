"""Drives the watch screen in tests: an app over a made-up log, waiting for it, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sample_sessions import FakeControls, FakeSource, Log
from textual.pilot import Pilot

from core.clock import VirtualClock, monotonic
from tui.app import LongwatchApp

PATIENCE_S = 10.0


def app_over(log: Log, *, mode: str = "live", available: bool = True, **options: Any) -> LongwatchApp:
    """An app whose clock stands at the log's end."""
    source, controls = FakeSource(log, ends=mode == "replay"), FakeControls(available=available)
    options.setdefault("clock", VirtualClock(log.at_us))
    app = LongwatchApp(source, controls, mode=mode, **options)  # type: ignore[arg-type]
    app.fake_source, app.fake_controls = source, controls  # type: ignore[attr-defined]
    return app


async def until(pilot: Pilot[Any], condition: Callable[[], bool]) -> None:
    """Let the app run until the condition holds."""
    limit = monotonic() + PATIENCE_S
    while not condition():
        assert monotonic() < limit, screen_text(pilot)
        await pilot.pause(0.02)
    await pilot.pause()


async def read(pilot: Pilot[Any]) -> None:
    """Wait until all that the source has is on the screen."""
    await until(pilot, lambda: "persisted to #" in status(pilot) and pilot.app.watch_screen._read)


def status(pilot: Pilot[Any]) -> str:
    """Every field of the status line."""
    line = pilot.app.watch_screen.query_one("#status")
    return " | ".join(content.plain for content in line._values.values())


def screen_text(pilot: Pilot[Any]) -> str:
    """What is on the screen, without colours."""
    return "\n".join(strip.text for strip in pilot.app.screen._compositor.render_strips())


def pane_text(pilot: Pilot[Any], pane: str) -> str:
    """What is on the screen in the place of a pane."""
    region = pilot.app.watch_screen.query_one(f"#{pane}").region
    strips = pilot.app.screen._compositor.render_strips()[region.y : region.bottom]
    return "\n".join(strip.crop(region.x, region.right).text for strip in strips)
