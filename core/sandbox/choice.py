"""From what the user wants and what the machine can to the sandbox of one session."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from core.config import Config, ConfigError, config_path
from core.events import SessionOpened
from core.sandbox.access import Surroundings
from core.sandbox.probe import find_sandbox
from core.sandbox.sandbox import Confinement, Sandbox

TEMPORARY: Final = "tmp"
"""Folder of a session that its commands see as /tmp."""
SWITCHED_OFF: Final = Sandbox("none", "switched off")


def confinement_of(folder: Path, config: Config, opened: SessionOpened) -> Confinement:
    """How the commands of the session in `folder` are confined here.

    What the session was opened with wins over the configuration. Looks for a sandbox, which blocks for a moment the
    first time. Raises ConfigError when one is required and none works.
    """
    mode = opened.settings.get("sandbox") or config.sandbox.mode
    return confinement_in(folder / TEMPORARY, Path(opened.workspace), folder.parent.parent, config, mode)


def confinement_in(temporary: Path, workspace: Path, home: Path, config: Config, mode: Any) -> Confinement:
    """The same where no session is yet; `home` is the product's own folder. Raises ConfigError as well."""
    settings = config.sandbox
    around = Surroundings(
        workspace=workspace,
        temporary=temporary,
        home=home,
        config=config_path(),
        writable=_paths((*settings.writable, *config.approvals.folders)),
        readable=_paths(settings.readable),
        hidden=_paths(settings.hidden),
        told=tuple(config.context.instructions),
    )
    return Confinement(sandbox_for(mode), around, settings.network)


def sandbox_for(mode: Any) -> Sandbox:
    """The sandbox of a mode (`core.config.SandboxMode`). Raises ConfigError when it is required and none works."""
    if mode == "off":
        return SWITCHED_OFF
    sandbox = find_sandbox()
    if mode == "require" and not sandbox.confines:
        raise ConfigError(
            f"A sandbox is required and none works here ({sandbox.why}); install bubblewrap, or choose another "
            "[sandbox] mode."
        )
    return sandbox


def _paths(names: Iterable[str]) -> tuple[Path, ...]:
    return tuple(Path(name).expanduser() for name in names)
