"""Stepping in: every control goes through a dock or a key to `Controls`, and is pending until the log confirms it.

Each dock is loaded when it is first asked for: the first picture of a session waits for none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from textual.containers import Vertical

from core.folds.branch_tree import Branch
from core.protocols import ModelOffer
from tui.docks.dock import Choice, ChoiceDock, Dock, RenameDock
from tui.messages import ControlGiven, DockClosed, ForkAsked, ForkGiven, ItemEvictAsked, ItemPinToggled
from tui.panes.cost import cache_left_s, switched_off
from tui.panes.memory import MemoryPane
from tui.safe import one_line
from tui.screens.session_screen import SessionScreen
from tui.typing_ahead import TypingAheadApp

D = TypeVar("D", bound=Dock)


class Steering(SessionScreen):
    """The actions that change the agent's course."""

    def docked(self, kind: type[D]) -> D | None:
        """The dock of that kind, if it is the one at the bottom. Cheap enough for every second, unlike a query."""
        return next((dock for dock in self.query_one("#dock", Vertical).children if isinstance(dock, kind)), None)

    async def open_dock(self, dock: Dock) -> None:
        """Put `dock` at the bottom, in place of another one."""
        if not self.may_steer():
            if isinstance(self.app, TypingAheadApp):
                self.app.not_opened()
            return
        self.app.clear_notifications()
        await self.put_dock(dock)

    async def put_dock(self, dock: Dock) -> None:
        """The same, for a dock that steers nothing."""
        place = self.query_one("#dock", Vertical)
        await place.remove_children()
        await place.mount(dock)
        self.add_class("-docked")
        dock.focus_first()

    async def on_dock_closed(self, message: DockClosed) -> None:
        message.stop()
        await self.close_dock()

    async def close_dock(self) -> None:
        """Give the bottom row back."""
        await self.query_one("#dock", Vertical).remove_children()
        self.remove_class("-docked")
        self.focus_pane()

    async def on_control_given(self, message: ControlGiven) -> None:
        message.stop()
        await self.give(message.verb, message.args, message.head)

    async def on_item_pin_toggled(self, message: ItemPinToggled) -> None:
        message.stop()
        await self.give("pin" if message.pinned else "unpin", {"seq": message.seq})

    async def on_item_evict_asked(self, message: ItemEvictAsked) -> None:
        message.stop()
        from tui.docks.evict import EvictDock

        await self.open_dock(EvictDock(message, lambda _: self.controls.preview_compression(evict=message.seq)))

    def focus_pane(self) -> None:
        """Back to the pane in front."""
        raise NotImplementedError

    async def action_pause(self) -> None:
        state = self.view.state
        await self.give("continue" if state.halts or self.ended else "pause")

    async def action_guide(self) -> None:
        await self.guide("")

    async def guide(self, begun: str) -> None:
        """Write guidance that begins with these words."""
        from tui.docks.guidance import GuidanceDock  # Late: an editor is dear to load, and the first paint waits.

        await self.open_dock(GuidanceDock(self.view.guidance.receipts, self.controls.said_before, begun))

    async def action_retract(self) -> None:
        queued = list(self.view.state.queued)
        if queued:
            await self.give("retract", {"id": queued[-1]})
        else:
            self.say("There is no guidance that still waits.")

    async def action_compress(self) -> None:
        from core.request.fidelity import surviving  # Late: it stands on how requests are made.
        from tui.docks.compress import CompressDock

        if already := self.docked(CompressDock):
            already.focus()
            return
        at = self.looking.at if self.looking.seq < self.view.last_seq else None
        await self.open_dock(CompressDock(self.controls.preview_compression, surviving, at))

    async def action_policy(self) -> None:
        from tui.docks.policy import policy_dock

        await self.open_dock(policy_dock(self.view.rent.policy.last, guarded=switched_off(self.view, None)))

    async def action_write_memory(self) -> None:
        from tui.docks.memory import MemoryDock

        chosen = self.query_one(MemoryPane).chosen
        await self.open_dock(MemoryDock(self.view.memories.known(), chosen.id if chosen else ""))

    async def action_cancel(self) -> None:
        ours, waiting = self.orders.latest(), list(self.view.state.orders)
        if ours is not None:
            id, verb = ours
            await self.give("retract" if verb == "guide" else "cancel", {"id": id})
        elif waiting:
            await self.give("cancel", {"id": waiting[-1]})
        else:
            self.say("There is no command that still waits for its effect.")

    async def action_keep(self) -> None:
        from tui.docks.policy import keep_dock

        entries = self.view.memories.hidden()
        if entries:
            await self.open_dock(keep_dock(entries))
        else:
            self.say("No abandoned branch has left a memory behind.")

    async def action_rewind(self) -> None:
        from tui.docks.rewind import RewindDock

        now_us = max(self.clock.now_us(), self.view.timeline.at_us(self.view.last_seq))
        await self.open_dock(RewindDock(self.view, self.controls.preview_restore, now_us))

    async def switch_to(self, branch: Branch) -> None:
        """Ask how to go on with a branch that was left."""
        from tui.docks.switch import SwitchDock

        now_us = max(self.clock.now_us(), self.view.timeline.at_us(self.view.last_seq))
        await self.open_dock(SwitchDock(self.view, branch, self.controls.preview_restore, now_us))

    async def name_branch(self, branch: Branch) -> None:
        """Ask what a branch shall be called."""
        from tui.docks.switch import BranchNameDock

        await self.open_dock(BranchNameDock(branch))

    async def action_undo(self) -> None:
        await self.give("undo")

    async def action_drive(self) -> None:
        if self.driver:
            await self.give("drive")
        else:
            self.say("You drive already." if self.controls.available else "This is a recording: nobody drives.")

    async def action_after_reboot(self) -> None:
        await self.give("after-reboot", {"mark": "off" if self.view.state.after_reboot else "on"})

    def action_hand_over(self) -> None:
        if self.may_steer():
            self.app.run_worker(self._hand_over(), name="hand-over", exit_on_error=False)

    async def _hand_over(self) -> None:
        self.say("It is handed over at the next safe point.")
        try:
            self.say(await self.hand_over())
        except Exception as fault:
            self.say(f"Not handed over: {fault}", wrong=True)

    async def action_constraint(self) -> None:
        from tui.docks.constraint import ConstraintDock

        await self.open_dock(ConstraintDock(self.view.constraints.standing()))

    async def action_pause_at(self) -> None:
        from tui.docks.pause_at import PauseAtDock

        await self.open_dock(PauseAtDock())

    async def action_edit_plan(self) -> None:
        from tui.docks.plan import PlanDock  # Late: it stands on the agent's controls.

        await self.open_dock(PlanDock())

    async def action_lift(self) -> None:
        from tui.docks.constraint import lift_dock

        standing = self.view.constraints.standing()
        if standing:
            await self.open_dock(lift_dock(standing))
        else:
            self.say("No constraint stands.")

    async def action_guard_ok(self) -> None:
        signal = self.view.guards.latest()
        if signal is None or signal.fine():
            self.say("No guard waits for a word of yours.")
        else:
            await self.give("guard-ok", {"id": signal.id})

    async def action_guard_right(self) -> None:
        signal = self.view.guards.latest()
        if signal is None or signal.right is not None:
            self.say("No guard waits for a word of yours.")
        else:
            await self.give("guard-right", {"id": signal.id})

    async def action_interrupt(self) -> None:
        await self.give("interrupt")

    async def action_retry_now(self) -> None:
        await self.give("retry-now")

    async def action_budget(self) -> None:
        from tui.docks.budget import BudgetDock, burn_of

        now_us = max(self.clock.now_us(), self.view.timeline.at_us(self.view.last_seq))
        await self.open_dock(BudgetDock(burn_of(self.view, now_us), now_us))

    async def action_model(self) -> None:
        from tui.docks.model import ModelDock
        from tui.docks.model_prices import terms_of

        opened, now_us = self.view.state.opened, max(self.clock.now_us(), self.view.timeline.at_us(self.view.last_seq))
        terms = terms_of(self.view, expired=cache_left_s(self.view, None, now_us) == 0)

        async def ask() -> Sequence[ModelOffer]:
            return await self.controls.model_offers(opened, terms.present, terms.prompt) if opened else ()

        await self.open_dock(ModelDock(self.view, terms, ask))

    async def action_bookmark(self) -> None:
        from tui.docks.bookmark import BookmarkDock

        timeline = self.view.timeline
        await self.open_dock(BookmarkDock(timeline.marks, timeline.at_us(1)))

    async def action_rename(self) -> None:
        await self.open_dock(RenameDock(self.view.state.name))

    async def action_fork(self) -> None:
        """Go on in a new session from the moment that is shown; who may not steer here may do that, too."""
        at = self.looking.at
        await self._ask_fork(self.view.last_seq if at is None else at)

    async def on_fork_asked(self, message: ForkAsked) -> None:
        message.stop()
        await self._ask_fork(message.seq)

    async def _ask_fork(self, seq: int) -> None:
        from tui.docks.fork import ForkDock

        await self.put_dock(ForkDock(self.view, seq))

    def on_fork_given(self, message: ForkGiven) -> None:
        message.stop()
        self.app.run_worker(self._fork(message.seq, message.name), name="fork", exit_on_error=False)

    async def _fork(self, seq: int, name: str) -> None:
        self.say("The new session is being made.")
        try:
            made = await self.fork(seq, name)
        except Exception as fault:
            self.say(f"No fork was made: {fault}", wrong=True)
        else:
            self.notify(one_line(made), title="Forked", markup=False, timeout=30)

    async def action_stop(self) -> None:
        facts = [
            "It ends at the next safe point. Everything is kept; longwatch resume goes on.",
            "To leave this screen while the agent works on, press esc and then q.",
        ]
        await self.open_dock(ChoiceDock("Stop this session?", facts, [Choice("s", "stop the agent", "stop")]))
