"""Between the command line and the app: what the app needs from the configuration, and how its end is told."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from core.config import Config, config_path
from core.protocols import Controls, Source


class ReadOnly:
    """Controls of a file that can only be read."""

    available = False

    async def send(self, verb: str, args: dict[str, Any] | None = None, head: int | None = None) -> str:
        raise RuntimeError("An exported file can only be read.")


def watch(
    source: Source,
    controls: Controls | None,
    *,
    config: Config,
    mode: str = "live",
    title: str = "",
    start: Callable[[], object] | None = None,
    trouble: Callable[[], str | None] | None = None,
    start_at: int | None = None,
    speed: float | None = None,
    mouse: bool = True,
) -> str:
    """Show the screen until it is left; how: `quit`, `detached`, `lost`, `ended`. `start` begins the runner."""
    from tui.app import LongwatchApp
    from tui.keymap import load_keymap

    keymap = load_keymap(config.screen.keymap)
    for problem in keymap.problems:
        click.echo(f"longwatch: {problem}", err=True)
    app = LongwatchApp(
        source,
        controls or ReadOnly(),
        mode=mode,  # type: ignore[arg-type]
        title=title,
        theme=config.screen.theme,
        theme_folder=config_path().parent / "themes",
        keymap=keymap.overrides(),
        start_at=start_at,
        speed=speed,
        background=start,
        trouble=trouble,
    )
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, lambda *_: app.call_later(app.on_terminal_lost, "signal"))
    result = app.run(mouse=mouse and config.screen.mouse)
    return result or "quit"


def choose(home: Path) -> Path | None:
    """The list of sessions; the folder of the one that is chosen, None when the list is left."""
    raise NotImplementedError
