"""A stage for incidents: a real session against a simulated model that says what it is told to, when it is told to, and
somebody before a small terminal without colour who watches, asks why, and does what helps."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from processes import Longwatch, until
from terminals import Terminal

from core.clock import SystemClock
from core.events import CommandAccepted, Event
from core.folds.verdict import RESUME
from core.journal.lease import holder
from core.journal.reader import Reader
from core.simulator.faults import Faults
from core.simulator.incidents import CONFIG, FILE, INCIDENTS, SILENT_S, Incident
from core.simulator.policies.script import ScriptPolicy
from core.simulator.policies.sides import WithSides
from core.simulator.policies.summaries import flawed
from core.simulator.server import SimulatedServer
from core.tools.jobs import job_status
from tui.actions import ACTIONS
from tui.docks.dock import TOO_EARLY

WINDOW = 200_000
PROFILE = f"""
[profiles.staged]
like = "anthropic"
base_url = "{{url}}"
price_provider = "anthropic"
window = {WINDOW}
"""
MODEL = "staged:claude-opus-4-6"
MOST_MB = 10**9
"""Free room that no disk has."""
FACTS = {
    "guard": "guard.raised",
    "outage": "retry.waiting",
    "asks": "approval.asked",
    "cold": "model.responded",
    "window": "model.requested",
    "digest": "model.consulted",
}
"""The event that brings each alarm to light, where nothing outside of the log does."""
PATIENCE_S = 150.0
"""A new runner is a fresh interpreter, which takes its time where everything else runs, too."""
BY_ITSELF = frozenset({"asks"})
"""What is asked shows its cause by itself."""
DIALOGS = {
    "compress": ("check ✓", "a"),
    "approve": ("y approve once", "y"),
    "guide": ("Guide the agent", "Look at it again.\r"),
}
"""What a remedy's dialog says once it can be answered, and what is pressed then."""


class Stage:
    """Between two incidents the session waits in a command, which ends when its gate opens."""

    def __init__(self, longwatch: Longwatch) -> None:
        self.longwatch = longwatch
        self._script, self._faults, self._gate = ScriptPolicy([]), Faults(), 0
        policy = WithSides(self._script, flawed("invents"))
        self.server = SimulatedServer(policy, clock=SystemClock(), speed=0, faults=self._faults)
        self._known: list[Event] = []
        (longwatch.workspace / FILE).write_text("one\ntwo\n")
        self._script.add([self._waiting()])

    def configure(self, more: str = "") -> None:
        self._usual = self.longwatch.config.read_text() + CONFIG + PROFILE.format(url=self.server.base_url)
        self.longwatch.config.write_text(self._usual + more)

    def begin(self) -> None:
        """Run the session, without a screen, up to its first wait."""
        place = ["--workspace", str(self.longwatch.workspace), "--wait", "--headless"]
        self.longwatch.start("run", "Do what is needed.", "--model", MODEL, *place)
        until(lambda: self.longwatch.count("tool.started"))
        self.reader = Reader(self.longwatch.folder())

    def play(self, incident: Incident) -> None:
        """Lead the session into an incident."""
        until(self.waits)
        self._order(incident.orders)
        ahead = self.server.requests + 1 + len(incident.replies)
        self._faults.add(f"{ahead}:{fault}" for fault in incident.faults)
        self._open(self._filled(incident))
        getattr(self, f"_{incident.deed.replace(' ', '_')}", lambda: None)()
        self._done_us = SystemClock().now_us()

    def _open(self, replies: Iterable[Mapping[str, Any]]) -> None:
        """End the wait; after these replies comes the next one."""
        self._gate += 1
        self._script.add([*replies, self._waiting()])
        (self.longwatch.workspace / f"gate-{self._gate}").touch()

    def end(self, incident: Incident) -> None:
        """Take back what was only for this one, and let what was ordered come into force."""
        self._order(incident.after)
        if incident.remedy == "compress":
            self._open([])
            until(self.waits)
        if incident.deed == "fill the disk":
            self._say("")

    def since_us(self, incident: Incident) -> int:
        """When it became a fact: by the log, or by what was done outside of it."""
        kind = FACTS.get(incident.alarm)
        happened = [event.at_us for event in self.events if event.kind == kind and not incident.deed]
        return happened[-1] if happened else self._done_us

    def leave(self) -> None:
        """Nobody runs it any more, and no command waits for a gate."""
        (self.longwatch.workspace / f"gate-{self._gate + 1}").touch()
        if (runner := holder(self.longwatch.folder())) is not None:
            os.kill(runner.pid, signal.SIGKILL)

    @property
    def events(self) -> list[Event]:
        """The log as it is now; what was read before is not read again."""
        self._known += self.reader.events(self._known[-1].seq if self._known else 0)
        return self._known

    def given(self, verb: str) -> int:
        """How often a control was taken, or (`resume`) a runner has begun."""
        if verb == RESUME:
            return sum(event.kind == "runner.attached" for event in self.events)
        return sum(isinstance(event.body, CommandAccepted) and event.body.verb == verb for event in self.events)

    def waits(self) -> bool:
        """Whether the session waits for the next act."""
        return any(f"gate-{self._gate + 1}" in str(event.body.arguments) for event in self.calls)

    @property
    def calls(self) -> list[Event]:
        """Those that run."""
        done = {event.key for event in self.events if event.kind == "tool.finished"}
        return [event for event in self.events if event.kind == "tool.started" and event.key not in done]

    def _order(self, orders: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Give them, each until it is taken: one may be the answer to what another one has yet to lead to."""
        for verb, args in orders:
            until(partial(self._sent, verb, *map(str, args.values())))

    def _sent(self, *words: str) -> bool:
        return self.longwatch.here("send", "", *words).returncode == 0

    def _filled(self, incident: Incident) -> list[Mapping[str, Any]]:
        """The replies, the first of them with as long a result as the incident wants."""
        replies = list(incident.replies)
        if incident.fill:
            more = int(incident.fill * WINDOW) - self.server.invoices[-1].prompt.total
            replies[0] = {**replies[0], "result_tokens": more}
        return replies

    def _waiting(self) -> dict[str, Any]:
        gate = f"gate-{self._gate + 1}"
        line = f"echo act {self._gate + 1}; while [ ! -e {gate} ]; do sleep 0.1; done"
        return {"text": "Waiting.", "tool_uses": [{"name": "run_command", "input": {"command": line}}]}

    def _age_the_command(self) -> None:
        """As if it had been silent for long."""
        job = until(self._job)
        for file in job.iterdir():
            before = file.stat()
            os.utime(file, (before.st_atime - SILENT_S, before.st_mtime - SILENT_S))

    def _job(self) -> Path | None:
        """The folder of the command that sleeps, once it has begun and has written down that it has."""
        keys = [str(event.key) for event in self.calls if "sleep 3600" in str(event.body.arguments)]
        folders = (self.longwatch.folder() / "jobs" / key for key in keys)
        return next((folder for folder in folders if job_status(folder).process is not None), None)

    def _fill_the_disk(self) -> None:
        self._say(f"[screen]\nlow_disk_mb = {MOST_MB}\n")

    def _say(self, more: str) -> None:
        """Another configuration, put in the place of the old one as editors do."""
        file = self.longwatch.config
        new = file.with_name("new.toml")
        new.write_text(self._usual + more)
        new.replace(file)

    def _change_the_file(self) -> None:
        """While the model is asked: during a command nobody could tell who it was."""
        until(lambda: FILE in str(self._last("tool.started").body.arguments) and not self.calls)
        (self.longwatch.workspace / FILE).write_text("one\ntwo\nthree, by hand\n")

    def _last(self, kind: str) -> Event:
        return [event for event in self.events if event.kind == kind][-1]

    def _kill_the_runner(self) -> None:
        runner = holder(self.longwatch.folder())
        assert runner is not None
        os.kill(runner.pid, signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class Seen:
    """`words` of the status line, `ms` after the incident was a fact; the `keys` that told why and helped."""

    incident: str
    words: str
    ms: int
    keys: str


class Onlooker:
    """Somebody before the screen of 80 columns, who knows the keys that it names."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.screen = Terminal(stage.longwatch, "attach", columns=80, rows=24)
        self.screen.watches("running", "Waiting.")

    def see(self, incident: Incident) -> Seen:
        """See it, ask why, do what helps, and see it go. Fails where any of that can't be done."""
        self._stage.play(incident)
        self._until("its words", lambda: incident.words in self._line(0))
        ms = (SystemClock().now_us() - self._stage.since_us(incident)) // 1000
        words, before, key = self._line(0).split("│")[0].strip(), self._stage.given(incident.remedy), _key(incident)
        pressed = [] if incident.alarm in BY_ITSELF else ["!", key]
        if pressed:
            self._until("how to ask why", lambda: "! why" in self._line(-1))
            self.screen.press("!")
            self._until("why", lambda: {"What is wrong", incident.cause} <= {*self._parts(incident)})
        if incident.remedy in DIALOGS:
            said, answer = DIALOGS[incident.remedy]
            if pressed:
                self._press(key, "its dialog", lambda: said in self._flat())
            self._until("its dialog", lambda: said in self._flat() and (pressed or incident.cause in self._flat()))
            pressed.append(answer)
            key = answer
        self._press(key, "that it helps", lambda: self._stage.given(incident.remedy) > before)
        self._stage.end(incident)
        self._until("its end", lambda: incident.words not in self._line(0))
        named = ("space" if pressing == " " else "enter" if pressing[1:] else pressing for pressing in pressed)
        return Seen(incident.name, words, ms, " ".join(named))

    def _press(self, key: str, what: str, leads_to: Callable[[], bool]) -> None:
        """Press a key for its effect: again where the screen says that it came before one could see what it answers."""
        self.screen.press(key)
        self._until(what, lambda: leads_to() or TOO_EARLY[:40] in self._flat())
        if not leads_to():
            self.screen.press(key)
            self._until(what, leads_to)

    def _parts(self, incident: Incident) -> Iterator[str]:
        return (part for part in ("What is wrong", incident.cause) if part in self._flat())

    def _line(self, number: int) -> str:
        return self.screen.text().splitlines()[number]

    def _flat(self) -> str:
        """The screen as one line, so that it does not matter where a sentence is wrapped."""
        return " ".join(self.screen.text().split())

    def _until(self, what: str, condition: Callable[[], object]) -> None:
        try:
            until(condition, PATIENCE_S)
        except AssertionError:
            raise AssertionError(f"never showed {what}:\n{self.screen.text()}") from None


def _key(incident: Incident) -> str:
    """What gives the control that helps, as it is typed."""
    wanted = "continue" if incident.remedy == RESUME else incident.remedy
    return next(action.keys[0] for action in ACTIONS if wanted in action.verbs).replace("space", " ")


@contextmanager
def staged(longwatch: Longwatch, more: str = "") -> Iterator[Stage]:
    """A stage whose server listens while the block runs; whoever runs the session at its end is ended, too."""
    longwatch.environment["NO_COLOR"] = "1"
    stage, loop = Stage(longwatch), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    wait_for = partial(_result, loop)
    wait_for(stage.server.__aenter__())
    try:
        stage.configure(more)
        stage.begin()
        yield stage
    finally:
        stage.leave()
        longwatch.end()
        wait_for(stage.server.__aexit__(None, None, None))
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _result(loop: asyncio.AbstractEventLoop, work: Any) -> Any:
    return asyncio.run_coroutine_threadsafe(work, loop).result(30)


def all_of_them(longwatch: Longwatch) -> Iterator[Seen]:
    """One session led from each incident into the next, before one pair of eyes."""
    with staged(longwatch) as stage:
        onlooker = Onlooker(stage)
        try:
            yield from map(onlooker.see, INCIDENTS)
        finally:
            onlooker.screen.close()
