"""Asking whether a workspace's own settings may be used; where nobody can be asked, saying that they are not."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from core.config import WORKSPACE_FILE, strange_settings
from core.config import trust as consent
from tui.safe import one_line
from tui.say import confirm, say


def consented(workspace: Path, *, ask: bool) -> None:
    """Settle what becomes of settings that nobody has consented to yet. Raises ConfigError where they are broken."""
    settings = strange_settings(workspace)
    if not settings:
        return
    file = one_line(str(workspace / WORKSPACE_FILE))
    if not (ask and sys.stdin.isatty() and sys.stderr.isatty()):
        names = ", ".join(f"`{one_line(name)}`" for name in settings)
        say(f"longwatch: {file} is not used ({names}): `longwatch config trust` in its folder shows it.", err=True)
        return
    say(f"{file} is new here, or has changed. It says:", err=True)
    for line in told(settings):
        say(f"  {line}", err=True)
    if confirm("Use it from now on, as long as it stays so?", default=False, err=True):
        consent(workspace, settings)


def told(settings: Mapping[str, Any]) -> list[str]:
    """The settings of a workspace, one a line, with nothing hidden in them."""
    return [f"{one_line(name)} = {one_line(repr(value))}" for name, value in settings.items()]


@click.command()
@click.argument("workspace", type=click.Path(path_type=Path, file_okay=False), default=".")
@click.option("--show", is_flag=True, help="Only print what it says.")
@click.option("--forget", is_flag=True, help="Use it no longer.")
def trust(workspace: Path, show: bool, forget: bool) -> int:
    """Use the .longwatch.toml of a WORKSPACE, as long as it stays as it is; what it says is printed."""
    place = workspace.expanduser().absolute()
    if forget:
        consent(place, None)
        return 0
    settings = strange_settings(place)
    for line in told(settings):
        say(line)
    if not settings:
        say("nothing to consent to: there is no .longwatch.toml, or it is in use already", err=True)
    elif not show:
        consent(place, settings)
        say("used from now on, as long as it stays so", err=True)
    return 0
