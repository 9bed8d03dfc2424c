"""After an answer that is to hold for good: its rules go into the configuration, by the process that answered."""

from __future__ import annotations

import asyncio
from pathlib import Path

from core.approvals.keeping import CannotKeep, keep
from core.clock import monotonic, pause_real
from core.events import ApprovalAnswered, ApprovalAsked
from core.journal.errors import JournalError
from core.journal.reader import Reader

VERDICT_S = 10.0
LOOK_EVERY_S = 0.05
STEP = 4
"""Events that may follow from one command, the answer among them."""


async def keep_answered(folder: Path, command_id: str, config: Path) -> None:
    """Wait until the answer is in the log, then write its rules into `config`. Raises JournalError with a sentence.

    A refused answer keeps nothing.
    """
    with Reader(folder) as reader:
        until = monotonic() + VERDICT_S
        while monotonic() < until:
            if await asyncio.to_thread(reader.keyed, "command.refused", command_id) is not None:
                return
            accepted = await asyncio.to_thread(reader.keyed, "command.accepted", command_id)
            if accepted is not None:
                rules = _rules(reader, accepted.seq)
                break
            await pause_real(LOOK_EVERY_S)
        else:
            raise JournalError("The answer was not taken yet, so no rule was kept; approve it again when it is.")
    try:
        await asyncio.to_thread(keep, config, rules)
    except CannotKeep as problem:
        raise JournalError(f"It is approved, but not kept: {problem}") from None


def _rules(reader: Reader, accepted: int) -> list[str]:
    """The rules of the answer, which is journalled in one step with the command that brought it."""
    step = reader.events(accepted, STEP)
    answered = next((event for event in step if isinstance(event.body, ApprovalAnswered)), None)
    asked = reader.keyed("approval.asked", answered.key or "") if answered is not None else None
    return asked.body.rules if asked is not None and isinstance(asked.body, ApprovalAsked) else []
