"""The stage of a rehearsal: the town in a folder, a session over it, a model server and a clock that both share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from core.agent.host import Hosting, host
from core.clock import VirtualClock
from core.config import Config, ContextSettings, PriceSettings, ProfileSettings
from core.config.settings import Policy
from core.events import Event, SessionOpened
from core.journal.reader import Reader
from core.models.profiles import resolve_endpoint
from core.rehearsal.pace import Paced
from core.rehearsal.town import Sizes, Town, found
from core.session import NewSession, create
from core.simulator import Faults, SimulatedServer, load_policy

PROFILE, MODEL = "reference", "surveyor"
KEY = "LONGWATCH_REHEARSAL_KEY"
PRICES = PriceSettings(input=2.5, output=7.5, cache_read=0.25, cache_write=3.125)
"""Dollars a million tokens: those of the published session's model."""
WINDOW = 1_000_000
NOTES = "rehearsal.json"
TASK = (
    "Audit this code base for security problems. Go through it department by department, mend what can be mended with "
    "the tests green, and write AUDIT.md: each weak place with what became of it, each department with its review "
    "code. About {calls:,} tool calls are yours."
)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is rehearsed. `hours` of virtual time that the calls take together."""

    seed: int = 7
    lines: int = 200_000
    calls: int = 1_158
    hours: float = 35.0
    policy: Policy = "auto"
    known: int = 40
    aside: int = 20
    decoys: int = 100

    @property
    def sizes(self) -> Sizes:
        return Sizes(self.lines, self.known, self.aside, self.decoys)

    @property
    def town(self) -> Town:
        """The same town each time."""
        return found(self.seed, self.sizes)


class Staged(msgspec.Struct, frozen=True, kw_only=True):
    """Where a rehearsal is: its session's folder, its workspace, and what was wanted."""

    folder: Path
    workspace: Path
    wanted: Wanted


async def prepare(home: Path, place: Path, wanted: Wanted) -> Staged:
    """Build the town in `place` and open a session over it. Raises ValueError, OSError and what `create` raises."""
    workspace = place / "town"
    workspace.mkdir(parents=True)
    wanted.town.write(workspace)
    clock = VirtualClock()
    async with _server(wanted, clock, 0, Faults()) as server:
        url = server.base_url
    endpoint = resolve_endpoint(_config(wanted), f"{PROFILE}:{MODEL}", url)
    task = TASK.format(calls=wanted.calls)
    session = NewSession(task, workspace.resolve(), endpoint, f"reference {wanted.policy}", {"policy": wanted.policy})
    staged = Staged(folder=await create(home, session, clock), workspace=workspace, wanted=wanted)
    (place / NOTES).write_bytes(msgspec.json.encode(staged, enc_hook=str))
    return staged


def staged_at(place: Path) -> Staged:
    """What was prepared in a folder. Raises OSError, msgspec.MsgspecError."""
    return msgspec.json.decode((place / NOTES).read_bytes(), type=Staged, dec_hook=lambda kind, value: kind(value))


async def play(
    staged: Staged, faults: Faults | None = None, on_events: Callable[[list[Event]], None] | None = None
) -> int:
    """Run the session to its end in this process, from wherever it stands; the exit code of the contract."""
    opened, last_us = _standing(staged.folder)
    clock, wanted = VirtualClock(last_us), staged.wanted
    port = int(opened.endpoint.rpartition(":")[2])
    async with _server(wanted, clock, port, faults or Faults()):
        environ = {KEY: "rehearsal", "PATH": "/usr/local/bin:/usr/bin:/bin"}
        hosting = Hosting(
            staged.folder, _config(wanted), wait=True, clock=clock, environ=environ, on_events=on_events, speed=1.0
        )
        return await host(hosting)


def _standing(folder: Path) -> tuple[SessionOpened, int]:
    """How the session was opened, and the time of its last event."""
    with Reader(folder) as reader:
        first = reader.event(1)
        last = reader.event(reader.last_seq())
    assert first is not None and last is not None and isinstance(first.body, SessionOpened)
    return first.body, last.at_us


def _config(wanted: Wanted) -> Config:
    profile = ProfileSettings(
        like="generic", cache="explicit", window=WINDOW, max_output=65_536, api_key_env=KEY, pooling=True
    )
    return Config(
        profiles={PROFILE: profile},
        prices={f"{PROFILE}/{MODEL}": PRICES},
        context=ContextSettings(policy=wanted.policy),
    )


@asynccontextmanager
async def _server(wanted: Wanted, clock: VirtualClock, port: int, faults: Faults) -> AsyncIterator[SimulatedServer]:
    policy = Paced(load_policy(MODEL), wanted.calls, wanted.hours)
    options: dict[str, Any] = {"context_limit": WINDOW, "port": port, "faults": faults, "api_key": "rehearsal"}
    async with SimulatedServer(policy, clock=clock, **options) as server:
        yield server
