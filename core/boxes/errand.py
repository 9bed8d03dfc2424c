"""An order to a session on a box: one line there, one line back. Nothing of the session's log travels.

here -> box   Order          a line of JSON; no word of it is ever read by a shell
box  -> here  MARK Outcome   a line, after whatever the shell there says on its own
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, BinaryIO, Final

import msgspec
from msgspec import Meta

from core.boxes.ssh import SSH_FAILED, WOULD_ASK, Box, from_where, problem
from core.boxes.wire import LONGEST_ASK, Short
from core.controls import SessionControls
from core.folds.words import one_line
from core.journal.catalogue import find_session
from core.journal.errors import JournalError
from core.journal.viewers import Viewer
from core.ordering import UNREADABLE, Verdict, give, meaning
from core.tools.jobs import MARK as MARK_OF_JOB

MARK: Final = b"LONGWATCH-ORDER "
ANSWER_S: Final = 60.0
"""Seconds for all of it; where ssh asks its user, they have `ASKING_S`."""
ASKING_S: Final = 300.0


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """`who` gives it, and where; `person`: somebody at a terminal, not a script. That is believed only of what came by
    ssh, and of no command of an agent."""

    session: Short
    verb: Short
    words: Annotated[list[str], Meta(max_length=10_000)] = []
    who: Short
    person: bool = False


class Outcome(msgspec.Struct, frozen=True):
    """As `core.ordering.Verdict`."""

    code: Annotated[int, Meta(ge=0, le=255)]
    text: Annotated[str, Meta(max_length=4_000)]


async def carry_out(home: Path, stdin: BinaryIO, stdout: BinaryIO, environ: Mapping[str, str]) -> None:
    """The side of the box: read one order, do it, say what came of it."""
    try:
        order = msgspec.json.decode(stdin.readline(LONGEST_ASK), type=Order)
        verdict = await _given(home, order, environ)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        verdict = Verdict(UNREADABLE, "This is spoken to by `longwatch send BOX:SESSION`, not by hand.")
    except JournalError as refusal:
        verdict = Verdict(UNREADABLE, str(refusal))
    stdout.write(MARK + msgspec.json.encode(Outcome(verdict.code, one_line(verdict.text, 4_000))) + b"\n")
    stdout.flush()


async def _given(home: Path, order: Order, environ: Mapping[str, str]) -> Verdict:
    args, summary = meaning(order.verb, order.words), find_session(home, order.session or None)
    if summary.state == "damaged":
        raise JournalError(summary.detail)
    viewer = Viewer("", from_where(order.who, environ), os.getpid(), 0)
    person = order.person and "SSH_CONNECTION" in environ and MARK_OF_JOB not in environ
    controls = SessionControls(summary.folder, viewer=viewer, person=person)
    return await give(summary.folder, controls, order.verb, args)


def send(box: Box, order: Order, *, asks: bool) -> Verdict:
    """Have a box carry out an order; `asks`: ssh may ask for what it needs. Blocks. Raises JournalError."""
    data = msgspec.json.encode(order) + b"\n"
    if len(data) > LONGEST_ASK:
        raise JournalError("That is too long to be sent.")
    code, out, errors = _run(box, data, asks=False)
    if asks and code == SSH_FAILED and WOULD_ASK.search(errors):
        code, out, errors = _run(box, data, asks=True)
    at = out.rfind(MARK)
    if at < 0:
        why = problem(box, code, errors) if code else "it gave no answer; look whether the order has arrived."
        raise JournalError(f"{box.name}: {why}")
    try:
        outcome = msgspec.json.decode(out[at + len(MARK) :].partition(b"\n")[0], type=Outcome)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise JournalError(f"{box.name}: what it answered is not understood; look whether the order arrived.") from None
    return Verdict(outcome.code, outcome.text)


def _run(box: Box, data: bytes, *, asks: bool) -> tuple[int, bytes, bytes]:
    """One run of ssh: its end, and what it and the box said."""
    patience_s = ASKING_S if asks else ANSWER_S
    try:
        done = subprocess.run(
            box.line("box", "--order", batch=not asks),
            input=data,
            capture_output=True,
            timeout=patience_s,
            check=False,
            start_new_session=not asks,
        )
    except subprocess.TimeoutExpired:
        raise JournalError(
            f"{box.name}: it did not answer within {patience_s:g} s; look whether the order has arrived."
        ) from None
    except OSError as error:
        raise JournalError(f"ssh can't be run here ({error.strerror}).") from error
    return done.returncode, done.stdout[-LONGEST_ASK:], done.stderr[-8_192:]
