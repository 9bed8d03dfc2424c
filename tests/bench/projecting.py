"""What it costs to project one request, early and late in a session: CPU beside the serialising of what is new.

    .venv/bin/python -P tests/bench/projecting.py [--turns 1158]

A session of uniform turns (240 tokens out, 468 in, as on W1) is fed to the folds of a runner, without a network and
without a journal. Before each request the same is asked as a runner asks: what the policy wants, the room, a reminder,
the request itself, its outlook. Milliseconds of process CPU time, medians over eleven turns, each asked five times.
`taking in` is the rest of a turn: its events through all folds, the new blocks encoded once.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import click

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from core.agent.anchoring import anchor_due  # noqa: E402
from core.agent.facts import Facts  # noqa: E402
from core.agent.thrift import Carrying, Thrift  # noqa: E402
from core.clock import VirtualClock  # noqa: E402
from core.economy.tariff import REFERENCE  # noqa: E402
from core.events import (  # noqa: E402
    Body,
    Event,
    ModelRequested,
    ModelResponded,
    Price,
    SessionOpened,
    ToolFinished,
    ToolStarted,
    Usage,
    is_node,
)
from core.request.compression import NothingToCompress, Wish  # noqa: E402
from core.request.projection import Head, Request  # noqa: E402
from core.request.prompt import system_prompt  # noqa: E402
from core.tools.registry import builtin_tools, schemas  # noqa: E402

EARLY, AROUND, TIMES = 10, 5, 5
GAP_S = 108.8
OUT_BYTES, IN_BYTES = 960, 1_872
PARTS = ("due", "room and reminder", "request", "outlook", "together", "taking in")


class Session:
    """A runner's folds and the events that they are fed; `spent` has the milliseconds of each turn by part."""

    def __init__(self, policy: str) -> None:
        self.clock = VirtualClock()
        self.facts = Facts(lambda spans, kinds: iter(()))  # nothing is undone here, so nothing is read again
        self.thrift = Thrift(self.facts, Carrying(policy=policy), lambda model, prompt: REFERENCE, self.clock)
        self.head = Head("m", system_prompt()[0], tuple(schemas(builtin_tools())), 4_096)
        self.compressions = 0
        self.spent: list[dict[str, float]] = []
        self.bytes = 0
        self._seqs = count(1)
        self._last: int | None = None
        self._add(SessionOpened("s", "bench", "Work through it.", "/w", "m", "e", "p", "0"))

    def turn(self, number: int, measured: bool) -> None:
        """A compression if it is due, the request, its reply with one call, the call's result."""
        if self.thrift.due() is not None:
            self._compress()
        request = self.facts.projection.request(self.head)
        self.bytes = request.size
        spent = self._ask(request) if measured else {}
        began = time.process_time()
        self._requested(number, request)
        self._answered(number, self.thrift.prompt_tokens())
        spent["taking in"] = 1_000 * (time.process_time() - began)
        if measured:
            self.spent.append(spent)

    def _ask(self, request: Request) -> dict[str, float]:
        thrift, facts = self.thrift, self.facts
        asked: dict[str, Callable[[], Any]] = {
            "due": thrift.due,
            "room and reminder": lambda: (thrift.prompt_tokens(), thrift.next_usd(), anchor_due(facts, 40_000)),
            "request": lambda: facts.projection.request(self.head),
            "outlook": lambda: thrift.outlook(request),
        }
        spent = {part: median(milliseconds(what) for _ in range(TIMES)) for part, what in asked.items()}
        return spent | {"together": sum(spent.values())}

    def _compress(self) -> None:
        try:
            self._add(self.thrift.plan(Wish(reason="bench")))
        except NothingToCompress:
            return
        self.compressions += 1

    def _requested(self, number: int, request: Request) -> None:
        body = ModelRequested(
            model="m",
            body=request.digest,
            body_bytes=request.size,
            messages=request.messages,
            marks=request.marks,
            max_tokens=4_096,
            prompt_version="v",
            parts=request.parts,
            outlook=self.thrift.outlook(request),
        )
        self._add(body, f"r{number}.1")

    def _answered(self, number: int, prompt: int) -> None:
        key, use_id, path = f"r{number}.1", f"u{number}", f"core/part_{number % 60}/module_{number}.py"
        arguments = {"path": path}
        content: list[dict[str, Any]] = [
            {"type": "text", "text": f"I look at {path}. ".ljust(OUT_BYTES - 120, ".")},
            {"type": "tool_use", "id": use_id, "name": "read_file", "input": arguments},
        ]
        usage = Usage(cache_read=max(0, prompt - 708), cache_write_5m=min(708, prompt), output=240)
        price = Price(cost="0.01", source="bench")
        self._add(
            ModelResponded(
                message_id=key, model="m", content=content, stop_reason="tool_use", usage=usage, price=price
            ),
            key,
        )
        self._add(ToolStarted(name="read_file", use_id=use_id, arguments=arguments, effect="read"), f"{key}.0")
        self.clock.advance(GAP_S)
        said = "\n".join(f"def function_{number}_{line}(): return {line}" for line in range(IN_BYTES // 38))
        self._add(ToolFinished(name="read_file", use_id=use_id, ok=True, content=said), f"{key}.0")

    def _add(self, body: Body, key: str | None = None) -> None:
        seq, node = next(self._seqs), is_node(body.KIND)
        event = Event(
            seq=seq,
            parent=self._last if node else None,
            node=None if node else self._last,
            kind=body.KIND,
            key=key,
            at_us=self.clock.now_us(),
            actor="agent",
            body=body,
        )
        self._last = seq if node else self._last
        self.facts.apply(event)


def milliseconds(what: Callable[[], Any]) -> float:
    began = time.process_time()
    what()
    return 1_000 * (time.process_time() - began)


def measure(policy: str, turns: int) -> None:
    session, medians = Session(policy), []
    for number in range(1, turns + 1):
        near = abs(number - EARLY) <= AROUND or number > turns - 2 * AROUND - 1
        session.turn(number, near)
        if number == EARLY + AROUND or number == turns:
            medians.append({part: median(turn[part] for turn in session.spent[-2 * AROUND - 1 :]) for part in PARTS})
    print(f"\npolicy {policy}: {session.compressions} compressions, {session.bytes:,} bytes in the last request")
    print(f"{'ms of CPU':<22}{f'turn {EARLY}':>10}{f'turn {turns:,}':>12}{'ratio':>8}")
    for part in PARTS:
        early, late = (row[part] for row in medians)
        print(f"{part:<22}{early:>10.3f}{late:>12.3f}{late / early:>8.1f}")


@click.command()
@click.option("--turns", default=1_158, show_default=True)
def main(turns: int) -> None:
    for policy in ("off", "auto"):
        measure(policy, turns)


if __name__ == "__main__":
    main()
