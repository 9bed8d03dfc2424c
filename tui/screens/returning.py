"""Coming back to a session: what happened meanwhile is told once, by itself or by a key, and leads to its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.clock import MICROSECONDS
from core.folds.absence import Account
from tui.actions import BY_ID, Action, display
from tui.attention import Sight
from tui.messages import PlaceWanted
from tui.screens.annotating import Annotating
from tui.screens.reading import Reading
from tui.screens.travelling import Travelling

if TYPE_CHECKING:  # Each screen is loaded when somebody asks for it: the first picture waits for none.
    from tui.screens.branches import Chosen
    from tui.screens.changes import Picked
    from tui.screens.since import Chosen as ChosenLine

SHORT_US = 60 * MICROSECONDS
"""An absence that is not worth an account."""
LONG_US = 600 * MICROSECONDS
"""A pause between two keys that looks like an absence, in a terminal that does not tell of its focus."""
WAKING_S = 2.0
"""After its machine woke a session gets so long to say that, and to go on."""
GRACE_S = 1.0
"""For this long the keys of somebody who typed on mean nothing to an account that came by itself."""


class Returning(Reading, Travelling, Annotating):
    """`sight` knows how far the session was seen, here and at the screens before."""

    sight: Sight
    grace_s = GRACE_S
    waking_s = WAKING_S
    _drawn = 0

    def drawn_now(self) -> None:
        """Everything up to the last event is on the screen."""
        if self.looking.at is None and self.is_current:
            self._drawn = self.view.last_seq

    def greet(self) -> None:
        """All that was there is read: tell it, if there was an absence."""
        if not self.replay and self.sight.mark is not None:
            self._tell(self.clock.now_us() - self.sight.left_us)

    def came_back(self, away_us: int) -> None:
        """Somebody looks again, after so long."""
        if not self.replay and away_us >= SHORT_US:
            self._tell(away_us)

    def woke(self, slept_us: int) -> None:
        """The machine of this screen has slept so long: told once what came meanwhile is here, too."""
        if not self.replay and slept_us >= SHORT_US:
            self.sight.left(self.clock.now_us() - slept_us)
            self.set_timer(self.waking_s, lambda: self._tell(slept_us))

    def acted(self, idle_us: int, *, surely: bool) -> None:
        """A key or a click, so long after the one before; `surely`: absences are known by other means."""
        if not surely and idle_us >= LONG_US and self._drawn > self.sight.seen and not self.replay:
            self.sight.left(self.clock.now_us() - idle_us)
            self._hint_at(self._drawn, "were here")
        self.sight.shown(self._drawn)

    def went_away(self) -> None:
        """Nobody looks any more; what was on the screen until now was seen."""
        self.sight.shown(self._drawn)
        self.sight.left(self.clock.now_us())
        self._keep()

    def _told(self, account: Account) -> None:
        """The account was painted: only now it counts as seen."""
        self.sight.shown(account.seq)
        self._keep()

    def _keep(self) -> None:
        self.run_worker(self.sight.keep, thread=True, name="seen", exit_on_error=False)

    def _tell(self, away_us: int) -> None:
        if self.view.last_seq <= self.sight.since or (self.sight.since and away_us < SHORT_US):
            return
        account = self._account()
        if not account.lines and not account.asks:
            return
        if self.is_current and not self.has_class("-docked"):
            self._open_account(account, self.grace_s)
        else:
            self._hint_at(self.view.last_seq, "left")

    def _hint_at(self, seq: int, what: str) -> None:
        """Say that there is something to tell, where telling it would be in the way."""
        key = self.key_of(BY_ID["since"]) or "the palette"
        self.say(f"{seq - self.sight.since:,} events since you {what}; {key} tells them.")

    def action_since(self) -> None:
        """The account of the last absence, at any time."""
        self._open_account(self._account(), 0.0)

    def _account(self) -> Account:
        now_us = self._real_now_us()
        return self.view.absence.since(self.sight.since, now_us=now_us, running=not self.orphaned)

    def _open_account(self, account: Account, grace_s: float) -> None:
        from tui.screens.since import SinceScreen

        session = self.view.totals.session[:10].lower()
        screen = SinceScreen(
            account,
            session=session,
            left_us=self.sight.left_us,
            now_us=self._real_now_us(),
            start_us=self.view.timeline.at_us(1),
            keys=self.keys_of,
            steering=self.controls.available,
            shown=lambda: self._told(account),
            newest=lambda: self.view.last_seq,
            grace_s=grace_s,
        )
        self.app.push_screen(screen, self._go_on)

    async def _go_on(self, chosen: ChosenLine | None) -> None:
        if chosen is None:
            return
        if chosen.action is not None:
            await self.app.run_action(chosen.action.method, self)
        elif chosen.seq is not None:
            self.jump(chosen.seq)

    def action_find(self) -> None:
        """Words anywhere in the session; what is chosen is shown in its place."""
        from tui.screens.find import FindScreen

        screen = FindScreen(
            self.source.find,
            last_seq=self.view.last_seq,
            start_us=self.view.timeline.at_us(1),
            on_branch=self.view.branches.visible,
        )
        self.app.push_screen(screen, lambda seq: None if seq is None else self.jump(seq))

    def action_changes(self) -> None:
        """What became of the files; a hunk leads to its call, a comment on one becomes guidance."""
        from tui.screens.changes import ChangesScreen

        commenting = not self.replay and self.controls.available
        screen = ChangesScreen(self.source.changes, commenting=commenting, margin=self.margin, review=self.review)
        self.app.push_screen(screen, self._act_on_change)

    async def _act_on_change(self, chosen: Picked | None) -> None:
        if chosen is None:
            return
        if chosen.seq is not None:
            self._to_moment(chosen.seq)
        elif chosen.revert is not None:
            from tui.docks.revert import revert_dock

            await self.put_dock(revert_dock(chosen.revert))
        else:
            await self.guide(chosen.comment)

    def action_branches(self) -> None:
        """The tree of what was gone back from; one of them is looked at, named, compared or gone on with."""
        from tui.screens.branches import BranchesScreen

        there = self.controls.available
        screen = BranchesScreen(self.view, self.looking.at, self.source.differing, steering=there)
        self.app.push_screen(screen, self._act_on_branch)

    async def _act_on_branch(self, chosen: Chosen | None) -> None:
        if chosen is None:
            return
        if chosen.do == "look":
            self.seek(chosen.branch.ended if chosen.branch.left else None)
        elif chosen.do == "switch":
            await self.switch_to(chosen.branch)
        else:
            await self.name_branch(chosen.branch)

    def action_moments(self) -> None:
        """The way in: a few moments and the chapters; what is chosen is shown as it was then."""
        from tui.screens.moments import MomentsScreen

        screen = MomentsScreen(self.source.highlights, self.view.timeline.at_us(1), self.noted_moments())
        self.app.push_screen(screen, lambda seq: None if seq is None else self._to_moment(seq))

    def _to_moment(self, seq: int) -> None:
        if self.replay:
            self.seek(seq)
        else:
            self.jump(seq)

    def on_place_wanted(self, message: PlaceWanted) -> None:
        message.stop()
        self.jump(message.seq)

    def jump(self, seq: int) -> None:
        """Show the place of event `seq` in the conversation; on an abandoned branch, as it was then."""
        if not self.view.branches.visible(seq, self.looking.at):
            self.seek(seq)
            self.say("That was on a branch that is left since; f shows the present again.")
        self.choose("conversation")
        self.call_after_refresh(self.conversation.reveal, seq)

    def key_of(self, action: Action) -> str:
        """The first key of an action, as one reads it; empty where it has none."""
        keys = self.keys_of(action)
        return display(keys[0]) if keys else ""

    def keys_of(self, action: Action) -> tuple[str, ...]:
        """The keys of an action, the user's own where there are some."""
        raise NotImplementedError

    def choose(self, name: str) -> None:
        """Bring a pane to the front."""
        raise NotImplementedError

    def _real_now_us(self) -> int:
        """The time of the world, never before the last event."""
        raise NotImplementedError
