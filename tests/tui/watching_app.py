"""Drives the watch screen in tests: an app over a made-up log, waiting for it, and what it says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec
from sample_sessions import FakeControls, FakeSource, Log
from textual._compositor import Compositor
from textual.pilot import Pilot

from core.clock import VirtualClock, monotonic
from core.protocols import Preview
from core.request.fidelity import Fact
from tui.app import LongwatchApp

PATIENCE_S = 30.0

DIGEST = "\n".join([
    "Corrections",
    "- Use bound parameters, also in the tests.",
    "Decisions",
    "- Keep the public names; the callers are not ours.",
    "Failed before",
    "- Mocking sqlite3: the tests then prove nothing.",
    "Names",
    *(f"- inventory/module_{number}.py  read #{number * 7}" for number in range(40)),
])  # fmt: skip
FACTS = (
    Fact("the task", "Audit the inventory package and fix what is unsafe."),
    Fact("your constraint", "Never touch the auth module."),
    Fact("your correction", "Use bound parameters, also in the tests."),
    Fact("step 4 of the plan", "Write the migration for the new column."),
)
PREVIEW = Preview(
    tokens_before=41_236,
    tokens_after=12_310,
    turns_leaving=38,
    turns_kept=10,
    held=("Never touch the auth module.", "Run the tests with -q, always."),
    names=212,
    names_known=1_840,
    digest=DIGEST,
    rest="Audit the inventory package and fix what is unsafe.\nNever touch the auth module.",
    facts=FACTS,
    keep_from=61,
    head=70,
    price=Decimal("0.0421"),
    next_call=Decimal("0.0210"),
    saves_per_turn=Decimal("0.0072"),
    payback_turns=5.8,
    planned_turns=84,
    saves=Decimal("0.563"),
)


@dataclass
class Mark:
    """How far a session was seen, kept in memory."""

    seq: int = 0
    at_us: int = 0

    def read(self) -> tuple[int, int]:
        return self.seq, self.at_us

    def note(self, seq: int) -> None:
        self.seq = max(self.seq, seq)


class PreviewingControls(FakeControls):
    """Computes `preview` once `computed` is set; raises `fault` where there is one."""

    def __init__(self, *, available: bool = True) -> None:
        super().__init__(available=available)
        self.preview = PREVIEW
        self.fault: Exception | None = None
        self.instructions: list[str] = []
        self.evicting: list[int | None] = []
        self.computed = asyncio.Event()
        self.computed.set()

    async def preview_compression(self, instruction: str = "", evict: int | None = None) -> Preview:
        self.instructions.append(instruction)
        self.evicting.append(evict)
        await self.computed.wait()
        if self.fault is not None:
            raise self.fault
        digest = self.preview.digest + (f"\nAs you said: {instruction}" if instruction else "")
        return msgspec.structs.replace(self.preview, digest=digest)


def app_over(log: Log, *, mode: str = "live", available: bool = True, **options: Any) -> LongwatchApp:
    """An app whose clock stands at the log's end."""
    source, controls = FakeSource(log, ends=mode == "replay"), PreviewingControls(available=available)
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
    await until(pilot, lambda: "persisted to #" in status(pilot) and pilot.app.watch_screen.is_read)


def status(pilot: Pilot[Any]) -> str:
    """Every field of the status line."""
    line = pilot.app.watch_screen.query_one("#status")
    return " | ".join(forms[0].plain for forms in line._forms.values())


def screen_text(pilot: Pilot[Any]) -> str:
    """What is on the screen, without colours."""
    return "\n".join(strip.text for strip in pilot.app.screen._compositor.render_strips())


def on_textuals_own(pilot: Pilot[Any]) -> str:
    """The same, as Textual's own compositor draws it."""
    compositor = pilot.app.screen._compositor
    ours, compositor.__class__ = type(compositor), Compositor
    try:
        return screen_text(pilot)
    finally:
        compositor.__class__ = ours


def pane_text(pilot: Pilot[Any], pane: str) -> str:
    """What is on the screen in the place of a pane."""
    region = pilot.app.watch_screen.query_one(f"#{pane}").region
    strips = pilot.app.screen._compositor.render_strips()[region.y : region.bottom]
    return "\n".join(strip.crop(region.x, region.right).text for strip in strips)
