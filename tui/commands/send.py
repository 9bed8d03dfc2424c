"""`send`: every control of the screen from another shell, through the session's inbox."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from core.agent.commands import VERBS, Refused, parse_words
from core.clock import monotonic, pause_real
from core.config import load_config
from core.controls import SessionControls
from core.journal.lease import holder
from core.journal.reader import Reader
from tui.commands.chosen import readable
from tui.say import say

VERDICT_S = 10.0
LOOK_EVERY_S = 0.05

_HELP = "Send a control to a session.\n\n\b\n" + "\n".join(
    f"{verb.name} {' '.join(arg.upper() for arg in verb.args)}".ljust(38) + verb.help for verb in VERBS.values()
)


@click.command(help=_HELP, context_settings={"ignore_unknown_options": True})
@click.argument("session")
@click.argument("verb")
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def send(home: Path, session: str, verb: str, words: tuple[str, ...]) -> int:
    """Send a control to a session.

    Its verdict is waited for.
    """
    try:
        args = parse_words(verb, list(words))
    except Refused as refusal:
        raise click.UsageError(str(refusal)) from None
    folder = readable(home, session).folder
    if verb == "hand-over":
        from core.handover import hand_over

        say(asyncio.run(hand_over(folder, SessionControls(folder), load_config())))
        return 0
    return asyncio.run(_send(folder, verb, args))


async def _send(folder: Path, verb: str, args: dict[str, object]) -> int:
    command = await SessionControls(folder, actor="user").send(verb, args)
    with Reader(folder) as reader:
        until = monotonic() + VERDICT_S
        while monotonic() < until:
            if reader.keyed("command.accepted", command) is not None:
                say(f"accepted: {verb}")
                return 0
            if (refused := reader.keyed("command.refused", command)) is not None:
                say(f"longwatch: {getattr(refused.body, 'reason', 'refused')}", err=True)
                return 1
            await pause_real(LOOK_EVERY_S)
    runner = holder(folder)
    who = f"its runner (process {runner.pid}) does not answer" if runner else "no runner holds the session"
    say(f"longwatch: posted, but {who} yet; the command waits in the inbox", err=True)
    return 1
