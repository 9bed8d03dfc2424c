"""An order to a session from a shell: what its words mean, where it goes, and the verdict that is waited for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from core.agent.commands import Refused, parse_words
from core.clock import monotonic, pause_real
from core.config import load_config
from core.controls import SessionControls
from core.folds.standing import DEFERRED
from core.journal.errors import JournalError
from core.journal.lease import holder
from core.journal.reader import Reader

VERDICT_S: Final = 10.0
EFFECT_S: Final = 1.5
"""How long the effect of what was taken is waited for; while a command runs it may come much later."""
LOOK_EVERY_S: Final = 0.05
CERTAIN: Final = frozenset({"pause", "continue", "stop"})
"""Orders whose effect comes for sure, so that nobody has to wait for it."""
TAKEN, REFUSED, UNREADABLE = 0, 1, 2


class Verdict(NamedTuple):
    """What came of an order, in a sentence: `TAKEN`, `REFUSED` (also when nobody has answered yet, or nothing could be
    done) or `UNREADABLE`."""

    code: int
    text: str


def meaning(verb: str, words: Sequence[str]) -> dict[str, Any]:
    """The arguments that an order's words stand for. Raises JournalError with a sentence."""
    try:
        return parse_words(verb, list(words))
    except Refused as refusal:
        raise JournalError(str(refusal)) from None


async def give(folder: Path, controls: SessionControls, verb: str, args: Mapping[str, Any]) -> Verdict:
    """Give an order and wait for what becomes of it. Raises JournalError when it can't be posted."""
    if verb == "hand-over":
        from core.handover import hand_over

        return Verdict(TAKEN, await hand_over(folder, controls, load_config()))
    command = await controls.send(verb, dict(args))
    with Reader(folder) as reader:
        until = monotonic() + VERDICT_S
        while monotonic() < until:
            if reader.keyed("command.accepted", command) is not None:
                return await _effect(reader, verb, command, folder)
            if (refused := reader.keyed("command.refused", command)) is not None:
                return Verdict(REFUSED, getattr(refused.body, "reason", "refused"))
            await controls.settle()
            await pause_real(LOOK_EVERY_S)
    runner = holder(folder)
    who = (
        f"its runner (process {runner.pid} on {runner.host}) does not answer"
        if runner
        else "no runner holds the session"
    )
    return Verdict(REFUSED, f"posted, but {who} yet; the command waits in the inbox")


async def _effect(reader: Reader, verb: str, command: str, folder: Path) -> Verdict:
    """What became of an order that was taken; where its effect is yet to come, that it was."""
    if verb not in DEFERRED:
        return Verdict(TAKEN, f"accepted: {verb}")
    until = monotonic() + (0 if verb in CERTAIN else EFFECT_S)
    while (done := reader.keyed("command.done", command)) is None and monotonic() < until:
        await pause_real(LOOK_EVERY_S)
    if done is None and holder(folder) is None:
        when = f"nobody runs the session, so it comes when `longwatch resume {folder.name[:10]}` goes on with it"
        return Verdict(TAKEN, f"accepted: {verb}; {when}")
    if verb in CERTAIN:
        return Verdict(TAKEN, f"accepted: {verb}")
    if done is None:
        return Verdict(TAKEN, f"accepted: {verb}; it comes at the next safe point")
    if getattr(done.body, "ok", True):
        return Verdict(TAKEN, f"done: {verb}")
    return Verdict(REFUSED, getattr(done.body, "detail", "") or f"nothing came of {verb}")
