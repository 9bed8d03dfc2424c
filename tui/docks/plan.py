"""The plan in the user's hands: a step is started, done, dropped, added or put in other words, by one line."""

from __future__ import annotations

from typing import Any

from core.agent.plan_verbs import FORMS, parse_plan_words
from core.agent.verb import Refused
from tui.docks.dock import LineDock


class PlanDock(LineDock):
    """One edit at a time; the agent is told with its next request."""

    TITLE = "Change the plan"
    PLACEHOLDER = "e.g. drop 3 · start 4 · done 2 · add Write the changelog · set 3 Only the parser"
    VERB = "plan"

    def accept(self, text: str) -> dict[str, Any]:
        try:
            return parse_plan_words(text.split())
        except Refused:
            raise ValueError(FORMS) from None
