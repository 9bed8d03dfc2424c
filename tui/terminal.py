"""What a command asks of the terminal before it draws a screen."""

from __future__ import annotations

import sys

import click


def need_terminal(instead: str) -> None:
    """Refuse when the screen could not be shown or steered; `instead` says what to do then."""
    if not sys.stdout.isatty() or not sys.stdin.isatty():
        raise click.UsageError(f"This is no terminal; {instead}.")
