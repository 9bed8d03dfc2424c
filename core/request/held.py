"""The words that a compression never touches: the user's, standing constraints, and what somebody pinned."""

from __future__ import annotations

import json

from core.events import GuidanceDelivered, HeldText, ModelResponded
from core.folds.memories import Entry as MemoryEntry
from core.request.deeds import Answer
from core.request.entries import guidance_text
from core.request.ledger import Ledger
from core.request.quoting import shortened, tame, tame_line

LARGEST_PIN = 8_000
"""Tokens of a pinned result or reply that stay; of a longer one head and tail."""

_Item = GuidanceDelivered | MemoryEntry | ModelResponded | Answer


def held_texts(ledger: Ledger, already: set[int], before: int | None) -> list[HeldText]:
    """The words that stay verbatim for ever and are not `already` in the head, in the order of their events.

    These are the user's guidance and standing notices older than event `before` (None: all), memory entries that are
    constraints, preferences or pinned, and pinned items older than `before`.
    """
    wanted = _wanted(ledger)
    missing = {seq: item for seq, item in sorted(wanted.items()) if seq not in already}
    return [
        HeldText(seq=seq, text=_held(item, seq))
        for seq, item in missing.items()
        if before is None or seq < before or isinstance(item, MemoryEntry)
    ]


def released(ledger: Ledger, already: set[int]) -> list[int]:
    """Those of the held seqs that are not to be held any longer: unpinned, forgotten, replaced."""
    return sorted(already - _wanted(ledger).keys())


def memory_line(entry: MemoryEntry) -> str:
    """`[m3] decision · topic: text`; of a user's own entry the text is as it was written."""
    topic = f"{tame_line(entry.topic, 120)}: " if entry.topic else ""
    text = entry.text if entry.actor == "user" else tame(entry.text)
    return f"[{entry.id}] {tame_line(entry.category, 40)} · {topic}{text}"


def pinned_words(item: ModelResponded | Answer, seq: int) -> str:
    """The words of a pinned result or reply as they stay."""
    if isinstance(item, Answer):
        return shortened(tame(item.content), LARGEST_PIN, item.deed.handle)
    return shortened(tame(_reply_text(item)), LARGEST_PIN, f"#{seq}")


def _wanted(ledger: Ledger) -> dict[int, _Item]:
    """What is to be held as of now, by event. Of guidance that was given again word for word, the first."""
    said: dict[str, tuple[int, GuidanceDelivered]] = {}
    for seq, body in ledger.guidance():
        if body.source == "user" or body.standing:
            said.setdefault(guidance_text(body), (seq, body))
    wanted: dict[int, _Item] = dict(said.values())
    wanted |= {entry.seq: entry for entry in ledger.held_memories()}
    for seq in ledger.pinned() - wanted.keys():
        if (item := ledger.item(seq)) is not None:
            wanted[seq] = item
    return wanted


def _held(item: _Item, seq: int) -> str:
    match item:
        case GuidanceDelivered():
            return guidance_text(item)
        case MemoryEntry():
            return f"<memory>\n{memory_line(item)}\n</memory>"
        case Answer(deed):
            about, handle = f"result of {tame_line(deed.line, 120)}".replace('"', "'"), deed.handle
        case ModelResponded():
            about, handle = "a reply of yours", f"#{seq}"
    return f'<pinned what="{about}" handle="{handle}">\n{pinned_words(item, seq)}\n</pinned>'


def _reply_text(body: ModelResponded) -> str:
    """What the model said in a reply, and its calls."""
    said = [str(block["text"]) for block in body.content if block.get("type") == "text"]
    calls = [block for block in body.content if block.get("type") == "tool_use"]
    told = (f"[{use.get('name')} {json.dumps(use.get('input'), ensure_ascii=False)}]" for use in calls)
    return "\n\n".join([*said, *told])
