"""An account of an absence in words: its headline, and its lines with the keys that answer them. No widgets."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.folds.absence import Account
from core.folds.verdict import RESUME, Verdict, lasted

LABELS = {
    "decision": "decided",
    "file": "files",
    "check": "tests",
    "cost": "cost",
    "stall": "stalls",
    "screen": "screens",
    "compression": "context",
    "rewind": "rewinds",
    "guard": "guards",
}
"""What the kinds are called."""
FOR_YOU = "for you"
NOTHING = "Nothing happened that would have to be told."

_HEAD = re.compile(r"([^:.]+)[:.]\s*(.*)", re.S)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an account: event `seq` at `at_us`; `first` of its `kind` or not.

    A decision is answered by its `verb`, a control, or by a `command` of the command line.
    """

    seq: int
    at_us: int
    kind: str
    text: str
    first: bool
    verb: str = ""
    command: str = ""

    @property
    def decision(self) -> bool:
        """Whether it waits for the user."""
        return bool(self.verb)


def headline(verdict: Verdict) -> tuple[str, str]:
    """The verdict's first words, and the rest of it as a sentence (empty where there is none)."""
    found = _HEAD.fullmatch(verdict.text)
    if found is None:
        return verdict.text, ""
    rest = found[2]
    return found[1], rest[:1].upper() + rest[1:]


def title(account: Account, left_us: int, now_us: int) -> str:
    """Since when is told."""
    return f"Since you left, {lasted(now_us - left_us)} ago" if account.seen else "Since the start"


def entries(account: Account, session: str) -> list[Entry]:
    """The decisions first, then what happened. `session` is how a command names it."""
    found: list[Entry] = []
    for ask in account.asks:
        command = f"longwatch resume {session}".rstrip() if ask.verb == RESUME else ""
        found.append(Entry(ask.seq, 0, FOR_YOU, ask.text, not found, ask.verb, command))
    for line in account.lines:
        kind = LABELS[line.kind]
        found.append(Entry(line.seq, line.at_us, kind, line.text, not found or found[-1].kind != kind))
    return found


def told_plainly(account: Account, left_us: int, now_us: int, session: str) -> list[str]:
    """The whole account as lines for a plain terminal, each naming the event to look at."""
    began = f" (#{account.verdict.seq})" if account.verdict.seq else ""
    lines = [f"{title(account, left_us, now_us)}: {account.verdict.text}{began}"]
    for entry in entries(account, session):
        answer = f"; `{entry.command or entry.verb}` answers it" if entry.verb else ""
        lines.append(f"#{entry.seq} {entry.kind}: {entry.text}{answer}")
    return lines if len(lines) > 1 else [*lines, NOTHING]
