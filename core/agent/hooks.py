"""The user's own commands on events of a session. One that fails is told of, and changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import msgspec

from core.agent.desk import Desk
from core.clock import iso
from core.config import HookSettings
from core.events import (
    ApprovalAsked,
    Draft,
    Event,
    HookFailed,
    SessionFinished,
    SessionPaused,
    ToolFinished,
    encode_body,
)
from core.folds.asking import PendingCall
from core.journal.errors import JournalError
from core.notify.program import ProgramFailed, run_program

IN_A_ROW = 5
"""Failures of one hook after which it is left out until the session is run anew."""
LAST_S = 30.0
"""How long the end of a session waits for hooks that are still to run."""

Moment = tuple[str, str, dict[str, Any]]
"""What happened (as in `HookSettings.on`), the tool that it is about or '', and what a hook is told beside that."""


class Hooks:
    """Runs the hooks of one session. Those before a tool are waited for; others run beside it, in turn.

    They have the user's rights, and so may write a secret to standard error: `redact` is applied to what is told of it.
    """

    def __init__(
        self,
        settings: Mapping[str, HookSettings],
        desk: Desk,
        workspace: Path,
        environ: Mapping[str, str],
        redact: Callable[[str], str],
    ) -> None:
        self._settings = settings
        self._desk = desk
        self._workspace = workspace
        self._environ = environ
        self._redact = redact
        self._queue: asyncio.Queue[Moment] = asyncio.Queue()
        self._failures = dict.fromkeys(settings, 0)

    async def before(self, call: PendingCall) -> None:
        """A call is about to run."""
        told = {"tool": call.name, "call": call.key, "arguments": call.arguments}
        await self._run(("before-tool", call.name, told))

    def observe(self, events: Sequence[Event]) -> None:
        """Take in what was committed."""
        for event in events if self._settings else ():
            for moment in _moments(event):
                self._queue.put_nowait(moment)

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Hooks run while the block does; what is still to run at its end has a moment for it."""
        worker = asyncio.create_task(self._work())
        try:
            yield
        finally:
            if self._settings:
                await asyncio.wait({asyncio.create_task(self._queue.join())}, timeout=LAST_S)
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)

    async def _work(self) -> None:
        while True:
            moment = await self._queue.get()
            try:
                await self._run(moment)
            finally:
                self._queue.task_done()

    async def _run(self, moment: Moment) -> None:
        for name, hook in self._settings.items():
            if self._concerns(name, hook, moment):
                await self._call(name, hook, moment)

    def _concerns(self, name: str, hook: HookSettings, moment: Moment) -> bool:
        what, tool, _ = moment
        wanted = not hook.tools or not tool or any(fnmatchcase(tool, glob) for glob in hook.tools)
        return what in hook.on and wanted and self._failures[name] < IN_A_ROW

    async def _call(self, name: str, hook: HookSettings, moment: Moment) -> None:
        what, _, told = moment
        opened = self._desk.facts.state.opened
        head = {"hook": name, "event": what, "session": opened.session if opened else "", "workspace": self._workspace}
        words = msgspec.json.encode({**head, **told}, enc_hook=str)
        try:
            await run_program(f"The hook {name}", hook.command, words, self._environ, hook.timeout_s, self._workspace)
            self._failures[name] = 0
        except ProgramFailed as failed:
            self._failures[name] += 1
            off = " It is left out from here on." if self._failures[name] == IN_A_ROW else ""
            await self._tell(HookFailed(hook=name, on=what, detail=f"{self._redact(str(failed))}{off}"))

    async def _tell(self, body: HookFailed) -> None:
        try:
            await self._desk.append(Draft(body, actor="system"))
        except JournalError:
            return  # the disk refuses; the session says so by itself


def _moments(event: Event) -> Iterator[Moment]:
    """What hooks may be about in an event; they are told the event as it is printed by `events --json`."""
    body = event.body
    match body:
        case ToolFinished():
            yield "after-tool", body.name, _told(event)
            if body.files:
                yield "after-edit", body.name, _told(event)
        case ApprovalAsked():
            yield "ask", body.name, _told(event)
        case SessionPaused():
            yield "pause", "", _told(event)
        case SessionFinished():
            yield "finish", "", _told(event)


def _told(event: Event) -> dict[str, Any]:
    fields = {"seq": event.seq, "kind": event.kind, "key": event.key, "at": iso(event.at_us), "actor": event.actor}
    return {**fields, "body": msgspec.Raw(encode_body(event.body).encode())}
