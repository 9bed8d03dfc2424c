"""Real processes of the command line, for scenarios."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.events import Event
from core.journal.errors import JournalError
from core.journal.reader import Reader

ROOT = Path(__file__).parent.parent.parent
PATIENCE_S = 60.0


def until(condition: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    """Poll a condition; what it came to. Fails when it never comes true."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError("the condition never came true")


class Longwatch:
    """The command line over one home folder and one workspace."""

    def __init__(self, place: Path) -> None:
        self.home, self.workspace = place / "home", place / "work"
        self.workspace.mkdir(parents=True)
        (place / "config.toml").touch()
        self.environment = {
            **os.environ,
            "LONGWATCH_HOME": str(self.home),
            "LONGWATCH_CONFIG": str(place / "config.toml"),
        }
        self._script = place / "script.jsonl"
        self._started: list[subprocess.Popen[str]] = []

    def script(self, *rows: dict[str, Any]) -> str:
        """A model that says these replies; its name."""
        self._script.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return f"simulated/script:{self._script}"

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Begin a command."""
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tui.cli", *arguments],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._started.append(process)
        return process

    def end(self) -> None:
        """End what still runs."""
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=PATIENCE_S)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def run(self, model: str, *more: str) -> subprocess.Popen[str]:
        """Begin a headless session in the workspace."""
        options = ["--headless", "--json", "--speed", "0", "--workspace", str(self.workspace), *more]
        return self.start("run", "Do the steps.", "--model", model, *options)

    def run_on(self, *more: str) -> subprocess.Popen[str]:
        """Resume the session, headless."""
        return self.start("resume", "--headless", "--json", "--speed", "0", *more)

    def report(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.call("report", "--format", "json").stdout)
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
