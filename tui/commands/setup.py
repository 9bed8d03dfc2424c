"""`config`, `themes`, `reset`, `screenshots`: what surrounds sessions."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from core.config import config_path, default_config_text, load_config
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
        click.echo(f"wrote {path}")
        return 0
    load_config()
    click.echo(f"{path} ({'no problem found' if path.exists() else 'not there; the defaults hold'})")
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
        screen.print(Text(f"{theme.name:16}") + sample(theme) + Text(f"  {loaded.labels[theme.name]}"))
    for problem in loaded.failed:
        click.echo(f"longwatch: {problem}", err=True)
    for theme in loaded.themes:
        if hard := weaknesses(theme):
            click.echo(f"longwatch: theme {theme.name}: {hard[0]} ({len(hard)} such pairs)", err=True)
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
        click.echo(str(path))
    return 0
