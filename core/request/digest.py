"""The digest: what stands for compressed turns besides the held texts and the ledger. Built anew each time.

It is assembled from the log alone and never longer than it may be. What somebody decided or asked for comes first: the
plan, a paragraph, the words of an instruction. Of the room behind it the index of names, which is what makes the rest
reachable by recall, is sure of `INDEX_SHARE` if it has so many names; the other sections have fixed parts of what it
doesn't need, and what they leave goes to the index again.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Sequence

from core.events import PlanStep
from core.request.deeds import Answer, Change, Deed
from core.request.held import held_texts, memory_line, released
from core.request.ledger import Ledger
from core.request.names import name_lines, names_in
from core.request.pieces import BYTES_PER_TOKEN
from core.request.quoting import size, tame, tame_line
from core.request.record import ledger_block, recorded

__all__ = ["digest_text", "held_texts", "ledger_block", "released", "stub_text"]

INDEX_SHARE = 0.85
"""The part of the room behind plan, paragraph and instruction that is kept for the index of names."""
SHARES = {"to do": 0.25, "memory": 0.35, "errors": 0.15, "files": 0.1, "calls": 0.15}
"""The parts that the other sections have, each for certain, of what the index leaves them."""
LATEST = 8
"""Calls that are listed as the latest ones."""
MEMORY_CHARS = 600
EXCERPT_LINES = 12
MATCHES = 8
MATCHING_NAMES = 40
"""Calls that are quoted, and names that are listed, because the instruction asks for them."""
_COMMON = (
    "about all also and any anything are but can compress context drop everything for forget from has have keep leave "
    "not only please remember rest stay still that the them this what with work you"
)
_HOW = (
    "Earlier turns were compressed into what stands above and below; nothing of them is lost. recall(handle) returns "
    "the original of an out:… or #… or m… named here, recall(exact name) where it occurred."
)
_NAMES_TITLE = "## Names, by the place where each was last (more: recall the name)"


class _Room:
    """The bytes that are left, and the sections that were put in. `share`: the part of the whole a section may take."""

    def __init__(self, tokens: int) -> None:
        self.whole = self.left = tokens * BYTES_PER_TOKEN
        self.reserved = 0
        self.sections: list[str] = []

    def reserve(self, wanted: int) -> None:
        """Lay bytes aside; what stays is the whole for the sections that follow."""
        self.reserved = wanted
        self.whole = self.left = self.left - wanted

    def release(self) -> None:
        """What was laid aside may be used."""
        self.left, self.reserved = self.left + self.reserved, 0

    def put(self, text: str) -> None:
        if (cost := size(text) + 2) <= self.left:
            self.left -= cost
            self.sections.append(text)

    def put_lines(self, title: str, lines: Sequence[str], share: float, end: str = "") -> None:
        """As many of the last lines as fit, under a title and before `end`; nothing when there are none.

        The last one is what matters most; a line may be several that belong together.
        """
        room = min(self.left, int(self.whole * share)) - size(title) - size(end) - 60
        kept: list[str] = []
        for line in reversed(lines):
            room -= size(line)
            if room < 0:
                break
            kept.append(line)
        if not kept:
            return
        left_out = [f"- {len(lines) - len(kept)} older ones are left out"] if len(kept) < len(lines) else []
        self.put("\n".join([title, *left_out, *reversed(kept), *([end] if end else [])]))


def digest_text(
    ledger: Ledger, keep_from: int | None, *, tokens: int = 7_300, paragraph: str = "", instruction: str = ""
) -> str:
    """What is worth knowing of the events before `keep_from` (None: all), in at most `tokens` estimated tokens.

    `paragraph` is a model's, checked beforehand; `instruction` says in words what is to be kept above all.
    """
    room = _Room(tokens - 10)
    room.put(_HOW)
    room.put(f"turns so far: {ledger.turns(keep_from)}")
    _put_plan(room, ledger)
    room.put_lines("<paragraph>", tame(paragraph).strip().splitlines(), 0.2, "</paragraph>")
    _put_asked(room, ledger, keep_from, instruction)
    room.reserve(min(int(INDEX_SHARE * room.left), size(_NAMES_TITLE) + int(ledger.names().tokens * BYTES_PER_TOKEN)))
    _put_memory(room, ledger, keep_from)
    room.put_lines(
        "## Open errors", [_deed(d) for d in ledger.open_errors() if _before(d.seq, keep_from)], SHARES["errors"]
    )
    room.put_lines("## Files changed (lines of the last change)", _files(ledger, keep_from), SHARES["files"])
    latest = ledger.deeds.latest(keep_from, LATEST)
    room.put_lines("## Latest calls (oldest first)", [_deed(deed) for deed in latest], SHARES["calls"])
    room.release()
    _put_names(room, ledger, keep_from)
    return "<digest>\n" + "\n\n".join(room.sections) + "\n</digest>"


def stub_text(ledger: Ledger, seq: int) -> str:
    """What stands for the result of event `seq`: its call, its outcome and its handle on one line."""
    answer = ledger.deeds.answer(seq)
    if answer is None:
        return f'[left out to save room; recall("#{seq}") returns it]'
    deed = answer.deed
    mark = "" if deed.ok else "FAILED "
    return f'[{mark}{tame_line(deed.line, 160)} → {tame(deed.outcome)}; recall("{deed.handle}") returns the whole]'


def _before(seq: int, keep_from: int | None) -> bool:
    return keep_from is None or seq < keep_from


def _put_plan(room: _Room, ledger: Ledger) -> None:
    """The open steps, with their checks if there is room. Of the closed ones the ids: the ledger says the rest."""
    plan, open_steps = ledger.plan(), ledger.open_steps()
    steps = list(plan.steps) if plan else []
    ids = {status: [step.id for step in steps if step.status == status] for status in ("done", "dropped")}
    closed = [f"[{status}] {tame_line(', '.join(found), 400)}" for status, found in ids.items() if found]
    lines = [*closed, *map(_step, open_steps)]
    if sum(map(size, lines)) > room.whole / 4:
        lines = [f"[{step.status}] {tame_line(step.id, 40)}: {tame_line(step.intent, 300)}" for step in open_steps]
    room.put_lines('<plan decided="true">', lines, 0.6, "</plan>\nThe plan is decided: go on with it.")


def _step(step: PlanStep) -> str:
    check = f" (check: {tame_line(step.check, 160)})" if step.check else ""
    note = f" — {tame_line(step.note, 100)}" if step.note else ""
    return f"[{step.status}] {tame_line(step.id, 40)}: {tame_line(step.intent, 300)}{check}{note}"


def _put_memory(room: _Room, ledger: Ledger, keep_from: int | None) -> None:
    """Entries that stand nowhere else; and which of the ledger's no longer hold."""
    known, written = ledger.memories(), recorded(ledger, keep_from)
    held = {entry.id for entry in ledger.held_memories()}
    gone = sorted(written - {entry.id for entry in known}, key=lambda entry: int(entry[1:]))
    if gone:
        room.put(tame_line(f"Of the ledger, these no longer hold: {', '.join(gone)}", 400))
    rest = [entry for entry in known if entry.id not in held | written]
    open_ends = [entry for entry in rest if entry.category == "todo"]
    others = [entry for entry in rest if entry.category != "todo"]
    room.put_lines("## To do", [tame_line(memory_line(entry), MEMORY_CHARS) for entry in open_ends], SHARES["to do"])
    lines = [tame_line(memory_line(entry), MEMORY_CHARS) for entry in others]
    room.put_lines("<memory>", lines, SHARES["memory"], "</memory>")


def _files(ledger: Ledger, keep_from: int | None) -> list[str]:
    changed = ledger.deeds.changed(keep_from)
    return [f"- {tame_line(change.path, 200)} {_state(change)} (#{change.seq})" for change in changed]


def _state(change: Change) -> str:
    return "deleted" if change.deleted else f"+{change.added} -{change.removed}"


def _deed(deed: Deed) -> str:
    mark = "" if deed.ok else "FAILED "
    return f"- {mark}{tame_line(deed.line, 120)} → {tame_line(deed.outcome, 100)} ({deed.handle})"


def _put_asked(room: _Room, ledger: Ledger, keep_from: int | None, instruction: str) -> None:
    """What the instruction asks to keep: calls, names and memory that hold its words, with excerpts of the outputs."""
    words = [word for word in re.findall(r"[\w./\-]{3,}", instruction.casefold()) if word not in _COMMON.split()]
    if not words:
        return
    hits = ((_hits(_about(answer), words), answer.deed.seq, answer) for answer in ledger.deeds.answers())
    found = (hit for hit in hits if hit[0] and _before(hit[1], keep_from))
    matching = [answer for *_, answer in reversed(heapq.nlargest(MATCHES, found))]
    names = sorted(name for name in ledger.names() if _hits(name, words))[:MATCHING_NAMES]
    entries = [memory_line(entry) for entry in ledger.memories() if _hits(memory_line(entry), words)]
    lines = ["\n".join((_deed(answer.deed), *_excerpt(answer, words))) for answer in matching]
    lines += [f"- {', '.join(names)}"] if names else []
    lines += [tame_line(entry, MEMORY_CHARS) for entry in entries]
    room.put_lines(f"## Kept as asked: {tame_line(instruction, 200)}", lines, 1 / 3)


def _about(answer: Answer) -> str:
    return f"{answer.deed.line} {' '.join(change.path for change in answer.files)} {answer.content}"


def _hits(text: str, words: Sequence[str]) -> int:
    folded = text.casefold()
    return sum(word in folded for word in words)


def _excerpt(answer: Answer, words: Sequence[str]) -> list[str]:
    """The lines of an output that hold one of the words."""
    lines = [line for line in answer.content.splitlines() if _hits(line, words)]
    return [f"  | {tame_line(line, 200)}" for line in lines[:EXCERPT_LINES]]


def _put_names(room: _Room, ledger: Ledger, keep_from: int | None) -> None:
    """The names most likely to be needed that stand nowhere else in the head."""
    held = (text.text for text in held_texts(ledger, set(), keep_from))
    known = names_in("\n".join([ledger.task, *held, *room.sections]), most=10_000)
    budget = (room.left - size(_NAMES_TITLE) - 20) / BYTES_PER_TOKEN
    listed = ledger.names().best(budget, keep_from, known)
    if listed:
        room.put("\n".join([_NAMES_TITLE, *name_lines(listed)]))
