"""The configuration, noticed when it is edited while a screen is open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from watchfiles import awatch

from core.config import Config, ConfigError, load_config

SAID = "The configuration has changed: its theme and keys hold from now on, the rest from the next start of a session."


async def watch_config(
    file: Path, changed: Callable[[Config], None], broken: Callable[[str], None], *, stop: asyncio.Event | None = None
) -> None:
    """Call `changed` with what the file says whenever it says something else, or `broken` with what is wrong in it.

    The folder is watched, for editors put another file in its place; also that of a file that it is a link to.
    """
    before = await asyncio.to_thread(_content, file)
    folders = {folder for folder in (file.parent, file.resolve().parent) if folder.is_dir()}
    if not folders:
        return
    async for _ in awatch(*folders, stop_event=stop, recursive=False):
        now = await asyncio.to_thread(_content, file)
        if now == before:
            continue
        before = now
        try:
            config = await asyncio.to_thread(load_config, file if now is not None else None)
        except ConfigError as error:
            broken(str(error))
        else:
            changed(config)


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError:
        return None
