"""What a session that has been would have cost otherwise: its own turns, priced under other policies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.economy.context import DEFAULT_SHAPE, Shape
from core.economy.optimum import optimum
from core.economy.policies import Off, Policy, Summarize, Window, simulate
from core.economy.tariff import Tariff
from core.economy.workload import SYSTEM_TOKENS, Turn, Workload

WINDOW_MESSAGES, FULL = 200, 0.8


@dataclass(frozen=True, slots=True)
class Otherwise:
    """What a session would have cost under the policy `name`, in dollars; `fits`: within the model's window."""

    name: str
    usd: float
    fits: bool = True


def counterfactuals(
    turns: Sequence[Turn],
    tariff: Tariff,
    system: int = SYSTEM_TOKENS,
    window: int | None = None,
    shape: Shape = DEFAULT_SHAPE,
) -> tuple[Otherwise, ...]:
    """The session without compression, with a window of messages, with a trigger near the window's end, in hindsight.

    `window`: the model's context window in tokens; without it there is no row for the trigger.
    """
    workload = Workload("session", tuple(turns), system)
    others: list[tuple[str, Policy]] = [
        ("no compression", Off()),
        (f"a window of {WINDOW_MESSAGES} messages", Window(turns=WINDOW_MESSAGES // 2)),
    ]
    if window is not None:
        others.append((f"a summary at {FULL:.0%} of the context window", Summarize(trigger=int(FULL * window))))
    rows = []
    for name, policy in others:
        bill = simulate(workload, policy, tariff)
        rows.append(Otherwise(name, bill.total, window is None or bill.peak <= window))
    return (*rows, Otherwise("the best in hindsight", optimum(workload, tariff, shape).usd))
