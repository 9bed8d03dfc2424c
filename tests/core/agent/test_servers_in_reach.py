"""A program that the agent can call reaches the inbox: what comes by it is not the user's for sure."""

from __future__ import annotations

import pytest
from logbook import Logbook

from core.agent.facts import Facts
from core.events import RunnerAttached, ServerChanged


@pytest.mark.parametrize(("local", "exposed"), [(True, True), (False, False)])
def test_a_server_on_this_machine_exposes_the_inbox_and_one_far_away_does_not(local: bool, exposed: bool) -> None:
    log = Logbook()
    log.add(RunnerAttached(pid=1, host="h", epoch=1, app_version="0", sandbox="bubblewrap"))
    log.add(ServerChanged(server="git", state="up", tools=3, local=local))
    facts = Facts()
    facts.apply_all(log.events)
    assert facts.state.exposed is exposed
