"""Every known way out is tried against each sandbox, as root and as nobody, and without any to see that it works."""

from __future__ import annotations

from pathlib import Path

import pytest
from breakout import BEYOND, NONE, USERS, acting_as, gets_out, reachable_place
from cage import sandbox_named
from escapes import ESCAPES

from core.sandbox.sandbox import Sandbox


def got_out(sandbox: Sandbox, user: int) -> set[str]:
    """The ways that led out."""
    with reachable_place() as place, acting_as(user):
        ways = enumerate(ESCAPES.items())
        return {name for number, (name, way) in ways if gets_out(way, Path(place, str(number)), sandbox, user)}


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("backend", ["bubblewrap", "landlock"])
def test_no_escape_gets_out_but_what_is_known_to(backend: str, user: str) -> None:
    assert got_out(sandbox_named(backend), USERS[user]) == BEYOND[backend]


@pytest.mark.parametrize("user", USERS)
def test_without_a_sandbox_every_escape_gets_out(user: str) -> None:
    possible = {name for name, escape in ESCAPES.items() if user == "root" or not escape.root}
    assert possible - got_out(NONE, USERS[user]) == set()
    assert len(ESCAPES) >= 20
