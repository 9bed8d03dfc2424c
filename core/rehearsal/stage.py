"""The stage of a rehearsal: the town in a folder, a session over it, a model server and a clock that both share."""

from __future__ import annotations

import random
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from core.agent.host import host
from core.agent.hosting import Hosting
from core.clock import VirtualClock
from core.config import ApprovalSettings, Config, ContextSettings, PriceSettings, ProfileSettings
from core.config.settings import Policy
from core.events import VIRTUAL_TIME, Event, SessionOpened
from core.journal.reader import Reader
from core.journal.reserve import RESERVE
from core.models.profiles import resolve_endpoint
from core.rehearsal.calendar import STILL_H, Around, Calendar, FullDisk, Lull, Weather, due
from core.rehearsal.library import library
from core.rehearsal.pace import Hours, Pace, paced
from core.rehearsal.port import port
from core.rehearsal.supervisor import Supervisor
from core.rehearsal.terminals import Terminals
from core.rehearsal.town import Sizes, Town, found
from core.session import NewSession, create
from core.simulator import SimulatedServer, load_policy
from core.tools.base import Tool
from core.tools.registry import builtin_tools

PROFILE = "reference"
KEY = "LONGWATCH_REHEARSAL_KEY"
FIRST_KEY = "first-key-of-a-town"
"""As keys are, no word of any path or text: wherever it stands it is taken out."""
PRICES = PriceSettings(input=2.5, output=7.5, cache_read=0.25, cache_write=3.125)
"""Dollars a million tokens: those of the published session's model."""
WINDOW = 1_000_000
SPEECH_H = 0.3
"""Hours in which the reference session's replies stream."""
NOTES = "rehearsal.json"
ASKED = "run_command: python3 -m unittest discover -s tests -t . -q"
"""What the supervisor wants to be asked about: the whole suite, which takes long."""
Piece = Literal["reference", "research", "migration"]
MODELS: dict[str, str] = {"reference": "surveyor", "research": "librarian", "migration": "porter"}
"""The simulated model that plays each piece."""
TASKS: dict[str, str] = {
    "reference": "Audit this code base for security problems. Go through it department by department, mend what can be "
    "mended with the tests green, and write AUDIT.md: each weak place with what became of it, each department with its "
    "review code. About {calls:,} tool calls are yours.",
    "research": "Read the papers and write FINDINGS.md: which contradict each other, by the rules of GUIDE.md.",
    "migration": "Port the modules of old/ to new/ as PORTING.md says, and write PORTED.md: what became of each.",
}


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is rehearsed. `hours` of virtual time that all of it takes; `supervised`: a scripted supervisor steps in;
    `disturbed`: what befalls a session of 35 hours befalls it. `size`: papers or modules of the smaller pieces."""

    piece: Piece = "reference"
    size: int = 0
    seed: int = 7
    lines: int = 200_000
    calls: int = 1_158
    hours: float = 35.0
    policy: Policy = "auto"
    known: int = 40
    aside: int = 20
    decoys: int = 100
    supervised: bool = False
    disturbed: bool = True

    @property
    def sizes(self) -> Sizes:
        return Sizes(self.lines, self.known, self.aside, self.decoys)

    @property
    def share(self) -> float:
        """Of the reference session's calls."""
        return self.calls / Wanted().calls

    @property
    def model(self) -> str:
        return MODELS[self.piece]

    def write(self, target: Path) -> None:
        """Put the workspace of the piece into a folder."""
        match self.piece:
            case "research":
                library(self.seed, self.size).write(target)
            case "migration":
                port(self.seed, self.size).write(target)
            case _:
                self.town.write(target)

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
    wanted.write(workspace)
    clock = VirtualClock()
    endpoint = resolve_endpoint(_config(wanted), f"{PROFILE}:{wanted.model}", f"http://127.0.0.1:{_free_port()}")
    task, name = TASKS[wanted.piece].format(calls=wanted.calls), f"{wanted.piece} {wanted.policy}"
    session = NewSession(task, workspace.resolve(), endpoint, name, {"policy": wanted.policy, VIRTUAL_TIME: True})
    staged = Staged(folder=await create(home, session, clock), workspace=workspace, wanted=wanted)
    (place / NOTES).write_bytes(msgspec.json.encode(staged, enc_hook=str))
    return staged


def _free_port() -> int:
    """A port on loopback that nobody listens on, so that the server is found again after a kill."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def staged_at(place: Path) -> Staged:
    """What was prepared in a folder. Raises OSError, msgspec.MsgspecError."""
    return msgspec.json.decode((place / NOTES).read_bytes(), type=Staged, dec_hook=lambda kind, value: kind(value))


async def play(staged: Staged, told: Callable[[float, int], None] = lambda hours, calls: None) -> int:
    """Run the session to its end in this process, from wherever it stands; the exit code of the contract.

    `told` hears the hour of the session and how many calls there have been, after each commit.
    """
    standing, wanted = _standing(staged.folder), staged.wanted
    clock = VirtualClock(standing.last_us)
    weather, environ = Weather(clock), {KEY: FIRST_KEY, "PATH": "/usr/local/bin:/usr/bin:/bin"}
    async with _server(staged, clock, standing.port, weather) as server:
        disk = FullDisk(clock, staged.folder / RESERVE)
        around = Around(clock, weather, environ, KEY, server.expect_key, disk.fill, disk.noted, wanted.share)
        around.before_death = lambda: _keep(staged, server)
        terminals = Terminals(home_of(staged.folder), staged.folder, sent_to_terminals(staged), clock)
        around.lose_terminal = terminals.lose_one
        watchers = _watchers(staged, around, standing)

        def heard(events: list[Event]) -> None:
            for watcher in watchers:
                watcher.observe(events)
            told((events[-1].at_us - standing.start_us) / 3.6e9, watchers[0].calls)

        jitter = random.Random(f"{wanted.seed}:{standing.calls}").random
        ways: dict[str, Any] = {"clock": clock, "environ": environ, "on_events": heard, "jitter": jitter}
        ways |= {"extra_tools": _tools(wanted, clock, standing.calls), "in_order": True}
        return await host(Hosting(staged.folder, _config(wanted), wait=True, **ways))


def _watchers(staged: Staged, around: Around, standing: Standing) -> list[Calendar | Supervisor]:
    """Those who follow the log; the calendar last, for it may end this process."""
    wanted, (_, _, _, calls, settled) = staged.wanted, standing
    happenings = due(wanted.calls) if wanted.disturbed else ()
    calendar = Calendar.of(around, calls, happenings, settled)
    if not wanted.supervised:
        return [calendar]
    hours = Hours(wanted.calls, STILL_H if wanted.disturbed else None)
    return [Supervisor.of(staged.folder, around.clock, calls, hours, wanted.town.areas, settled), calendar]


def _tools(wanted: Wanted, clock: VirtualClock, done: int) -> list[Tool]:
    """The tools, whose calls come to the wanted hours with all that takes time beside them."""
    beside = SPEECH_H + (sum(STILL_H.values()) if wanted.disturbed else 0.0)
    pace = Pace(clock, wanted.calls, wanted.hours - wanted.share * beside, done)
    return [paced(tool, pace) for tool in builtin_tools().values()]


def _keep(staged: Staged, server: SimulatedServer) -> None:
    """Before this process dies: the provider's cache is the provider's, and outlives it."""
    _vendor(staged).write_bytes(msgspec.json.encode(server.remembered()))


def sent_to_terminals(staged: Staged) -> Path:
    """The file that holds how many bytes viewers were sent."""
    return staged.workspace.parent / "terminals"


def home_of(folder: Path) -> Path:
    """The home that a session's folder lies in."""
    return folder.parent.parent


def _vendor(staged: Staged) -> Path:
    return staged.workspace.parent / "vendor.json"


class Standing(NamedTuple):
    """Where a session stands in its log: its server's port, its times, how many calls have ended, now and at the last
    lull."""

    port: int
    start_us: int
    last_us: int
    calls: int
    settled: int


def _standing(folder: Path) -> Standing:
    with Reader(folder) as reader:
        events = reader.events()
    opened = events[0].body
    assert isinstance(opened, SessionOpened)
    calls = sum(event.kind == "tool.finished" for event in events)
    return Standing(
        int(opened.endpoint.rpartition(":")[2]), events[0].at_us, events[-1].at_us, calls, Lull.last(events)
    )


def _config(wanted: Wanted) -> Config:
    profile = ProfileSettings(
        like="generic", cache="explicit", window=WINDOW, max_output=65_536, api_key_env=KEY, pooling=True
    )
    return Config(
        profiles={PROFILE: profile},
        prices={f"{PROFILE}/{model}": PRICES for model in (wanted.model, f"{wanted.model}-next")},
        context=ContextSettings(policy=wanted.policy),
        approvals=ApprovalSettings(ask=[ASKED] if wanted.supervised else []),
    )


@asynccontextmanager
async def _server(staged: Staged, clock: VirtualClock, port: int, weather: Weather) -> AsyncIterator[SimulatedServer]:
    """The provider, with what its cache still held when its process died."""
    wanted, kept = staged.wanted, _vendor(staged)
    options: dict[str, Any] = {"context_limit": WINDOW, "port": port, "faults": weather, "api_key": FIRST_KEY}
    options["remembered"] = msgspec.json.decode(kept.read_bytes()) if kept.exists() else ()
    async with SimulatedServer(load_policy(wanted.model), clock=clock, **options) as server:
        yield server
