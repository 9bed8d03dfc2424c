"""A session whose every effect can be counted, run by a real agent, and what must hold of it whatever happened.

Each command writes its own session and call, each edit adds a line that no repetition could add unseen, so an effect
that happened twice, or a result that got lost, shows at the end. Sessions that work for it are counted like it.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from core.agent.host import host
from core.agent.hosting import Hosting
from core.clock import SystemClock
from core.config import Config, GuardSettings, RoutingSettings, SandboxSettings
from core.events import Event, ModelConsulted, ModelResponded, SessionOpened, ToolFinished
from core.journal.errors import JournalError
from core.journal.inbox import Command, post
from core.journal.reader import Reader
from core.models.profiles import resolve_endpoint
from core.session import NewSession, create
from core.tools.base import Tool

_UNGUARDED = GuardSettings(enabled=False)
"""A script by chance may read the same file nine times, and would be stopped for that."""
_UNCONFINED = SandboxSettings(mode="off")
"""Effects are counted beside the workspace, where no sandbox would let them be."""
EFFECT = 'echo "${LONGWATCH_JOB##*/sessions/}" >> ../effects.log; echo did'
UNKNOWN = "interrupted without an exit code"
ANSWERS = ("model.responded", "model.failed", "model.consulted")
REFUSED = ("bad_history", "bad_request")
ORDERS = {2: "remember", 3: "compress", 5: "rewind", 6: "undo", 8: "compress"}
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
        "delegate": [("delegate", {"task": f"Do part {number}."})],
    }[kind]
    return reply(f"Step {number}, of the kind {kind}.", *uses)


KINDS = ("read", "write", "command", "three at once")
BELOW = (turn("command", 0), turn("write", 0), reply("Done, both."))
"""What a session does to which a part is handed on."""


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
        endpoint = resolve_endpoint(Config(), self._model("script", script))
        free = {"approvals": "full"}
        folder = asyncio.run(create(self.home, NewSession("Do the steps.", self.workspace, endpoint, settings=free)))
        (self.place / "main").write_text(folder.name)
        return 0

    def _model(self, name: str, script: Iterable[dict[str, Any]]) -> str:
        path = self.place / f"{name}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in script))
        return f"simulated/script:{path}"

    @property
    def folder(self) -> Path:
        return self.home / "sessions" / (self.place / "main").read_text()

    @property
    def below(self) -> list[Path]:
        """The sessions that work for it."""
        there = sorted(path for path in (self.home / "sessions").iterdir() if (path / "session.db").exists())
        return [path for path in there if path != self.folder]

    def agent(self, tools: tuple[Tool, ...] = (), config: Config | None = None) -> int:
        """Run it to its end, as a child process; what was committed is noted where a kill can't take it back."""
        out = os.open(self._acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        user = User(self.folder)

        def heard(events: list[Event]) -> None:
            os.write(out, b"%d\n" % events[-1].seq)
            user.observe(events)

        config = config or Config(
            sandbox=_UNCONFINED, guards=_UNGUARDED, routing=RoutingSettings(delegate=[self._model("below", BELOW)])
        )
        hosting = Hosting(self.folder, config, speed=0.0, on_events=heard, extra_tools=tools)
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
        return events_of(self.folder)

    def end(self, code: int | str) -> str:
        """How it ended: its exit code, its last words in the journal and in its log."""
        last = ", ".join(f"{one.kind} {getattr(one.body, 'detail', '')}".strip() for one in self.events()[-4:])
        return f"it ended with {code}; {last}; {self.log.read_text()[-300:]}"

    def damage(self) -> list[str]:
        """What is wrong with the journals at any moment."""
        found = [problem for folder in (self.folder, *self.below) for problem in _damage(folder)]
        if not found and (lost := self.acknowledged - len(self.events())) > 0:
            found.append(f"{lost} acknowledged events are lost")
        return found

    def problems(self) -> list[str]:
        """What is wrong with the session once it has ended."""
        if found := self.damage():
            return found
        logs = {folder.name: events_of(folder) for folder in (self.folder, *self.below)}
        each = (check(events) for events in logs.values() for check in (_unpaired, _refused, _lost))
        return [*(problem for problems in each for problem in problems), *self._effects(logs), *self._errands(logs)]

    def _errands(self, logs: dict[str, list[Event]]) -> Iterator[str]:
        """A session for each call that hands something on, at its end, and in the ledger what it cost."""
        own = logs.pop(self.folder.name)
        handed = {event.key: event.body for event in own if _finished(event, "delegate")}
        calls = {opened.origin["call"]: events for events in logs.values() if (opened := _opened(events)).origin}
        if set(handed) != set(calls):
            yield f"of the calls {sorted(handed)} {sorted(calls)} have a session"
        for key, body in handed.items():
            if not body.ok or not body.content.endswith("Done, both."):
                yield f"the report of {key} is lost: {body.content}"
        spent = sum(_costs(event for events in logs.values() for event in events if event.kind == "model.responded"))
        booked = sum(_costs(event for event in own if event.kind == "model.consulted"))
        if spent != booked:
            yield f"the sessions below cost {spent}, in the ledger stands {booked}"

    def _effects(self, logs: dict[str, list[Event]]) -> Iterator[str]:
        path = self.place / "effects.log"
        done = Counter(path.read_text().split()) if path.exists() else Counter()
        shell = {
            f"{name}/jobs/{event.key}": event.body
            for name, events in logs.items()
            for event in events
            if _finished(event, "run_command")
        }
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


def events_of(folder: Path) -> list[Event]:
    with Reader(folder) as reader:
        return reader.events()


def _damage(folder: Path) -> Iterator[str]:
    try:
        with Reader(folder) as reader:
            broken, events = reader.verify(), reader.events()
    except JournalError as error:
        yield f"the journal can't be read: {error}"
        return
    if broken is not None:
        yield f"the chain breaks: {broken}"
    if [event.seq for event in events] != list(range(1, len(events) + 1)):
        yield "the numbers of the events have a gap"


def _opened(events: list[Event]) -> SessionOpened:
    opened = events[0].body
    assert isinstance(opened, SessionOpened)
    return opened


def _costs(events: Iterable[Event]) -> Iterator[Decimal]:
    bodies = (event.body for event in events)
    return (Decimal(body.price.cost or 0) for body in bodies if isinstance(body, ModelResponded | ModelConsulted))


def _finished(event: Event, name: str) -> bool:
    return isinstance(event.body, ToolFinished) and event.body.name == name


def _unpaired(events: list[Event]) -> Iterator[str]:
    started = Counter(event.key for event in events if event.kind == "tool.started")
    finished = Counter(event.key for event in events if event.kind == "tool.finished")
    answered = Counter(event.key for event in events if event.kind in ANSWERS)
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
