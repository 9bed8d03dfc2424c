"""What the session is doing: the state that the loop decides on and that the status line shows."""

from __future__ import annotations

from array import array
from bisect import bisect_left

import msgspec
from msgspec.structs import replace

from core.events import (
    AfterReboot,
    ApprovalAnswered,
    ApprovalAsked,
    CommandAccepted,
    ContextPolicy,
    DriverChanged,
    Event,
    GuidanceDelivered,
    GuidanceQueued,
    HeadMoved,
    HumanAnswered,
    HumanAsked,
    ModelConsulted,
    ModelFailed,
    ModelRequested,
    ModelResponded,
    ModelSwitched,
    RetryWaiting,
    RunnerAttached,
    ServerChanged,
    SessionFinished,
    SessionOpened,
    SessionPaused,
    SessionRenamed,
    is_node,
)
from core.folds.asking import PendingCall, asking, calls_of, changed, waiting_words
from core.folds.fold import SEQ, Handler, Series, series_of
from core.folds.standing import DEFERRED, Failure, Order, Status, attempt_of


class RunState:
    """Everything that `decide` looks at, and nothing that grows with the session but one int per node.

    Without `history` the status is that of now alone.
    """

    def __init__(self, history: bool = True) -> None:
        self.opened: SessionOpened | None = None
        self.name = ""
        self.model = ""
        self.home: SessionOpened | None = None
        """How the session would be opened to be served where its user wants it, also while another model steps in."""
        self.route, self.routed_us = "", 0
        """By which name of the configuration the model steps in that answers now, and since when; empty: the user's."""
        self.stand_in: Series[str] = Series("")
        """The model that steps in for the user's, which does not answer; empty while that one does."""
        self.tried: set[str] = set()
        """The routes that did not answer since the last reply."""
        self.head: int | None = None
        self.last_seq = 0
        self.request = 0
        self.attempt = 0
        self.open_attempt: str | None = None
        self.open_sides: set[str] = set()
        """Side requests (pings, paragraphs) that have no outcome yet."""
        self.sides = 0
        self.requested_us = 0
        """When the last request began that used the cache: a turn's or a ping."""
        self.fixed = 0
        """Estimated tokens of system and tools in the last request."""
        self.paragraph: str | None = None
        """A model's paragraph for the next digest; empty when it was dropped, None when none was asked for."""
        self.turns = 0
        self.checkpoints = 0
        """How many there are in the log, by which the next one is numbered."""
        self.forked_at = 0
        """The event from which on this session is not the one any more that it was forked from; 0: it was not."""
        self.failure: Failure | None = None
        self.pending: dict[str, PendingCall] = {}
        self.queued: dict[str, GuidanceQueued] = {}
        self.orders: dict[str, Order] = {}
        self.allowed: list[str] = []
        """Rules by which the user allows calls for the rest of the session."""
        self.commands: set[str] = set()
        self.crossed: set[str] = set()
        self.paused = False
        self.policy: str | None = None
        """The context policy that somebody, or the guard against futile compressions, chose for this session."""
        self.gave_up_at = 0
        """Tokens of the prompt when the guard against futile compressions switched them off; 0: it did not."""
        self.finished: SessionFinished | None = None
        self.reopened = False
        """Whether guidance came after the end."""
        self.stop_reason: str | None = None
        self.answered = False
        self.status: Series[Status] = series_of(Status(), history)
        self.runner: RunnerAttached | None = None
        self.after_reboot = False
        """Whether it is to be resumed when its machine comes up again."""
        self.driver: DriverChanged | None = None
        """The screen that took the wheel last; it may be gone."""
        self.sandbox: Series[str] = Series("")
        """How the runner confined its commands: `bubblewrap`, `landlock`, `none: why`; empty where nobody said."""
        self.exposed = False
        """Whether anything that the agent has run, a command or a server, ever had the session's inbox in reach."""
        self.boundaries = array(SEQ)
        """The nodes after which the history may be cut: no call of a reply is left without its result there."""
        self._answers = bytearray()

    @property
    def halts(self) -> bool:
        """Whether it stands still from the next safe point on: as the last order that bears on it says, else as now."""
        said = [order.verb == "pause" for order in self.orders.values() if order.verb in ("pause", "continue")]
        return said[-1] if said else self.paused

    def handlers(self) -> dict[str, Handler]:
        return {
            "session.opened": self._opened,
            "session.renamed": self._renamed,
            "session.forked": self._forked,
            "session.paused": self._paused,
            "session.continued": self._continued,
            "session.finished": self._finished,
            "runner.attached": self._attached,
            "driver.changed": self._driven,
            "server.changed": self._served,
            "session.after_reboot": self._marked,
            "guidance.queued": self._queued,
            "guidance.retracted": self._retracted,
            "guidance.delivered": self._delivered,
            "model.requested": self._requested,
            "model.responded": self._responded,
            "model.consulted": self._consulted,
            "model.failed": self._failed,
            "model.switched": self._switched,
            "retry.waiting": self._waiting,
            "approval.asked": self._asked,
            "approval.answered": self._answered,
            "human.asked": self._questioned,
            "human.answered": self._replied,
            "tool.started": self._started,
            "tool.finished": self._tool_finished,
            "command.accepted": self._accepted,
            "command.refused": self._refused,
            "command.done": self._done,
            "context.compressed": self._compressed,
            "context.restored": self._node,
            "context.policy": self._policy,
            "plan.changed": self._node,
            "budget.crossed": self._crossed,
            "head.moved": self._moved,
            "checkpoint.made": self._checkpoint,
        }

    def observe(self, event: Event) -> None:
        """Note every event's place; called for each, handled or not."""
        self.last_seq = event.seq
        if is_node(event.kind):
            self.head = event.seq

    def is_boundary(self, node: int) -> bool:
        """Whether the history may be cut after `node`."""
        return self._ended(node) is not None

    def _ended(self, node: int) -> bool | None:
        """Whether the model had answered at boundary `node`; None where it is none."""
        place = bisect_left(self.boundaries, node)
        there = place < len(self.boundaries) and self.boundaries[place] == node
        return bool(self._answers[place]) if there else None

    def _mark(self, event: Event) -> None:
        self.boundaries.append(event.seq)
        self._answers.append(self.answered)

    def _node(self, event: Event) -> None:
        if not self.pending:
            self._mark(event)

    def _compressed(self, event: Event) -> None:
        if self.failure is not None:
            self.failure = replace(self.failure, compressions=self.failure.compressions + 1, until_us=0)
        self.paragraph = None
        self._node(event)

    def _set(self, event: Event, state: str, reason: str, detail: str = "", until_us: int | None = None) -> None:
        status = Status(state, reason, detail, until_us)
        if status != self.status.last:
            self.status.append(event.seq, status)

    def _running(self, event: Event) -> None:
        if not self.paused and self.finished is None:
            self._set(event, "running", "working")

    def _opened(self, event: Event) -> None:
        if isinstance(event.body, SessionOpened):
            self.opened = self.home = event.body
            self.name, self.model = event.body.name, event.body.model
            self.after_reboot = bool(event.body.settings.get("after_reboot"))
            self._mark(event)

    def _forked(self, event: Event) -> None:
        """Limits and warnings count from here on; who drove the other session, and what was allowed there, is gone."""
        self.forked_at, self.turns, self.driver, self.allowed = event.seq, 0, None, []

    def _renamed(self, event: Event) -> None:
        if isinstance(event.body, SessionRenamed):
            self.name = event.body.name

    def _switched(self, event: Event) -> None:
        body = event.body
        if not isinstance(body, ModelSwitched):
            return
        self.model = body.model
        self.failure, self.requested_us = None, 0
        if self.opened is not None:
            self.opened = switched(self.opened, body)
        if body.reason:
            self.tried.add(self.route)
        else:
            self.home, self.tried = self.opened, set()
        self.route, self.routed_us = body.route, event.at_us
        if (stand_in := body.model if body.route else "") != self.stand_in.last:
            self.stand_in.append(event.seq, stand_in)

    def _paused(self, event: Event) -> None:
        if isinstance(event.body, SessionPaused):
            self.paused = True
            self._set(event, "paused", event.body.reason, event.body.detail)

    def _continued(self, event: Event) -> None:
        self.paused, self.finished, self.failure = False, None, None
        self._running(event)
        self._show_waiting(event)

    def _finished(self, event: Event) -> None:
        if isinstance(event.body, SessionFinished):
            self.finished, self.reopened = event.body, False
            self._set(event, event.body.state, event.body.reason, event.body.detail)

    def _attached(self, event: Event) -> None:
        if isinstance(event.body, RunnerAttached):
            self.runner = event.body
            self.sandbox.append(event.seq, event.body.sandbox)
            self.exposed |= event.body.sandbox not in ("bubblewrap", "landlock")

    def _served(self, event: Event) -> None:
        """A server of tools on this machine can reach the inbox, and the agent calls it."""
        if isinstance(event.body, ServerChanged):
            self.exposed |= event.body.local

    def _marked(self, event: Event) -> None:
        if isinstance(event.body, AfterReboot):
            self.after_reboot = event.body.resume

    def _driven(self, event: Event) -> None:
        if isinstance(event.body, DriverChanged):
            self.driver = event.body

    def _queued(self, event: Event) -> None:
        if isinstance(event.body, GuidanceQueued) and event.key:
            self.queued[event.key] = event.body
            self.reopened = self.finished is not None

    def _retracted(self, event: Event) -> None:
        self.queued.pop(event.key or "", None)

    def _delivered(self, event: Event) -> None:
        if isinstance(event.body, GuidanceDelivered):
            self.queued.pop(event.key or "", None)
            self.answered = False
            self._node(event)

    def _requested(self, event: Event) -> None:
        body = event.body
        if not isinstance(body, ModelRequested):
            return
        if body.purpose in ("main", "ping"):
            self.requested_us = event.at_us
        if body.purpose != "main":
            self.sides += 1
            self.open_sides.add(event.key or "")
            return
        self.fixed = body.parts.get("system", 0) + body.parts.get("tools", 0)
        self.request, self.attempt = attempt_of(event.key) or (self.request + 1, 1)
        self.open_attempt = event.key
        self._running(event)

    def _responded(self, event: Event) -> None:
        body = event.body
        if not isinstance(body, ModelResponded):
            return
        self.open_attempt, self.failure = None, None
        self.tried = set()
        self.turns += 1
        self.stop_reason = body.stop_reason
        self.pending = {call.use_id: call for call in calls_of(event.key or "", body)}
        self.answered = not self.pending
        self._node(event)
        self._running(event)

    def _consulted(self, event: Event) -> None:
        body, key = event.body, event.key or ""
        self.open_sides.discard(key)
        if isinstance(body, ModelConsulted) and key.startswith("digest"):
            self.paragraph = body.text if body.used else ""

    def _failed(self, event: Event) -> None:
        body = event.body
        self.open_sides.discard(event.key or "")
        if isinstance(body, ModelFailed) and event.key == self.open_attempt:
            last = self.failure or Failure("", "", None, 0)
            self.open_attempt = None
            self.failure = replace(
                last,
                error=body.error,
                message=body.message,
                retry_after_s=body.retry_after_s,
                attempt=last.attempt + (body.error != "interrupted"),
                until_us=None,
            )

    def _waiting(self, event: Event) -> None:
        body = event.body
        if isinstance(body, RetryWaiting) and (last := self.failure):
            waited_s = last.waited_s + body.delay_s
            self.failure = replace(last, waited_s=waited_s, since_us=event.at_us, until_us=body.until_us)
            self._set(event, "waiting", "retry", f"{last.error.replace('_', ' ')}: {last.message}", body.until_us)

    def _started(self, event: Event) -> None:
        intent = getattr(event.body, "intent", {})
        self.pending = changed(self.pending, event.key, started=True, intent=intent)

    def _tool_finished(self, event: Event) -> None:
        self.pending = {use_id: call for use_id, call in self.pending.items() if call.key != event.key}
        self._node(event)
        self._show_waiting(event)

    def _asked(self, event: Event) -> None:
        if isinstance(event.body, ApprovalAsked):
            self.pending = changed(self.pending, event.key, asked=event.body, asked_us=event.at_us)
            self._show_waiting(event)

    def _answered(self, event: Event) -> None:
        if isinstance(event.body, ApprovalAnswered):
            self.pending = changed(self.pending, event.key, answer=event.body)
            self.allowed += [rule for rule in event.body.rules if rule not in self.allowed]
            self._show_waiting(event)

    def _questioned(self, event: Event) -> None:
        if isinstance(event.body, HumanAsked):
            self.pending = changed(self.pending, event.key, question=event.body, asked_us=event.at_us)
            self._show_waiting(event)

    def _replied(self, event: Event) -> None:
        if isinstance(event.body, HumanAnswered):
            self.pending = changed(self.pending, event.key, reply=event.body)
            self._show_waiting(event)

    @property
    def questions(self) -> list[PendingCall]:
        """The questions of the agent that nobody has answered, oldest first."""
        return [call for call in asking(self.pending) if call.question is not None]

    @property
    def asking(self) -> list[PendingCall]:
        """The calls that wait for an answer, in the order of the reply."""
        return asking(self.pending)

    def _show_waiting(self, event: Event) -> None:
        """The state is `waiting` for an approval or an answer exactly while a call waits for one."""
        if self.paused or self.finished is not None:
            return
        if waiting := waiting_words(self.asking):
            self._set(event, "waiting", "question" if self.asking[0].question else "approval", waiting)
        elif self.status.last.reason in ("approval", "question"):
            self._running(event)

    def _refused(self, event: Event) -> None:
        self.commands.add(event.key or "")

    def _accepted(self, event: Event) -> None:
        body = event.body
        self.commands.add(event.key or "")
        if isinstance(body, CommandAccepted) and body.verb in DEFERRED and event.key:
            self.orders[event.key] = Order(event.key, body.verb, body.args, event.seq)
        elif isinstance(body, CommandAccepted) and body.verb == "retry-now" and self.failure:
            self.failure = replace(self.failure, retry_after_s=None, until_us=0)

    def _policy(self, event: Event) -> None:
        if isinstance(event.body, ContextPolicy):
            self.policy, self.gave_up_at = event.body.policy, event.body.tokens

    def _checkpoint(self, event: Event) -> None:
        self.checkpoints += 1

    def _crossed(self, event: Event) -> None:
        self.crossed.add(event.key or "")

    def _done(self, event: Event) -> None:
        self.orders.pop(event.key or "", None)

    def _moved(self, event: Event) -> None:
        if isinstance(event.body, HeadMoved):
            self.head = event.body.to
            self.pending, self.failure, self.open_attempt, self.paragraph = {}, None, None, None
            self.answered = bool(self._ended(event.body.to))
            if self.finished is not None and event.body.to != event.body.origin:
                self.finished, self.paused = None, True
                self._set(event, "paused", "rewound")
            self._show_waiting(event)


def switched(opened: SessionOpened, body: ModelSwitched) -> SessionOpened:
    """How the session would have to be opened to be reached as it is now."""
    if body.endpoint is None:
        return msgspec.structs.replace(opened, model=body.model)
    return msgspec.structs.replace(
        opened, model=body.model, endpoint=body.endpoint, profile=body.profile, api_key_env=body.api_key_env
    )
