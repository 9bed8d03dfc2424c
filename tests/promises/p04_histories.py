"""P4: a session that is cut at any event, and then rewound, compressed, undone or steered, makes a valid request.

The log is a real agent's. Each trial takes a start of it of any length, closes what is open as a resume does, lets a
user do what users do, and gives the request to the checks of the simulated server, which refuses as vendors do.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import msgspec
from forked import aside, finish
from labour import KINDS, Labour, turn
from promise import Count, Promise, scratch

from core.agent.branch_verbs import known_branches
from core.agent.facts import Facts
from core.agent.thrift import Carrying, Thrift
from core.clock import VirtualClock
from core.events import (
    Body,
    ContextRestored,
    Draft,
    Event,
    GuidanceDelivered,
    HeadMoved,
    ItemEvicted,
    ModelFailed,
    ModelResponded,
    ModelSwitched,
    ToolFinished,
)
from core.folds.checkpoints import boundary_at
from core.journal import rows
from core.journal.store import Tail
from core.request.compression import NothingToCompress, Wish
from core.request.projection import Head
from core.simulator.errors import ApiError
from core.simulator.prompt import PromptReader
from core.simulator.validation import check_fields, check_history

TURNS = 30
VERSION = "2023-06-01"
HEAD = Head("m", "You are careful.", (), 1000)
LOGS = 4
"""Trials that one log serves, as a part of all: a log takes a real session to make."""


class Branch:
    """The facts of a start of a log, and what happens after it."""

    def __init__(self) -> None:
        self.facts, self._clock = Facts(), VirtualClock()
        self._tail = Tail()
        self._thrift = Thrift(self.facts, Carrying(), lambda model, sent: None, self._clock)

    def follow(self, log: list[Event]) -> None:
        """What the log says next."""
        self.facts.apply_all(log)
        self._tail = Tail(log[-1].seq, self.facts.state.head)

    def add(self, body: Body, key: str | None = None) -> None:
        prepared = rows.prepare(Draft(body, key=key))
        row, self._tail = self._tail.extend(prepared, self._clock.now_us())
        self.facts.apply(rows.event(row, prepared.body))

    def close(self) -> None:
        """What a resume does first."""
        state = self.facts.state
        if state.open_attempt:
            self.add(ModelFailed(error="interrupted", message="cut"), state.open_attempt)
        for call in list(state.pending.values()):
            self.add(ToolFinished(name=call.name, use_id=call.use_id, ok=False, content="interrupted"), call.key)

    def order(self, pick: random.Random) -> str:
        """Something that a user does, where it can be done now; its name."""
        what = pick.choice(("rewind", "branch", "undo", "compress", "mask", "restore", "guide", "switch", "evict"))
        facts = self.facts
        match what:
            case "rewind":
                self._rewind(pick)
            case "branch":
                self._change_branch(pick)
            case "undo":
                moves = [step for step in facts.reversibles.all() if step.kind != "compression" and step.origin]
                if moves:
                    self.add(HeadMoved(to=moves[-1].origin or 1, origin=facts.state.head or 1, reason="undo"))
            case "compress" | "mask":
                self._compress(what)
            case "restore":
                made = [step for step in facts.reversibles.all() if step.kind == "compression"]
                if made:
                    self.add(ContextRestored(seq=pick.choice(made).seq))
            case "guide":
                self.add(GuidanceDelivered(text="Mind the \ud83d\ude80 edge cases.", standing=pick.random() < 0.5))
            case "switch":
                self.add(ModelSwitched(model="other", endpoint="e", profile="p", api_key_env=None))
            case "evict":
                results = [owner for piece in facts.projection.pieces for owner in piece.owners]
                if results:
                    self.add(ItemEvicted(seq=pick.choice(results)))
        return what

    def _rewind(self, pick: random.Random) -> None:
        facts = self.facts
        to = boundary_at(facts.state, facts.branches, pick.randrange(1, self._tail.seq + 1))
        if to is not None and facts.branches.visible(to):
            self.add(HeadMoved(to=to, origin=facts.state.head or to, reason="rewind"))
            self.add(GuidanceDelivered(text="The user rewound the session.", source="notice"))

    def _change_branch(self, pick: random.Random) -> None:
        left = [branch for branch in known_branches(self.facts) if branch.left]
        if left:
            self.add(HeadMoved(to=pick.choice(left).tip, origin=self.facts.state.head or 1, reason="switch"))
            self.add(GuidanceDelivered(text="The user came back to this branch.", source="notice"))

    def _compress(self, how: str) -> None:
        try:
            self.add(self._thrift.plan(Wish(policy="mask" if how == "mask" else "auto", force=True)))
        except NothingToCompress:
            return

    def body(self) -> bytes:
        """The request that the model would get next."""
        if not self.facts.projection.complete:
            self.add(GuidanceDelivered(text="Go on."))
        return self.facts.projection.request(HEAD).body


def logs(count: int, pick: random.Random) -> Iterator[list[Event]]:
    """The logs of so many real sessions with rewinds, compressions and undone ones."""
    for _ in range(count):
        with scratch("histories-") as place:
            labour = Labour(place)
            script = [turn(pick.choice(KINDS), number) for number in range(TURNS)]
            assert finish(lambda labour=labour, script=script: labour.begin(script), labour.log) == 0
            code = finish(labour.agent, labour.log)
            assert code == 0, labour.log.read_text()
            yield labour.events()


def trial(count: int, seed: int) -> Count:
    """Each log is followed once; at every place where it is cut a child plays on from there."""
    pick, found = random.Random(seed), Count()
    sessions = min(LOGS, max(1, count // 200))
    for number, log in enumerate(logs(sessions, pick)):
        branch, done = Branch(), 0
        for cut in sorted(pick.choices(range(1, len(log) + 1), k=count // sessions + (number < count % sessions))):
            if cut > done:
                branch.follow(log[done:cut])
                done = cut
            seed = pick.getrandbits(64)
            problem = aside(lambda branch=branch, seed=seed: _continued(branch, random.Random(seed)))
            found.note([f"after {cut} events and {problem}"] if problem else [])
    return found


def _continued(branch: Branch, pick: random.Random) -> str:
    """What was done, and why a server refuses the session then; empty when it takes it."""
    branch.close()
    done: list[str] = []
    for _ in range(pick.choice((0, 1, 2, 4))):
        done.append(branch.order(pick))
        if problem := refused(branch.body()):
            break
    else:
        problem = refused(branch.body())
    return f"{', '.join(done) or 'nothing'}: {problem}" if problem else ""


def refused(body: bytes) -> str:
    """Why a strict server refuses a request; empty when it takes it."""
    try:
        prompt = PromptReader().read(body)
        check_fields(prompt.fields, VERSION)
        check_history(prompt)
    except ApiError as error:
        return str(error)
    return ""


def control(count: int, seed: int) -> Count:
    """A client that sends what it has: replies and the results that there are."""
    pick, found = random.Random(seed), Count()
    for log in logs(1, pick):
        for _ in range(count):
            problem = refused(_as_it_stands(log[: pick.randrange(2, len(log) + 1)]))
            found.note([problem] if problem else [])
    return found


def _as_it_stands(log: list[Event]) -> bytes:
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Do the steps."}]
    for event in log:
        body = event.body
        if isinstance(body, ModelResponded):
            messages.append({"role": "assistant", "content": body.content})
        elif isinstance(body, ToolFinished):
            block = {"type": "tool_result", "tool_use_id": body.use_id, "content": body.content}
            messages.append({"role": "user", "content": [block]})
    return msgspec.json.encode({"model": "m", "max_tokens": 100, "messages": messages})


PROMISE = Promise(
    id="P4",
    says="Cut at any event, then rewound, compressed, undone, steered or given to another model, a session makes a "
    "request that a strict server takes",
    unit="histories",
    aim=20_000,
    shard=1_000,
    quick=80,
    trial=trial,
    control=control,
    control_says="a client that sends the replies and results that it has",
    quick_control=40,
)
