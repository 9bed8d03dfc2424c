"""A workspace with everything around it that a command must not reach, and commands in it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from core.sandbox.access import Surroundings
from core.sandbox.grant import NOTHING, Grant
from core.sandbox.probe import candidates, try_to_escape
from core.sandbox.sandbox import Confinement, Sandbox
from core.tools.base import Outcome, ToolContext
from core.tools.command import RunCommand
from core.tools.registry import parse_arguments

_TROUBLE: dict[str, str] = {}


def sandbox_named(backend: str) -> Sandbox:
    """The sandbox of that kind; the test is skipped with the reason where it does not work."""
    found = next((it for it in candidates() if it.backend == backend), Sandbox("none", "only Linux is supported"))
    if backend not in _TROUBLE:
        _TROUBLE[backend] = found.why or try_to_escape(found)
    if _TROUBLE[backend]:
        pytest.skip(f"no {backend} here: {_TROUBLE[backend]}")
    return found


class Cage:
    """`place` holds the workspace, the product's home with a session, and the user's own home."""

    def __init__(
        self, place: Path, sandbox: Sandbox, environment: Mapping[str, str], settings: Mapping[str, Any] | None = None
    ) -> None:
        self.settings = dict(settings or {})
        self.place, self.sandbox = place, sandbox
        self.workspace, self.home, self.user = place / "workspace", place / "home", place / "user"
        self.session = self.home / "sessions" / "01session"
        for folder in (self.workspace, self.session / "inbox", self.user / ".ssh", self.user / ".config/longwatch"):
            folder.mkdir(parents=True, exist_ok=True)
        (self.user / ".ssh/id_ed25519").write_text("a private key")
        (self.session / "session.db").write_text("events")
        config = self.user / ".config/longwatch/config.toml"
        config.write_text("")
        self.environment = dict(environment)
        self.around = Surroundings(self.workspace, self.session / "tmp", self.home, config)
        self.calls = 0

    def confinement(self, network: bool = False) -> Confinement:
        return Confinement(self.sandbox, self.around, network)

    def context(self, call: str, network: bool = False, grant: Grant = NOTHING) -> ToolContext:
        settings = {**self.settings, "confinement": self.confinement(network)}
        return ToolContext(self.workspace, self.session / "jobs", call, None, {}, settings, grant)  # type: ignore[arg-type]

    async def __call__(self, command: str, network: bool = False, grant: Grant = NOTHING, **raw: Any) -> Outcome:
        """Run a command as a session does."""
        self.calls += 1
        tool = RunCommand(self.environment)
        arguments = parse_arguments(tool, {"command": command, **raw})
        return await tool.run(arguments, self.context(f"r{self.calls}.0.0", network, grant))

    def run(self, command: str, network: bool = False, grant: Grant = NOTHING) -> Outcome:
        return asyncio.run(self(command, network, grant))
