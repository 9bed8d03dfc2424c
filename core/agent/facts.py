"""Everything that a runner knows: the folds it decides on, fed with each event that it appends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from core.events import ContextCompressed, ContextRestored, Event, HeadMoved, ModelResponded
from core.folds.branches import Branches, Column
from core.folds.checkpoints import Checkpoints
from core.folds.context_usage import ContextWindow
from core.folds.costs import Costs
from core.folds.fold import Dispatcher, Handler
from core.folds.memories import Memories
from core.folds.plan import Plan
from core.folds.state import RunState
from core.folds.totals import Totals
from core.request.ledger import Ledger
from core.request.projection import Projection


@dataclass(frozen=True, slots=True)
class Reversible:
    """Something that `undo` takes back: a compression, or a rewind from `origin`."""

    seq: int
    kind: str
    origin: int | None = None
    tree: str | None = None


class Reversibles:
    """A fold: what can still be undone on the current branch, the latest last."""

    def __init__(self, branches: Branches) -> None:
        self._branches = branches
        self._column: Column[Reversible] = Column()
        self._undone: Column[int] = Column()
        self._moves: list[Reversible] = []

    def handlers(self) -> dict[str, Handler]:
        return {"context.compressed": self._compressed, "context.restored": self._restored, "head.moved": self._moved}

    def all(self) -> list[Reversible]:
        spans = self._branches.spans()
        undone = set(self._undone.within(spans))
        compressions = [step for step in self._column.within(spans) if step.seq not in undone]
        return sorted([*compressions, *self._moves], key=lambda step: step.seq)

    def _compressed(self, event: Event) -> None:
        if isinstance(event.body, ContextCompressed):
            self._column.append(event.seq, Reversible(event.seq, "compression"))

    def _restored(self, event: Event) -> None:
        if isinstance(event.body, ContextRestored):
            self._undone.append(event.seq, event.body.seq)

    def _moved(self, event: Event) -> None:
        body = event.body
        if not isinstance(body, HeadMoved):
            return
        if body.reason == "rewind":
            self._moves.append(Reversible(event.seq, "rewind", body.origin, body.tree_before))
        else:  # Undoing an older rewind takes the later ones with it.
            while self._moves and self._moves.pop().origin != body.to:
                pass


class UseIds:
    """A fold: every tool_use id that any reply used, so that none is used twice."""

    def __init__(self) -> None:
        self.ids: set[str] = set()

    def handlers(self) -> dict[str, Handler]:
        return {"model.responded": self._responded}

    def _responded(self, event: Event) -> None:
        if isinstance(event.body, ModelResponded):
            self.ids.update(block["id"] for block in event.body.content if block.get("type") == "tool_use")


class Facts:
    """The runner's folds. `apply` each event once, in order."""

    def __init__(self) -> None:
        self.branches = Branches()
        self.state = RunState()
        self.totals = Totals()
        self.costs = Costs()
        self.memories = Memories(self.branches)
        self.plan = Plan(self.branches)
        self.checkpoints = Checkpoints(self.branches, self.state)
        self.window = ContextWindow()
        self.reversibles = Reversibles(self.branches)
        self.projection = Projection(self.branches)
        self.ledger = Ledger(self.branches, self.memories, self.plan)
        self._use_ids = UseIds()
        self._dispatch = Dispatcher(
            (
                self.branches,
                self.state,
                self.totals,
                self.costs,
                self.memories,
                self.plan,
                self.checkpoints,
                self.window,
                self.reversibles,
                self.projection,
                self.ledger,
                self._use_ids,
            )
        )

    def apply(self, event: Event) -> None:
        self.state.observe(event)
        self.totals.observe(event)
        self._dispatch.apply(event)

    def apply_all(self, events: Iterable[Event]) -> None:
        for event in events:
            self.apply(event)

    @property
    def use_ids(self) -> set[str]:
        """The tool_use ids of all replies so far."""
        return self._use_ids.ids

    @property
    def spent(self) -> Decimal:
        return self.costs.total.last.usd

    @property
    def budget(self) -> Decimal | None:
        return self.costs.budget.last

    def prompt_tokens(self, head: dict[str, int]) -> int:
        """The size of the next prompt: our estimate, corrected by what the provider counted last time.

        `head`: estimated tokens of what stands before the messages.
        """
        return round((sum(head.values()) + sum(self.projection.parts.values())) * self.window.ratio)
