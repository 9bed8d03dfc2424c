"""What the status line says: the facts of a session at a moment. Pure text, no widgets."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from textual.content import Content

from core.clock import MICROSECONDS
from core.folds.costs import Bill
from core.folds.standing import Status
from core.folds.tail import Tail
from core.folds.tallies import Tally
from core.folds.verdict import QUIET_US
from core.folds.view import SessionView
from tui.panes import figures
from tui.panes.cost import cache_left_s
from tui.safe import one_line
from tui.widgets.status_line import Field

FIELDS = (
    Field("state", 25, rank=1, grow=True, wants=37),
    Field("needs", 9, rank=2, optional=True),
    Field("sandbox", 10, rank=6, optional=True),
    Field("servers", 11, rank=8, full=28, optional=True),
    Field("stand_in", 8, rank=7, optional=True, wants=24),
    Field("seats", 9, rank=8, full=21, optional=True),
    Field("bytes", 12, rank=8, full=29, optional=True),
    Field("elapsed", 8, rank=9),
    Field("heard", 8, rank=5, full=18, optional=True),
    Field("calls", 11, rank=10, right=True),
    Field("rate", 7, rank=14, right=True),
    Field("context", 8, rank=4, full=16),
    Field("cache", 10, rank=11),
    Field("spent", 15, rank=3, full=19),
    Field("next", 12, rank=13),
    Field("repeats", 12, rank=15, full=21),
    Field("steered", 17, rank=16, full=31),
    Field("stall", 9, rank=17, full=17, optional=True),
    Field("persisted", 19, rank=12),
)
"""The higher the rank, the earlier a field goes when the line gets narrow. Ranks 1 to 5 always fit into 78 cells, and
rank 6 as long as it needs nobody."""

NEEDS_YOU = Content.styled("needs you", "bold reverse $warning")
NO_SANDBOX = Content.styled("no sandbox", "bold $warning")

STATES = {
    "running": ("●", "$state-running"),
    "waiting": ("◌", "$state-waiting"),
    "paused": ("‖", "$state-paused"),
    "finished": ("✓", "$state-finished"),
    "stopped": ("■", "$state-paused"),
    "failed": ("✗", "$state-failed"),
    "interrupted": ("✗", "$state-failed"),
    "damaged": ("✗", "$state-failed"),
}
REASONS = {
    "working": "",
    "none": "",
    "operator": "by you",
    "budget": "budget used up",
    "turn_limit": "turn limit",
    "auth": "the key was refused",
    "config": "a setting is wrong",
    "provider": "the provider fails",
    "retry": "will try again",
    "done": "task done",
    "refusal": "the model declined",
    "context": "the window is full",
    "disk": "the disk is full",
    "error": "an error",
    "approval": "asks you",
    "question": "asks you",
    "guard": "by a guard",
    "scheduled": "as you wanted",
    "imported": "imported",
    "forked": "forked, not begun",
}


MINUTE_US = 60 * MICROSECONDS


class Said(NamedTuple):
    """What a field says, and in fewer cells. A `pressing` one is said in full before what ranks behind it is said."""

    long: str | Content
    short: str | Content | None = None
    shortest: str | Content | None = None
    pressing: bool = False


NOT_READ = Content.styled("… reading the log", "$muted")
UNKNOWN_YET = Said("cost unknown yet", "cost …")


def facts(view: SessionView, at: int | None, now_us: int, real_us: int, token_us: int | None = None) -> dict[str, Said]:
    """Every field but the state, by name. The cache ages with `real_us`, also while the session's `now_us` stands.

    `token_us`: when the last piece of the reply in flight came, None while there is none.
    """
    bill, budget, tally = view.costs.total.at(at), view.costs.budget.at(at), view.tallies.at(at)
    calls, running_us = view.tool_calls.count(at), max(0, now_us - view.timeline.at_us(1))
    hours = running_us / MICROSECONDS / 3600
    return {
        "needs": Said(NEEDS_YOU if view.needs.unanswered(at) else ""),
        "sandbox": Said(NO_SANDBOX if view.state.sandbox.at(at).startswith("none") else ""),
        "servers": _servers(view, at),
        "stand_in": _stand_in(view.state.stand_in.at(at)),
        "elapsed": Said(figures.elapsed(running_us)),
        "heard": _heard(view, real_us, token_us) if at is None else Said(""),
        "calls": Said(figures.plural(calls, "call")),
        "rate": Said(f"{calls / hours:,.0f}/h" if hours > 1 / 60 else ""),
        "context": _context(view, at),
        "cache": Said(f"cache {figures.percent(bill.hit_rate)}"),
        "spent": _spent(bill, budget),
        "next": Said("" if (usd := _next(view, at, real_us)) is None else f"next {figures.usd(usd)}"),
        "repeats": _repeats(tally),
        "steered": _steered(tally),
        "stall": _stall(view.tallies.stall_us.at(at)),
        "persisted": Said(f"persisted to #{view.last_seq:,}"),
    }


def first_facts(tail: Tail, now_us: int, real_us: int, token_us: int | None) -> dict[str, Said]:
    """The same of a log of which only the end is read: what that can't tell is left out, or said to be unknown yet."""
    known, totals = facts(tail.view, None, now_us, real_us, token_us), tail.totals
    said = dict.fromkeys(known, Said(""))
    if not tail.last_seq:
        return said
    said |= {name: known[name] for name in ("elapsed", "heard", "context", "persisted")}
    if totals is None:
        return said | {"spent": UNKNOWN_YET}
    bill = Bill(Decimal(totals.usd), replies=totals.turns, unpriced=totals.unpriced)
    calls = Said(figures.plural(totals.tool_calls, "call"))
    return said | {"spent": _spent(bill, None), "calls": calls}


def _servers(view: SessionView, at: int | None) -> Said:
    """Which server of tools does not work; the session goes on without it."""
    down = view.servers.down(at)
    if not down:
        return Said("")
    long = f"server {one_line(down[0].server)[:15]} down" if len(down) == 1 else f"{len(down)} servers down"
    return Said(Content.styled(long, "$warning"), Content.styled("server down", "$warning"))


def _stand_in(model: str) -> Said:
    """The model that steps in while the session's own does not answer; of a long name its family goes first."""
    if not model:
        return Said("")
    name = one_line(model).rpartition("/")[2]
    forms = (f"on {name}", f"on {name.partition('-')[2] or name}", "stand-in")
    long, short, shortest = (Content.styled(form, "$warning") for form in forms)
    return Said(long, short, shortest, pressing=True)


def _heard(view: SessionView, real_us: int, token_us: int | None) -> Said:
    """The time since the last event, and since the last token while a reply comes: silence is neither work nor an end.

    Long silence of a session that runs is marked.
    """
    if not view.last_seq:
        return Said("")
    quiet_us = real_us - view.timeline.at_us(view.last_seq)
    event = _age(quiet_us)
    token = "" if token_us is None else _age(real_us - token_us)
    long = f"event {event}, token {token}" if token else f"last event {event} ago"
    short = f"{event} ago"
    late = quiet_us >= QUIET_US and view.state.status.last.state == "running" and not token
    style = "bold $warning" if late else ""
    return Said(Content.styled(long, style), Content.styled(short, style))


def _age(us: int) -> str:
    return figures.ago(us).replace("now", "0s")


def _spent(bill: Bill, budget: Decimal | None) -> Said:
    limit = figures.limit(budget) if budget else ""
    long = figures.spent(bill) + (f" / {limit}" if limit else "")
    known = figures.cents(bill.usd) if bill.usd >= 1 else figures.usd(bill.usd)
    unknown = "?" if bill.unpriced == bill.replies else f"≥{known}"
    short = unknown if bill.unpriced else known
    return Said(long, short + (f"/{limit}" if limit else ""))


def _repeats(tally: Tally) -> Said:
    if tally.repetition is None:
        return Said("")
    short = f"repeats {figures.percent(tally.repetition)}"
    return Said(f"{short}, {tally.vain:,} in vain" if tally.vain else short, short)


def line_words(total: int, per_minute: int, *, thrifty: bool) -> Said:
    """What goes to the terminal: `line 1.2 MB, 3.4 KB/min`, and whether less is sent than could be."""
    pace = f"{figures.size(per_minute)}/min"
    return Said(f"{'thrifty' if thrifty else 'line'} {figures.size(total)}, {pace}", pace)


def _steered(tally: Tally) -> Said:
    """Who changed the course how often: the user and the guards."""
    long = f"{figures.plural(tally.interventions, 'intervention')}, {figures.plural(tally.corrections, 'correction')}"
    return Said(long, f"you {tally.interventions:,}, guard {tally.corrections:,}")


def _stall(stall_us: int) -> Said:
    """The longest silence while it ran, from a minute on."""
    if stall_us < MINUTE_US:
        return Said("")
    lasted = figures.ago(stall_us)
    return Said(f"longest stall {lasted}", f"stall {lasted}")


def _next(view: SessionView, at: int | None, real_us: int) -> Decimal | None:
    return view.rent.next_call.at(at).usd(expired=cache_left_s(view, at, real_us) == 0)


def _context(view: SessionView, at: int | None) -> Said:
    usage = view.context.usage.at(at)
    if not usage.window:
        return Said(f"ctx {figures.tokens(usage.total)}")
    short = f"ctx {figures.percent(usage.total / usage.window)}"
    return Said(f"{short} of {figures.window(usage.window)}", short)


def state_words(status: Status, now_us: int) -> Content:
    """`● running`, `‖ paused · by you`, `◌ waiting · tries again in 12 s`, and the detail where there is one."""
    glyph, style = STATES.get(status.state, ("?", "$muted"))
    if status.reason in ("approval", "question"):
        glyph, style = "?", "$warning"
    why = REASONS.get(status.reason, status.reason)
    if status.state == "waiting" and status.until_us is not None:
        left_s = max(0, status.until_us - now_us) // MICROSECONDS
        why = f"{left_s} s" if left_s else "trying again"
    parts = [(f"{glyph} {status.state}", f"bold {style}"), (f" · {why}" if why else "", style)]
    return Content.assemble(*parts, (f" · {one_line(status.detail)}" if status.detail else "", "$muted"))
