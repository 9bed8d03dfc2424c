"""What a page or a document tells of a session, read once from its journal: entries, chapters, curves, changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from core.agent.hindsight import hindsight
from core.clock import SystemClock
from core.events import Event, ModelResponded, PlanChanged, SessionForked, ToolFinished, ToolStarted
from core.folds.conversation import Conversation, Item
from core.folds.costs import Costs
from core.folds.fold import Dispatcher
from core.folds.highlights import Highlights, Moment
from core.folds.report import report
from core.folds.view import SessionView
from core.journal.lease import holder
from core.journal.margin import Margin, Note
from core.journal.reader import Reader
from core.overview import read_totals

CHUNK: Final = 2_000
SHOWN: Final = 6_000
"""Characters of an output that a page holds; the rest is counted."""


@dataclass(slots=True)
class Film:
    """`outputs` by the seq of their result; `calls` counts calls begun by a seq; curves are (seq, value) points."""

    fields: dict[str, Any]
    items: list[Item] = field(default_factory=list)
    outputs: dict[int, str] = field(default_factory=dict)
    moments: list[Moment] = field(default_factory=list)
    chapters: list[Moment] = field(default_factory=list)
    notes: list[Moment] = field(default_factory=list)
    """What people wrote in the margin, where it goes along."""
    cost: list[tuple[int, float]] = field(default_factory=list)
    context: list[tuple[int, int]] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    plans: list[tuple[int, PlanChanged]] = field(default_factory=list)
    files: dict[str, list[int]] = field(default_factory=dict)
    """Path -> lines added, lines removed, how often it was changed."""
    times: list[tuple[int, int]] = field(default_factory=list)
    """(seq, time) of every item, never running backwards."""
    checks: list[tuple[int, int, str, bool]] = field(default_factory=list)
    """(seq, time, command, whether it worked) of every command that looks like tests."""
    last_seq: int = 0
    forked: int = 0
    """The event up to which its log is a copy of another's; what came before it is not in its figures."""


def read_film(folder: Path, margin: Margin | None = None) -> Film:
    """Read a session, with the notes in its margin where one is given. Blocks; raises JournalError."""
    film = Film(report_fields(folder))
    film.notes = [_noted(note) for _, note in margin.standing()] if margin is not None else []
    conversation, costs, highlights = Conversation(), Costs(), Highlights()
    dispatch, running = Dispatcher([conversation, costs, highlights]), dict[str, ToolStarted]()
    with Reader(folder) as reader:
        after = 0
        while batch := reader.events(after, CHUNK):
            for event in batch:
                dispatch.apply(event)
                _note(film, event, running)
            after = batch[-1].seq
    film.last_seq = after
    film.items = list(conversation.column.items)
    film.moments, film.chapters = highlights.moments(), highlights.chapters
    film.cost = [(charge.seq, float(costs.total.at(charge.seq).usd)) for charge in costs.charges.items]
    last = 0
    for item in film.items:
        last = max(last, item.at_us)
        film.times.append((item.seq, last))
    return film


def _noted(note: Note) -> Moment:
    return Moment(note.seq, note.at_us, f"note by {note.by}" if note.by else "note", note.text, 0.0)


def report_fields(folder: Path) -> dict[str, Any]:
    """The report of a session with everything that needs the whole log. Blocks; raises JournalError."""
    told, running = hindsight(folder), holder(folder) is not None
    return report(
        read_totals(folder),
        running=running,
        verdict=_verdict(folder, running),
        counterfactuals=told.counterfactuals or None,
        guards=told.guards,
        quality=told.quality,
    )


def _verdict(folder: Path, running: bool) -> str:
    """How it stands, in a sentence or two."""
    view, after = SessionView(), 0
    with Reader(folder) as reader:
        while batch := reader.events(after, CHUNK):
            view.apply_all(batch)
            after = batch[-1].seq
    return view.absence.since(0, now_us=SystemClock().now_us(), running=running).verdict.text


def _note(film: Film, event: Event, running: dict[str, ToolStarted]) -> None:
    match event.body:
        case ToolStarted() as body if event.key:
            film.calls.append(event.seq)
            running[event.key] = body
        case ToolFinished() as body:
            film.outputs[event.seq] = body.content[:SHOWN]
            _changed(film.files, body)
            started = running.pop(event.key or "", None)
            command = started.arguments.get("command") if started else None
            if isinstance(command, str) and is_test(command):
                film.checks.append((event.seq, event.at_us, command, body.ok))
        case ModelResponded() as body if body.usage.sent:
            film.context.append((event.seq, body.usage.sent))
        case SessionForked():
            film.forked = event.seq
        case PlanChanged() as body:
            film.plans.append((event.seq, body))


def _changed(files: dict[str, list[int]], body: ToolFinished) -> None:
    for change in body.files:
        counts = files.setdefault(change.path, [0, 0, 0])
        counts[0] += change.added
        counts[1] += change.removed
        counts[2] += 1


_TESTERS: Final = (
    "pytest",
    "unittest",
    "tox",
    "nox",
    "go test",
    "cargo test",
    "npm test",
    "npm run test",
    "make test",
    "ctest",
)


def is_test(command: str) -> bool:
    """Whether a command runs tests, by its words."""
    return any(word in command[:400] for word in _TESTERS)


def redacted(film: Film, redact: Any) -> Film:
    """The same with `redact` (of JSON values) applied to every text."""
    return Film(
        fields=redact(film.fields),
        items=[replace(item, text=redact(item.text), name=redact(item.name)) for item in film.items],
        outputs={seq: redact(text) for seq, text in film.outputs.items()},
        moments=[replace(one, text=redact(one.text)) for one in film.moments],
        chapters=[replace(one, text=redact(one.text)) for one in film.chapters],
        notes=[replace(one, kind=redact(one.kind), text=redact(one.text)) for one in film.notes],
        cost=film.cost,
        context=film.context,
        calls=film.calls,
        plans=[(seq, _plan(plan, redact)) for seq, plan in film.plans],
        files={redact(path): counts for path, counts in film.files.items()},
        times=film.times,
        checks=[(seq, at_us, redact(command), ok) for seq, at_us, command, ok in film.checks],
        last_seq=film.last_seq,
    )


def _plan(plan: PlanChanged, redact: Any) -> PlanChanged:
    steps = [
        replace(step, intent=redact(step.intent), check=redact(step.check), note=redact(step.note))
        for step in plan.steps
    ]
    return replace(plan, steps=steps, reason=redact(plan.reason))


def by_size(files: Mapping[str, list[int]]) -> list[tuple[str, list[int]]]:
    """The files that changed most first."""
    return sorted(files.items(), key=lambda row: (-(row[1][0] + row[1][1]), row[0]))
