"""The one way from the command line to a terminal or a pipe: words in which nothing is left that could control one."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from typing import Any

import click

from core.hidden import HIDDEN
from tui.safe import CONTROL, one_line, safe_text


def say(text: str, *, err: bool = False) -> None:
    """Print lines, on stdout or stderr; hidden and controlling characters are shown in place of doing what they do.

    Nothing depends on a stderr that takes none. Raises OSError where stdout is gone.
    """
    lines = "\n".join(CONTROL.sub(" ", line.expandtabs(4)) for line in safe_text(text).split("\n"))
    with suppress(OSError) if err else nullcontext():
        click.echo(lines, err=err)


def ask(question: str, **how: Any) -> str:
    """Ask for a line at the terminal, as `click.prompt` does."""
    return str(click.prompt(one_line(question), **how))


def confirm(question: str, **how: Any) -> bool:
    """Ask yes or no at the terminal, as `click.confirm` does."""
    return click.confirm(one_line(question), **how)


def say_over(text: str) -> None:
    """Write over the line on stderr on which one stands, and stay on it."""
    click.echo("\r" + CONTROL.sub(" ", safe_text(text)), nl=False, err=True)


def say_json(text: str) -> None:
    """Print JSON: the same values, with what nobody sees or what could control a terminal written as escapes."""
    click.echo(HIDDEN.sub(lambda found: _escaped(found[0]), text))


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
