"""Everything that a runner knows: the folds it decides on, fed with each event that it appends."""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from core.agent.trees import Trees
from core.events import ContextCompressed, ContextRestored, Event, HeadMoved, ModelRequested, ModelResponded
from core.folds.allowances import Allowances
from core.folds.anchors import Anchors
from core.folds.approvals import Approvals
from core.folds.attention import Attention
from core.folds.branches import Branches, Column
from core.folds.checkins import CheckIns
from core.folds.constraints import Constraints
from core.folds.context_items import ContextItems
from core.folds.context_usage import ContextWindow
from core.folds.costs import Costs
from core.folds.delegates import Delegations
from core.folds.docket import Docket
from core.folds.file_states import FileStates
from core.folds.fold import Dispatcher, Handler
from core.folds.guards.log import GuardLog
from core.folds.guards.watch import GuardWatch
from core.folds.insisted import Insisted
from core.folds.memories import Memories
from core.folds.plan import Plan
from core.folds.proofs import Proofs
from core.folds.rent import RentMeter
from core.folds.servers import Servers
from core.folds.state import RunState
from core.folds.totals import Totals
from core.folds.written import Written
from core.journal.viewers import Viewer
from core.request.archive import Archive, Remembered
from core.request.ledger import Ledger
from core.request.projection import Projection

RECENT = 20
FUTILE_SAVING, FUTILE_TURNS = 0.2, 5
"""A compression that frees less of the prompt than this, so few turns after the one before, did not help."""


@dataclass(frozen=True, slots=True)
class Reversible:
    """Something that `undo` takes back: a compression, or a rewind or switch from `origin`."""

    seq: int
    kind: str
    origin: int | None = None
    tree: str | None = None
    files: tuple[str, ...] = ()
    """Where files alone were taken back, and the conversation went on: the first of those, as the log names them."""
    after: str | None = None
    """The files as it left them."""

    def reverted(self, paths: Sequence[str]) -> bool:
        """Whether it took back these files, among others perhaps."""
        return bool(self.files) and set(self.files) >= set(paths)


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
        if body.reason != "undo":
            files = _paths(body) if body.to == body.origin else ()
            step = Reversible(event.seq, body.reason, body.origin, body.tree_before, files, body.tree_after)
            self._moves.append(step)
        elif body.to == body.origin and (reverts := [step for step in self._moves if step.reverted(_paths(body))]):
            self._moves.remove(reverts[-1])
        else:  # Undoing an older rewind takes the later ones with it.
            while self._moves and self._moves.pop().origin != body.to:
                pass


def _paths(body: HeadMoved) -> tuple[str, ...]:
    return tuple(line.partition(" ")[2] for line in body.files)


class UseIds:
    """A fold: every tool_use id that any reply used, so that none is used twice.

    Four bytes are kept of each: of a hundred thousand new ids one may be taken for one that was used, and gets another
    name for nothing.
    """

    def __init__(self) -> None:
        self._marks = array("I")

    def __contains__(self, use_id: object) -> bool:
        mark = _mark(use_id)
        place = bisect_left(self._marks, mark)
        return place < len(self._marks) and self._marks[place] == mark

    def handlers(self) -> dict[str, Handler]:
        return {"model.responded": self._responded}

    def _responded(self, event: Event) -> None:
        if isinstance(event.body, ModelResponded):
            for block in event.body.content:
                if block.get("type") == "tool_use" and block["id"] not in self:
                    insort(self._marks, _mark(block["id"]))


def _mark(use_id: object) -> int:
    return hash(use_id) & 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Spoken:
    """What one reply came to: tokens of its output, the limit it was given, why it stopped, whether it called tools."""

    output: int
    limit: int
    stop_reason: str
    calls: bool


class Recent:
    """A fold: the latest replies, by which the next one's length is judged; and the rent since the last compression.

    `excess` sums over the replies since then the tokens that each prompt had above its floor.
    """

    def __init__(self) -> None:
        self.replies: deque[Spoken] = deque(maxlen=RECENT)
        self.excess = 0
        self.futile = 0
        """Compressions in a row that nobody asked for, freed too little and followed each other too soon."""
        self._turns = 0
        self._requested: dict[str, ModelRequested] = {}

    def handlers(self) -> dict[str, Handler]:
        return {
            "model.requested": self._request,
            "model.responded": self._responded,
            "context.compressed": self._compressed,
            "context.restored": self._reset,
            "context.policy": self._forgive,
            "head.moved": self._reset,
        }

    def _request(self, event: Event) -> None:
        if isinstance(event.body, ModelRequested) and event.body.purpose == "main":
            self._requested = {event.key or "": event.body}

    def _responded(self, event: Event) -> None:
        body, asked = event.body, self._requested.pop(event.key or "", None)
        if not isinstance(body, ModelResponded):
            return
        calls = any(block.get("type") == "tool_use" for block in body.content)
        limit = asked.max_tokens if asked else 0
        self._turns += 1
        self.replies.append(Spoken(body.usage.output, limit, body.stop_reason, calls))
        if asked and asked.outlook:
            self.excess += max(0, body.usage.sent - asked.outlook.floor)

    def _compressed(self, event: Event) -> None:
        body = event.body
        self.excess = 0
        if isinstance(body, ContextCompressed) and event.actor != "user" and body.policy in ("auto", "summarize"):
            freed = 1 - body.tokens_after / max(1, body.tokens_before)
            vain = freed < FUTILE_SAVING and self._turns < FUTILE_TURNS
            self.futile, self._turns = (self.futile + 1 if vain else 0), 0

    def _reset(self, event: Event) -> None:
        self.excess = 0

    def _forgive(self, event: Event) -> None:
        self.futile = self._turns = 0


class Facts:
    """The runner's folds. `apply` each event once, in order.

    What was said and is no longer sent is read again from the `archive`; without one all of it stays in memory.
    """

    def __init__(self, archive: Archive | None = None) -> None:
        remembered = Remembered()
        archive = archive or remembered.read
        self.present: Sequence[Viewer] = ()
        """Who looks at the session, as of the last command; not from the log."""
        self.branches = Branches()
        self.state = RunState(history=False)
        self.totals = Totals()
        self.costs = Costs(history=False)
        self.memories = Memories(self.branches)
        self.plan = Plan(self.branches)
        self.trees = Trees(self.branches, archive)
        self.window = ContextWindow(history=False)
        self.items = ContextItems(self.branches, self.window, history=False)
        self.rent = RentMeter(self.window, self.items, self.costs, self.plan, history=False)
        self.reversibles = Reversibles(self.branches)
        self.projection = Projection(self.branches, archive)
        self.ledger = Ledger(self.branches, self.memories, self.plan, archive)
        self.recent = Recent()
        self.anchors = Anchors(self.branches)
        self.approvals = Approvals()
        self.file_states = FileStates()
        self.written = Written()
        self.allowances = Allowances(self.costs, self.plan)
        self.attention = Attention(self.plan)
        self.check_ins = CheckIns(self.plan, self.costs)
        self.insisted = Insisted()
        self.proofs = Proofs(self.plan)
        self.constraints = Constraints()
        self.guards = GuardWatch(self.plan, self.constraints)
        self.guard_log = GuardLog()
        self.delegations = Delegations()
        self.docket = Docket()
        self.use_ids = UseIds()
        self.servers = Servers()
        self._dispatch = Dispatcher(
            (
                *((remembered,) if archive == remembered.read else ()),
                self.branches,
                self.state,
                self.totals,
                self.costs,
                self.memories,
                self.plan,
                self.trees,
                self.window,
                self.items,
                self.rent,
                self.reversibles,
                self.projection,
                self.ledger,
                self.recent,
                self.anchors,
                self.approvals,
                self.file_states,
                self.written,
                self.allowances,
                self.attention,
                self.check_ins,
                self.insisted,
                self.proofs,
                self.constraints,
                self.guards,
                self.guard_log,
                self.delegations,
                self.docket,
                self.use_ids,
                self.servers,
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
    def spent(self) -> Decimal:
        return self.costs.total.last.usd

    @property
    def budget(self) -> Decimal | None:
        return self.costs.budget.last
