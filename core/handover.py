"""Moving a running session to this version of the product: the old runner ends at a safe point, a new one goes on.

Nothing is cut: the old runner finishes its reply first; a command that runs goes on by itself, and the new runner takes
it up. Whether this version could go on at all is checked before anybody is asked to let go.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.agent.endpoints import check_endpoint, endpoint_of
from core.agent.succession import start_runner
from core.clock import monotonic, pause_real
from core.config import Config
from core.events import CommandDone, CommandRefused, RunnerAttached
from core.folds.fold import Dispatcher
from core.folds.state import RunState
from core.journal.errors import JournalError
from core.journal.heirs import standing_by
from core.journal.lease import Holder, holder
from core.journal.reader import Reader
from core.protocols import Controls

LOOK_EVERY_S = 0.1
COMES_S = 30.0
"""Within so long a runner that was begun has taken its session."""
ENDED_BEFORE = "Its runner has ended, or let another one go on, before the safe point; nothing was taken over by this."


@dataclass(frozen=True, slots=True)
class Running:
    """A session that runs: who has it, and on what terms."""

    holder: Holder
    terms: Mapping[str, object]


def prepare(folder: Path, config: Config, environ: Mapping[str, str]) -> Running:
    """What is to be handed over; blocks. Raises JournalError or ConfigError when this version can't go on with it."""
    runner = holder(folder)
    if runner is None or runner.brief:
        raise JournalError(f"No runner holds this session; `longwatch resume {folder.name[:10]}` goes on with it.")
    return Running(runner, terms_of(folder, config, environ))


def terms_of(folder: Path, config: Config, environ: Mapping[str, str]) -> Mapping[str, object]:
    """On what terms a session was run last; blocks. Raises JournalError or ConfigError as `prepare` does."""
    state = RunState()
    dispatch = Dispatcher([state])
    with Reader(folder) as reader:
        for event in reader.events():
            dispatch.apply(event)
    if state.opened is None:
        raise JournalError(f"The session in {folder} was never opened: its journal has no first event.")
    check_endpoint(endpoint_of(state.opened, config, environ), environ)
    return state.runner.terms if isinstance(state.runner, RunnerAttached) else {}


async def go_on(folder: Path, config: Config, environ: Mapping[str, str] = os.environ) -> str:
    """Run a session that nobody runs, on the terms of its last runner; what was done, as a sentence.

    Raises JournalError or ConfigError when it can't be run.
    """
    terms = await asyncio.to_thread(terms_of, folder, config, environ)
    new = await _taken_up(folder, terms)
    return f"Process {new.pid} goes on with it; what was running is settled first."


async def hand_over(folder: Path, controls: Controls, config: Config, environ: Mapping[str, str] = os.environ) -> str:
    """Move the session to this version; what was done, as a sentence. Raises JournalError or ConfigError.

    Waits for the safe point for as long as the reply in hand takes, or a call that is no command. Cancelled meanwhile,
    it takes the order back; once the session has been let go, it is taken up all the same.
    """
    running = await asyncio.to_thread(prepare, folder, config, environ)
    with standing_by(folder):
        command = await controls.send("hand-over", {"epoch": running.holder.epoch})
        try:
            await _released(folder, command, running.holder)
        except asyncio.CancelledError:
            await controls.send("cancel", {"id": command})
            with suppress(JournalError, TimeoutError):
                async with asyncio.timeout(COMES_S):
                    await _released(folder, command, running.holder)
                await _taken_up(folder, running.terms)
            raise
        new = await _taken_up(folder, running.terms)
    return (
        f"Longwatch {new.app_version} goes on with it in process {new.pid}; process {running.holder.pid} has let it go."
    )


async def _taken_up(folder: Path, terms: Mapping[str, object]) -> RunnerAttached:
    """Have another runner go on with the session, and wait until it does. Raises JournalError when none comes."""
    with Reader(folder) as reader:
        last = await asyncio.to_thread(reader.last_seq)
        if problem := await asyncio.to_thread(start_runner, folder, terms):
            raise JournalError(f"Nobody runs the session now, for it could not be taken up: {problem}")
        until = monotonic() + COMES_S
        while monotonic() < until:
            for event in await asyncio.to_thread(reader.events, last):
                if isinstance(event.body, RunnerAttached):
                    return event.body
            await pause_real(LOOK_EVERY_S)
    raise JournalError(
        f"A runner was begun, and has not taken the session up within {COMES_S:.0f} s; why may stand in "
        f"{folder / 'runner.log'}. `longwatch resume {folder.name[:10]}` tries again."
    )


async def _released(folder: Path, command: str, old: Holder) -> None:
    """Wait until the old runner has let go. Raises JournalError when it refuses, or ends otherwise."""
    with Reader(folder) as reader:
        while True:
            now = await asyncio.to_thread(holder, folder)
            refused = await asyncio.to_thread(reader.keyed, "command.refused", command)
            if refused is not None and isinstance(refused.body, CommandRefused):
                raise JournalError(refused.body.reason)
            done = await asyncio.to_thread(reader.keyed, "command.done", command)
            if done is not None and isinstance(done.body, CommandDone) and not done.body.ok:
                raise JournalError(done.body.detail)
            if now is None or now.epoch != old.epoch:
                if done is None:
                    raise JournalError(ENDED_BEFORE)
                return
            await pause_real(LOOK_EVERY_S)
