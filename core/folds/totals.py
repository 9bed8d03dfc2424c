"""The counters of a session: small, serialisable, kept as a snapshot so that a list of sessions costs little."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, ClassVar

import msgspec

from core.events import (
    DELEGATED,
    ApprovalAnswered,
    CommandAccepted,
    Event,
    GuidanceDelivered,
    HeadMoved,
    ModelConsulted,
    ModelRequested,
    ModelResponded,
    PlanChanged,
    SessionFinished,
    SessionForked,
    SessionOpened,
    SessionPaused,
    SessionRenamed,
    ToolFinished,
    ToolStarted,
)
from core.folds.cache import WATCHED, CacheWatch, Loss
from core.folds.costs import CLASSES, MAIN, Charge, charge_of, split
from core.folds.fold import Handler
from core.folds.known import Met
from core.folds.rent import Errors, judge

INTERVENTIONS = frozenset(
    {"pause", "continue", "interrupt", "guide", "retract", "compress", "undo", "rewind", "switch", "revert"}
) | {
    *("budget", "model", "stop", "retry-now", "policy", "pin", "unpin", "evict", "cancel"),
    *("approve", "deny", "guard-ok", "guard-right", "constraint", "lift", "answer", "plan", "pause-at", "check-in"),
    *("remember", "revise", "forget", "keep", "pin-memory", "unpin-memory"),
}
"""Commands by which a human changes the course."""
COUNTED = frozenset((MAIN, "subagent"))
"""What requests are for whose replies always have tokens, known or not."""


class Totals(msgspec.Struct, kw_only=True):
    """Counts and sums over every event up to `seq`, all branches. Money is a decimal string.

    `ended_us`: when the session ended, 0 while it goes on; what is written after that (a name, a checkpoint) is no part
    of its duration.
    """

    NAME: ClassVar[str] = "totals"
    VERSION: ClassVar[int] = 10

    seq: int = 0
    session: str = ""
    name: str = ""
    task: str = ""
    model: str = ""
    workspace: str = ""
    state: str = "running"
    reason: str = "working"
    started_us: int = 0
    last_us: int = 0
    stall_us: int = 0
    """The longest time between two events in which it ran, and neither waited nor was without a runner."""
    ended_us: int = 0
    questions: list[str] = []
    """Questions of the agent that nobody has answered, by call."""
    turns: int = 0
    requests: int = 0
    retries: int = 0
    calls: dict[str, int] = {}
    errors: int = 0
    repeats: int = 0
    no_progress: int = 0
    fresh: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0
    usd: str = "0"
    unpriced: int = 0
    uncounted: int = 0
    """Replies of which no tokens are known: of sessions of other tools."""
    by_model: dict[str, str] = {}
    by_purpose: dict[str, str] = {}
    by_class: dict[str, str] = {}
    unsplit: str = "0"
    pings: int = 0
    cache: CacheWatch = msgspec.field(default_factory=CacheWatch)
    losses: dict[str, Loss] = {}
    forecasts: Errors = msgspec.field(default_factory=Errors)
    compressions: int = 0
    forced: int = 0
    checkpoints: int = 0
    rewinds: int = 0
    corrections: int = 0
    interventions: int = 0
    recoveries: int = 0
    asked: int = 0
    approved: int = 0
    denied: int = 0
    waited_us: int = 0
    """What questions waited for their answers, summed."""
    open_questions: dict[str, int] = {}
    memories: int = 0
    steps_done: int = 0
    steps_total: int = 0
    files: list[str] = []
    seen: Met = msgspec.field(default_factory=Met)
    """Which calls were made."""
    seen_results: Met = msgspec.field(default_factory=Met)
    """The same with what they answered, since a file changed."""
    sandbox: str = ""
    forked_from: dict[str, Any] | None = None
    """The session that this one was forked from, where, and what had been spent there."""
    delegated_by: str | None = None
    """The session that it works for."""
    open_calls: dict[str, str] = {}
    open_requests: dict[str, tuple[str, str]] = {}

    def handlers(self) -> dict[str, Handler]:
        return {kind: getattr(self, f"_{method}") for kind, method in _METHODS.items()}

    def observe(self, event: Event) -> None:
        """Note how far the totals go, and what became of the cache; called for each event, counted or not."""
        if self.state == "running" and self.last_us and event.kind != "runner.attached":
            self.stall_us = max(self.stall_us, event.at_us - self.last_us)
        self.seq, self.last_us = event.seq, event.at_us
        if event.kind in WATCHED and (miss := self.cache.observe(event)) is not None:
            self.losses[miss.cause] = self.losses.get(miss.cause, Loss()).plus(miss)

    @property
    def tool_calls(self) -> int:
        return sum(self.calls.values())

    @property
    def sent(self) -> int:
        return self.fresh + self.cache_read + self.cache_write

    def _asked(self, event: Event) -> None:
        self.asked += 1
        self.open_questions[event.key or ""] = event.at_us
        if self.state == "running":
            self.state, self.reason = "waiting", "approval"

    def _answered(self, event: Event) -> None:
        body, asked_us = event.body, self.open_questions.pop(event.key or "", None)
        if isinstance(body, ApprovalAnswered):
            self.approved += body.answer == "approved"
            self.denied += body.answer == "denied"
            self.waited_us += 0 if asked_us is None else max(0, event.at_us - asked_us)
        if self.reason == "approval" and self.state == "waiting":
            self.state, self.reason = "running", "working"

    def _questioned(self, event: Event) -> None:
        self.questions.append(event.key or "")
        if self.state == "running":
            self.state, self.reason = "waiting", "question"

    def _replied(self, event: Event) -> None:
        if event.key in self.questions:
            self.questions.remove(event.key)
        if self.reason == "question" and self.state == "waiting" and not self.questions:
            self.state, self.reason = "running", "working"

    def _opened(self, event: Event) -> None:
        body = event.body
        if isinstance(body, SessionOpened):
            self.session, self.name, self.task = body.session, body.name, body.task
            self.model, self.workspace, self.started_us = body.model, body.workspace, event.at_us
            above = (body.origin or {}).get(DELEGATED)
            self.delegated_by = None if above is None else str(above)

    def _forked(self, event: Event) -> None:
        """Everything that is counted counts from here on; before, it counts where it happened."""
        body, fresh = event.body, Totals()
        if isinstance(body, SessionForked):
            kept = {name: getattr(self, name) for name in _SHARED}
            for name in self.__struct_fields__:
                setattr(self, name, kept[name] if name in kept else getattr(fresh, name))
            self.started_us = event.at_us
            self.forked_from = {"session": body.session, "name": body.name, "at": body.at, "usd": body.usd}

    def _renamed(self, event: Event) -> None:
        if isinstance(event.body, SessionRenamed):
            self.name = event.body.name

    def _switched(self, event: Event) -> None:
        self.model = getattr(event.body, "model", self.model)

    def _paused(self, event: Event) -> None:
        if isinstance(event.body, SessionPaused):
            self.state, self.reason, self.ended_us = "paused", event.body.reason, 0

    def _continued(self, event: Event) -> None:
        self.state, self.reason, self.ended_us = "running", "working", 0

    def _finished(self, event: Event) -> None:
        if isinstance(event.body, SessionFinished):
            self.state, self.reason, self.ended_us = event.body.state, event.body.reason, event.at_us

    @property
    def lasted_us(self) -> int:
        """From the session's start to its end, or to the last event while it goes on; in microseconds."""
        return max(0, (self.ended_us or self.last_us) - self.started_us)

    def _waiting(self, event: Event) -> None:
        self.retries += 1
        self.state, self.reason = "waiting", "retry"

    def _requested(self, event: Event) -> None:
        body = event.body
        if isinstance(body, ModelRequested) and event.key:
            self.requests += 1
            self.open_requests[event.key] = (body.purpose, body.model)
            if self.state == "waiting":
                self.state, self.reason = "running", "working"

    def _settled(self, event: Event) -> None:
        known = event.key in self.open_requests
        purpose, model = self.open_requests.pop(event.key or "", (MAIN, ""))
        body = event.body
        if isinstance(body, ModelResponded):
            self.turns += purpose == MAIN
            if known and self.cache.answered is not None:
                judge(self.forecasts, self.cache.answered.outlook, body)
        self.pings += isinstance(body, ModelConsulted) and purpose == "ping"
        charge = charge_of(event, purpose, model)
        if charge is not None:
            self._charge(charge)

    def _charge(self, charge: Charge) -> None:
        usage, cost, parts = charge.usage, charge.price.cost, split(charge.usage, charge.price)
        self.fresh += usage.fresh
        self.cache_read += usage.cache_read
        self.cache_write += usage.cache_write
        self.output += usage.output
        self.unpriced += cost is None
        self.uncounted += not usage.sent and not usage.output and charge.purpose in COUNTED
        _add(self.by_model, charge.model, Decimal(cost or 0))
        _add(self.by_purpose, charge.purpose, Decimal(cost or 0))
        for name in CLASSES:
            _add(self.by_class, name, parts.by_class[name])
        self.unsplit = str(Decimal(self.unsplit) + parts.rest)
        self.usd = str(Decimal(self.usd) + Decimal(cost or 0))

    def _started(self, event: Event) -> None:
        body = event.body
        if not isinstance(body, ToolStarted) or not event.key:
            return
        self.calls[body.name] = self.calls.get(body.name, 0) + 1
        call = digest(body.name, body.arguments)
        self.repeats += not self.seen.add(call)
        self.open_calls[event.key] = call

    def _tool_finished(self, event: Event) -> None:
        body, call = event.body, self.open_calls.pop(event.key or "", "")
        self._replied(event)
        if not isinstance(body, ToolFinished):
            return
        self.errors += not body.ok
        if body.files:
            self.seen_results.clear()
            self._touch(change.path for change in body.files)
        self.no_progress += not self.seen_results.add(f"{call}:{body.fingerprint[:12]}")

    def _touch(self, paths: Iterable[str]) -> None:
        """Keep the changed files in order; sorting them all anew would cost more with every file."""
        for path in paths:
            place = bisect_left(self.files, path)
            if place == len(self.files) or self.files[place] != path:
                self.files.insert(place, path)

    def _guidance(self, event: Event) -> None:
        self.corrections += isinstance(event.body, GuidanceDelivered) and event.body.source == "guard"

    def _command(self, event: Event) -> None:
        self.interventions += isinstance(event.body, CommandAccepted) and event.body.verb in INTERVENTIONS

    def _compressed(self, event: Event) -> None:
        self.compressions += 1
        self.forced += event.actor == "user"

    def _checkpoint(self, event: Event) -> None:
        self.checkpoints += 1

    def _moved(self, event: Event) -> None:
        self.rewinds += isinstance(event.body, HeadMoved) and event.body.reason == "rewind"

    def _attached(self, event: Event) -> None:
        self.sandbox = getattr(event.body, "sandbox", "")

    def _recovered(self, event: Event) -> None:
        self.recoveries += 1

    def _remembered(self, event: Event) -> None:
        self.memories += getattr(event.body, "replaces", None) is None  # a revision takes the place of another

    def _kept(self, event: Event) -> None:
        self.memories += 1

    def _forgot(self, event: Event) -> None:
        self.memories -= 1

    def _plan(self, event: Event) -> None:
        if isinstance(event.body, PlanChanged):
            self.steps_total = sum(step.status != "dropped" for step in event.body.steps)
            self.steps_done = sum(step.status == "done" for step in event.body.steps)


_SHARED = (
    *("seq", "session", "name", "task", "model", "workspace", "state", "reason", "last_us", "sandbox"),
    *("memories", "steps_done", "steps_total", "cache"),
)
"""What a fork goes on with: how things stand, not what was done for it."""

_METHODS = {
    "session.opened": "opened",
    "session.forked": "forked",
    "session.renamed": "renamed",
    "session.paused": "paused",
    "session.continued": "continued",
    "session.finished": "finished",
    "model.switched": "switched",
    "model.requested": "requested",
    "model.responded": "settled",
    "model.consulted": "settled",
    "model.failed": "settled",
    "retry.waiting": "waiting",
    "approval.asked": "asked",
    "approval.answered": "answered",
    "human.asked": "questioned",
    "human.answered": "replied",
    "tool.started": "started",
    "tool.finished": "tool_finished",
    "guidance.delivered": "guidance",
    "command.accepted": "command",
    "context.compressed": "compressed",
    "checkpoint.made": "checkpoint",
    "head.moved": "moved",
    "runner.attached": "attached",
    "runner.recovered": "recovered",
    "memory.written": "remembered",
    "memory.forgotten": "forgot",
    "memory.kept": "kept",
    "plan.changed": "plan",
}


def _add(ledger: dict[str, str], name: str, usd: Decimal) -> None:
    ledger[name] = str(Decimal(ledger.get(name, "0")) + usd)


_canonical = json.JSONEncoder(sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode


def digest(name: str, arguments: dict[str, Any]) -> str:
    """12 hex digits that stand for a call: its tool and its arguments in canonical order."""
    return hashlib.sha256(_canonical([name, arguments]).encode()).hexdigest()[:12]
