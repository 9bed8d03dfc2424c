"""What must outlive a compression, and whether it does: looked up in the text that would be sent, without a model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.events import GuidanceDelivered, PlanStep
from core.request.held import pinned_words
from core.request.ledger import Ledger
from core.request.quoting import tame

LONG = 400
"""Characters from which on a fact is looked up sentence by sentence."""
ERROR_CHARS = 80
"""Of a failing command, that are looked for."""
PARAGRAPH_CHARS = 4_000
"""The most that a model's paragraph may have: 300 words are asked for."""

_SENTENCE = re.compile(r"(?<=[.!?:;])\s+|\n+")
_REFUSAL = re.compile(
    r"\W*(?:i['’]?m (?:very |so )?(?:sorry|afraid|unable)|i am (?:sorry|afraid|unable|not able)|sorry\b|apologies|"
    r"i (?:can(?:no|['’])t|can not|won['’]t|will not|must decline)|unfortunately,? i|as an ai\b|"
    r"entschuldigung|je suis désolé|lo siento)",
    re.IGNORECASE,
)
_PATH = re.compile(r"(?<![\w.\-/])(?:~?/|\.{1,2}/)?(?:[\w.\-]++/)+[\w.\-]*+")
_EXTENSIONS = (
    "py pyi js jsx ts tsx go rs c h cc cpp hpp java kt rb php cs swift sh sql md rst txt toml yaml yml json jsonl ini "
    "cfg lock html css xml csv log"
)
_FILE = re.compile(rf"(?<![\w.\-/])[\w.\-]*\w\.(?:{'|'.join(_EXTENSIONS.split())})\b(?![\w/])")
_PROSE = re.compile(r"[A-Za-z0-9]+(?:/[A-Za-z0-9]+)?")


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that must outlive a compression: a constraint, an open step, the last request. `text` is looked for."""

    name: str
    text: str


def facts(ledger: Ledger) -> list[Fact]:
    """The task, the user's guidance, constraints, open steps and errors, pinned items; the last request by its name."""
    found = [Fact("the task", ledger.task)] if ledger.task.strip() else []
    said = {body.text: (seq, body) for seq, body in ledger.guidance() if body.source == "user" or body.standing}
    last = max((seq for seq, body in said.values() if body.source == "user"), default=0)
    found += [Fact(_guidance_name(seq, body, last), body.text) for seq, body in said.values()]
    found += [Fact(f"{entry.category} {entry.id}", entry.text) for entry in ledger.held_memories()]
    found += [Fact(f"step {step.id}", step.intent) for step in ledger.open_steps()]
    found += [Fact(f"open error {deed.handle}", deed.command[:ERROR_CHARS].strip()) for deed in ledger.open_errors()]
    return [fact for fact in [*found, *_pinned(ledger)] if fact.text.strip()]


def surviving(facts: Sequence[Fact], text: str) -> tuple[list[Fact], list[Fact]]:
    """(those that `text` holds, those that it lost). White space counts as one blank; a long fact counts as held when
    each of its sentences is."""
    flat = _flat(text)
    survived = [fact for fact in facts if _holds(flat, fact.text)]
    kept = set(survived)
    return survived, [fact for fact in facts if fact not in kept]


def check_paragraph(text: str, ledger: Ledger) -> str | None:
    """Why a model's paragraph for the digest is to be dropped, as a plain phrase; None when it is good."""
    if not text.strip():
        return "it is empty"
    if _REFUSAL.match(text.strip()):
        return "it refuses instead of summing up"
    if len(text) > PARAGRAPH_CHARS:
        return f"it has {len(text):,} characters, more than {PARAGRAPH_CHARS:,}"
    if invented := _invented(text, ledger):
        return f"it names {invented!r}, which never occurred"
    missing = [step.id for step in ledger.open_steps() if not _names_step(text, step)]
    return f"it drops the open step {missing[0]!r} of the plan" if missing else None


def _guidance_name(seq: int, body: GuidanceDelivered, last: int) -> str:
    if seq == last:
        return "the last request"
    what = "standing guidance" if body.standing else "correction"
    return f"{what} #{seq}"


def _pinned(ledger: Ledger) -> list[Fact]:
    found = []
    for seq in sorted(ledger.pinned()):
        item = ledger.item(seq)
        if isinstance(item, GuidanceDelivered):
            found.append(Fact(f"pinned #{seq}", item.text))
        elif item is not None:
            found.append(Fact(f"pinned #{seq}", pinned_words(item, seq)))
    return found


def _flat(text: str) -> str:
    return " ".join(tame(text).split())


def _holds(flat: str, wanted: str) -> bool:
    whole = _flat(wanted)
    if whole in flat:
        return True
    if len(wanted) < LONG:
        return False
    return all(_flat(sentence) in flat for sentence in set(_SENTENCE.split(wanted)))


def _names_step(text: str, step: PlanStep) -> bool:
    by_id = re.search(rf"(?<![\w.]){re.escape(step.id)}(?!\w|\.\d)", text)
    return by_id is not None or _flat(step.intent).casefold() in _flat(text).casefold()


def _invented(text: str, ledger: Ledger) -> str | None:
    """The first path in a text that nobody on this branch ever wrote; None when there is none."""
    root = f"{ledger.opened.workspace}/" if ledger.opened else ""
    wanted = list(dict.fromkeys(path.removeprefix(root) for path in _paths(text)))
    missing = set(wanted)
    for seen in ledger.texts() if wanted else ():
        missing = {path for path in missing if path not in seen}
    return next((path for path in wanted if path in missing), None)


def _paths(text: str) -> Iterable[str]:
    """What looks like a path or a file; `and/or` is prose."""
    for match in (*_PATH.finditer(text), *_FILE.finditer(text)):
        path = match[0].rstrip(".").removeprefix("./").rstrip("/")
        if path and not _PROSE.fullmatch(path):
            yield path
