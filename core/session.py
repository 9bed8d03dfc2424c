"""The front door: create a session, open one, run it in the background; hands out a Source and Controls."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from core.agent.desk import Desk
from core.agent.endpoints import Told, address_of, check_endpoint, endpoint_of
from core.agent.founding import found
from core.agent.host import host
from core.agent.hosting import Hosting
from core.agent.preview import priced_thrift
from core.agent.runner import Runner
from core.agent.seating import seated
from core.agent.trust import Vouchers
from core.clock import Clock, SystemClock
from core.config import Config, ConfigError, load_config
from core.events import DELEGATED, IMPORTED, BudgetChanged, Draft, Event, ModelSwitched, SessionContinued, SessionOpened
from core.ids import name_from, ulid
from core.journal.catalogue import session_folder
from core.journal.errors import JournalError
from core.journal.lease import LeaseHeld
from core.journal.schema import CAME, UNSAID
from core.journal.viewers import at_a_terminal
from core.models.profiles import Endpoint, resolve_endpoint
from core.version import app_version
from core.workspace.errors import WorkspaceError
from core.workspace.snapshots import check_workspace
from core.workspace.worktree import add_worktree, remove_worktree, unsaved_files

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


async def create_apart(home: Path, wanted: NewSession, clock: Clock | None = None) -> tuple[Path, Path, int]:
    """The same in a git worktree of the workspace's repository, which is made beside it.

    Also the place that it works in, and how many files of the workspace are not committed, so not there. Raises
    WorkspaceError or JournalError; there is no worktree then.
    """
    clock = clock or SystemClock()
    original, session = check_workspace(wanted.workspace), ulid(clock.now_us())
    name = name_from(wanted.name or wanted.task)
    tree = await add_worktree(original, original.with_name(f"{original.name}.{name}-{session[-6:]}"), session)
    origin = {**(wanted.origin or {}), "worktree": {"of": str(original)}}
    try:
        folder = await create(home, replace(wanted, workspace=tree.workspace, origin=origin), clock, session)
    except BaseException:
        await remove_worktree(original, tree.top)
        raise
    return folder, tree.workspace, await unsaved_files(original)


async def create(home: Path, wanted: NewSession, clock: Clock | None = None, session: str = "") -> Path:
    """The folder of a new session with its first event. Raises WorkspaceError or JournalError."""
    clock = clock or SystemClock()
    workspace = check_workspace(wanted.workspace)
    session = session or ulid(clock.now_us())
    folder = session_folder(home, session)
    endpoint = wanted.endpoint
    opened = SessionOpened(
        session=session,
        name=wanted.name or name_from(wanted.task),
        task=wanted.task,
        workspace=str(workspace),
        model=endpoint.model,
        endpoint=address_of(endpoint),
        profile=endpoint.profile,
        app_version=app_version(),
        api_key_env=endpoint.api_key_env,
        settings=wanted.settings or {},
        origin=wanted.origin,
    )
    await found(folder, opened, clock)
    return folder


async def clerk(folder: Path, clock: Clock, config: Config | None = None, vouchers: Vouchers | None = None) -> None:
    """Apply the inbox of a session that no runner holds: the same reducer, no model. A runner that comes first wins."""
    config = config or load_config()
    try:
        async with seated(folder, clock, vouchers, brief=True) as (desk, _):
            await desk.read_inbox()
            await _obey_all(desk, config, clock)
    except LeaseHeld:
        return


async def _obey_all(desk: Desk, config: Config, clock: Clock) -> None:
    if desk.facts.state.open_attempt or desk.facts.state.pending:
        return  # What was cut off is for a resume to recover; the orders wait in the log.
    desk.thrift = priced_thrift(desk.facts, config, clock, os.environ)
    for order in list(desk.facts.state.orders.values()):
        await desk.obey(order)


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
    clock = clock or SystemClock()
    async with seated(folder, clock, brief=True) as (desk, _):
        await desk.read_inbox()
        state = desk.facts.state
        assert state.opened is not None
        if state.opened.profile == IMPORTED:
            raise JournalError(
                f"This session was imported from {(state.opened.origin or {}).get('tool', 'another tool')}; it can be "
                "looked at, not gone on with."
            )
        if (folder / CAME).exists():
            raise JournalError(
                "This session came as a file; what it left unfinished is not ours to carry out. Branch off from it: "
                f"longwatch fork {folder.name[:10]}"
            )
        if above := (state.opened.origin or {}).get(DELEGATED):
            raise JournalError(f"This session works for another one; go on with that: longwatch resume {above[:10]}")
        if state.finished is not None:  # Who carried out an order that came after the end may have been killed at it.
            await _obey_all(desk, config, clock)
        if state.finished is not None and state.finished.state == "finished" and state.answered and not state.queued:
            guide = f"longwatch send {folder.name[:10]} guide TEXT"
            raise JournalError(f"The task of this session is finished; say what else to do: {guide}")
        endpoint = told.endpoint(state.opened, config) if told else endpoint_of(state.opened, config)
        if (folder / UNSAID).exists():
            endpoint = _own_choice(config, told)
        check_endpoint(endpoint)
        if told:
            await desk.append(Draft(switch_to(endpoint), actor="user"))
        if budget_usd is not None:
            held = desk.facts.budget
            if state.exposed and held is not None and Decimal(budget_usd) > held and not at_a_terminal():
                raise JournalError(
                    "A higher budget counts only from a terminal here: commands of this session have run without a "
                    "sandbox, and could have called this too. Say `longwatch resume --budget` on a terminal."
                )
            await desk.append(Draft(BudgetChanged(usd=budget_usd), actor="user"))
        if state.finished is not None or (state.paused and state.status.last.reason != "operator"):
            await desk.append(Draft(SessionContinued(detail="resumed"), actor="user"))
        (folder / UNSAID).unlink(missing_ok=True)
        return state.opened


def _own_choice(config: Config, told: Told | None) -> Endpoint:
    """Where a branch of a foreign session is to go on: as told here, whatever its log says. Raises JournalError."""
    if told is None or told.model is None:
        raise JournalError("This branches off from a file: say with which model it is to go on, as in --model NAME.")
    return resolve_endpoint(config, told.model, told.base_url, told.api_key_env)


def switch_to(endpoint: Endpoint) -> ModelSwitched:
    """The event by which a session goes on at another endpoint."""
    return ModelSwitched(
        model=endpoint.model,
        endpoint=address_of(endpoint),
        profile=endpoint.profile,
        api_key_env=endpoint.api_key_env,
    )


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
    def begun(self) -> bool:
        """Whether `start` was called."""
        return self._thread.ident is not None

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
        """Why the runner can't write right now; empty when all is well, and once it has ended."""
        return self._runner.trouble if self._runner and not self.done.is_set() else ""

    @property
    def fell(self) -> str:
        """What ended the runner that was to go on, in words; empty while it lives."""
        error = self.error
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if error is None or isinstance(error, JournalError | ConfigError | WorkspaceError):
            return str(error or "")
        return f"{type(error).__name__}: {error}"

    def leave_alone(self) -> None:
        """The screen is gone: what would wait for somebody there ends or waits by the unattended rules."""
        self._alone = True
        if self._runner is not None:
            self._tell(self._runner.unattended)

    def cancel(self) -> None:
        """Cut what runs and end, leaving the session to be resumed; also before it has begun."""
        self._cancelled = True
        if self._task is not None:
            self._tell(self._task.cancel)

    def _tell(self, what: Callable[[], object]) -> None:
        """Have it called in the runner's loop, which may be over: handed on, or broken."""
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(what)

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
