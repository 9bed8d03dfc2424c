"""The digest: what replaces compressed turns, assembled from the log alone, the users' words byte for byte."""

from __future__ import annotations

from collections.abc import Iterable

from core.events import PlanChanged
from core.folds.memories import Entry
from core.folds.words import one_line
from core.request.ledger import Deed, Ledger
from core.request.projection import task_text

FAILURES = 10
FILES = 60
LATEST = 40
NAMES = 150
MEMORIES = 200


def pinned_text(ledger: Ledger) -> str:
    """The task, standing guidance, what the user said, the plan and the memory: verbatim, never compressed."""
    opened = ledger.opened
    sections = [task_text(opened) if opened else ""]
    standing = [body.text for _, body in ledger.guidance() if body.standing]
    sections += [f'<guidance standing="true">\n{text}\n</guidance>' for text in dict.fromkeys(standing)]
    sections += [_memory(ledger.memories()), _plan(ledger.plan())]
    return "\n\n".join(section for section in sections if section)


def digest_text(ledger: Ledger, keep_from: int | None) -> str:
    """What happened before event `keep_from` (None: everything), in sections that are left out when empty."""
    end = keep_from if keep_from is not None else 2**62
    deeds = [deed for deed in ledger.deeds() if deed.seq < end]
    said = [body.text for seq, body in ledger.guidance() if seq < end and body.source == "user" and not body.standing]
    turns = sum(seq < end for seq in ledger.turns())
    sections = [
        "Earlier turns were compressed. Everything in them can be had back with recall(handle or exact name).",
        f"turns so far: {turns}",
        _section("What the user said meanwhile (oldest first)", [f"- {text}" for text in said]),
        _section("Files changed (latest state)", _files(deeds)),
        _section("Approaches that failed", _failures(deeds)),
        _section("Latest calls (oldest first)", [_deed(deed) for deed in deeds[-LATEST:]]),
        _section("Names and where they were last used", _names(ledger)),
        "The plan above is decided: go on with its next open step; do not plan again what is decided.",
    ]
    return "<digest>\n" + "\n\n".join(section for section in sections if section) + "\n</digest>"


def _section(title: str, lines: Iterable[str]) -> str:
    body = "\n".join(lines)
    return f"## {title}\n{body}" if body else ""


def _memory(entries: list[Entry]) -> str:
    lines = [f"[{e.id}] {e.category} · {e.topic + ': ' if e.topic else ''}{e.text}" for e in entries[-MEMORIES:]]
    return "<memory>\n" + "\n".join(lines) + "\n</memory>" if lines else ""


def _plan(plan: PlanChanged | None) -> str:
    if plan is None:
        return ""
    lines = [f"[{step.status}] {step.id}: {step.intent}" + _after(step.check, step.note) for step in plan.steps]
    return '<plan decided="true">\n' + "\n".join(lines) + "\n</plan>"


def _after(check: str, note: str) -> str:
    return (f" (check: {check})" if check else "") + (f" — {note}" if note else "")


def _files(deeds: list[Deed]) -> list[str]:
    latest: dict[str, str] = {}
    for deed in deeds:
        for change in deed.files:
            latest.pop(change.path, None)
            state = "deleted" if change.after is None else f"+{change.added} -{change.removed} in the last change"
            latest[change.path] = f"- {change.path}: {state} (out:{deed.key})"
    return list(latest.values())[-FILES:]


def _failures(deeds: list[Deed]) -> list[str]:
    distinct: dict[str, Deed] = {}
    for deed in deeds:
        if not deed.ok:
            distinct.pop(deed.line, None)
            distinct[deed.line] = deed
    return [_deed(deed) for deed in list(distinct.values())[-FAILURES:]]


def _deed(deed: Deed) -> str:
    mark = "" if deed.ok else "FAILED "
    return f"- {mark}{one_line(deed.line, 120)} → {deed.outcome} (out:{deed.key})"


def _names(ledger: Ledger) -> list[str]:
    return [f"- {name} ({handle})" for name, handle in ledger.names(NAMES)]
