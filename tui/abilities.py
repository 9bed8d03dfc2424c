"""What is known of a session of this machine beside its log, and what can be done with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.config import Config
from core.events import SessionOpened
from core.folds.file_states import Handwork
from core.journal.reserve import free_bytes
from core.notify.attendance import Attendance
from core.protocols import Controls, ModelOffer, Preview, RestorePreview, Source
from tui.runner_watch import LifeWatch, RunnerWatch

if TYPE_CHECKING:
    from core.tools.vitals import Pulse, Pulses


Fork = Callable[[int, str], Awaitable[str]]
"""Makes a new session that goes on from an event, called so; says in a sentence what was made."""


class ReadOnly:
    """Controls of a file that can only be read."""

    available = False

    async def send(self, verb: str, args: dict[str, Any] | None = None, head: int | None = None) -> str:
        raise RuntimeError("An exported file can only be read.")

    async def preview_compression(self, instruction: str = "", evict: int | None = None) -> Preview:
        raise RuntimeError(
            "An exported file can only be read: nothing of it is ever sent, so nothing can be compressed."
        )

    async def preview_restore(self, tree: str, known: Handwork) -> RestorePreview:
        raise RuntimeError("An exported file can only be read: there is no workspace to restore.")

    async def model_offers(self, opened: SessionOpened, present: str, sent: int) -> list[ModelOffer]:
        return []

    async def said_before(self) -> list[str]:
        return []


def abilities(
    folder: Path | None,
    controls: Controls | None,
    config: Config,
    mode: str,
    fork: Fork | None,
    fell: Callable[[], str] = lambda: "",
) -> dict[str, Any]:
    """What is known of a session of this machine beside its log, and can be done with it; of a film, how to `fork`.

    `fell` says what ended the runner in this process.
    """
    if folder is None:
        return {"fork": fork}
    found: dict[str, Any] = {"fork": _forking(folder)}
    if mode != "replay":
        found |= {
            "gone": RunnerWatch(folder, held=mode == "attached", fell=fell),
            "still": LifeWatch(folder) if mode == "attached" else None,
            "attendance": Attendance(folder),
            "feel": _feeling(folder),
            "free": lambda: free_bytes(folder),
            "go_on": _going_on(folder, config),
            "hand_over": _handing_over(folder, controls, config) if controls else None,
        }
    return found


def _feeling(folder: Path) -> Callable[[str], Awaitable[Pulse | None]]:
    """How a running command is: looked at off the loop, and imported late, for nothing of it is in the first paint."""
    pulses: list[Pulses] = []

    async def feel(call: str) -> Pulse | None:
        if not pulses:
            from core.tools.vitals import Pulses

            pulses.append(Pulses(folder))
        return await asyncio.to_thread(pulses[0].feel, call)

    return feel


def _handing_over(folder: Path, controls: Controls, config: Config) -> Callable[[], Awaitable[str]]:
    """Imported only when it is wanted: it stands on the whole agent."""

    async def move() -> str:
        from core.handover import hand_over

        return await hand_over(folder, controls, config)

    return move


def _going_on(folder: Path, config: Config) -> Callable[[], Awaitable[str]]:
    """The same for a session that nobody runs any more."""

    async def run() -> str:
        from core.handover import go_on

        return await go_on(folder, config)

    return run


def _forking(folder: Path) -> Fork:
    """The same for a fork of the session."""
    return forking(folder.parent.parent, folder)


def forking(home: Path, folder: Path, *, foreign: bool = False) -> Fork:
    """How a session, or a film that came as a file, is branched off from into a new session of that home."""

    async def make(seq: int, name: str) -> str:
        from core.forking import Wish, fork

        return (await fork(home, folder, Wish(seq, name, foreign=foreign))).sentence

    return make


def films(folder: Path | None) -> Callable[[str], tuple[Source, Controls] | None]:
    """Sessions that live beside that one, to be looked at."""

    def open_(session: str) -> tuple[Source, Controls] | None:
        there = folder.parent / session if folder is not None and session.isalnum() else None
        if there is None or not there.is_dir():
            return None
        from core.source import SessionSource

        return SessionSource(there), ReadOnly()

    return open_
