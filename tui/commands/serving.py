"""`serve`: sessions in a browser."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.say import say

if TYPE_CHECKING:
    from tui.browser import Browser

MISSING = "Showing sessions in a browser needs the extra `web`: pip install 'longwatch[web]'."


@click.command()
@click.option("--port", type=click.IntRange(1, 65_535), default=8470, show_default=True)
@click.pass_obj
def serve(home: Path, port: int) -> int:
    """Show the sessions in a browser of this machine, until Ctrl+C; needs the extra `web`.

    It listens on 127.0.0.1 alone and prints an address with a key: whoever has it steers. From another machine:
    ssh -L 8470:127.0.0.1:8470 BOX, or better `longwatch attach BOX:SESSION`.
    """
    try:
        from tui.browser import Browser
    except ImportError as error:
        raise click.UsageError(MISSING) from error
    return asyncio.run(_serve(Browser(home, port), port))


async def _serve(browser: Browser, port: int) -> int:
    from aiohttp import web

    from tui.browser import HOST

    runner = web.AppRunner(browser.app(), access_log=None, handle_signals=False)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, HOST, port).start()
        except OSError as error:
            raise click.UsageError(
                f"Port {port} can't be listened on ({error.strerror}); choose another --port."
            ) from None
        say(f"Open {browser.address}")
        say("Whoever has this address steers your sessions. Ctrl+C ends this; the agents go on.")
        await _signalled()
    finally:
        await runner.cleanup()
    return 0


async def _signalled() -> None:
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    await ended.wait()
