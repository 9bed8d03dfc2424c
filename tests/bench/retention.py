"""Retention: 200 planted facts over a session of 1,158 calls, with compressions, rewinds and kill -9 in between.

    .venv/bin/python tests/bench/retention.py [--calls 1158] [--seed 1] [--every 20]

The session runs through the real loop in a process of its own, which is killed twice in the middle of a request and
taken up again. Whoever plays the model sits here: it works through a script, puts the user's words, compressions and
rewinds into the inbox, looks into the requests for what was planted, and at the end asks for each fact by its name
with the recall tool. No language model is in it: this measures what can be known, not what is understood.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import click
import msgspec
from planted import BEYOND, KINDS, Fact, Step, looked_at, script

from core.agent.host import host
from core.agent.hosting import Hosting
from core.clock import SystemClock
from core.config import Config, ContextSettings, ProfileSettings
from core.folds.report import report
from core.ids import ulid
from core.journal.inbox import Command, post
from core.journal.reader import Reader
from core.models.profiles import resolve_endpoint
from core.overview import read_totals
from core.session import NewSession, create
from core.simulator import Reply, SimulatedServer
from core.simulator.policies.base import Call, message_texts, text_block
from core.simulator.policies.workload import sized_text
from core.tools.base import Effect, Outcome, ToolContext, ToolError
from core.tools.common import Arguments, Repeatable

KEEP_TURNS = 5
RECALLS = 5
"""Recalls in one reply."""
_REMEMBERED = re.compile(r"remembered as (m\d+)")
_PASSAGE = re.compile(r"^(?=(?:out:\S+|#\d+|[mp]\d+) \[)", re.MULTILINE)
_LAPSED = re.compile(r"\b(?:earlier|forgotten|replaced|superseded|abandoned)\b")

Message = Mapping[str, Any]


class LookArguments(Arguments, frozen=True):
    part: int
    fails: bool = False
    giant: bool = False


class Look(Repeatable):
    """Returns prose with a text in its middle, or fails with that text; `texts` has it by part."""

    name: ClassVar[str] = "look"
    description: ClassVar[str] = "Look at a part."
    effect: ClassVar[Effect] = Effect.READ
    Arguments: ClassVar[type[msgspec.Struct]] = LookArguments

    def __init__(self, texts: Mapping[int, str]) -> None:
        self._texts = texts

    async def run(self, arguments: LookArguments, context: ToolContext) -> Outcome:
        text = self._texts.get(arguments.part, "")
        if arguments.fails:
            raise ToolError(text)
        around = sized_text(BEYOND // 8 if arguments.giant else 100, arguments.part)
        return Outcome(f"{around}\n{text}\n{around}")


class Player:
    """The model, the user and the examiner in one. `kill` ends the process that hosts the session in `folder`."""

    def __init__(self, steps: Sequence[Step], facts: Sequence[Fact], kill: Callable[[], None]) -> None:
        self._steps, self._facts, self._kill = steps, facts, kill
        self.folder = Path()
        self.place = 0
        self.same_after_kill: list[bool] = []
        self.rewritten: list[str] = []
        self.compressions = 0
        self._killed: set[int] = set()
        self._before_kill: bytes | None = None
        self._head: list[str] = []
        self._last_entry = ""
        self._entries: dict[str, str] = {}
        self._departed_at = 0
        self._asked: list[Fact] = []
        self._to_ask = list(facts)

    def sizes(self, request: Mapping[str, Any]) -> Sequence[int | None]:
        return ()

    def reply(self, request: Mapping[str, Any]) -> Reply:
        messages = request["messages"]
        self._compare(messages)
        self._learn(messages)
        self._examine(messages)
        if self.place >= len(self._steps):
            return self._ask(messages)
        step = self._steps[self.place]
        if step.dies and self.place not in self._killed:
            self._killed.add(self.place)
            self._before_kill = _bare(messages)
            self._kill()
            return Reply([text_block("Nobody will read this.")])
        self._order(step)
        self.place += 1
        if step.returns:  # A compression on the abandoned branch is undone with it.
            self._head = []
        return Reply([text_block(f"Step {self.place}."), self._call(step).block()])

    def _compare(self, messages: Sequence[Message]) -> None:
        """After a kill, the request that comes is the one that was cut, to the byte."""
        if self._before_kill is not None:
            self.same_after_kill.append(_bare(messages) == self._before_kill)
            self._before_kill = None

    def _learn(self, messages: Sequence[Message]) -> None:
        """The ids of memory entries, from the results that name them."""
        if self.place and (found := _REMEMBERED.search(_whole(messages[-1:]))):
            for fact in self._steps[self.place - 1].facts:
                self._entries[fact.name] = found[1]

    def _order(self, step: Step) -> None:
        """Put what the user does now into the inbox; it is obeyed after this reply."""
        if step.departs:
            with Reader(self.folder) as reader:
                self._departed_at = max(event.seq for event in reader.events() if event.kind == "tool.finished")
        orders = [*step.orders, *([("rewind", {"to": self._departed_at})] if step.returns else [])]
        for verb, args in orders:
            now_us = SystemClock().now_us()
            post(self.folder, Command(id=ulid(now_us), verb=verb, args=args, at=now_us))

    def _call(self, step: Step) -> Call:
        if step.renews and (entry := self._entries.get(step.renews.name)):
            return Call(step.call.name, step.call.input | {"replaces": entry})
        return step.call

    def _examine(self, messages: Sequence[Message]) -> None:
        """After a compression: what of everything that has left the tail is in the request, and how."""
        head = message_texts(messages[0])
        if head == self._head:
            return
        *stable, _digest = self._head or [""]
        self.rewritten += [text for text in stable if text not in head]
        self.compressions += bool(self._head)
        self._head = head
        whole, first = _whole(messages), "\n".join(head)
        for fact in self._facts:
            if not fact.away and self.place - fact.position > KEEP_TURNS + 1:
                fact.looked += 1
                fact.verbatim += fact.current(self.place) in whole
                fact.named += fact.name in whole
            if fact.old and fact.renewed_at and self.place > fact.renewed_at + 1:
                fact.stale += any(fact.old in line and not _LAPSED.search(line) for line in first.splitlines())

    def _ask(self, messages: Sequence[Message]) -> Reply:
        """Ask for the next facts by name; the answers to the last ones have come."""
        if self._asked:
            results = {
                block["tool_use_id"]: _text(block) for block in messages[-1]["content"] if "tool_use_id" in block
            }
            for fact in self._asked:
                fact.recalled = results.get(f"toolu_{fact.name}", "")
        self._asked, self._to_ask = self._to_ask[:RECALLS], self._to_ask[RECALLS:]
        if not self._asked:
            return Reply([text_block("That was all.")])
        calls = [Call("recall", {"query": fact.name}).block() | {"id": f"toolu_{fact.name}"} for fact in self._asked]
        return Reply([text_block("What do I know?"), *calls])


def _whole(messages: Sequence[Message]) -> str:
    """Everything that a model would read in them."""
    return "\n".join(_text(block) for message in messages for block in message["content"])


def _text(block: Mapping[str, Any]) -> str:
    match block["type"]:
        case "tool_use":
            return "\n".join(str(value) for value in block["input"].values())
        case "tool_result":
            content = block["content"]
            return content if isinstance(content, str) else "\n".join(map(_text, content))
    return str(block.get("text", ""))


def _bare(messages: Sequence[Message]) -> bytes:
    """The messages without their cache markers."""
    plain = [
        [message["role"], *({name: block[name] for name in block if name != "cache_control"} for block in blocks)]
        for message in messages
        for blocks in [message["content"]]
    ]
    return msgspec.json.encode(plain)


def reached(fact: Fact) -> bool:
    """Whether the one recall brought the exact text; of an abandoned branch with its label."""
    holding = [passage for passage in _PASSAGE.split(fact.recalled) if fact.text in passage]
    if fact.away:
        return any("abandoned" in passage.partition("\n")[0] for passage in holding)
    return bool(holding)


def stale_in_recall(fact: Fact) -> bool:
    """Whether an answer gives the old value without the new one and without a word that it has lapsed."""
    passages = _PASSAGE.split(fact.recalled)
    silent = [passage for passage in passages if not _LAPSED.search(passage.partition("]")[0])]
    return bool(fact.old) and any(fact.old in passage and fact.text not in passage for passage in silent)


def table(facts: Sequence[Fact]) -> str:
    """A row a kind, and one for what was met on abandoned branches."""
    lines = [
        f"{'':<22}{'facts':>6}{'verbatim':>10}{'named':>8}{'recalled':>10}{'stale seen':>12}{'stale recalled':>16}"
    ]
    groups = [(kind, [fact for fact in facts if fact.kind == kind and not fact.away]) for kind in KINDS]
    for title, group in [*groups, ("on abandoned branches", [fact for fact in facts if fact.away]), ("all", facts)]:
        looked = max(1, sum(fact.looked for fact in group))
        lines.append(
            f"{title:<22}{len(group):>6}{sum(fact.verbatim for fact in group) / looked:>10.1%}"
            f"{sum(fact.named for fact in group) / looked:>8.1%}{sum(map(reached, group)):>10}"
            f"{sum(fact.stale for fact in group):>12}{sum(map(stale_in_recall, group)):>16}"
        )
    return "\n".join(lines)


def settings() -> Config:
    """Small settings, so that little is in sight and compressions are many."""
    return Config(
        profiles={"bench": ProfileSettings(like="generic", cache="explicit", window=1_000_000)},
        context=ContextSettings(keep_turns=KEEP_TURNS),
    )


async def examine(calls: int, seed: int, every: int, place: Path) -> tuple[Player, list[Fact]]:
    """Run the session to its end, as often as it is killed."""
    facts, steps = script(calls, seed, every)
    (place / "work").mkdir()
    hosts: list[asyncio.subprocess.Process] = []
    player = Player(steps, facts, lambda: os.kill(hosts[-1].pid, signal.SIGKILL))
    async with SimulatedServer(player, clock=SystemClock(), speed=0.0) as server:
        endpoint = resolve_endpoint(settings(), "bench:player", server.base_url)
        player.folder = await create(place / "home", NewSession("Work through the parts.", place / "work", endpoint))
        code = -signal.SIGKILL
        while code == -signal.SIGKILL:
            line = [sys.executable, __file__, "--host", str(player.folder), "--calls", str(calls), "--seed", str(seed)]
            hosts.append(await asyncio.create_subprocess_exec(*line))
            code = await hosts[-1].wait()
    assert code == 0, f"the session ended with {code}"
    return player, facts


def take_up(folder: Path, calls: int, seed: int) -> int:
    """Host the session in this process; the exit code."""
    texts = looked_at(script(calls, seed, 0)[1])
    return asyncio.run(host(Hosting(folder, settings(), environ={}, extra_tools=(Look(texts),))))


@click.command()
@click.option("--calls", default=1158, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--every", default=20, show_default=True, help="A compression is asked for every so many calls.")
@click.option("--host", "folder", type=click.Path(path_type=Path), hidden=True)
@click.option("--show", is_flag=True, help="Print what was not reached.")
def main(calls: int, seed: int, every: int, folder: Path | None, show: bool) -> None:
    if folder is not None:
        sys.exit(take_up(folder, calls, seed))
    with tempfile.TemporaryDirectory() as scratch:
        player, facts = asyncio.run(examine(calls, seed, every, Path(scratch)))
        told = report(read_totals(player.folder), running=False)
    print(f"{told['tool_calls']:,} calls, {told['compressions']} compressions, {told['rewinds']} rewinds, ", end="")
    print(f"{len(player.same_after_kill)} kills; the cut request came again to the byte: {player.same_after_kill}")
    print(f"texts that a compression should have kept and did not: {len(player.rewritten)}\n")
    print(table(facts))
    if show:
        missed = [fact for fact in facts if not reached(fact) or stale_in_recall(fact)]
        print(*(f"\n--- {fact.kind} {fact.name}: {fact.text}\n{fact.recalled[:800]}" for fact in missed), sep="\n")


if __name__ == "__main__":
    main()
