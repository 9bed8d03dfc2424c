"""Stepping in: every control goes through a dock or a key to `Controls`, and is pending until the log confirms it."""

from __future__ import annotations

from textual.containers import Vertical

from core.folds.context_usage import ContextUsage
from tui.docks.dock import BookmarkDock, BudgetDock, Choice, ChoiceDock, Dock, ModelDock, RenameDock
from tui.docks.guidance import GuidanceDock
from tui.docks.rewind import RewindDock
from tui.messages import ControlGiven, DockClosed
from tui.panes import figures
from tui.screens.session_screen import SessionScreen

DIGEST_SHARE = 0.2
"""About what a digest takes of the text and results that it stands for."""


class Steering(SessionScreen):
    """The actions that change the agent's course."""

    async def open_dock(self, dock: Dock) -> None:
        """Put `dock` at the bottom, in place of another one."""
        if not self.controls.available:
            self.say("This is a recording: there is no agent to steer.", wrong=True)
            return
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
        await self.query_one("#dock", Vertical).remove_children()
        self.remove_class("-docked")
        self.focus_pane()

    async def on_control_given(self, message: ControlGiven) -> None:
        message.stop()
        await self.give(message.verb, message.args)

    def focus_pane(self) -> None:
        """Back to the pane in front."""
        raise NotImplementedError

    async def action_pause(self) -> None:
        state = self.view.state
        pausing = any(order.verb == "pause" for order in state.orders.values())
        await self.give("continue" if state.paused or pausing or self.ended else "pause")

    async def action_guide(self) -> None:
        await self.open_dock(GuidanceDock(self.view.state.queued))

    async def action_retract(self) -> None:
        queued = list(self.view.state.queued)
        if queued:
            await self.give("retract", {"id": queued[-1]})
        else:
            self.say("There is no guidance that still waits.")

    async def action_compress(self) -> None:
        usage = self.view.context.usage.last
        if not usage.total:
            self.say("There is nothing to compress yet.")
            return
        choices = [Choice("c", "compress now", "compress")]
        await self.open_dock(ChoiceDock("Compress the context", compress_facts(usage), choices))

    async def action_rewind(self) -> None:
        await self.open_dock(RewindDock(self.view))

    async def action_undo(self) -> None:
        await self.give("undo")

    async def action_interrupt(self) -> None:
        await self.give("interrupt")

    async def action_retry_now(self) -> None:
        await self.give("retry-now")

    async def action_budget(self) -> None:
        budget = self.view.costs.budget.last
        await self.open_dock(BudgetDock("" if budget is None else str(budget)))

    async def action_model(self) -> None:
        await self.open_dock(ModelDock(self.view.state.model))

    async def action_bookmark(self) -> None:
        await self.open_dock(BookmarkDock())

    async def action_rename(self) -> None:
        await self.open_dock(RenameDock(self.view.state.name))

    async def action_stop(self) -> None:
        facts = [
            "It ends at the next safe point. Everything is kept; longwatch resume goes on.",
            "To leave this screen while the agent works on, press esc and then q.",
        ]
        await self.open_dock(ChoiceDock("Stop this session?", facts, [Choice("s", "stop the agent", "stop")]))


def compress_facts(usage: ContextUsage) -> list[str]:
    """What a compression would do to the next request, before it is asked for."""
    fixed = sum(usage.parts.get(name, 0) for name in ("system", "tools", "pinned", "digest"))
    past = usage.total - fixed
    after = fixed + int(past * DIGEST_SHARE)
    return [
        f"now {usage.total:,} tokens: {figures.tokens(past)} said and read, {figures.tokens(fixed)} that stay",
        f"then about {after:,} tokens: a digest takes the place of the past; your own words stay as they are.",
        "The next request writes its cache anew. Nothing leaves the log, and u takes it back.",
    ]
