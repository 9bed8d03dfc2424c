"""A stage for incidents: a real session against a simulated model that says what it is told to, when it is told to."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from processes import Longwatch, until

from core.clock import SystemClock
from core.events import Event
from core.journal.lease import holder
from core.simulator.faults import Faults
from core.simulator.incidents import CONFIG, FILE, SILENT_S, Incident
from core.simulator.policies.script import ScriptPolicy
from core.simulator.policies.sides import WithSides
from core.simulator.policies.summaries import flawed
from core.simulator.server import SimulatedServer

PROFILE = """
[profiles.staged]
like = "anthropic"
base_url = "{url}"
price_provider = "anthropic"
window = 200_000
"""
WINDOW = 200_000
MODEL = "staged:claude-opus-4-6"
MOST_MB = 10**9
"""Free room that no disk has."""


class Stage:
    """Between two incidents the session waits in a command, which ends when its gate opens."""

    def __init__(self, longwatch: Longwatch) -> None:
        self.longwatch = longwatch
        self._script, self._faults, self._gate = ScriptPolicy([]), Faults(), 0
        policy = WithSides(self._script, flawed("invents"))
        self.server = SimulatedServer(policy, clock=SystemClock(), speed=0, faults=self._faults)
        (longwatch.workspace / FILE).write_text("one\ntwo\n")
        self._script.add([self._waiting()])

    def configure(self, url: str, more: str = "") -> None:
        self._settings = f"{CONFIG}{PROFILE.format(url=url)}"
        self._sandbox = self.longwatch.config.read_text()
        self.longwatch.config.write_text(f"{self._sandbox}{self._settings}{more}")

    def begin(self) -> None:
        """Run the session, without a screen, up to its first wait."""
        place = ["--workspace", str(self.longwatch.workspace), "--wait", "--headless"]
        self.longwatch.start("run", "Do what is needed.", "--model", MODEL, *place)
        until(self.waits)

    def play(self, incident: Incident) -> None:
        """Lead the session into an incident."""
        self._order(incident.orders)
        ahead = self.server.requests + 1 + len(incident.replies)
        self._faults.add(f"{ahead}:{fault}" for fault in incident.faults)
        self._gate += 1
        self._script.add([*self._filled(incident), self._waiting()])
        (self.longwatch.workspace / f"gate-{self._gate}").touch()
        getattr(self, f"_{incident.deed.replace(' ', '_')}", lambda: None)()

    def end(self, incident: Incident) -> None:
        """Take back what was only for this one."""
        self._order(incident.after)

    def _order(self, orders: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        for verb, args in orders:
            self.longwatch.here("send", "", verb, *map(str, args.values()))

    def _filled(self, incident: Incident) -> list[Mapping[str, Any]]:
        """The replies, the first of them with as long a result as the incident wants."""
        replies = list(incident.replies)
        if incident.fill:
            more = int(incident.fill * WINDOW) - self.server.invoices[-1].prompt.total
            replies[0] = {**replies[0], "result_tokens": more}
        return replies

    def _waiting(self) -> dict[str, object]:
        gate = f"gate-{self._gate + 1}"
        line = f"echo act {self._gate + 1}; while [ ! -e {gate} ]; do sleep 0.05; done"
        return {"text": "Waiting.", "tool_uses": [{"name": "run_command", "input": {"command": line}}]}

    def waits(self) -> bool:
        """Whether the session waits for the next act."""
        return any(f"gate-{self._gate + 1}" in str(event.body.arguments) for event in self.calls)

    @property
    def calls(self) -> list[Event]:
        """Those that run."""
        events = self.longwatch.events()
        done = {event.key for event in events if event.kind == "tool.finished"}
        return [event for event in events if event.kind == "tool.started" and event.key not in done]

    def _last(self, kind: str) -> Event:
        return [event for event in self.longwatch.events() if event.kind == kind][-1]

    def _age_the_command(self) -> None:
        until(lambda: self._running("sleep 3600"))
        job = self.longwatch.folder() / "jobs" / self._running("sleep 3600")
        for file in job.iterdir():
            before = file.stat()
            os.utime(file, (before.st_atime - SILENT_S, before.st_mtime - SILENT_S))

    def _running(self, words: str) -> str:
        """The key of the command with these words, once its job has started; empty before."""
        keys = [str(event.key) for event in self.calls if words in str(event.body.arguments)]
        return next((key for key in keys if (self.longwatch.folder() / "jobs" / key / "started").exists()), "")

    def _fill_the_disk(self) -> None:
        self._say(f"[screen]\nlow_disk_mb = {MOST_MB}\n")

    def empty_the_disk(self) -> None:
        self._say("")

    def _say(self, more: str) -> None:
        """Another configuration, put in the place of the old one as editors do."""
        file = self.longwatch.config
        new = file.with_name("new.toml")
        new.write_text(f"{self._sandbox}{self._settings}{more}")
        new.replace(file)

    def _change_the_file(self) -> None:
        """While the model is asked: during a command nobody could tell who it was."""
        until(lambda: FILE in str(self._last("tool.started").body.arguments) and not self.calls)
        (self.longwatch.workspace / FILE).write_text("one\ntwo\nthree, by hand\n")

    def _kill_the_runner(self) -> None:
        runner = holder(self.longwatch.folder())
        assert runner is not None
        os.kill(runner.pid, signal.SIGKILL)


@contextmanager
def staged(longwatch: Longwatch, more: str = "") -> Iterator[Stage]:
    """A stage whose server listens while the block runs."""
    stage, loop = Stage(longwatch), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def wait_for(work):
        return asyncio.run_coroutine_threadsafe(work, loop).result(30)

    wait_for(stage.server.__aenter__())
    try:
        stage.configure(stage.server.base_url, more)
        yield stage
    finally:
        wait_for(stage.server.__aexit__(None, None, None))
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
