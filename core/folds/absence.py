"""Since you left: how the session stands, what waits for you, and what happened between two events of its log.

Everything is computed from events, so it is free, works without a network and can't invent anything. Each line has the
seq of the event to look at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

from msgspec import Struct

from core.clock import MICROSECONDS, of_day
from core.events import (
    BudgetCrossed,
    CommandAccepted,
    CommandRefused,
    ContextCompressed,
    ContextPolicy,
    Event,
    FileChange,
    GuardRaised,
    GuidanceDelivered,
    HeadMoved,
    MachineSlept,
    RetryWaiting,
    RunnerRecovered,
    ScreenCame,
    ScreenLost,
    ToolFinished,
)
from core.folds.branches import Column, Span
from core.folds.cache import CacheLedger
from core.folds.checks import Checks
from core.folds.costs import Bill, Costs
from core.folds.fold import Handler, Series
from core.folds.memories import Memories
from core.folds.progress import Progress
from core.folds.rent import RentMeter
from core.folds.state import RunState
from core.folds.timeline import Timeline
from core.folds.tool_calls import ToolCalls
from core.folds.verdict import QUIET_US, Ask, Situation, Verdict, asks, lasted, verdict
from core.folds.words import one_line

KINDS = ("decision", "file", "check", "cost", "stall", "screen", "compression", "rewind", "guard")
"""The kinds of lines, in their order."""
MOST_LINES = 20
"""Lines of one kind; what is left out is counted."""
WARNING = 80
"""Per cent of the budget from which on it is a matter for the user."""
WORTH_A_WORD = Decimal("0.01")
"""Dollars that a cold cache costs more, from which on that is told."""
_TEXT = 200


class Line(NamedTuple):
    """One thing that happened. `kind` is one of `KINDS`, `seq` the event to jump to."""

    seq: int
    at_us: int
    kind: str
    text: str


class Account(Struct, frozen=True):
    """What one finds on coming back at event `seq`, who had seen everything up to event `seen`."""

    seen: int
    seq: int
    verdict: Verdict
    asks: list[Ask]
    lines: list[Line]


class _Retry(NamedTuple):
    seq: int
    at_us: int
    error: str
    delay_s: float


class Absence:
    """What an account needs and no other fold keeps; reading costs as much as there is to tell."""

    def __init__(
        self,
        state: RunState,
        timeline: Timeline,
        costs: Costs,
        memories: Memories,
        calls: ToolCalls,
        checks: Checks,
        progress: Progress,
        cache: CacheLedger,
        rent: RentMeter,
    ) -> None:
        self._cache, self._rent = cache, rent
        self._state, self._timeline, self._costs, self._memories = state, timeline, costs, memories
        self._calls, self._checks, self._progress = calls, checks, progress
        self._lines: Column[Line] = Column()
        self._files: Column[tuple[int, int, FileChange]] = Column()
        self._retries: Column[_Retry] = Column()
        self._since: Series[int] = Series(0)
        self._status = state.status.last
        self._refused: Series[tuple[tuple[int, str, str], ...]] = Series(())
        self._gave_up: Series[int] = Series(0)
        self._crossed: Series[tuple[int, int] | None] = Series(None)

    def handlers(self) -> dict[str, Handler]:
        return {
            **dict.fromkeys(_TURNING, self._turned),
            "tool.finished": self._finished,
            "retry.waiting": self._waiting,
            "command.accepted": self._accepted,
            "command.refused": self._turned_down,
            "budget.crossed": self._cross,
            "budget.changed": self._raised,
            **dict.fromkeys(("context.compressed", "context.policy", "runner.recovered", "guard.raised"), self._tell),
            **dict.fromkeys(("screen.lost", "screen.came"), self._tell),
            "guidance.delivered": self._tell,
            "head.moved": self._moved,
        }

    def observe(self, event: Event) -> None:
        """Note a long silence before this event; called for each, before the other folds see it."""
        seq = len(self._timeline.times)
        quiet_us = self._timeline.at_us(seq) - self._timeline.at_us(seq - 1)
        if event.kind == "machine.slept":
            self._slept(event)
        elif quiet_us >= QUIET_US and self._state.status.last.state == "running":
            self._line(event, "stall", self._why_quiet(event, lasted(quiet_us)))

    def _slept(self, event: Event) -> None:
        if isinstance(event.body, MachineSlept):
            long = lasted(event.body.us)
            self._line(event, "stall", f"The machine slept for {long} and woke at {of_day(event.at_us)}")

    def since(self, seen: int, at: int | None = None, *, now_us: int | None = None, running: bool = True) -> Account:
        """What happened after event `seen` until event `at` (None: the last one), and how things stand then.

        `now_us`: the time at which one comes back, by default that of the last event. `running`: whether anybody runs
        the session, which the log can't know.
        """
        seq = len(self._timeline.times) if at is None else at
        situation = self._situation(seen, seq, self._timeline.at_us(seq) if now_us is None else now_us, running)
        return Account(seen, seq, verdict(situation), asks(situation), self._told(seen, situation))

    def _situation(self, seen: int, at: int, now_us: int, running: bool) -> Situation:
        since, pings = self._since.at(at), self._costs.by_purpose.get("ping")
        call = self._calls.rows[count - 1] if (count := self._calls.count(at)) else None
        busy = call is not None and call.status(at) == "running"
        return Situation(
            seq=at,
            now_us=now_us,
            last_us=self._timeline.at_us(at),
            status=self._state.status.at(at),
            since=since,
            since_us=self._timeline.at_us(since),
            running=running,
            proof=self._checks.proof.at(at),
            vain=self._progress.vain.at(at),
            retries=self._progress.retries.at(at),
            busy=f"{call.name} {call.target}".rstrip() if call and busy else "",
            pings_usd=pings.at(at).usd - pings.at(since).usd if pings else Decimal(0),
            refused=tuple(refusal for refusal in self._refused.at(at) if refusal[0] > seen),
            gave_up=self._gave_up.at(at),
            crossed=self._crossed.at(at),
        )

    def _told(self, seen: int, situation: Situation) -> list[Line]:
        at = situation.seq
        span = [Span(seen + 1, at)]
        found: dict[str, list[Line]] = {kind: [] for kind in KINDS}
        for line in self._lines.within(span):
            found[line.kind].append(line)
        found["decision"] = [*self._decisions(seen, at)]
        found["file"] = _files(self._files.within(span))
        found["check"] = [
            Line(flip.seq, flip.at_us, "check", f"{flip.command}: {_FLIPPED[flip.passed]}")
            for flip in self._checks.flips.within(span)
        ]
        found["cost"] = [*self._cost(seen, at), *self._cold(seen, situation)]
        found["stall"] = sorted([*found["stall"], *_retries(self._retries.within(span))])
        return [line for kind in KINDS for line in _cut(found[kind])]

    def _decisions(self, seen: int, at: int) -> Iterator[Line]:
        for entry in self._memories.entries:
            if seen < entry.seq <= at and entry.category == "decision":
                status = self._memories.status(entry, at)
                text = one_line(entry.text, _TEXT) + (f" ({status})" if status else "")
                yield Line(entry.seq, entry.at_us, "decision", text)

    def _cost(self, seen: int, at: int) -> Iterator[Line]:
        last = self._costs.charges.last([Span(seen + 1, at)])
        if last is None:
            return
        spent = _between(self._costs.total, seen, at)
        parts = ((name, _between(series, seen, at)) for name, series in self._costs.by_purpose.items())
        told = [f"{one_line(name, 20)} {_money(part.usd)}" for name, part in parts if part.replies]
        split = f": {', '.join(told)}" if len(told) > 1 else ""
        text = f"{_money(spent.usd)} in {_count(spent.replies, 'reply')}{split}"
        if spent.unpriced:
            priced = spent.replies - spent.unpriced
            unknown = f"{_count(spent.unpriced, 'reply')} of unknown price"
            text = f"{_money(spent.usd)} in {_count(priced, 'reply')}, and {unknown}" if priced else unknown
        yield Line(last.seq, last.at_us, "cost", text)

    def _cold(self, seen: int, situation: Situation) -> Iterator[Line]:
        """Prefixes that the cache had lost, as far as that is money; and that it has lost what the next call needs."""
        at = situation.seq
        lost = [miss for miss in self._cache.misses(at) if miss.seq > seen and not miss.planned]
        if (usd := sum((miss.usd or Decimal(0) for miss in lost), Decimal(0))) >= WORTH_A_WORD:
            last, cause = lost[-1], one_line(lost[-1].cause, 40)
            times = f"{len(lost):,} times" if len(lost) > 1 else f"once ({cause})"
            text = f"The cache was cold {times}: {_money(usd)} more than with a warm one"
            yield Line(last.seq, last.at_us, "cost", text)
        forecast, lifetime = self._rent.next_call.at(at), self._cache.lifetime.at(at)
        dear = (forecast.premium or 0) >= WORTH_A_WORD and lifetime.left_s(situation.now_us) == 0
        if dear and forecast.cold and forecast.premium and not situation.ended:
            said = f"The cache is cold: the next call costs {_money(forecast.cold)}"
            yield Line(at, situation.last_us, "cost", f"{said}, {_money(forecast.premium)} more than with a warm one")

    def _line(self, event: Event, kind: str, text: str) -> None:
        self._lines.append(event.seq, Line(event.seq, event.at_us, kind, one_line(text, _TEXT)))

    def _why_quiet(self, event: Event, long: str) -> str:
        call = self._calls.get(event.key) if isinstance(event.body, ToolFinished) else None
        if call is not None:
            return f"{call.name} {call.target} took {long}"
        if event.kind in ("model.responded", "model.failed"):
            return f"The model took {long} to answer"
        return f"Nobody ran the session for {long}" if event.kind == "runner.attached" else f"Nothing for {long}"

    def _turned(self, event: Event) -> None:
        """The status may be another now."""
        if self._state.status.last != self._status:
            self._status = self._state.status.last
            self._since.append(event.seq, event.seq)

    def _finished(self, event: Event) -> None:
        if isinstance(event.body, ToolFinished):
            for change in event.body.files:
                self._files.append(event.seq, (event.seq, event.at_us, change))

    def _waiting(self, event: Event) -> None:
        self._turned(event)
        if isinstance(event.body, RetryWaiting):
            self._retries.append(event.seq, _Retry(event.seq, event.at_us, event.body.error, event.body.delay_s))

    def _accepted(self, event: Event) -> None:
        if isinstance(event.body, CommandAccepted):
            self._settle(event, event.body.verb)

    def _turned_down(self, event: Event) -> None:
        if isinstance(event.body, CommandRefused):
            self._settle(event, event.body.verb, (event.seq, event.body.verb, event.body.reason))

    def _settle(self, event: Event, verb: str, *refusal: tuple[int, str, str]) -> None:
        """Only the last word on each verb counts."""
        others = [other for other in self._refused.last if other[1] != verb]
        if refusal or len(others) < len(self._refused.last):
            self._refused.append(event.seq, (*refusal, *others))

    def _cross(self, event: Event) -> None:
        if isinstance(event.body, BudgetCrossed) and event.body.percent >= WARNING:
            self._crossed.append(event.seq, (event.seq, event.body.percent))

    def _raised(self, event: Event) -> None:
        self._crossed.append(event.seq, None)

    def _moved(self, event: Event) -> None:
        self._turned(event)
        self._tell(event)

    def _tell(self, event: Event) -> None:
        """What is told in the words of its own event."""
        match event.body:
            case ContextCompressed() as body:
                freed = f"{body.tokens_before:,} → {body.tokens_after:,} tokens"
                self._line(event, "compression", f"Context compressed ({body.reason}): {freed}")
            case ContextPolicy() as body:
                self._gave_up.append(event.seq, event.seq if body.tokens else 0)
                if body.tokens or event.actor != "user":
                    self._line(event, "guard", body.reason or f"The context policy is {body.policy}")
            case GuardRaised(rung="notice" | "pause") as body:
                self._line(event, "guard", f"{body.guard}: {body.text}")
            case GuidanceDelivered(source="guard", text=text):
                self._line(event, "guard", text)
            case HeadMoved() as body:
                files = f"{_count(len(body.files), 'file')} restored" if body.files else ""
                stayed = _STAYED.get(body.reason, "") if body.to == body.origin else ""
                where = stayed or f"{_WENT.get(body.reason, 'Went back')} to #{body.to}"
                self._line(event, "rewind", ", ".join(filter(None, (where, files))))
            case ScreenLost() as body:
                self._line(event, "screen", f"{of_day(event.at_us)}: the screen of {body.who} was lost")
            case ScreenCame() as body:
                self._line(event, "screen", f"{of_day(event.at_us)}: {body.who} looks again")
            case RunnerRecovered(findings=findings) if findings:
                self._line(event, "stall", f"Recovered: {'; '.join(findings)}")


_WENT = {"undo": "Undo", "rewind": "Rewound", "switch": "Switched branches,"}
_STAYED = {"undo": "Undo", "rewind": "Rewound", "revert": "Reverted"}
"""The same where only files went back."""

_TURNING = (
    *("session.paused", "session.continued", "session.finished"),
    *("model.requested", "model.responded"),
)
"""Beside retries and rewinds, the kinds of events that may change the status."""

_FLIPPED = {True: "passes now, it had failed", False: "fails now, it had passed"}


def _files(changes: Iterable[tuple[int, int, FileChange]]) -> list[Line]:
    """One line a file, at its last change, the most changed first."""
    by_path: dict[str, list[tuple[int, int, FileChange]]] = {}
    for change in changes:
        by_path.setdefault(change[2].path, []).append(change)
    ordered = sorted(by_path.values(), key=lambda found: (-len(found), found[0][2].path))
    return [Line(found[-1][0], found[-1][1], "file", _file_text([change[2] for change in found])) for found in ordered]


def _file_text(changes: list[FileChange]) -> str:
    added, removed = sum(change.added for change in changes), sum(change.removed for change in changes)
    fate = ", deleted" if changes[-1].after is None else ", new" if changes[0].before is None else ""
    return f"{one_line(changes[0].path, _TEXT)}: {_count(len(changes), 'change')}, +{added:,} −{removed:,}{fate}"


def _retries(waits: Iterable[_Retry]) -> list[Line]:
    """One line for the waits that follow each other with the same error, at the first of them."""
    groups: list[list[_Retry]] = []
    for wait in waits:
        last = groups[-1][-1] if groups else None
        near = last is not None and wait.at_us - last.at_us < last.delay_s * MICROSECONDS + QUIET_US
        if last is not None and near and wait.error == last.error:
            groups[-1].append(wait)
        else:
            groups.append([wait])
    return [Line(group[0].seq, group[0].at_us, "stall", _retry_text(group)) for group in groups]


def _retry_text(group: list[_Retry]) -> str:
    waited_us = int(sum(wait.delay_s for wait in group) * MICROSECONDS)
    error = one_line(group[0].error.replace("_", " "), 40)
    return f"{_count(len(group), 'retry')} ({error}), {lasted(waited_us)} of waiting"


def _cut(lines: list[Line]) -> list[Line]:
    if len(lines) <= MOST_LINES:
        return lines
    shown, rest = lines[: MOST_LINES - 1], lines[MOST_LINES - 1 :]
    return [*shown, rest[0]._replace(text=f"and {len(rest):,} more")]


def _between(series: Series[Bill], seen: int, at: int) -> Bill:
    """What was added to a bill, as far as it is told: dollars, replies and unpriced ones."""
    before, after = series.at(seen), series.at(at)
    return Bill(after.usd - before.usd, after.replies - before.replies, after.unpriced - before.unpriced)


def _money(usd: Decimal) -> str:
    return f"${usd:,.2f}" if usd >= 1 or not usd else f"${usd:.4f}"


def _count(count: int, noun: str) -> str:
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"
