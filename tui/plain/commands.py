"""What may be typed in the plain mode: every control of the registry, and questions; in words, with help."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from core.agent.commands import VERBS, Refused, parse_words
from tui.safe import one_line

SHORT = {">>": "guide --standing", ">": "guide"}
"""Signs in front of a line that stand for a control; the longer ones first."""
LIKE = 0.5
"""How alike a word must be to a command to be taken for a slip (difflib's ratio)."""


@dataclass(frozen=True, slots=True)
class Question:
    """A command that changes nothing of the session. `usage` is what follows its name."""

    help: str
    usage: str = ""


QUESTIONS: dict[str, Question] = {
    "status": Question("state and why, time, calls, context, cost"),
    "why": Question("what is wrong, why, and what helps"),
    "left": Question("since you left: how it stands, what waits for you, what happened"),
    "context": Question("what fills the window, and the dearest items"),
    "cost": Question("spent, next call, to go, by model and purpose, cache misses"),
    "memory": Question("what the agent remembers"),
    "plan": Question("the steps and how far they are; with words, edits them", "[drop ID | start ID | add TEXT …]"),
    "calls": Question("the last tool calls, or those that failed", "[errors]"),
    "checkpoints": Question("where rewind can lead"),
    "branches": Question("what was gone back from, and where switch can lead"),
    "find": Question("words in anything that was said, thought, done, put out, remembered, planned", "WORDS"),
    "show": Question("all of an event: a message, a call with its output", "#SEQ"),
    "help": Question("the commands, or one of them", "[COMMAND]"),
    "quit": Question("leave; the agent goes on"),
}
FILM: dict[str, Question] = {
    "play": Question("let the recorded time run"),
    "hold": Question("stop it"),
    "step": Question("so many events on", "[N]"),
    "go": Question("to an event", "#SEQ"),
    "next": Question("to the next error, edit, compression, checkpoint, rewind, guard, human, bookmark, end", "[KIND]"),
    "previous": Question("to the one before", "[KIND]"),
    "speed": Question("how many times as fast as it was", "X"),
}
"""What a recording knows beside the questions, in place of the controls."""

USAGE = {
    "guide": "[--standing] [--now] TEXT",
    "compress": "[INSTRUCTION]",
    "evict": "SEQ [--now]",
    "rewind": "SEQ [--files-only | --conversation-only] [--overwrite]",
    "undo": "[SEQ]",
    "switch": "BRANCH [--conversation-only] [--overwrite]",
    "name-branch": "BRANCH NAME",
    "revert": "FILE [HUNK] [--overwrite]",
    "budget": "USD | 6h | 90m | N turns | day USD | step USD | [time | turns | day | step] none",
    "guard-ok": "[ID]",
    "guard-right": "[ID]",
    "answer": "[ID] TEXT",
    "check-in": "30m | 2h | $5 [pause] | never",
    "pause-at": "02:00 | $12 | +$5 | step | unless 02:00 | unless +$5 | never",
}
"""What follows a control's name, where that is not just the names of its arguments."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A line as it was understood. `args` is None for what is no control; `rest`: the words behind the name."""

    name: str
    rest: str
    args: dict[str, Any] | None = None


class Unclear(Exception):
    """Why a line can't be obeyed, as a sentence."""


def understood(line: str, extra: Mapping[str, Question], *, steering: bool) -> Typed | None:
    """What a line means, None for an empty one. Raises Unclear.

    `extra`: questions beside the usual ones; `steering`: whether there is a session to control.
    """
    line = line.strip()
    for sign, meaning in SHORT.items():
        if line.startswith(sign):
            line = f"{meaning} {line.removeprefix(sign).lstrip()}"
            break
    if not line:
        return None
    name, _, rest = line.partition(" ")
    name, rest = name.lower(), rest.strip()
    edits = name in VERBS and bool(rest) and steering
    if name in extra or (name in QUESTIONS and not edits):
        return Typed(name, rest)
    if name not in VERBS:
        raise Unclear(_unknown(name, [*VERBS, *QUESTIONS] if steering else [*QUESTIONS, *extra]))
    if not steering:
        raise Unclear(f"This is a recording: there is nothing to {name}. `help` lists what it knows.")
    words = rest.split(" ") if "text" in VERBS[name].args else rest.split()
    try:
        return Typed(name, rest, parse_words(name, words if rest else []))
    except Refused as refusal:
        raise Unclear(str(refusal)) from None


def _unknown(name: str, known: list[str]) -> str:
    near = [word for word in known if word.startswith(name)] or get_close_matches(name, known, n=3, cutoff=LIKE)
    advice = (
        f"Did you mean {' or '.join(near)}?" if near else "`help` lists the commands; `> TEXT` speaks to the agent."
    )
    return f"There is no command {one_line(name)[:40]!r}. {advice}"


def help_lines(extra: Mapping[str, Question], *, steering: bool, about: str = "") -> Iterator[str]:
    """The commands with what they do, one a line; with `about` only that one. Raises Unclear for an unknown one."""
    usual = {name: " ".join(arg.upper() for arg in verb.args) for name, verb in VERBS.items()}
    controls = {name: Question(verb.help, USAGE.get(name, usual[name])) for name, verb in VERBS.items()}
    known = {**(controls if steering else {}), **extra, **QUESTIONS}
    if about and about not in known:
        raise Unclear(_unknown(about, list(known)))
    for name, question in known.items():
        if about in ("", name):
            yield f"{name} {question.usage}".rstrip() + f": {question.help}"
    if steering and about in ("", "guide"):
        yield "> TEXT: the same as guide TEXT; >> TEXT: guidance that is repeated for ever"
