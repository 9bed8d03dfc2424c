"""`handbook`: pages by task, in the package itself, so that they are at hand on any box."""

from __future__ import annotations

import sys
from importlib.resources import files

import click

from tui.say import say

PAGES = {
    "first-session": "from nothing to a session that you steer",
    "screen": "on the screen, and without one",
    "remote": "on a box far away: leave, come back, be called",
    "approvals": "what the agent asks about",
    "guards": "guards, plan, budgets and constraints",
    "cost": "keeping it cheap",
    "trouble": "when it goes wrong",
    "replay": "replaying a session, sending one to somebody, what it changed",
    "servers": "servers of tools, hooks, telemetry, what a workspace says",
    "extending": "themes, keys, providers, tools, guards, policies",
    "architecture": "how it is built",
    "contributing": "from a clone to a first change in ten minutes",
}
"""Name -> what it is about, in the order in which they are listed."""
WIDEST = 110


def page_text(name: str) -> str:
    """A page, as Markdown."""
    return files("tui").joinpath("handbook", f"{name}.md").read_text(encoding="utf-8")


@click.command()
@click.argument("page", required=False, type=click.Choice(list(PAGES)))
def handbook(page: str | None) -> int:
    """Print a PAGE of the handbook; without one, what there is."""
    if page is None:
        for name, about in PAGES.items():
            say(f"{name:<16}{about}")
        say("\nlongwatch handbook PAGE prints one.")
    elif sys.stdout.isatty():
        _render(page_text(page))
    else:
        say(page_text(page).rstrip())
    return 0


def _render(text: str) -> None:
    """For a terminal: as wide as it is, in its colours."""
    from rich.console import Console
    from rich.markdown import Markdown

    screen = Console()
    screen.print(Markdown(text), width=min(screen.width, WIDEST))
