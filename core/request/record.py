"""The ledger that the model sees: a capped line each on what was decided, tried and finished. Never rewritten."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from core.folds.memories import Entry as MemoryEntry
from core.folds.words import one_line
from core.request.ledger import Ledger, entries_in
from core.request.pieces import BYTES_PER_TOKEN
from core.request.quoting import size, tame_line

MOST_TOKENS = 400
"""What one compression appends at most."""
LINE_CHARS = 240
OFTEN = 3
"""Failures of one command after which it counts as an approach that failed."""
_WORDS = {"decision": "decided", "failure": "failed"}


class _Line(NamedTuple):
    """`rank`: the lower, the sooner it has to go when there are too many lines."""

    seq: int
    rank: int
    text: str


def ledger_block(ledger: Ledger, since: int, keep_from: int | None) -> str:
    """What a compression appends for good about the events in [since, keep_from), or ''; at most 400 tokens.

    Decisions with their reasons, approaches that failed, corrections by guards, steps of the plan that were closed.
    """
    found = [line for line in _lines(ledger, since, keep_from) if _within(line.seq, since, keep_from)]
    room, chosen = MOST_TOKENS * BYTES_PER_TOKEN - 120, list[_Line]()
    for line in sorted(found, key=lambda line: (-line.rank, -line.seq)):
        if (cost := size(line.text)) <= room:
            room -= cost
            chosen.append(line)
    lines = [line.text for line in sorted(chosen)]
    if len(lines) < len(found):
        lines.append(f"- … and {len(found) - len(lines)} more, which recall finds")
    return "<ledger>\n" + "\n".join(lines) + "\n</ledger>" if lines else ""


def recorded(ledger: Ledger, keep_from: int | None) -> set[str]:
    """The memory entries in the ledger's blocks so far, and in the one that a compression to `keep_from` appends."""
    made = ledger.compressions()
    since = max((one.seq if one.keep_from is None else one.keep_from for one in made), default=0)
    return set(entries_in(ledger_block(ledger, since, keep_from))).union(*(one.entries for one in made))


def _within(seq: int, since: int, keep_from: int | None) -> bool:
    return since <= seq and (keep_from is None or seq < keep_from)


def _lines(ledger: Ledger, since: int, keep_from: int | None) -> Iterator[_Line]:
    for entry in ledger.memories():
        if what := _WORDS.get(entry.category):
            yield _Line(entry.seq, 4, _line(_instead(what, entry), _words(entry), entry.id))
    failures: dict[str, int] = {}
    for deed in ledger.deeds.runs():
        if not deed.ok and _within(deed.seq, since, keep_from):
            failures[deed.command] = failures.get(deed.command, 0) + 1
            if failures[deed.command] == OFTEN:
                words = f"{one_line(deed.command, 120)} → {deed.outcome}"
                yield _Line(deed.seq, 3, _line(f"failed {OFTEN} times", words, deed.handle))
    for seq, body in ledger.guidance():
        if body.source == "guard":
            yield _Line(seq, 2, _line("corrected by a guard", body.text, f"#{seq}"))
    for seq, step in ledger.closed_steps():
        note = f" — {step.note}" if step.note else ""
        yield _Line(seq, 1, _line(f"step {step.id} {step.status}", f"{step.intent}{note}", f"#{seq}"))


def _instead(what: str, entry: MemoryEntry) -> str:
    return f"{what} (no longer {entry.replaces})" if entry.replaces else what


def _words(entry: MemoryEntry) -> str:
    return f"{entry.topic}: {entry.text}" if entry.topic else entry.text


def _line(what: str, words: str, handle: str) -> str:
    return f"- {tame_line(what, 60)}: {tame_line(words, LINE_CHARS)} ({handle})"
