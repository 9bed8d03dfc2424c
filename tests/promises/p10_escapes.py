"""P10: no known way out of a sandbox leads out, whatever holds it and whoever tries."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice, product
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "core" / "sandbox")]

from breakout import BEYOND, NONE, USERS, acting_as, gets_out, reachable_place  # noqa: E402
from escapes import ESCAPES  # noqa: E402
from promise import Count, Promise  # noqa: E402

from core.sandbox.probe import candidates, try_to_escape  # noqa: E402
from core.sandbox.sandbox import Sandbox  # noqa: E402


def trial(count: int, seed: int) -> Count:
    """`count` ways, one after the other, by each sandbox that works here and each user; a seed begins further on."""
    working = [it for it in candidates() if not (it.why or try_to_escape(it))]
    return _tried(working, count, seed)


def control(count: int, seed: int) -> Count:
    return _tried([NONE], count, seed)


def _tried(sandboxes: list[Sandbox], count: int, seed: int) -> Count:
    found = Count()
    with reachable_place() as place:
        for number, (sandbox, who, name) in enumerate(islice(_cases(sandboxes, (seed - 1) * count), count)):
            if name in BEYOND.get(sandbox.backend, ()):
                found.see("that Landlock has no rule for")
                continue
            user = USERS[who]
            with acting_as(user):
                out = gets_out(ESCAPES[name], place / str(number), sandbox, user)
            found.note([f"{name} ({sandbox.backend}, {who})"] if out else [])
            found.see(f"by {sandbox.backend} as {who}")
    return found


def _cases(sandboxes: list[Sandbox], first: int) -> Iterator[tuple[Sandbox, str, str]]:
    every = list(product(sandboxes, USERS, ESCAPES))
    at = first
    while every:
        yield every[at % len(every)]
        at += 1


PROMISE = Promise(
    id="P10",
    says=f"Of {len(ESCAPES)} ways out of a sandbox (links, `/proc`, sockets, hooks, handles, daemons) none leads out, "
    "as root or as nobody",
    unit="ways tried",
    aim=len(ESCAPES) * 4 - len(USERS) * sum(map(len, BEYOND.values())),
    shard=len(ESCAPES) * 4,
    quick=len(ESCAPES),
    trial=trial,
    control=control,
    control_says="the same ways without a sandbox",
    quick_control=len(ESCAPES),
)
