"""What is wrong stands in the status line; why, and what helps, is one key away, and so is what helps most."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from tui.actions import BY_ID, Action, display
from tui.docks.why import WhyDock, remedies
from tui.messages import RemedyChosen
from tui.safe import one_line
from tui.screens.answering import Answering
from tui.screens.gauging import Gauging

if TYPE_CHECKING:
    from core.tools.vitals import Pulse

HINTED = 2
"""Remedies of the most pressing alarm that stand in the hint bar."""
RUN_AGAIN = "It goes on: it has a runner again."
FINE = "Nothing is wrong, as far as the log tells."


class Alarming(Gauging, Answering):
    """`go_on` begins to run a session that nobody runs; what came of it, as a sentence."""

    def __init__(self, *args: Any, go_on: Callable[[], Awaitable[str]] | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self._go_on_alone = go_on

    async def action_why(self) -> None:
        """Each alarm with its cause and the keys that help."""
        if not self.alarms:
            self.say(FINE)
            return
        steering, paused = self.controls.available and not self.replay, self.view.state.halts or bool(self.orphaned)
        await self.put_dock(WhyDock(self.alarms, self.keys_of, steering=steering, paused=paused))

    def pulse_changed(self, pulse: Pulse | None, call: str = "") -> None:
        """The running command was looked at; that it may hang is said once, and nothing is done about it."""
        before, self._pulse, self._pulse_of = self._pulse, pulse, call
        if pulse is not None and pulse.may_hang and not (before and before.may_hang):
            key = next(map(display, self.keys_of(BY_ID["interrupt"])), "interrupt")
            advice = f"{pulse.words}. {key} would end it."
            self.notify(f"The running command: {advice}", severity="warning", markup=False, timeout=30)
            self.show_gauges(now=False)

    def runner_gone(self, why: str) -> None:
        """Nobody runs the session any more, for this reason, or (empty) somebody does.

        One that reads as running, and is run by nobody, was cut off; the status line may cut how to go on.
        """
        before, self.orphaned = self.orphaned, "" if self.ended or self.view.state.paused else why
        if bool(self.orphaned) == bool(before):
            return
        if self.orphaned:
            self.notify(f"Interrupted: {one_line(self.orphaned)}.", severity="warning", markup=False, timeout=30)
        elif not why:  # What was said of it is not true any more.
            self.app.clear_notifications()
            self.say(RUN_AGAIN)
        self._show_status()
        self._show_hints()

    def runner_still(self, why: str) -> None:
        """Whoever runs the session gives no sign of life, in words, or (empty) does."""
        before, self.still = self.still, why
        if bool(before) != bool(why):
            self._show_status()

    def heed_alarms(self) -> None:
        """Show new ones at once, over a slow line too; what is told of them is kept in step while it is open."""
        found = self.look_for_alarms()
        if [(alarm.kind, alarm.seq) for alarm in found] != [(alarm.kind, alarm.seq) for alarm in self.alarms]:
            self._show_status()
            self._show_hints()
        if dock := self.docked(WhyDock):
            dock.tell(found)

    async def on_remedy_chosen(self, message: RemedyChosen) -> None:
        message.stop()
        await self.close_dock()
        await self.app.run_action(BY_ID[message.action].method, self)

    def alarm_hints(self) -> list[Action]:
        """What answers the agent while it asks; else why, and what helps most."""
        steering = self.controls.available and not self.replay
        asked = [BY_ID["answer"]] if any(alarm.kind == "asks" for alarm in self.alarms) and steering else []
        others = [alarm for alarm in self.alarms if alarm.kind != "asks"]
        helps = remedies(others[0], steering=steering)[:HINTED] if others else []
        return [*asked, *([BY_ID["why"]] if others else []), *helps]

    async def action_pause(self) -> None:
        """Also where nobody runs the session any more: then it is run again."""
        if not self.orphaned or self._go_on_alone is None:
            await super().action_pause()
        elif self.may_steer():
            self.app.run_worker(
                self._run_again(self._go_on_alone), name="go on", group="go on", exclusive=True, exit_on_error=False
            )

    async def _run_again(self, go_on: Callable[[], Awaitable[str]]) -> None:
        self.say("A new runner is being started.")
        try:
            self.say(await go_on())
        except Exception as fault:
            self.say(f"It could not be run again: {one_line(str(fault))}", wrong=True)

    def _show_hints(self) -> None:
        """What can be done, in the hint bar."""
        raise NotImplementedError

    def keys_of(self, action: Action) -> tuple[str, ...]:
        """The keys of an action, the user's own where there are some."""
        raise NotImplementedError
