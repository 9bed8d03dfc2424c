"""Bodies of limits beside the money of a whole session."""

from __future__ import annotations

from typing import Literal

from core.events.envelope import Body, kind

Allowance = Literal["minutes", "turns", "day_usd", "step_usd"]


@kind("allowance.changed")
class AllowanceChanged(Body, frozen=True):
    """How much the session may take: minutes in which it runs, replies, dollars a day (UTC) or for a step of the plan.
    None: no limit."""

    name: Allowance
    value: float | None
