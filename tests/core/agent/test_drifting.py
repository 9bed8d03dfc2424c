"""Drift while a session runs: fed from its events, learnt from those before, written down only where it has changed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from logbook import Logbook

from core.agent.drifting import DriftWatch
from core.events import DriftMeasured, GuardRaised, GuidanceDelivered, ToolStarted
from core.folds.branches import Branches
from core.folds.constraints import Constraints
from core.folds.fold import Dispatcher
from core.folds.guards.finding import Limits
from core.folds.guards.watch import GuardWatch
from core.folds.plan import Plan

THRESHOLD = 6.0


class Desk:
    """Keeps what is appended."""

    def __init__(self, log: Logbook) -> None:
        self.log, self.listeners = log, []
        self.facts = SimpleNamespace(state=SimpleNamespace(last_seq=len(log.events)))
        self.journal = SimpleNamespace(subscribe=self.listeners.append)

    async def append(self, *drafts: Any) -> None:
        for draft in drafts:
            self.log.add(draft.body, draft.key)


def work(log: Logbook, about: str, calls: int, files: int = 4) -> None:
    """Reads the files of a part in turn; each names the next one."""
    for number in range(calls):
        arguments = {"path": f"{about}/part_{number % files}.py"}
        attempt = log.reply(("read_file", arguments), text=f"Next is {about}/part_{number % files}.py.")
        log.start(attempt, 0, "read_file", arguments)
        log.finish(attempt, 0, "read_file", content=f"{about}/part_{(number + 1) % files}.py")


async def measured(log: Logbook, after: int) -> list[DriftMeasured]:
    """What is written down of the events after that one, when it began there."""
    desk = Desk(log)
    desk.facts.state.last_seq = after
    watch = DriftWatch(desk, lambda since: log.events[since:after], THRESHOLD)  # type: ignore[arg-type]
    await watch.begin()
    for event in list(log.events[after:]):
        desk.listeners[0]([event])
        await watch.after_step()
    return [event.body for event in log.events if isinstance(event.body, DriftMeasured)]


async def test_it_rises_with_other_work_and_names_the_calls_and_the_reasons() -> None:
    log = Logbook("Mend billing/part_1.py.")
    work(log, "billing", 60)
    known = len(log.events)
    work(log, "weather", 18, files=18)
    calls = [event.seq for event in log.events if isinstance(event.body, ToolStarted)]
    found = await measured(log, known)
    assert found[-1].score >= THRESHOLD == found[-1].threshold
    assert "none of the names in your words" in found[-1].reasons
    assert found[-1].subject == "1" and set(found[-1].evidence) <= set(calls)
    assert len(found) <= 12


async def test_nothing_is_written_while_the_work_goes_on_or_after_the_user_wants_something_else() -> None:
    log = Logbook("Mend billing/part_1.py.")
    work(log, "billing", 60)
    known = len(log.events)
    work(log, "billing", 20)
    log.add(GuidanceDelivered(text="Now weather/part_0.py."), actor="user")
    work(log, "weather", 18)
    assert await measured(log, known) == []


def test_a_number_above_its_threshold_is_noted_once_and_the_agent_is_not_told_of_it() -> None:
    log, branches = Logbook(), Branches()
    watch = GuardWatch(Plan(branches), Constraints())
    dispatch = Dispatcher([branches, watch])
    log.add(DriftMeasured(score=7.0, threshold=6.0, subject="1", reasons=["other tools than usual"], evidence=[4, 5]))
    for event in log.events:
        dispatch.apply(event)
    due = watch.due(Limits())
    assert due is not None and (due.finding.guard, due.rung, due.finding.evidence) == ("drift", "notice", (4, 5))
    assert "7.0, from 6 on" in due.finding.text
    raised = GuardRaised(guard="drift", rung="notice", subject="1", times=1, text="", evidence=[4, 5])
    dispatch.apply(log.add(raised, "g1"))
    dispatch.apply(log.add(DriftMeasured(score=9.0, threshold=6.0, subject="1", evidence=[6]), None))
    assert watch.due(Limits()) is None
