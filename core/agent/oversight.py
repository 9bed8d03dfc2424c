"""What a session that works for another one is held to, asked of the other before each of its steps."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from core.agent.desk import Desk
from core.agent.purse import limits_of

LAYING_DOWN = frozenset({"pause", "hand-over"})
"""Commands for which a delegated session stops between two steps, to be gone on with later."""


class Oversight(Protocol):
    """As a runner asks it."""

    def purse(self) -> Decimal | None:
        """The most that the session may have spent in all, in dollars; None: no limit."""
        ...

    def called_off(self) -> str:
        """Why it is to end now; empty: it goes on."""
        ...

    def laid_down(self) -> bool:
        """Whether its runner is to leave it as it is."""
        ...


class Free:
    """A session that works for nobody."""

    def purse(self) -> Decimal | None:
        return None

    def called_off(self) -> str:
        return ""

    def laid_down(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class OverCall:
    """Held to what the session at `desk` may still spend and take; `call` is the call for which it works."""

    desk: Desk
    call: str

    def purse(self) -> Decimal | None:
        """What is left there, and what has been booked there for this call already."""
        facts = self.desk.facts
        one = facts.delegations.by_call.get(self.call)
        booked = one.usd if one else Decimal(0)
        return None if facts.budget is None else facts.budget - facts.spent + booked

    def called_off(self) -> str:
        facts = self.desk.facts
        taken = limits_of(facts, self.desk.clock.now_us())
        used_up = (it.words() for it in taken if it.name != "usd" and it.used >= it.limit)
        return next((f"{words} of the session that it works for are used up" for words in used_up), "")

    def laid_down(self) -> bool:
        facts = self.desk.facts
        ordered = any(order.verb in LAYING_DOWN for order in facts.state.orders.values())
        return ordered or bool(facts.attention.due(self.desk.clock.now_us(), float(facts.spent)))
