"""`send`: every control of the screen from another shell, through the session's inbox."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from core.agent.commands import VERBS, Refused, parse_words
from core.controls import SessionControls
from core.ordering import TAKEN, Verdict, give
from tui.commands.chosen import named_elsewhere, readable
from tui.say import say

_HELP = "Send a control to a session, also as BOX:SESSION to one on another machine, by ssh.\n\n\b\n" + "\n".join(
    f"{verb.name} {' '.join(arg.upper() for arg in verb.args)}".ljust(38) + verb.help for verb in VERBS.values()
)


@click.command(help=_HELP, context_settings={"ignore_unknown_options": True})
@click.argument("session")
@click.argument("verb")
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def send(home: Path, session: str, verb: str, words: tuple[str, ...]) -> int:
    """Send a control to a session, also as BOX:SESSION to one on another machine.

    Its verdict is waited for.
    """
    if (far := named_elsewhere(home, session)) is not None:
        from tui.commands.boxes import order_box

        verdict = order_box(*far, verb, words)
    else:
        verdict = _order(home, session, verb, words)
    say(verdict.text if verdict.code == TAKEN else f"longwatch: {verdict.text}", err=verdict.code != TAKEN)
    return verdict.code


def _order(home: Path, session: str, verb: str, words: Sequence[str]) -> Verdict:
    try:
        args = parse_words(verb, list(words))
    except Refused as refusal:
        raise click.UsageError(str(refusal)) from None
    folder = readable(home, session).folder
    try:
        return asyncio.run(_given(folder, verb, args))
    except asyncio.CancelledError:
        raise click.Abort from None


async def _given(folder: Path, verb: str, args: Mapping[str, Any]) -> Verdict:
    """Give it. A lost line, or whoever ends this process, is heard as Ctrl+C is: a hand-over is taken back, or made."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_DFL:
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await give(folder, SessionControls(folder), verb, args)
