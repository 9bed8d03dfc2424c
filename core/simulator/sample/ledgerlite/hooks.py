"""Commands of the user that run on an export, as in `sort -t, -k2 | head -20`."""

from __future__ import annotations

import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_S = 30


class HookFailed(RuntimeError):
    """A hook ended with an error, or did not end."""


@dataclass(frozen=True)
class Hook:
    """`command` gets the export on its standard input; what it prints replaces it."""

    name: str
    command: str
    formats: tuple[str, ...] = ("csv",)

    def wants(self, path: Path) -> bool:
        return path.suffix.lstrip(".") in self.formats

    def run(self, content: str) -> str:
        try:
            done = subprocess.run(
                self.command, shell=True, input=content, capture_output=True, text=True, timeout=TIMEOUT_S
            )
        except subprocess.TimeoutExpired as error:
            raise HookFailed(f"{self.name} did not end within {TIMEOUT_S} s") from error
        if done.returncode != 0:
            raise HookFailed(f"{self.name} ended with {done.returncode}: {done.stderr.strip()[:200]}")
        return done.stdout


def load(config: str) -> list[Hook]:
    """Hooks from TOML tables `[hooks.NAME]` with `command` and, if wanted, `formats`."""
    tables = tomllib.loads(config).get("hooks", {})
    return [
        Hook(name, str(table["command"]), tuple(table.get("formats", ("csv",)))) for name, table in tables.items()
    ]


def apply(hooks: list[Hook], path: Path) -> int:
    """Run the hooks that want the file, one after the other; returns how many ran."""
    wanted = [hook for hook in hooks if hook.wants(path)]
    content = path.read_text(encoding="utf-8")
    for hook in wanted:
        content = hook.run(content)
    if wanted:
        path.write_text(content, encoding="utf-8")
    return len(wanted)
