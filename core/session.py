"""The front door: create a session, open one, run it in the background; hands out a Source and Controls."""

from __future__ import annotations

import asyncio
import os
import re
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from core.agent.host import JOBS, Hosting, app_version, check_endpoint, endpoint_of, host, seated
from core.agent.preview import preview, priced_thrift, wish_for
from core.agent.rule_keeping import keep_answered
from core.agent.runner import Runner
from core.agent.trust import Vouchers
from core.clock import Clock, SystemClock, pause_real
from core.config import Config, config_path, load_config
from core.events import BudgetChanged, Draft, Event, ModelSwitched, SessionContinued, SessionOpened
from core.folds.fold import Dispatcher
from core.folds.totals import Totals
from core.ids import ulid
from core.journal.catalogue import session_folder
from core.journal.errors import JournalError
from core.journal.follow import Follow
from core.journal.inbox import Command, post
from core.journal.lease import LeaseHeld, acquire, holder
from core.journal.live import LiveTail
from core.journal.reader import Reader
from core.journal.schema import make_private
from core.journal.spoken import said_before
from core.journal.viewers import Viewer, who_is_here
from core.journal.writer import Journal
from core.models.profiles import PROFILES, Endpoint, resolve_endpoint
from core.protocols import LiveDelta, Preview, Written
from core.request.fidelity import surviving
from core.tools.jobs import written
from core.tools.secrets import Redactor
from core.workspace.snapshots import check_workspace

__all__ = ["surviving"]  # what else is defined here needs no mention
LIVE_EVERY_S = 0.1
GLANCE_S = 0.3
ENDING_S = 10.0


@dataclass(frozen=True, slots=True)
class NewSession:
    """What a new session is to be. `settings` are those a resume must keep (budget_usd, max_turns, max_tokens)."""

    task: str
    workspace: Path
    endpoint: Endpoint
    name: str | None = None
    settings: dict[str, Any] | None = None
    origin: dict[str, Any] | None = None


async def create(home: Path, wanted: NewSession, clock: Clock | None = None) -> Path:
    """The folder of a new session with its first event. Raises WorkspaceError or JournalError."""
    clock = clock or SystemClock()
    workspace = check_workspace(wanted.workspace)
    session = ulid(clock.now_us())
    folder = session_folder(home, session)
    try:
        make_private(folder.parent)
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise JournalError(f"No session can be kept in {home}: {error.strerror}; choose another --home.") from error
    endpoint = wanted.endpoint
    opened = SessionOpened(
        session=session,
        name=wanted.name or name_from(wanted.task),
        task=wanted.task,
        workspace=str(workspace),
        model=endpoint.model,
        endpoint=endpoint.model if endpoint.simulated else endpoint.base_url,
        profile=endpoint.profile,
        app_version=app_version(),
        api_key_env=endpoint.api_key_env,
        settings=wanted.settings or {},
        origin=wanted.origin,
    )
    with acquire(folder) as lease:
        async with await Journal.create(folder, clock, session=session, lease=lease) as journal:
            await journal.append(Draft(opened, actor="user"))
    return folder


def name_from(task: str) -> str:
    """A short name from the first words of a task: `audit-the-parser`."""
    words = re.findall(r"[a-z0-9]+", task.lower())
    return "-".join(words[:5])[:40].strip("-") or "session"


class SessionSource:
    """`core.protocols.Source` over a session folder, whether its runner is in this process or in none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._follow = Follow(folder)
        self._reader: Reader | None = None
        self._redact = Redactor(os.environ)

    def wake(self) -> None:
        """There is something new; may be called from any thread."""
        self._follow.wake()

    async def batches(self) -> AsyncIterator[Sequence[Event]]:
        """Every event so far, an empty batch when caught up for the first time, then what comes."""
        caught_up = False
        async for batch in self._follow:
            yield batch
            if self._follow.caught_up and not caught_up:
                caught_up = True
                yield []

    async def live(self) -> AsyncIterator[Sequence[LiveDelta]]:
        """Pieces of the reply in flight; an empty batch when the attempt changes or is settled."""
        tail, attempt = LiveTail(self._folder), None
        while True:
            deltas = await asyncio.to_thread(tail.read)
            if tail.attempt != attempt:
                attempt = tail.attempt
                yield []
            if deltas and attempt:
                yield [LiveDelta(attempt, delta.kind, delta.index, delta.text) for delta in deltas]
            await pause_real(LIVE_EVERY_S)

    async def event(self, seq: int) -> Event | None:
        return await asyncio.to_thread(self._read().event, seq)

    async def blob(self, hash: str) -> bytes | None:
        return await asyncio.to_thread(self._read().blob, hash)

    async def output(self, call: str, after: int = 0) -> Written | None:
        return await asyncio.to_thread(written, self._folder / JOBS / call, after, self._redact)

    async def close(self) -> None:
        self._follow.stop()
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _read(self) -> Reader:
        if self._reader is None:
            self._reader = Reader(self._folder)
        return self._reader


class SessionControls:
    """`core.protocols.Controls` by the inbox; where no runner lives, a clerk applies it at once.

    `viewer`: the screen that it steers for, which then must have the wheel; None for a shell. `vouchers` are
    those of the runner where that is in this process: then what is sent here counts as the user's for sure.
    """

    available = True

    def __init__(
        self,
        folder: Path,
        actor: str = "user",
        clock: Clock | None = None,
        config: Config | None = None,
        viewer: Viewer | None = None,
        vouchers: Vouchers | None = None,
    ) -> None:
        self._folder = folder
        self._actor = actor
        self._clock = clock or SystemClock()
        self._config = config
        self._viewer = viewer.id if viewer else ""
        self._origin = viewer.who if viewer else who_is_here(os.environ)
        self._vouchers = vouchers or Vouchers()

    async def send(self, verb: str, args: dict[str, Any] | None = None, head: int | None = None) -> str:
        """Post a command; its id. Raises JournalError when it can't be posted."""
        now_us = self._clock.now_us()
        command = Command(
            id=ulid(now_us),
            verb=verb,
            args=args or {},
            head=head,
            actor=self._actor,
            at=now_us,
            origin=self._origin,
            viewer=self._viewer,
        )
        self._vouchers.vouch(command)
        await asyncio.to_thread(post, self._folder, command)
        if holder(self._folder) is None:
            await clerk(self._folder, self._clock, self._config, self._vouchers)
        if verb == "approve" and command.args.get("keep"):
            await keep_answered(self._folder, command.id, config_path())
        return command.id

    async def preview_compression(self, instruction: str = "", evict: int | None = None) -> Preview:
        """What a compression would do now. Raises JournalError, ConfigError."""
        config = self._config or load_config()
        wish = wish_for(instruction, evict)
        return await asyncio.to_thread(preview, self._folder, config, self._clock, os.environ, wish)

    async def said_before(self) -> list[str]:
        """What the user has told agents in this session and the latest others."""
        return await asyncio.to_thread(said_before, self._folder)


async def clerk(folder: Path, clock: Clock, config: Config | None = None, vouchers: Vouchers | None = None) -> None:
    """Apply the inbox of a session that no runner holds: the same reducer, no model. A runner that comes first wins."""
    try:
        async with seated(folder, clock, vouchers) as (desk, _):
            desk.thrift = priced_thrift(desk.facts, config or load_config(), clock, os.environ)
            await desk.read_inbox()
            if desk.facts.state.open_attempt or desk.facts.state.pending:
                return  # What was cut off is for a resume to recover; the orders wait in the log.
            for order in list(desk.facts.state.orders.values()):
                await desk.obey(order)
    except LeaseHeld:
        return


@dataclass(frozen=True, slots=True)
class Told:
    """Where a session is to go on, as far as that is another place than before."""

    model: str | None = None
    base_url: str | None = None
    api_key_env: str | None = None

    def __bool__(self) -> bool:
        return any((self.model, self.base_url, self.api_key_env))

    def endpoint(self, opened: SessionOpened, config: Config) -> Endpoint:
        """The endpoint; what is not told stays as it was. Raises ConfigError."""
        model = self.model or opened.model
        elsewhere = self.base_url is not None or opened.profile == "simulated" or model.startswith("simulated/")
        if elsewhere or model.partition(":")[0] in PROFILES:
            return resolve_endpoint(config, model, self.base_url, self.api_key_env)
        key = self.api_key_env or opened.api_key_env
        return resolve_endpoint(config, f"{opened.profile}:{model}", opened.endpoint, key)


async def continue_session(
    folder: Path,
    config: Config,
    clock: Clock | None = None,
    budget_usd: str | None = None,
    told: Told | None = None,
) -> SessionOpened:
    """Open an ended session again, so that a runner may go on with it; how it was opened.

    The operator's pause stays a pause: an end is lifted, and a pause that the session itself came to. Raises LeaseHeld
    when a runner has it, ConfigError when its model can't be reached from here, JournalError when the task is
    finished and nothing new waits.
    """
    async with seated(folder, clock or SystemClock()) as (desk, _):
        await desk.read_inbox()
        state = desk.facts.state
        assert state.opened is not None
        if state.finished is not None and state.finished.state == "finished" and state.answered and not state.queued:
            guide = f"longwatch send {folder.name[:10]} guide TEXT"
            raise JournalError(f"The task of this session is finished; say what else to do: {guide}")
        endpoint = told.endpoint(state.opened, config) if told else endpoint_of(state.opened, config)
        check_endpoint(endpoint)
        if told:
            await desk.append(Draft(switch_to(endpoint), actor="user"))
        if budget_usd is not None:
            await desk.append(Draft(BudgetChanged(usd=budget_usd), actor="user"))
        if state.finished is not None or (state.paused and state.status.last.reason != "operator"):
            await desk.append(Draft(SessionContinued(detail="resumed"), actor="user"))
        return state.opened


def switch_to(endpoint: Endpoint) -> ModelSwitched:
    """The event by which a session goes on at another endpoint."""
    return ModelSwitched(
        model=endpoint.model,
        endpoint=endpoint.model if endpoint.simulated else endpoint.base_url,
        profile=endpoint.profile,
        api_key_env=endpoint.api_key_env,
    )


def read_totals(folder: Path) -> Totals:
    """The counters of a session: its newest snapshot and the events since; blocks. Raises JournalError."""
    with Reader(folder) as reader:
        stored = reader.snapshot(Totals.NAME, Totals.VERSION)
        totals = _stored_totals(stored[1]) if stored else Totals()
        dispatch = Dispatcher([totals])
        for event in reader.events(totals.seq):
            totals.observe(event)
            dispatch.apply(event)
    return totals


def _stored_totals(body: bytes) -> Totals:
    """A snapshot of the counters; where it is damaged, none: everything is counted again."""
    try:
        return msgspec.json.decode(body, type=Totals)
    except msgspec.DecodeError:
        return Totals()


class BackgroundRunner:
    """A runner in a thread with a loop of its own: what stalls the screen never stalls the agent."""

    def __init__(self, hosting: Hosting) -> None:
        self._hosting = hosting
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[int] | None = None
        self._runner: Runner | None = None
        self._on_end: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._main, name="runner", daemon=False)
        self._cancelled = self._alone = False
        self.result: int | None = None
        self.error: BaseException | None = None
        self.done = threading.Event()

    def start(
        self, on_events: Callable[[list[Event]], None] | None = None, on_end: Callable[[], None] = lambda: None
    ) -> None:
        """Begin to run. Both are called in the runner's thread: after each commit, and when all is over."""
        self._hosting.on_events, self._on_end = on_events, on_end
        self._thread.start()

    @property
    def handed_over(self) -> bool:
        """Whether another process goes on with the session."""
        return self._runner is not None and self._runner.desk.released

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def ends_soon(self) -> bool:
        """After `leave_alone`: whether there is nothing left to run, so that waiting for the end is short."""
        self.done.wait(GLANCE_S)
        if self._runner is not None and self._runner.over:
            self.done.wait(ENDING_S)
        return self.done.is_set()

    @property
    def trouble(self) -> str:
        """Why the runner can't write right now; empty when all is well."""
        if self.error is not None:
            return str(self.error)
        return self._runner.trouble if self._runner else ""

    def leave_alone(self) -> None:
        """The screen is gone: what would wait for somebody there ends or waits by the unattended rules."""
        self._alone = True
        if self._runner is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._runner.unattended)

    def cancel(self) -> None:
        """Cut what runs and end, leaving the session to be resumed; also before it has begun."""
        self._cancelled = True
        if self._loop is not None and self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)

    def join(self) -> int:
        """Wait for the end; the exit code. Raises what ended the runner."""
        self._thread.join()
        if self.error is not None:
            raise self.error
        return 1 if self.result is None else self.result

    def _main(self) -> None:
        try:
            self.result = asyncio.run(self._run())
        except asyncio.CancelledError:
            self.result = 130
        except BaseException as error:
            self.error = error
        finally:
            self.done.set()
            self._on_end()

    async def _run(self) -> int:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        if self._cancelled:
            raise asyncio.CancelledError
        return await host(self._hosting, self._took)

    def _took(self, runner: Runner) -> None:
        self._runner = runner
        if self._alone:  # It was left before the runner was there to be told.
            runner.unattended()
