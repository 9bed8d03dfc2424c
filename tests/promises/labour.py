"""A session whose every effect can be counted, run by a real agent, and what must hold of it whatever happened.

Each command writes its own call's key, each edit adds a line that no repetition could add unseen, so an effect that
happened twice, or a result that got lost, shows at the end.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from core.agent.host import Hosting, host
from core.clock import SystemClock
from core.config import Config, SandboxSettings
from core.events import Event, ToolFinished
from core.journal.errors import JournalError
from core.journal.inbox import Command, post
from core.journal.reader import Reader
from core.models.profiles import resolve_endpoint
from core.session import NewSession, create
from core.tools.base import Tool

_UNCONFINED = Config(sandbox=SandboxSettings(mode="off"))
"""Effects are counted beside the workspace, where no sandbox would let them be."""
EFFECT = 'echo "${LONGWATCH_JOB##*/}" >> ../effects.log; echo did'
UNKNOWN = "interrupted without an exit code"
REFUSED = ("bad_history", "bad_request")
ORDERS = {4: "compress", 7: "rewind", 9: "undo", 11: "compress", 12: "remember"}
"""What the user orders once so many calls are done."""


def reply(text: str, *uses: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return {"text": text, "tool_uses": [{"name": name, "input": given} for name, given in uses]}


def turn(kind: str, number: int) -> dict[str, Any]:
    """A reply with calls of a kind: read, write, command, or three at once."""
    command = ("run_command", {"command": f"{EFFECT} {number}"})
    edit = ("edit_file", {"path": "notes.md", "old": "END", "new": f"line {number}\nEND"})
    read = ("read_file", {"path": "notes.md"})
    write = ("write_file", {"path": f"made-{number}.txt", "content": f"file {number}\n"})
    uses = {
        "read": [read],
        "write": [edit if number % 2 else write],
        "command": [command],
        "three at once": [read, ("list_files", {"path": "."}), ("search_codebase", {"pattern": "line"})],
    }[kind]
    return reply(f"Step {number}, of the kind {kind}.", *uses)


KINDS = ("read", "write", "command", "three at once")


class Labour:
    """A session in a folder of its own: `begin` it, `agent` runs it, `problems` judges it."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.home, self.workspace, self.log = place / "home", place / "work", place / "log"
        self._acknowledged = place / "acknowledged"

    def begin(self, script: list[dict[str, Any]]) -> int:
        """Make the session; for a child process."""
        self.workspace.mkdir(parents=True)
        (self.workspace / "notes.md").write_text("# Notes\nEND\n")
        path = self.place / "script.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in script))
        endpoint = resolve_endpoint(Config(), f"simulated/script:{path}")
        free = {"approvals": "full"}
        asyncio.run(create(self.home, NewSession("Do the steps.", self.workspace, endpoint, settings=free)))
        return 0

    @property
    def folder(self) -> Path:
        return next(path for path in (self.home / "sessions").iterdir() if (path / "session.db").exists())

    def agent(self, tools: tuple[Tool, ...] = (), config: Config | None = None) -> int:
        """Run it to its end, as a child process; what was committed is noted where a kill can't take it back."""
        out = os.open(self._acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        user = User(self.folder)

        def heard(events: list[Event]) -> None:
            os.write(out, b"%d\n" % events[-1].seq)
            user.observe(events)

        hosting = Hosting(self.folder, config or _UNCONFINED, speed=0.0, on_events=heard, extra_tools=tools)
        return asyncio.run(host(hosting))

    def acknowledge(self, seq: int) -> None:
        """Promise an event; for a writer that promises too early."""
        with self._acknowledged.open("ab") as out:
            out.write(b"%d\n" % seq)

    @property
    def acknowledged(self) -> int:
        """The newest event that anybody was told of."""
        if not self._acknowledged.exists():
            return 0
        return max((int(line) for line in self._acknowledged.read_bytes().split()), default=0)

    def events(self) -> list[Event]:
        with Reader(self.folder) as reader:
            return reader.events()

    def damage(self) -> list[str]:
        """What is wrong with the journal at any moment."""
        try:
            with Reader(self.folder) as reader:
                broken, events = reader.verify(), reader.events()
        except JournalError as error:
            return [f"the journal can't be read: {error}"]
        found = [f"the chain breaks: {broken}"] if broken is not None else []
        if [event.seq for event in events] != list(range(1, len(events) + 1)):
            found.append("the numbers of the events have a gap")
        if len(events) < self.acknowledged:
            found.append(f"{self.acknowledged - len(events)} acknowledged events are lost")
        return found

    def problems(self) -> list[str]:
        """What is wrong with the session once it has ended."""
        if found := self.damage():
            return found
        events = self.events()
        return [*_unpaired(events), *_refused(events), *self._effects(events), *_lost(events)]

    def _effects(self, events: list[Event]) -> Iterator[str]:
        path = self.place / "effects.log"
        done = Counter(path.read_text().split()) if path.exists() else Counter()
        shell = {event.key: event.body for event in events if _finished(event, "run_command")}
        for key, times in done.items():
            if times != 1:
                yield f"the effect of {key} happened {times} times"
            if key not in shell or ("did" not in shell[key].content and shell[key].exit_code in (0, None)):
                yield f"the result of {key} is lost: {shell[key].content if key in shell else 'none'}"
        for key, body in shell.items():
            if body.ok and key not in done:
                yield f"{key} is reported done and had no effect"
        text = (self.workspace / "notes.md").read_text()
        for line, times in Counter(text.splitlines()).items():
            if times != 1:
                yield f"the edit {line!r} happened {times} times"


def _finished(event: Event, name: str) -> bool:
    return isinstance(event.body, ToolFinished) and event.body.name == name


def _unpaired(events: list[Event]) -> Iterator[str]:
    started = Counter(event.key for event in events if event.kind == "tool.started")
    finished = Counter(event.key for event in events if event.kind == "tool.finished")
    answered = Counter(event.key for event in events if event.kind in ("model.responded", "model.failed"))
    asked = Counter(event.key for event in events if event.kind == "model.requested")
    for what, counts in (("start", started), ("outcome", finished), ("answer", answered)):
        yield from (f"{key} has {times} {what}s" for key, times in counts.items() if times != 1)
    yield from (f"{key} has no outcome" for key in started - finished)
    yield from (f"request {key} has no answer" for key in asked - answered)


def _refused(events: list[Event]) -> Iterator[str]:
    for event in events:
        if event.kind == "model.failed" and event.body.error in REFUSED:  # type: ignore[attr-defined]
            yield f"the server refused request {event.key}: {event.body.message}"  # type: ignore[attr-defined]


def _lost(events: list[Event]) -> Iterator[str]:
    for event in events:
        if isinstance(event.body, ToolFinished) and event.body.content.startswith(UNKNOWN):
            yield f"the outcome of {event.key} is unknown though the machine lived on"


class User:
    """Orders what a user would, once so many calls are done; the same order twice has the same id."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with Reader(folder) as reader:
            self._calls = sum(event.kind == "tool.finished" for event in reader.events())
            self._checkpoints = [event.seq for event in reader.events() if event.kind == "checkpoint.made"]

    def observe(self, events: list[Event]) -> None:
        for event in events:
            if event.kind == "checkpoint.made":
                self._checkpoints.append(event.seq)
            if event.kind == "tool.finished":
                self._calls += 1
                if verb := ORDERS.get(self._calls):
                    self._order(verb)

    def _order(self, verb: str) -> None:
        args: dict[str, Callable[[], dict[str, Any]]] = {
            "rewind": lambda: {"to": self._checkpoints[-1] if self._checkpoints else 1},
            "remember": lambda: {"text": "Keep the notes in order.", "category": "preference"},
        }
        id = f"{self._calls:026d}"
        post(self._folder, Command(id=id, verb=verb, args=args.get(verb, dict)(), at=SystemClock().now_us()))
