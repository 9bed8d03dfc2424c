"""Real processes of the command line, for scenarios."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

from warm import Process, Warm

from core.events import Event
from core.journal.errors import JournalError
from core.journal.reader import Reader
from tui.cli import main

ROOT = Path(__file__).parent.parent.parent
PATIENCE_S = 60.0
FRESH_ONLY = {"preexec_fn", "start_new_session"}
"""Ways to begin that only a fresh interpreter has."""


def until(condition: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    """Poll a condition; what it came to. Fails when it never comes true."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError("the condition never came true")


class Longwatch:
    """The command line over one home folder and one workspace; by `warm`, or in fresh interpreters."""

    def __init__(self, place: Path, warm: Warm | None = None) -> None:
        self.warm = warm
        self.home, self.workspace = place / "home", place / "work"
        self.workspace.mkdir(parents=True)
        self.config = place / "config.toml"
        self.config.write_text(f"[sandbox]\nreadable = [{json.dumps(str(place))}]\n")
        self.environment = {
            **os.environ,
            "LONGWATCH_HOME": str(self.home),
            "LONGWATCH_CONFIG": str(self.config),
        }
        self._script = place / "script.jsonl"
        self.gate = place / "gate"
        self._started: list[subprocess.Popen[str] | Process] = []

    def gated(self, line: str, text: str = "Next.") -> dict[str, Any]:
        """A reply with a command that ends only once the gate is open, so that nothing depends on timing."""
        return command(f"{line}; while [ ! -e '{self.gate}' ]; do sleep 0.05; done", text)

    def script(self, *rows: dict[str, Any]) -> str:
        """A model that says these replies; its name."""
        self._script.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return f"simulated/script:{self._script}"

    def start(self, *arguments: str, **streams: Any) -> subprocess.Popen[str] | Process:
        """Begin a command."""
        return self._start("tui.cli", *arguments, **streams)

    def serve(self, *arguments: str) -> str:
        """A simulated model server in a process of its own, playing the script; its address."""
        script = f"script:{self._script}"
        process = self._start("core.simulator", "--policy", script, "--speed", "0", *arguments)
        assert process.stdout is not None
        return process.stdout.readline().removeprefix("READY ").strip()

    def _start(self, module: str, *arguments: str, **streams: Any) -> subprocess.Popen[str] | Process:
        process: subprocess.Popen[str] | Process
        if self.warm and not streams.keys() & FRESH_ONLY:
            process = self.warm.start(module, *arguments, environment=self.environment, folder=ROOT, **streams)
        else:
            usual = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
            line = [sys.executable, "-P", "-m", module, *arguments]
            process = subprocess.Popen(line, cwd=ROOT, env=self.environment, text=True, **(usual | streams))
        self._started.append(process)
        return process

    def end(self) -> None:
        """End what still runs."""
        for process in self._started:
            with process:
                process.kill()

    def here(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end in this process, which is quicker."""
        out, err = io.StringIO(), io.StringIO()
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        with patch.dict(os.environ, self.environment, clear=True), redirect_stdout(out), redirect_stderr(err):
            try:
                main(list(arguments))
            except SystemExit as end:
                code = int(end.code or 0)
            finally:
                for number, handler in handlers.items():
                    signal.signal(number, handler)
        return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=PATIENCE_S)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def run(self, model: str, *more: str, **streams: Any) -> subprocess.Popen[str] | Process:
        """Begin a headless session in the workspace."""
        options = ["--headless", "--json", "--speed", "0", "--workspace", str(self.workspace)]
        options += more if "--approvals" in more else ("--approvals", "full", *more)
        return self.start("run", "Do the steps.", "--model", model, *options, **streams)

    def run_on(self, *more: str) -> subprocess.Popen[str] | Process:
        """Resume the session, headless."""
        return self.start("resume", "--headless", "--json", "--speed", "0", *more)

    def report(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.here("report", "--format", "json").stdout)
        return answer

    def folder(self) -> Path:
        """The only session's folder."""
        sessions = self.home / "sessions"
        return next(path for path in sessions.iterdir() if (path / "session.db").exists())

    def events(self) -> list[Event]:
        """The only session's events; none while there is no session."""
        try:
            with Reader(self.folder()) as reader:
                return reader.events()
        except (StopIteration, FileNotFoundError, JournalError):
            return []

    def count(self, kind: str) -> int:
        return sum(event.kind == kind for event in self.events())


def command(line: str, text: str = "Next.") -> dict[str, Any]:
    """A reply with one command."""
    return {"text": text, "tool_uses": [{"name": "run_command", "input": {"command": line}}]}


def prose(chars: int) -> str:
    """So much text, in which no sentence is like another: what repeats itself is cut."""
    return " ".join(f"Sentence {number} of the work." for number in range(chars // 25))[:chars]
