"""The sessions that worked for this one: which call began each, and what it has cost so far."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct, field

from core.events import Event, ModelConsulted, ModelFailed, ModelRequested, ToolStarted
from core.folds.fold import Handler

PURPOSE = "delegate"
"""The purpose under which their money stands in the ledger."""


class Delegated(Struct):
    """Session `session`, begun by call `call` at event `seq`. `booked`: the attempts of it that stand in the ledger."""

    call: str
    seq: int
    session: str
    model: str
    usd: Decimal = Decimal(0)
    booked: set[str] = field(default_factory=set)


def line_key(call: str, attempt: str) -> str:
    """The key of the line in the ledger for one attempt of the session that `call` began."""
    return f"{PURPOSE}:{call}:{attempt}"


class Delegations:
    """By call, in the order in which they began. They belong to no branch: what was spent is spent."""

    def __init__(self) -> None:
        self.by_call: dict[str, Delegated] = {}

    def handlers(self) -> dict[str, Handler]:
        return {
            "tool.started": self._started,
            "tool.finished": self._finished,
            "model.requested": self._requested,
            "model.consulted": self._settled,
            "model.failed": self._settled,
        }

    def _started(self, event: Event) -> None:
        body = event.body
        if isinstance(body, ToolStarted) and body.effect == PURPOSE and event.key:
            session, model = str(body.intent.get("session", "")), str(body.intent.get("model", ""))
            if session:
                self.by_call[event.key] = Delegated(event.key, event.seq, session, model)

    def _finished(self, event: Event) -> None:
        """Nothing more is booked for it, so nobody will ask what was."""
        if (one := self.by_call.get(event.key or "")) is not None:
            one.booked.clear()

    def _of(self, key: str | None) -> Delegated | None:
        purpose, _, rest = (key or "").partition(":")
        return self.by_call.get(rest.partition(":")[0]) if purpose == PURPOSE else None

    def _requested(self, event: Event) -> None:
        if isinstance(event.body, ModelRequested) and (one := self._of(event.key)) and event.key:
            one.booked.add(event.key)

    def _settled(self, event: Event) -> None:
        body, one = event.body, self._of(event.key)
        if one is not None and isinstance(body, ModelConsulted | ModelFailed) and body.price is not None:
            one.usd += Decimal(body.price.cost or 0)
