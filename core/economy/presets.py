"""Named parameters of the policies, and the policies made from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.economy.context import Shape
from core.economy.policies import Auto, Mask, Off, Policy, Summarize, Window
from core.economy.rule import Rule

PARAGRAPH_TOKENS = 400


@dataclass(frozen=True, slots=True)
class Parameters:
    """Parameters of all policies; turns are a reply with its results, which is two messages.

    `window`: the model's context window in tokens. `most_turns` and `budget_usd`: where a run would stop.
    """

    alpha: float = 1.0
    keep_turns: int = 8
    digest_tokens: int = 7_300
    summarize_turns: int = 25
    window_turns: int = 100
    window_anchors: int = 1
    mask_turns: int = 10
    mask_batch: int = 20
    window: int = 1_000_000
    full: float = 0.8
    most_turns: int | None = None
    budget_usd: float | None = None


PRESETS = {
    "reference": Parameters(
        keep_turns=25, summarize_turns=25, window_turns=100, window_anchors=0, most_turns=2_000, budget_usd=50.0
    )
}
"""`reference`: the parameters of the reference documents: 2,000 turns, the latest 50 messages kept, a window of 200
messages with anchor 0, 50 dollars."""


def policies(chosen: Parameters = Parameters()) -> dict[str, Callable[[], Policy]]:
    """Every policy by name, to be made anew for each run. Raises ValueError for an alpha that isn't above 0."""
    rule, shape = Rule(alpha=chosen.alpha), Shape(chosen.keep_turns, chosen.digest_tokens)
    limit, full = int(0.85 * chosen.window), int(chosen.full * chosen.window)
    every = chosen.summarize_turns
    return {
        "auto": lambda: Auto(rule, shape, limit=limit),
        "paragraph": lambda: Auto(rule, shape, PARAGRAPH_TOKENS, limit),
        "summarize": lambda: Summarize(keep=every, period=every),
        "window": lambda: Window(chosen.window_turns, chosen.window_anchors),
        "mask": lambda: Mask(chosen.mask_turns, chosen.mask_batch),
        "trigger": lambda: Summarize(keep=every, trigger=full),
        "off": Off,
    }
