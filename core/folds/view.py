"""A session as the panes see it: every fold over the same events, each readable as of any event."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Flag, auto
from functools import cache, reduce
from operator import or_
from typing import Any

from core.events import Event
from core.folds.absence import Absence
from core.folds.allowances import Allowances
from core.folds.approvals import Approvals
from core.folds.branches import Branches, Window
from core.folds.cache import CacheLedger
from core.folds.checkpoints import Checkpoints
from core.folds.checks import Checks
from core.folds.constraints import Constraints
from core.folds.context_items import ContextItems
from core.folds.context_usage import ContextWindow
from core.folds.conversation import Conversation, Item
from core.folds.costs import Costs
from core.folds.delegates import Delegations
from core.folds.drift_log import DriftLog
from core.folds.file_states import FileStates
from core.folds.fold import Dispatcher
from core.folds.guards.log import GuardLog
from core.folds.guidance import Guidance
from core.folds.idle import Idle
from core.folds.lanes import Lanes
from core.folds.memories import Memories
from core.folds.memory_use import MemoryUse
from core.folds.mishaps import Mishaps
from core.folds.needs import Needs
from core.folds.pages import PageStore, pages_of
from core.folds.plan import Plan
from core.folds.progress import Progress
from core.folds.rent import RentMeter
from core.folds.servers import Servers
from core.folds.state import RunState
from core.folds.step_costs import StepCosts
from core.folds.tallies import Tallies
from core.folds.timeline import Timeline
from core.folds.tool_calls import ToolCalls
from core.folds.totals import Totals
from core.folds.workload import Workload


class Changes(Flag):
    """Which panes a batch of events concerns."""

    NONE = 0
    CONVERSATION = auto()
    TOOLS = auto()
    CONTEXT = auto()
    MEMORY = auto()
    COST = auto()
    PLAN = auto()
    STATUS = auto()
    BRANCH = auto()
    """HEAD moved: whatever shows the current branch starts afresh."""
    ALL = CONVERSATION | TOOLS | CONTEXT | MEMORY | COST | PLAN | STATUS | BRANCH


_CHANGES = {
    "tool": Changes.TOOLS | Changes.CONVERSATION | Changes.CONTEXT | Changes.COST,
    "model": Changes.CONVERSATION | Changes.CONTEXT | Changes.COST,
    "context": Changes.CONTEXT | Changes.CONVERSATION | Changes.COST,
    "guidance": Changes.CONTEXT | Changes.CONVERSATION | Changes.COST,
    "item": Changes.CONTEXT | Changes.CONVERSATION,
    "memory": Changes.MEMORY,
    "plan": Changes.PLAN | Changes.CONVERSATION | Changes.COST,
    "head": Changes.ALL,
    "approval": Changes.CONVERSATION,
    "human": Changes.CONVERSATION,
    "constraint": Changes.PLAN | Changes.CONVERSATION,
    "allowance": Changes.COST | Changes.CONVERSATION,
    "budget": Changes.COST | Changes.CONVERSATION,
}


@cache
def _changes(kind: str) -> Changes:
    """Joining flags is slow, and there are few kinds."""
    return _CHANGES.get(kind.partition(".")[0], Changes.CONVERSATION) | Changes.STATUS


class SessionView:
    """All folds of one session. Feed it every event once, in order; read it at any position."""

    def __init__(self) -> None:
        self.branches = Branches()
        self.state = RunState()
        self.totals = Totals()
        self.tallies = Tallies(self.totals)
        self.timeline = Timeline()
        self.conversation = Conversation()
        self.tool_calls = ToolCalls()
        self.context = ContextWindow()
        self.memories = Memories(self.branches)
        self.costs = Costs()
        self.plan = Plan(self.branches)
        self.checkpoints = Checkpoints(self.branches, self.state)
        self.cache = CacheLedger(self.totals.cache)
        self.context_items = ContextItems(self.branches, self.context)
        self.memory_use = MemoryUse(self.context_items)
        self.rent = RentMeter(self.context, self.context_items, self.costs, self.plan)
        self.workload = Workload(self.context)
        self.guidance = Guidance(self.branches)
        self.idle = Idle(self.timeline)
        self.step_costs = StepCosts(self.plan, self.timeline, self.costs, self.tool_calls, self.idle)
        self.lanes = Lanes(self.timeline, self.costs)
        self.checks = Checks(self.plan)
        self.progress = Progress()
        self.absence = Absence(
            self.state,
            self.timeline,
            self.costs,
            self.memories,
            self.tool_calls,
            self.checks,
            self.progress,
            self.cache,
            self.rent,
        )
        self.needs = Needs()
        self.guards = GuardLog()
        self.servers = Servers()
        self.mishaps = Mishaps()
        self.allowances = Allowances(self.costs, self.plan)
        self.constraints = Constraints()
        self.approvals = Approvals()
        self.file_states = FileStates()
        self.delegations = Delegations()
        self.drift = DriftLog()
        self._dispatch = self._dispatcher()

    def _dispatcher(self) -> Dispatcher:
        return Dispatcher(
            (
                self.branches,
                self.state,
                self.totals,
                self.tallies,
                self.timeline,
                self.conversation,
                self.tool_calls,
                self.context,
                self.memories,
                self.costs,
                self.plan,
                self.checkpoints,
                self.needs,
                self.guards,
                self.servers,
                self.mishaps,
                self.allowances,
                self.constraints,
                self.approvals,
                self.file_states,
                self.delegations,
                self.drift,
                self.cache,
                self.context_items,
                self.memory_use,
                self.rent,
                self.workload,
                self.guidance,
                self.idle,
                self.step_costs,
                self.lanes,
                self.checks,
                self.progress,
                self.absence,
            )
        )

    def __getstate__(self) -> dict[str, Any]:
        return {name: fold for name, fold in vars(self).items() if name != "_dispatch"}

    def __setstate__(self, folds: dict[str, Any]) -> None:
        vars(self).update(folds)
        self._dispatch = self._dispatcher()

    def put_away(self, store: PageStore) -> None:
        """Keep in memory what is recent, and the rest in `store`. Raises OSError; nothing is lost then."""
        for pages in pages_of(self):
            pages.put_away(store)

    @property
    def last_seq(self) -> int:
        return self.state.last_seq

    def apply(self, event: Event) -> Changes:
        """Take in the next event; which panes it concerns."""
        self.state.observe(event)
        self.totals.observe(event)
        self.tallies.observe(event)
        self.timeline.observe(event)
        self.absence.observe(event)
        self._dispatch.apply(event)
        return _changes(event.kind)

    def apply_all(self, events: Iterable[Event]) -> Changes:
        """Take in several; the union of what they concern."""
        return reduce(or_, {self.apply(event) for event in events}, Changes.NONE)

    def items(self, at: int | None = None) -> list[Item]:
        """The conversation on the branch as of `at`; costs as much as it is long."""
        return self.conversation.column.within(self.branches.spans(at))

    def item_window(self, at: int | None = None) -> Window[Item]:
        """The same without copying: costs as much as the branch has pieces."""
        return self.conversation.column.window(self.branches.spans(at))
