"""Sessions that work for another one: each has its own log and files, and its money stands in the other's ledger too.

A delegated session lives in the process of the one that it works for, which it never outlives: after a crash both are
gone on with from their logs. Its id follows from the call that began it, so it is never begun twice; the lines of the
ledger are keyed by its own attempts, so none is written twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from core.agent import course
from core.agent.desk import Desk
from core.agent.endpoints import Told, address_of
from core.agent.errand import Errand, read_errand
from core.agent.founding import found
from core.agent.oversight import OverCall, Oversight
from core.agent.runner import Runner
from core.config import Config, ConfigError, NotifySettings
from core.events import (
    DELEGATED,
    ConstraintDeclared,
    ConstraintLifted,
    Draft,
    Event,
    GuidanceDelivered,
    GuidanceQueued,
    ModelConsulted,
    ModelRequested,
    SessionFinished,
    SessionOpened,
)
from core.folds.costs import charge_of
from core.folds.delegates import PURPOSE, line_key
from core.ids import name_from, ulid
from core.journal.errors import JournalError
from core.journal.reader import Reader
from core.tools.base import LaidDown, Outcome, ToolError
from core.version import app_version

INHERITED = ("approvals", "max_tokens", "instructions")
"""Settings of the session above that hold in a delegated one."""
BRIEFING = (
    "Automatic notice, not from the user: you work on a part of a larger job, for another agent in the same workspace. "
    "You can ask nobody, and what would need the user's approval is refused. When you are done, your last words are "
    "your report to that agent: what you found or changed (with paths and lines), how you checked it, what is open."
)
CUT = "The session that it works for was interrupted."


@dataclass(frozen=True, slots=True)
class Errands:
    """How one delegated session is to be run: where, held to what, and who is told of its events and its runner."""

    folder: Path
    oversight: Oversight
    on_events: Callable[[list[Event]], None]
    on_runner: Callable[[Runner], None]


class Delegation:
    """`core.tools.delegate.Delegates` for the session at a desk. `run` runs a delegated session to its end or until it
    is laid down; `seat` sits down at the desk of one that nobody runs."""

    def __init__(
        self,
        desk: Desk,
        config: Config,
        run: Callable[[Errands], Awaitable[object]],
        seat: Callable[[Path], contextlib.AbstractAsyncContextManager[tuple[Desk, object]]],
    ) -> None:
        self._desk = desk
        self._config = config
        self._run = run
        self._seat = seat

    def plan(self, call: str, model: str | None) -> dict[str, Any]:
        routing = self._config.routing
        wanted = model or next(iter(routing.delegate), "")
        if wanted not in routing.delegate:
            raise ToolError(f"Nothing is delegated to {wanted!r}; choose one of {', '.join(routing.delegate)}.")
        session = session_of(self._opened().session, call)
        return {"session": session, "model": wanted, "turns": routing.delegate_turns, "usd": routing.delegate_usd}

    def unfinished(self, intent: Mapping[str, Any]) -> bool:
        folder = self._folder(intent)
        with contextlib.suppress(JournalError):
            return not folder.exists() or read_errand(folder).ended is None
        return False

    async def go_on(self, call: str, task: str, intent: Mapping[str, Any]) -> Outcome:
        folder, book = self._folder(intent), Book(self._desk, call)
        try:
            if not folder.exists():
                await self._found(folder, call, task, intent)
            async with book.kept(folder):
                await self._supervised(folder, call, book)
        except (JournalError, ConfigError) as error:
            raise ToolError(f"It could not be delegated: {error}") from error
        errand = await asyncio.to_thread(read_errand, folder)
        if errand.ended is None:
            raise LaidDown
        return outcome_of(errand, intent)

    async def cut(self, call: str, intent: Mapping[str, Any]) -> Outcome:
        folder = self._folder(intent)
        if not folder.exists():
            return Outcome("Stopped by the user before it did anything.", ok=False)
        try:
            async with Book(self._desk, call).kept(folder), self._seat(folder) as (desk, _):
                if desk.facts.state.finished is None:
                    await desk.close_open_calls(f"Not run. {CUT}")
                    ended = SessionFinished(state="stopped", reason="operator", detail=CUT)
                    await desk.append(Draft(ended, actor="user"))
        except JournalError as error:
            return Outcome(f"It was cut, and could not be ended: {error}", ok=False)
        return outcome_of(await asyncio.to_thread(read_errand, folder), intent)

    def _opened(self) -> SessionOpened:
        opened = self._desk.facts.state.opened
        assert opened is not None
        return opened

    def _folder(self, intent: Mapping[str, Any]) -> Path:
        return self._desk.folder.parent / str(intent["session"])

    async def _found(self, folder: Path, call: str, task: str, intent: Mapping[str, Any]) -> None:
        """The new session, with what the user forbids and what is said of its place."""
        parent = self._opened()
        endpoint = Told(str(intent["model"])).endpoint(parent, self._config)
        settings = {"budget_usd": str(intent["usd"]), "max_turns": intent["turns"]}
        settings |= {name: parent.settings[name] for name in INHERITED if name in parent.settings}
        opened = SessionOpened(
            session=folder.name,
            name=name_from(task),
            task=task,
            workspace=parent.workspace,
            model=endpoint.model,
            endpoint=address_of(endpoint),
            profile=endpoint.profile,
            app_version=app_version(),
            api_key_env=endpoint.api_key_env,
            settings=settings,
            origin={DELEGATED: parent.session, "call": call},
        )
        standing = [one.body for one in self._desk.facts.constraints.standing()]
        first = [Draft(body, key=f"k{number}", actor="system") for number, body in enumerate(standing, 1)]
        first.append(Draft(GuidanceDelivered(text=BRIEFING, source="notice"), actor="system"))
        if standing:
            words = "\n".join(f"- {body.text}" for body in standing)
            first.append(Draft(GuidanceDelivered(text=f"What the user forbids:\n{words}", standing=True), actor="user"))
        await found(folder, opened, self._desk.clock, *first)

    async def _supervised(self, folder: Path, call: str, book: Book) -> None:
        """Run it; what the user says to the session above, it learns between two steps."""
        there: list[Runner] = []
        tasks: list[asyncio.Task[None]] = []

        def heard(events: Sequence[Event]) -> None:
            for runner in there:
                if any(isinstance(event.body, ConstraintDeclared | ConstraintLifted) for event in events):
                    tasks.append(asyncio.create_task(align(self._desk, runner.desk)))
                if any(event.kind == "command.accepted" for event in events):
                    runner.desk.stirred.set()

        def began(runner: Runner) -> None:
            there.append(runner)
            tasks.append(asyncio.create_task(align(self._desk, runner.desk)))

        unsubscribe = self._desk.journal.subscribe(heard)
        try:
            await self._run(Errands(folder, OverCall(self._desk, call), book.observe, began))
        finally:
            unsubscribe()
            await asyncio.gather(*tasks, return_exceptions=True)


def config_below(config: Config, allowed: Sequence[str]) -> Config:
    """What holds in a delegated session: `allowed` are rules of the session above that hold there for its rest.

    It has nobody to delegate to and no judges, it calls nobody, and of the user's hooks it runs those about
    calls.
    """
    about_calls = {"before-tool", "after-tool", "after-edit"}
    hooks = {
        name: replace(hook, on=kept)
        for name, hook in config.hooks.items()
        if (kept := [on for on in hook.on if on in about_calls])
    }
    return replace(
        config,
        approvals=replace(config.approvals, allow=[*config.approvals.allow, *allowed]),
        hooks=hooks,
        notify=NotifySettings(title=False, bell=False, desktop="off"),
        routing=replace(config.routing, delegate=[], judge=[]),
    )


async def align(above: Desk, below: Desk) -> None:
    """Forbid in the session below what is forbidden above, and lift there what was lifted above."""
    wanted = {(one.body.form, tuple(one.body.patterns)): one.body for one in above.facts.constraints.standing()}
    known = below.facts.constraints
    held = {(one.body.form, tuple(one.body.patterns)): one for one in known.standing()}
    new = [body for what, body in wanted.items() if what not in held]
    lifted = {(one.body.form, tuple(one.body.patterns)) for one in above.facts.constraints.by_id.values()} - set(wanted)
    drafts = [Draft(body, key=f"k{n}", actor="user") for n, body in enumerate(new, len(known.by_id) + 1)]
    drafts += [Draft(ConstraintLifted(), key=held[what].id, actor="user") for what in lifted if what in held]
    said = [Draft(GuidanceQueued(text=body.text, standing=True), key=f"above:{draft.key}", actor="user")
            for body, draft in zip(new, drafts, strict=False)]  # fmt: skip
    await below.append(*drafts, *said)


class Book:
    """Writes what a delegated session costs into the ledger of the one at `desk`, each attempt once."""

    def __init__(self, desk: Desk, call: str) -> None:
        self._desk = desk
        self._call = call
        self._asked: dict[str, tuple[str, str]] = {}
        self._events: asyncio.Queue[Sequence[Event]] = asyncio.Queue()

    def observe(self, events: Sequence[Event]) -> None:
        self._events.put_nowait(events)

    @contextlib.asynccontextmanager
    async def kept(self, folder: Path) -> AsyncIterator[None]:
        """What stands in the log already is booked first, what comes while the block runs as it comes."""
        await self._enter(await asyncio.to_thread(_events_of, folder))
        worker = asyncio.create_task(self._work())
        try:
            yield
        finally:
            self._events.put_nowait(())
            await worker
            await self._enter(await asyncio.to_thread(_events_of, folder))

    async def _work(self) -> None:
        """Until an empty batch comes. It is never cancelled: a line that is being written must be known when it is."""
        while events := await self._events.get():
            await self._enter(events)

    async def _enter(self, events: Sequence[Event]) -> None:
        lines = [draft for event in events for draft in self._line(event)]
        if lines:
            await self._desk.append(*lines)
            await course.warn_of_budget(self._desk)

    def _line(self, event: Event) -> list[Draft]:
        """The two events of a side request that stand for an attempt of the other session."""
        body = event.body
        if isinstance(body, ModelRequested) and event.key:
            self._asked[event.key] = (body.purpose, body.model)
            return []
        charge = charge_of(event, *self._asked.get(event.key or "", ("main", "")))
        one = self._desk.facts.delegations.by_call.get(self._call)
        if charge is None or one is None or (key := line_key(self._call, charge.key)) in one.booked:
            return []
        asked = ModelRequested(
            model=charge.model,
            body="",
            body_bytes=0,
            messages=0,
            marks=[],
            max_tokens=0,
            prompt_version="",
            parts={},
            purpose=PURPOSE,
        )
        paid = ModelConsulted(model=charge.model, text="", stop_reason="", usage=charge.usage, price=charge.price)
        return [Draft(asked, key=key, actor="system"), Draft(paid, key=key, actor="system")]


def _events_of(folder: Path) -> list[Event]:
    with Reader(folder) as reader:
        return reader.events()


def session_of(parent: str, call: str) -> str:
    """The id of the session that a call begins: always the same."""
    bits = int.from_bytes(hashlib.sha256(f"{parent}\0{call}".encode()).digest()[:16])
    return ulid((bits >> 80) * 1000, lambda count: bits & ((1 << count) - 1))


def outcome_of(errand: Errand, intent: Mapping[str, Any]) -> Outcome:
    """What the agent above is told of a session that is over."""
    ended = errand.ended
    assert ended is not None
    how = "finished" if ended.state == "finished" else f"{ended.state}: {ended.reason}"
    detail = f" ({ended.detail})" if ended.detail else ""
    price = f"${errand.usd:.4f}" + (" and replies of unknown price" if errand.unpriced else "")
    lines = [
        f"Session {intent['session'][:10]} on {intent['model']} {how}{detail} after {errand.replies} replies and "
        f"{errand.calls} calls, for {price}.",
        *(f"changed: {file.path} (+{file.added} -{file.removed})" for file in errand.files),
        *(["Its last words:", errand.words] if errand.words else ["It said nothing at its end."]),
    ]
    return Outcome("\n".join(lines), ok=ended.state == "finished", files=tuple(errand.files))
