"""`service`: have marked sessions resumed after a reboot of the machine."""

from __future__ import annotations

import getpass
from pathlib import Path

import click

from core import service as unit
from core.agent.succession import start_runner
from core.models.keys import key_file
from tui.say import say


@click.group()
def service() -> None:
    """Resume marked sessions after a reboot (`run --after-reboot`, `send S after-reboot on`)."""


@service.command()
@click.pass_obj
def install(home: Path) -> int:
    """Write a systemd unit of yours and enable it."""
    try:
        path = unit.install(home)
    except unit.NoService as reason:
        line = unit.cron_line(home)
        raise click.UsageError(f"{reason} cron can do the same; add this line with `crontab -e`: {line}") from None
    say(f"Installed {path}: marked sessions go on after a reboot.")
    _say_what_is_missing(home)
    return 0


@service.command()
def uninstall() -> int:
    """Take the unit away; sessions that run go on."""
    there = unit.uninstall()
    say(f"Removed {unit.unit_path()}." if there else "There is no unit to remove.")
    return 0


@service.command()
@click.pass_obj
def status(home: Path) -> int:
    """Say whether the unit is there, whether it starts without a login, and which sessions it would resume."""
    path = unit.unit_path()
    if not path.exists():
        say("Not installed; `longwatch service install` does it.")
    elif path.read_text(encoding="utf-8", errors="replace") != unit.unit_text(home):
        say(f"{path} is for another home, configuration or installation; `longwatch service install` renews it.")
    else:
        say(f"Installed: {path}")
    if not unit.manager_works():
        say("No systemd manager of yours answers here, so nothing will be resumed by it.")
    _say_what_is_missing(home)
    sessions = unit.marked(home)
    for one in sessions:
        how = "would be resumed" if one.due else f"is {one.summary.state}, so it stays as it is"
        say(f"  {one.summary.id[:10]} {one.summary.name}: {how}")
    if not sessions:
        say("No session is marked: `longwatch send S after-reboot on` marks one.")
    return 0


@service.command()
@click.pass_obj
def resume(home: Path) -> int:
    """Resume every marked session that was cut off; what the unit calls."""
    failed = False
    for one in (one for one in unit.marked(home) if one.due):
        problem = start_runner(one.summary.folder, one.terms)
        failed |= bool(problem)
        say(f"{one.summary.id[:10]} {one.summary.name}: {problem or 'goes on'}", err=bool(problem))
    return int(failed)


def _say_what_is_missing(home: Path) -> None:
    """What would keep the unit from doing its work."""
    if not unit.lingers():
        who = getpass.getuser()
        say(f"It starts only when you log in; run once: loginctl enable-linger {who}")
    path = unit.variables_path()
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        text = ""
    known = {line.partition("=")[0].strip() for line in text.splitlines()}
    for name in sorted({one.key for one in unit.marked(home) if one.key} - known):
        if not key_file(name).exists():
            say(
                f"A unit does not know your shell's {name}: store the key with `longwatch key {name}`, "
                f"or put the line {name}=... into {path} and chmod 600 it."
            )
    if text and path.stat().st_mode & 0o077:
        say(f"Others can read {path}; chmod 600 it.")
