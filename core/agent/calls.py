"""Running tool calls: intent before act, exactly one outcome each, whatever happens in between."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from core.agent.approving import Ask, Gate, Refuse, denied, outdated
from core.agent.desk import Desk
from core.agent.row import Row
from core.agent.warding import Forbidden, Warden
from core.clock import MICROSECONDS, monotonic
from core.events import Draft, HumanAsked, MediaShown, ToolFinished, ToolStarted
from core.folds.asking import PendingCall
from core.folds.words import call_line, one_line
from core.journal.errors import DiskFull
from core.sandbox.grant import NOTHING, Grant
from core.tools.ask import REPLY, AskHumanArguments
from core.tools.base import (
    Effect,
    InvalidArguments,
    LaidDown,
    Lasting,
    NoRoom,
    Outcome,
    Rerun,
    StandsFor,
    Tool,
    ToolContext,
    ToolError,
)
from core.tools.capping import cap
from core.tools.jobs import Job, Phase, job_status, settle
from core.tools.registry import fingerprint, parse_arguments

STOPPED = Outcome("Stopped by the user before it did anything.", ok=False)
LABEL = 100
"""Characters of a checkpoint's label."""
KNOWN = 600
"""Characters of the names of all tools, and of the name, for a model that calls one that there is not."""
PAGED = frozenset({"recall"})
"""Tools that give pages by themselves: to cap those would hide what was asked for."""
LARGEST_BLOB = 64 * 1024 * 1024
"""Bytes of an output that the journal keeps; a job that wrote more keeps its folder."""


class CallRunner:
    """Runs the calls of a reply at a desk.

    `context` makes the context of one call from its key; `redact` is applied once to every text that a tool gives.
    `longest_result`: characters of one result that the model sees; the rest of a giant one is behind its handle.
    `gate` judges each call before it runs; None: nothing is asked.
    `before` is waited for before a call that may run. `warden` holds it against the user's constraints.
    `in_order`: calls side by side are told in their order, and not as they end.
    """

    def __init__(
        self,
        desk: Desk,
        tools: Mapping[str, Tool],
        context: Callable[[str], ToolContext],
        redact: Callable[[str], str],
        longest_result: int = 32_000,
        gate: Gate | None = None,
        before: Callable[[PendingCall], Awaitable[None]] | None = None,
        warden: Warden | None = None,
        in_order: bool = False,
    ) -> None:
        self._in_order, self._row = in_order, Row()
        self._desk = desk
        self._tools = tools
        self._context = context
        self._redact = redact
        self._longest_result = longest_result
        self._gate = gate
        self._before = before
        self._warden = warden
        self._commands: set[str] = set()
        self._delegated: set[str] = set()
        self._leaving = False

    @property
    def concurrent(self) -> frozenset[str]:
        """The tools whose calls may run side by side."""
        return frozenset(name for name, tool in self._tools.items() if tool.effect.concurrent)

    async def run(self, calls: Sequence[PendingCall]) -> None:
        """Run them, all at once when there are several; each outcome, or the question about it, is journalled."""
        self._leaving = False  # Whoever was to take over has left: it is for this runner to wait for them again.
        if len(calls) == 1:
            await self._run_one(calls[0])
            return
        self._row = Row([call.key for call in calls] if self._in_order else ())
        async with asyncio.TaskGroup() as group:
            for call in calls:
                group.create_task(self._run_in_row(call))

    async def _run_in_row(self, call: PendingCall) -> None:
        try:
            await self._run_one(call)
        finally:
            self._row.told(call.key)

    @property
    def delegating(self) -> bool:
        """Whether another session works for this one right now."""
        return bool(self._delegated)

    def leave(self) -> bool:
        """Whether a command runs, which from here on goes on without this runner, until the next one takes it up."""
        self._leaving = self._leaving or any(map(self._runs_on, self._commands))
        return self._leaving

    async def _run_one(self, call: PendingCall) -> None:
        tool, context = None, self._context_of(call)
        if call.started:
            self._row.begun(call.key)
            await self._take_up(call, context)
            return
        try:
            if call.cut:
                raise ToolError(
                    "The reply was cut at its token limit inside this call, so it was not run. "
                    "Split the work into smaller calls."
                )
            call, tool = self._meant(call)
            if (refusal := denied(call)) is not None:
                raise ToolError(refusal)
            arguments = parse_arguments(tool, call.arguments)
            if isinstance(arguments, AskHumanArguments) and call.reply is None:
                await self._ask(call, arguments)
                return
            intent = await asyncio.to_thread(tool.prepare, arguments, context)
            if self._warden is not None:
                await asyncio.to_thread(self._warden.forbid, call, tool, intent)
            grant = await self._judged(call, tool, arguments, intent, context)
            if grant is None:
                return
        except ToolError as error:
            await self._refuse(call, tool, error)
            return
        context.settings = context.settings | {REPLY: call.reply}
        context.grant, intent = grant, intent | grant.intent()
        if self._before is not None:
            await self._before(call)
        await self._start(call, tool, intent)
        await self._finish(call, tool, arguments, intent, context)

    def _meant(self, call: PendingCall) -> tuple[PendingCall, Tool]:
        """The call and its tool; where that stands for another one, the call of that one. Raises ToolError."""
        tool = self._tools.get(call.name)
        if tool is None:
            known = one_line(", ".join(sorted(self._tools)), KNOWN)
            raise ToolError(f"There is no tool named {one_line(call.name, KNOWN)!r}. There are: {known}.")
        if not isinstance(tool, StandsFor):
            return call, tool
        meant, arguments = tool.meant(parse_arguments(tool, call.arguments))
        return replace(call, name=meant.name, arguments=dict(arguments)), meant

    async def _ask(self, call: PendingCall, arguments: AskHumanArguments) -> None:
        """Put the agent's question to its user; the call goes on once there is an answer."""
        until_us = self._desk.clock.now_us() + arguments.timeout_minutes * 60 * MICROSECONDS
        body = HumanAsked(
            question=self._redact(arguments.question),
            options=arguments.options,
            default=arguments.default,
            until_us=None if arguments.default is None else until_us,
        )
        await self._row.may_begin(call.key)
        await self._desk.append(Draft(body, key=call.key))

    async def _judged(
        self, call: PendingCall, tool: Tool, arguments: Any, intent: dict[str, Any], context: ToolContext
    ) -> Grant | None:
        """What it is given beyond the sandbox; None where the user is asked first, which is journalled then.

        Raises ToolError where it must not run at all.
        """
        if self._gate is None:
            return NOTHING
        if call.asked is not None and call.answer is not None:
            if (refusal := outdated(call, intent)) is not None:
                raise ToolError(refusal)
            return Grant.of(call.asked.granted)
        verdict = await asyncio.to_thread(self._gate.judge, call, tool, intent)
        if isinstance(verdict, Refuse):
            raise ToolError(verdict.sentence)
        if not isinstance(verdict, Ask):
            return verdict.grant
        question = await asyncio.to_thread(self._gate.question, call, tool, arguments, intent, context, verdict)
        await self._row.may_begin(call.key)
        await self._desk.append(Draft(question, key=call.key))
        return None

    async def recover(self, call: PendingCall) -> str:
        """Decide what a call that an earlier process started came to; a sentence for the report."""
        context = self._context_of(call)
        if self._runs_on(call.key):
            return f"{call.name} ({call.key}): it still runs, and its end is waited for"
        try:
            call, tool = self._meant(call)
        except ToolError:
            await self._record(call, Outcome(f"The tool {call.name} is not there any more.", ok=False), 0, True)
            return f"{call.name} ({call.key}): its tool is gone, reported as failed"
        if isinstance(tool, Lasting) and tool.goes_on(call.intent, context):
            return f"{call.name} ({call.key}): goes on where it was"
        arguments = parse_arguments(tool, call.arguments)
        context.grant = Grant.of(call.intent)
        verdict = await tool.recover(arguments, call.intent, context)
        if isinstance(verdict, Rerun):  # By the loop, where it can be cut, and not in a pause.
            return f"{call.name} ({call.key}): to be run again, nothing of it had happened"
        await self._record(call, verdict, 0, True)
        return f"{call.name} ({call.key}): {'its result was found' if verdict.ok else 'reported as interrupted'}"

    async def _take_up(self, call: PendingCall, context: ToolContext) -> None:
        """Wait for what an earlier process started, or run what it could not; it can be cut like any other call."""
        call, tool = self._meant(call)
        context.grant = Grant.of(call.intent)
        arguments = parse_arguments(tool, call.arguments)
        await self._finish(call, tool, arguments, call.intent, context, recovered=True, begun=True)

    def running_on(self) -> list[PendingCall]:
        """The calls of an earlier runner whose commands still run."""
        return [call for call in self._desk.facts.state.pending.values() if call.started and self._runs_on(call.key)]

    async def end_running(self) -> None:
        """End the commands that an earlier runner has left running; each call gets its outcome."""
        for call in self.running_on():
            await Job(self._context(call.key).jobs / call.key).stop("stopped")
            await self.recover(call)

    def _runs_on(self, key: str) -> bool:
        return job_status(self._context(key).jobs / key).phase is Phase.RUNNING

    def _context_of(self, call: PendingCall) -> ToolContext:
        context = self._context(call.key)
        context.stays = lambda: self._leaving
        return context

    async def _refuse(self, call: PendingCall, tool: Tool | None, error: ToolError) -> None:
        why, invalid = str(error), isinstance(error, InvalidArguments)
        started = self._started(call, str(tool.effect) if tool else "read", {})
        finished = ToolFinished(
            name=call.name, use_id=call.use_id, ok=False, content=why, fingerprint=fingerprint(why), invalid=invalid
        )
        more = [error.broken] if isinstance(error, Forbidden) else []
        self._row.begun(call.key)
        await self._row.may_tell(call.key)
        await self._desk.append(Draft(started, key=call.key), *more, Draft(finished, key=call.key))

    async def _start(self, call: PendingCall, tool: Tool, intent: dict[str, Any]) -> None:
        """Write down what is about to be done, and in the same transaction what the files were like before."""
        drafts = []
        if tool.effect.mutates_files:
            label = one_line(call_line(call.name, call.arguments), LABEL)
            drafts.append(await self._desk.checkpoint(f"before {label}"))
        await self._row.may_begin(call.key)
        await self._desk.append(*drafts, Draft(self._started(call, str(tool.effect), intent), key=call.key))
        self._row.begun(call.key)

    def _started(self, call: PendingCall, effect: str, intent: dict[str, Any]) -> ToolStarted:
        return ToolStarted(name=call.name, use_id=call.use_id, arguments=call.arguments, effect=effect, intent=intent)

    async def _finish(
        self,
        call: PendingCall,
        tool: Tool,
        arguments: Any,
        intent: dict[str, Any],
        context: ToolContext,
        recovered: bool = False,
        begun: bool = False,
    ) -> None:
        """Run it and journal what it came to, also when it is cancelled or breaks; go on with one that has `begun`."""
        began, outcome = monotonic(), None
        if tool.effect is Effect.COMMAND:
            self._commands.add(call.key)
        elif tool.effect is Effect.DELEGATE:
            self._delegated.add(call.key)
        try:
            act = _gone_on(tool, arguments, intent, context) if begun else tool.run(arguments, context)
            outcome = await self._outcome(call, act)
            took_s = monotonic() - began
            await self._row.may_tell(call.key)
            tree = None if recovered else await self._left(tool)
        except LaidDown:
            return
        except asyncio.CancelledError:
            if self._leaving:
                raise
            took_s = monotonic() - began
            if outcome is None:
                outcome = await self._cut(tool, arguments, intent, context)
            await self._record(call, outcome, took_s, recovered, await self._left(tool))
            raise
        finally:
            self._commands.discard(call.key)
            self._delegated.discard(call.key)
        await self._record(call, outcome, took_s, recovered, tree)

    async def _cut(self, tool: Tool, arguments: Any, intent: dict[str, Any], context: ToolContext) -> Outcome:
        """What a call that was cancelled came to."""
        if isinstance(tool, Lasting):
            return await tool.cut(intent, context)
        verdict = await tool.recover(arguments, intent, context)
        return STOPPED if isinstance(verdict, Rerun) else replace(verdict, ok=False)

    async def _outcome(self, call: PendingCall, act: Awaitable[Outcome]) -> Outcome:
        try:
            return await act
        except NoRoom as error:
            raise DiskFull(f"The disk with the session has no room: {error} Free some space.") from error
        except ToolError as error:
            return Outcome(str(error), ok=False)
        except (LaidDown, DiskFull):
            raise
        except Exception as error:  # a tool's bug is the model's problem to work around, never the session's end
            return Outcome(f"The tool {call.name} broke: {type(error).__name__}: {error}", ok=False)

    async def _left(self, tool: Tool) -> str | None:
        """The files as the call leaves them, so that what somebody changes by hand afterwards is known as such."""
        return await self._desk.snapshots.left() if tool.effect.mutates_files else None

    async def _record(
        self, call: PendingCall, outcome: Outcome, took_s: float, recovered: bool, tree: str | None = None
    ) -> None:
        content, hash_of = self._redact(outcome.content), self._desk.journal.hash_of
        full, job = outcome.full, self._context(call.key).jobs / call.key
        if recovered:  # Most of it may have passed before this runner came.
            took_s = job_status(job).seconds or took_s
        if len(content) > self._longest_result and call.name not in PAGED:
            full = full or content
            content = cap(content, f"out:{call.key}", self._longest_result // 3, self._longest_result * 2 // 3).text
        blobs, blob, size = await asyncio.to_thread(self._whole, full) if full else ([], None, 0)
        body = ToolFinished(
            name=call.name,
            use_id=call.use_id,
            ok=outcome.ok,
            content=content or "(no output)",
            ms=int(took_s * 1000),
            blob=blob,
            size=size or len(content),
            exit_code=outcome.exit_code,
            files=list(outcome.files),
            fingerprint=fingerprint(blobs[0].decode("utf-8", "replace") if blobs else content),
            recovered=recovered,
            tree=tree,
            media=[
                MediaShown(kind=it.kind, media_type=it.media_type, blob=hash_of(it.data), tokens=it.tokens)  # type: ignore[arg-type]
                for it in outcome.media
            ],
        )
        more = [Draft(event, key=key) for event, key in outcome.events]
        if self._warden is not None:
            more += await self._warden.broken(call, outcome.files, tree)
        await self._desk.append(*more, Draft(body, key=call.key), blobs=[*blobs, *(it.data for it in outcome.media)])
        if job.exists():
            await asyncio.to_thread(settle, job, LARGEST_BLOB)

    def _whole(self, full: str | Path) -> tuple[list[bytes], str | None, int]:
        """The whole output where the content is not all of it, redacted: ([data], its hash, its size)."""
        if isinstance(full, Path):
            with full.open("rb") as file:
                raw = file.read(LARGEST_BLOB)
            data = self._redact(raw.decode("utf-8", "replace")).encode()
            size = full.stat().st_size
        else:
            data = self._redact(full).encode("utf-8", "replace")
            size = len(data)
        return [data], self._desk.journal.hash_of(data), size


async def _gone_on(tool: Tool, arguments: Any, intent: dict[str, Any], context: ToolContext) -> Outcome:
    verdict = await tool.recover(arguments, intent, context)
    return await tool.run(arguments, context) if isinstance(verdict, Rerun) else verdict
