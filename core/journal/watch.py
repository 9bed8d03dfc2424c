"""Being woken when files of one folder change: by the system's notice, and by a slow poll where there is none."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from watchfiles import Change

_STEP_MS: Final = 20
_DEBOUNCE_MS: Final = 100
_NOTICED_POLL_S: Final = 1.0
_BLIND_POLL_S: Final = 0.2


class Waker:
    """Waits for `wake()` (from any thread), for a change of a watched name, or for the poll's turn.

    Used by one event loop: enter it there. `prefix` limits what counts to names that start so; `watch=False` leaves
    only `wake()` and the poll.
    """

    def __init__(self, folder: Path, prefix: str = "", *, watch: bool = True) -> None:
        self._folder, self._prefix, self._watch = folder, prefix, watch
        self._event = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._poll_s = _BLIND_POLL_S

    async def __aenter__(self) -> Waker:
        self._loop = asyncio.get_running_loop()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._loop = None
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def wake(self) -> None:
        """End the wait that is on, or the next one. May be called from any thread, at any time."""
        loop = self._loop
        if loop is None:
            self._event.set()
            return
        with contextlib.suppress(RuntimeError):  # The loop has just been closed: nobody waits any more.
            loop.call_soon_threadsafe(self._event.set)

    async def wait(self) -> None:
        """Return at the next wake, change or poll. The first two waits are short: a change may precede the notices.

        They begin with the second: what is there already is read, and drawn, before.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._poll_s):
                await self._event.wait()
        self._event.clear()
        if not self._watch or (self._task is not None and not self._task.done()):
            self._poll_s = _NOTICED_POLL_S
        elif self._task is None:
            self._task = asyncio.create_task(self._notice(), name=f"watch {self._folder.name}")

    async def _notice(self) -> None:
        from watchfiles import awatch  # Late: it brings an event loop of its own along.

        try:
            async for _ in awatch(
                self._folder,
                watch_filter=self._counts,
                step=_STEP_MS,
                debounce=_DEBOUNCE_MS,
                recursive=False,
            ):
                self._event.set()
        except (OSError, RuntimeError):
            self._poll_s = _BLIND_POLL_S  # No notices on this file system, or no watches left.

    def _counts(self, _: Change, path: str) -> bool:
        return Path(path).name.startswith(self._prefix)
