"""`config`, `themes`, `reset`, `screenshots`: what surrounds sessions."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from core.config import config_path, default_config_text, load_config
from tui.safe import one_line
from tui.say import say
from tui.terminal import mend_terminal


@click.command()
@click.option("--write", is_flag=True, help="Write the commented default file, if there is none yet.")
def config(write: bool) -> int:
    """Check the configuration and print where it is; --write makes a commented one to start from."""
    path = config_path()
    if write:
        if path.exists():
            raise click.UsageError(f"{path} exists already; it was left as it is.")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(default_config_text(), encoding="utf-8")
        say(f"wrote {path}")
        return 0
    load_config()
    say(f"{path} ({'no problem found' if path.exists() else 'not there; the defaults hold'})")
    return 0


@click.command()
@click.argument("variable")
@click.option("--forget", is_flag=True, help="Remove the stored key; the environment variable counts again.")
def key(variable: str, forget: bool) -> int:
    """Store the key of VARIABLE, read from the terminal unseen or from a pipe; running sessions take it up.

    A session that waits because its key was refused goes on by itself.
    """
    from core.models.keys import key_file, store_key

    if forget:
        key_file(variable).unlink(missing_ok=True)
        return 0
    given = click.prompt(f"Key for {variable}", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
    say(f"stored in {store_key(variable, given.strip())}", err=True)
    return 0


@click.command()
def themes() -> int:
    """List the themes with a line of each, what is hard to read in one, and why a file can't be used."""
    from rich.console import Console
    from rich.text import Text

    from tui.readability import weaknesses
    from tui.theme_sample import sample
    from tui.theming import load_themes

    folder = config_path().parent / "themes"
    loaded, screen = load_themes(folder), Console(highlight=False, soft_wrap=True)
    for theme in sorted(loaded.themes, key=lambda theme: theme.name):
        screen.print(
            Text(f"{one_line(theme.name):16}") + sample(theme) + Text(f"  {one_line(loaded.labels[theme.name])}")
        )
    for problem in loaded.failed:
        say(f"longwatch: {problem}", err=True)
    for theme in loaded.themes:
        if hard := weaknesses(theme):
            say(f"longwatch: theme {theme.name}: {hard[0]} ({len(hard)} such pairs)", err=True)
    return 1 if loaded.failed else 0


@click.command()
def reset() -> int:
    """Mend a terminal that a killed screen left behind."""
    mend_terminal()
    return 0


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default="screenshots")
def screenshots(folder: Path) -> int:
    """Make the pictures of the README from a real run of the demo."""
    from tui.scenes import from_demo

    for path in asyncio.run(from_demo(folder)):
        say(str(path))
    return 0
