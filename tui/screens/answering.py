"""Questions of the agent come to its user by themselves, one at a time, and wait where they were put off."""

from __future__ import annotations

from typing import Any

from core.folds.approvals import Question
from tui.docks.approval import ApprovalDock
from tui.docks.question import QuestionDock
from tui.screens.steering import Steering


class Answering(Steering):
    """Opens the dock of a question once, when nothing else is at the bottom; `a` opens it again."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._shown: set[str] = set()

    async def action_answer(self) -> None:
        waiting = self.view.approvals.waiting()
        if waiting:
            await self._open(waiting[0], grace=False)
        elif questions := self.view.state.questions:
            await self.open_dock(QuestionDock(questions[0]))
        else:
            self.say("The agent asks nothing.")

    async def look_for_questions(self) -> None:
        """Show the oldest question that was not shown yet; count those behind it; close one that is answered."""
        waiting = self.view.approvals.waiting()
        if dock := self.docked(ApprovalDock):
            if dock.question in waiting:
                dock.count(len(waiting))
            elif dock.question.key in self._shown:
                await self._retire(dock.question)
            return
        fresh = next((question for question in waiting if question.key not in self._shown), None)
        if fresh is not None and self._free:
            await self._open(fresh, grace=True)

    @property
    def _free(self) -> bool:
        here = self.app.screen is self and self.looking.at is None and not self.replay
        return here and self.controls.available and not self.driver and not self.has_class("-docked")

    async def _open(self, question: Question, *, grace: bool) -> None:
        self._shown.add(question.key)
        await self.open_dock(ApprovalDock(question, len(self.view.approvals.waiting()), grace=grace))

    async def _retire(self, question: Question) -> None:
        """Somebody else answered, or the call went away."""
        answer = question.answer
        await self.close_dock()
        if answer is None:
            self.say("The question is gone: its call was left behind.")
        else:
            self.say(f"{answer.answer.capitalize()} already by {question.who} ({answer.place}).")
