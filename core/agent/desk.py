"""The desk: the journal, the facts and the files of one session, and the controls that need no model.

A runner works at a desk; where no runner lives, a clerk sits down at it for a moment and applies the inbox.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from core.agent.branch_verbs import known_branches
from core.agent.commands import judged
from core.agent.facts import Facts, Reversible
from core.agent.going_back import (
    Effect,
    Restoration,
    rewind_notice,
    switch_notice,
    told_back_again,
    told_moved,
    told_restored,
    told_reverted,
)
from core.agent.reverting import course_by_hand, reversal
from core.agent.sleep import Sleep
from core.agent.thrift import Carrying, Thrift
from core.agent.trust import Vouchers
from core.agent.verb import ENDED
from core.changes.trees import Trees
from core.clock import Clock
from core.events import (
    CheckpointMade,
    CommandDone,
    ContextRestored,
    Draft,
    Event,
    ItemEvicted,
    SessionContinued,
    SessionFinished,
    SessionPaused,
    ToolFinished,
)
from core.folds.branch_tree import branch_named
from core.folds.checkpoints import boundary_at
from core.folds.standing import Order
from core.journal.errors import JournalError
from core.journal.heirs import anybody_stands_by
from core.journal.inbox import Command, discard, pending
from core.journal.viewers import present
from core.journal.writer import Journal
from core.request.archive import Archive
from core.request.compression import NothingToCompress, Wish
from core.workspace.snapshots import Snapshots, WorkspaceError

T = TypeVar("T")


class Desk:
    """Appends events and keeps the facts in step; carries out what was commanded.

    `on_command` is called for each command right after it was journalled (the runner cuts what runs). `vouchers` tells
    which commands surely come from the user, the `archive` is where the facts read the journal again.
    """

    def __init__(
        self,
        folder: Path,
        journal: Journal,
        snapshots: Snapshots,
        clock: Clock,
        vouchers: Vouchers | None = None,
        archive: Archive | None = None,
    ) -> None:
        self.folder = folder
        self.journal = journal
        self.snapshots = snapshots
        self.clock = clock
        self.vouchers = vouchers or Vouchers()
        self.facts = Facts(archive)
        self.thrift = Thrift(self.facts, Carrying(), lambda model, sent: None, clock)
        self.occupied = self.released = False
        """Whether a runner works here, and whether it is to let another one go on."""
        self.stirred = asyncio.Event()
        self.on_command: Callable[[Command], None] = lambda command: None
        self._sleep = Sleep(clock)
        self._order = asyncio.Lock()
        self._reading = asyncio.Lock()
        self._under_way: str | None = None

    async def append(self, *drafts: Draft, blobs: Sequence[bytes] = ()) -> list[Event]:
        """Journal them in one transaction and fold them; shielded, so that what is written is always folded.

        That the machine slept is written before them, and alone where there are none.
        """
        if not (drafts or self._sleep.untold()):
            return []
        writing = asyncio.ensure_future(self._append(drafts, blobs))
        try:
            return await asyncio.shield(writing)
        except asyncio.CancelledError:
            writing.add_done_callback(_heed)
            raise

    async def undisturbed(self, think: Callable[[], T]) -> T:
        """What comes of thinking over the facts in a thread; what is appended meanwhile waits, so they stay."""
        async with self._order:
            return await asyncio.to_thread(think)

    async def _append(self, drafts: Sequence[Draft], blobs: Sequence[bytes]) -> list[Event]:
        async with self._order:
            woken = self._sleep.untold()
            events = await self.journal.append(*woken, *drafts, blobs=blobs)
            self._sleep.told(woken)
            self.facts.apply_all(events)
            return events[len(woken) :]

    async def read_inbox(self) -> int:
        """Journal each command that has come, accepted or refused; how many there were.

        Before that, that the machine slept: what is decided next counts the time in which it was awake.
        """
        await self.append()
        async with self._reading:
            commands = pending(self.folder)
            self.facts.present = present(self.folder) if commands else []
            for command in commands:
                if command.id not in self.facts.state.commands:
                    trusted = self.vouchers.trusts(command)
                    drafts = judged(command, self.facts, self._under_way, trusted=trusted, occupied=self.occupied)
                    await self.append(*drafts)
                discard(self.folder, command.id)
                self.on_command(command)
                self.stirred.set()
        return len(commands)

    async def obey(self, order: Order) -> None:
        """Carry out an accepted command at its safe point, and close it with `command.done`.

        Nothing happens when it was taken back meanwhile; from here on it can't be.
        """
        async with self._reading:  # no command is between its judgement and the log
            if order.id not in self.facts.state.orders:
                return
            self._under_way = order.id
        try:
            await self._carry_out(order)
        finally:
            self._under_way = None

    async def _carry_out(self, order: Order) -> None:
        """The effect and its end are one transaction: after a crash an order has had its effect once, or not yet."""
        effect = {
            "pause": self._pause,
            "continue": self._continue,
            "stop": self._stop,
            "compress": self._compress,
            "undo": self._undo,
            "rewind": self._rewind,
            "switch": self._switch,
            "revert": self._revert,
            "evict": self._evict,
            "hand-over": self._hand_over,
        }[order.verb]
        drafts, problem = await effect(order)
        done = CommandDone(verb=order.verb, ok=not problem, detail=problem)
        await self.append(*drafts, Draft(done, key=order.id))

    async def _pause(self, order: Order) -> Effect:
        if self.facts.state.finished is not None:
            return [], ENDED
        return [Draft(SessionPaused(reason="operator"), actor="user")], ""

    async def _continue(self, order: Order) -> Effect:
        return [Draft(SessionContinued(), actor="user")], ""

    async def _stop(self, order: Order) -> Effect:
        return [Draft(SessionFinished(state="stopped", reason="operator"), actor="user")], ""

    async def _hand_over(self, order: Order) -> Effect:
        if not self.occupied:
            return (
                [],
                "No runner holds this session, so there is nothing to hand over; longwatch resume goes on with it.",
            )
        if problem := self.without_heir(order):
            return [], problem
        self.released = True
        return [], ""

    def without_heir(self, order: Order) -> str:
        """Why nobody would go on with the session if it were handed over as ordered; empty: somebody would."""
        runner, meant = self.facts.state.runner, order.args.get("epoch")
        if meant is None:  # Ordered by a version that does not say.
            return ""
        if runner is not None and meant != runner.epoch:
            return "The runner that was to let go of the session has done so already, or has ended."
        return "" if anybody_stands_by(self.folder) else "Whoever wanted to take the session over does not wait for it."

    async def _compress(self, order: Order) -> Effect:
        args = order.args
        wish = Wish(
            reason="forced",
            force=True,
            instruction=str(args.get("instruction") or ""),
            paragraph=self.facts.state.paragraph or "",
            digest=args.get("digest"),
            keep_from=args.get("keep_from"),
        )
        return await self._compression(wish, "user")

    async def compress(self, wish: Wish) -> str:
        """Compress the context as it is wished; a sentence when there is nothing to gain."""
        drafts, problem = await self._compression(wish, "agent")
        if drafts:
            await self.append(*drafts)
        return problem

    async def _compression(self, wish: Wish, actor: str) -> Effect:
        """The compression, yet to be appended.

        Ranking all the names of a long session takes a while, so it is planned in a thread.
        """
        try:
            return [Draft(await self.undisturbed(lambda: self.thrift.plan(wish)), actor=actor)], ""
        except NothingToCompress as nothing:
            return [], str(nothing)

    async def _evict(self, order: Order) -> Effect:
        """An item leaves with the next compression; "now" is such a compression, of this item alone."""
        seq = int(order.args["seq"])
        if seq not in self.facts.projection.evicted():
            await self.append(Draft(ItemEvicted(seq=seq), actor="user"))
        if not order.args.get("now"):
            return [], ""
        return await self._compression(Wish("evict", f"#{seq} evicted", force=True), "user")

    async def _secured(self, order: Order) -> str | None:
        """The files as they are before an order touches them, journalled first: what a crash may leave half restored.

        None, with a checkpoint that says why, when they can't be secured.
        """
        label = _label(order)
        made = self.facts.trees.last
        if made is None or made.seq < order.seq or made.label != label:
            await self.append(await self.checkpoint(label))
            made = self.facts.trees.last
        return made.tree if made else None

    async def checkpoint(self, label: str) -> Draft:
        """Snapshot the files, to be journalled with what comes next; a failure is written down and never hides."""
        shot = await self.snapshots.snapshot(label)
        body = CheckpointMade(
            tree=shot.tree,
            backend=self.snapshots.backend,
            label=label,
            changed=shot.changed,
            skipped=list(shot.skipped)[:50],
            detail=shot.detail,
        )
        return Draft(body, key=f"c{self.facts.state.checkpoints + 1}")

    async def _rewind(self, order: Order) -> Effect:
        facts, to = self.facts, int(order.args["to"])
        with_files, with_words = order.args.get("files", True), order.args.get("conversation", True)
        target = boundary_at(facts.state, facts.branches, to)
        if target is None or not facts.branches.visible(target):
            return [], f"#{to} is not on the current branch any more."
        await self.close_open_calls("Not run: the user rewound the session.")
        origin = facts.state.head or target
        undone = facts.trees.commands_since(target)
        done = Restoration()
        if with_files and (checkpoint := facts.trees.after(target)) and checkpoint.tree:
            done = await self._restored(order, checkpoint.tree, since=checkpoint.seq)
            if done.before is None:
                return [], f"Nothing was rewound: {done.detail}"
        moved = done.moved(target if with_words else origin, origin, "rewind")
        if not with_words:
            return told_restored(moved)
        standing = [body.text for seq, body in facts.ledger.guidance() if body.standing and seq > target]
        return told_moved(moved, rewind_notice(moved.files if with_files else None, undone, moved.kept), standing)

    async def _switch(self, order: Order) -> Effect:
        """To the end of a branch that was left, the files as they were then: a rewind, but to another place."""
        facts = self.facts
        branch = branch_named(known_branches(facts), str(order.args["branch"]))
        if branch is None or not branch.left:
            return [], "That branch is the current one."
        await self.close_open_calls("Not run: the user went to another branch.")
        origin, left = facts.state.head or 1, branch.left
        standing = facts.ledger.standing_beside(branch.tip)
        undone = facts.trees.commands_since(facts.branches.parting(branch.tip))
        tree = facts.file_states.known(left) if order.args.get("files", True) else None
        done = Restoration()
        if tree is not None:
            done = await self._restored(order, tree, since=left)
            if done.before is None:
                return [], f"Nothing was done: {done.detail}"
        moved = done.moved(branch.tip, origin, "switch")
        return told_moved(moved, switch_notice(moved.files if tree else None, undone, moved.kept), standing)

    async def _undo(self, order: Order) -> Effect:
        steps = {step.seq: step for step in self.facts.reversibles.all()}
        step = steps.get(order.args["seq"]) if "seq" in order.args else next(reversed(steps.values()), None)
        if step is None:
            return [], "There is nothing left to undo."
        if step.kind == "compression":
            return [Draft(ContextRestored(seq=step.seq), actor="user")], ""
        done = Restoration()
        if step.files and step.tree is not None:
            done = await self._back_again(order, step, step.tree)
        elif step.tree is not None:
            done = await self._restored(order, step.tree, since=step.seq)
        if step.tree is not None and done.before is None:
            return [], f"Nothing was undone: {done.detail}"
        head = self.facts.state.head or 1
        if step.files:
            return told_back_again(done.moved(head, head, "undo"))
        return [Draft(done.moved(step.origin or 1, head, "undo"), actor="user")], ""

    async def _back_again(self, order: Order, step: Reversible, tree: str) -> Restoration:
        """Undo what took back files alone: those files, and only where nobody's hand changed them since."""
        secured = await self._secured(order)
        if secured is None:
            return Restoration(detail="the files could not be secured first.")
        try:
            files = set(step.files)
            if step.after is not None:
                files.update(path for _, path in await self.snapshots.diff(tree, step.after))
            if touched := await self._by_hand(step.seq) & files:
                return Restoration(detail=f"changed by hand since: {', '.join(sorted(touched)[:10])}.")
            target = await self.snapshots.mixed(secured, tree, files)
        except WorkspaceError as error:
            return Restoration(detail=str(error))
        return await self._restored(order, target)

    async def _revert(self, order: Order) -> Effect:
        """Take back a change in one file. What a person changed in it since the last look is found and kept."""
        secured = await self._secured(order)
        if secured is None:
            return [], "Nothing was reverted: the files could not be secured first."
        try:
            course, opened = course_by_hand(self.facts.file_states), self.facts.state.opened
            trees = Trees(self.folder, Path(opened.workspace if opened else ""))
            back = await asyncio.to_thread(reversal, course, trees, order.args)
            target = await self.snapshots.holding(secured, back.path, back.content, back.mode)
        except (WorkspaceError, JournalError) as error:
            return [], str(error)
        done = await self._restored(order, target)
        if done.before is None:
            return [], f"Nothing was reverted: {done.detail}"
        head = self.facts.state.head or 1
        return told_reverted(done.moved(head, head, "revert"), str(order.args.get("hunk", "")))

    async def _restored(self, order: Order, tree: str, since: int | None = None) -> Restoration:
        """Make the files as in `tree`; the first attempt's look at them counts as `before`, also after a crash.

        With `since`, the checkpoint of that tree, what was changed by hand after it is kept, unless it is to be
        overwritten, too.
        """
        secured = await self._secured(order)
        if secured is None:
            return Restoration(detail="the files could not be secured first.")
        try:
            kept = set() if since is None or order.args.get("overwrite") else await self._by_hand(since)
        except WorkspaceError as error:
            return Restoration(detail=f"what was changed by hand can't be told apart: {error}")
        restored = await self.snapshots.restore(tree, kept)
        if restored.before is None:
            return Restoration(detail=restored.detail)
        differ = await self.snapshots.diff(secured, tree)
        files = [f"{status} {path}" for status, path in differ if path not in restored.kept]
        now = await self.snapshots.left() if restored.kept else tree
        return Restoration(secured, now, files, list(restored.kept))

    async def _by_hand(self, since: int) -> set[str]:
        """What nobody's call changed after event `since`, as of the checkpoint that has just secured the files."""
        return await self.snapshots.by_hand(*self.facts.file_states.since(since))

    async def close_open_calls(self, why: str) -> None:
        """Give every open call an outcome, so that the history is whole."""
        calls = list(self.facts.state.pending.values())
        if calls:
            bodies = [(ToolFinished(name=c.name, use_id=c.use_id, ok=False, content=why), c.key) for c in calls]
            await self.append(*(Draft(body, key=key, actor="system") for body, key in bodies))


def _label(order: Order) -> str:
    """Under which the files are secured before they change."""
    if order.verb == "rewind":
        return f"before going back to #{order.args['to']}"
    if order.verb == "switch":
        return f"before going to branch {order.args['branch']}"
    return f"before reverting {order.args['path']}" if order.verb == "revert" else "before an undo"


def _heed(writing: asyncio.Future[list[Event]]) -> None:
    """Look at how it ended, as nobody waits for it any more; a disk that refuses is told by who writes next."""
    if not writing.cancelled():
        writing.exception()
