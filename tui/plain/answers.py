"""Answers to questions typed in the plain mode: pure lines from the folds, as of an event, one fact a line."""

from __future__ import annotations

from collections.abc import Callable

from core.agent.commands import VERBS
from core.clock import MICROSECONDS
from core.folds.alarms.alarm import Alarm, Look
from core.folds.alarms.finding import alarms
from core.folds.cache import NOT_JUDGED
from core.folds.context_usage import PARTS
from core.folds.standing import Status
from core.folds.step_costs import StepCost
from core.folds.tool_calls import Call
from core.folds.view import SessionView
from core.folds.words import one_line
from tui.branching import lines_of, told
from tui.panes import figures
from tui.safe import exactly

SHOWN = 15
"""Rows of a list; the newest or the dearest."""
DIFF_LINES = 40
LABEL = 120
"""Characters of a row that others wrote."""
PART_NAMES = {"pinned": "task and pinned", "digest": "ledger and digest", "results": "tool results"}

Answer = Callable[[SessionView, int | None, int], list[str]]
"""Lines for a view as of an event (None: now) at a journal time in microseconds."""


def status_line(view: SessionView, at: int | None, now_us: int) -> str:
    """State and why, then the figures, in one sentence."""
    usage, bill, budget = view.context.usage.at(at), view.costs.total.at(at), view.costs.budget.at(at)
    window = f"{figures.percent(usage.total / usage.window)} of {figures.window(usage.window)}" if usage.window else ""
    elapsed_us = max(0, now_us - view.timeline.at_us(1))
    facts = [
        state_words(view.state.status.at(at), now_us),
        f"{figures.elapsed(elapsed_us)} since the start",
        figures.plural(view.tool_calls.count(at), "call"),
        f"context {window or figures.tokens(usage.total)}",
        f"spent {figures.spent(bill)}" + (f" of {figures.limit(budget)}" if budget else ""),
        f"event #{view.last_seq if at is None else at}",
    ]
    return "; ".join(facts)


def state_words(status: Status, now_us: int) -> str:
    """`paused, budget: 5.01 of 5 is spent`, `waiting, retry: busy; again in 12 s`."""
    why = "" if status.reason == "working" else f", {status.reason.replace('_', ' ')}"
    detail = f": {one_line(status.detail, 300)}" if status.detail else ""
    left_s = 0 if status.until_us is None else max(0, status.until_us - now_us) // MICROSECONDS
    return f"{status.state}{why}{detail}" + (f"; again in {left_s:,} s" if left_s else "")


def status(view: SessionView, at: int | None, now_us: int) -> list[str]:
    """The status line, and what still waits."""
    state = view.state
    queued = [f"guidance {id} waits: {one_line(body.text, LABEL)}" for id, body in state.queued.items()]
    running = [f"runs since {_since(call, now_us)}: {_row(call, at)}" for call in _running(view, at)]
    orders = [f"{order.verb} is taken and not in force yet" for order in state.orders.values()]
    sandbox = state.sandbox.at(at)
    open_to_all = [f"commands are not confined ({one_line(sandbox, LABEL)})"] if sandbox.startswith("none") else []
    wrong = [f"wrong: {alarm.words[0]} (why tells more)" for alarm in alarms(view, at) if not alarm.stated][:1]
    return [
        status_line(view, at, now_us),
        *wrong,
        *open_to_all,
        *([] if at is not None else [*running, *orders, *queued]),
    ]


def context(view: SessionView, at: int | None, now_us: int) -> list[str]:
    """The parts of the window, then the items that cost most rent."""
    usage = view.context.usage.at(at)
    if not usage.total:
        return ["No request has been sent yet, so nothing fills the window."]
    counted = "counted by the provider" if usage.measured else "estimated"
    lines = [f"{usage.total:,} tokens, {counted}, of a window of {figures.tokens(usage.window)}"]
    named = [(PART_NAMES.get(part, part), usage.parts.get(part, 0)) for part in PARTS]
    lines += [f"{name}: {tokens:,} tokens" for name, tokens in named if tokens]
    lines.append(f"policy {view.rent.policy.at(at)}; {figures.plural(_compressions(view, at), 'compression')} so far")
    for item in view.context_items.dearest(SHOWN, at):
        marks = "".join(f", {word}" for word in ("pinned", "evicted", "masked") if getattr(item, word))
        facts = f"{item.tokens:,} tokens, {figures.plural(item.age, 'turn')} old, rent {figures.usd(item.usd)}{marks}"
        lines.append(f"#{item.seq} {item.kind}, {facts}: {one_line(item.label, LABEL)}")
    return lines


def cost(view: SessionView, at: int | None, now_us: int) -> list[str]:
    """Spent, next, to go, and where it went."""
    bill, budget, last = view.costs.total.at(at), view.costs.budget.at(at), view.costs.last.at(at)
    if not bill.replies:
        return ["No reply has been paid for yet." + (f" The budget is {figures.limit(budget)}." if budget else "")]
    lines = [f"spent {figures.spent(bill)}, {f'of {figures.limit(budget)}' if budget else 'no budget'}"]
    lines.append(
        f"last reply {figures.usd(last.cost)}, {last.usage.sent:,} tokens sent, {last.usage.output:,} received"
    )
    call, to_go = view.rent.next_call.at(at), view.rent.to_go(at)
    if call.warm is not None:
        lines.append(f"next call {figures.usd(call.warm)} from the cache, {figures.usd(call.cold)} without it")
    if to_go is not None:
        span = f"{figures.usd(to_go.low)} to {figures.usd(to_go.high)}"
        lines.append(f"to go {span} for {figures.plural(to_go.turns, 'turn')} ({to_go.basis})")
    lines.append(f"cache hits {figures.percent(bill.hit_rate)} of all tokens sent")
    for title, split in (("model", view.costs.by_model), ("purpose", view.costs.by_purpose)):
        bills = [(name, series.at(at)) for name, series in split.items()]
        lines += [
            f"by {title}, {name}: {figures.spent(one)} for {one.replies:,} replies"
            for name, one in bills
            if one.replies
        ]
    losses = view.cache.losses.at(at).items()
    if bill.cache_read and not losses and view.cache.lifetime.at(at).ttl_s is None:
        lines.append(f"cache misses {NOT_JUDGED}")
    return lines + [f"cache misses, {cause}: {loss.count:,}, {loss.tokens:,} tokens" for cause, loss in losses]


def memory(view: SessionView, at: int | None, now_us: int) -> list[str]:
    """The entries that are known, the newest last."""
    entries = view.memories.known(at)
    lines = [
        f"{entry.id} ({entry.category}{', pinned' if entry.pinned else ''}, #{entry.seq}): {entry.text}"
        for entry in entries
    ]
    hidden = [f"{entry.id} (left behind on an abandoned branch): {entry.text}" for entry in view.memories.hidden(at)]
    return [*lines, *hidden] or ["Nothing is remembered yet."]


def plan(view: SessionView, at: int | None, now_us: int) -> list[str]:
    """The steps in order, whether their checks passed, and what they took."""
    steps = view.step_costs.at(at)
    if not steps:
        return ["There is no plan yet."]
    return [f"{number}. {_step(cost, view, at)}" for number, cost in enumerate(steps, start=1)]


def _step(cost: StepCost, view: SessionView, at: int | None) -> str:
    step, tested = cost.step, view.checks.tested(cost.step.check, at)
    took = f"; {figures.spend(cost.spend).replace('  ', ', ')}" if cost.spend.turns else ""
    outcome = "" if tested is None else f", {'passed' if tested.passed else 'failed'} in #{tested.seq}"
    stale = "" if tested is None or tested.current else ", files changed since"
    check = f" (check: {step.check}{outcome}{stale})" if step.check else ""
    return f"{step.status}: {step.intent}{check}{took}"


def calls(view: SessionView, at: int | None, now_us: int) -> list[str]:
    """The last calls, the newest last."""
    rows = view.tool_calls.rows[: view.tool_calls.count(at)][-SHOWN:]
    return [_row(call, at) for call in rows] or ["No tool has been called yet."]


def errors(view: SessionView, at: int | None, now_us: int) -> list[str]:
    """The last calls that failed."""
    rows = [call for call in view.tool_calls.rows[: view.tool_calls.count(at)] if call.status(at) == "failed"]
    return [_row(call, at) for call in rows[-SHOWN:]] or ["No call has failed."]


def checkpoints(view: SessionView, at: int | None, now_us: int) -> list[str]:
    """Where a rewind can lead, the newest last."""
    found = view.checkpoints.on_branch(at)[-SHOWN:]
    return [
        f"rewind {one.boundary} leads to {one.id}, turn {one.turn}, "
        f"{figures.ago(now_us - one.at_us)} ago: {one_line(one.label or 'no label', LABEL)}"
        for one in found
    ] or ["No checkpoint yet: nothing on this branch has changed a file."]


def branches(view: SessionView, at: int | None, now_us: int) -> list[str]:
    """The branches, and how to go on with one."""
    return list(lines_of(told(view, at)))


def why(view: SessionView, at: int | None, now_us: int) -> list[str]:
    """Each thing that is wrong, its cause, and the commands that help."""
    found = alarms(view, at, Look(now_us) if at is None else None)
    return [_alarm(alarm) for alarm in found] or ["Nothing is wrong, as far as the log tells."]


def _alarm(alarm: Alarm) -> str:
    where = f" (#{alarm.seq})" if alarm.seq else ""
    helps = ", ".join(verb for verb in alarm.helps if verb in VERBS)
    return f"{alarm.words[0]}{where}. {alarm.cause}" + (f" What helps: {helps}." if helps else "")


def asked(view: SessionView) -> list[str]:
    """Of each call that waits for an answer: where it leads, what it would change, and what "always" would allow."""
    lines = []
    for question in view.approvals.waiting():
        key, body = question.key, question.asked
        diff = body.diff.splitlines()
        lines += [f"{key} {exactly(fact)}" for fact in body.facts]
        lines += [f"{key} | {exactly(line)}" for line in diff[:DIFF_LINES]]
        lines += [f"{key} | … {len(diff) - DIFF_LINES:,} lines more: show #{question.seq}"] * (len(diff) > DIFF_LINES)
        lines += [f"approve {key} --always allows from now on: {exactly(rule)}" for rule in body.rules]
    return lines


ANSWERS: dict[str, Answer] = {
    "status": status,
    "why": why,
    "context": context,
    "cost": cost,
    "memory": memory,
    "plan": plan,
    "calls": calls,
    "checkpoints": checkpoints,
    "branches": branches,
}


def _compressions(view: SessionView, at: int | None) -> int:
    return sum(at is None or seq <= at for seq, _before, _after in view.context.compressions)


def _running(view: SessionView, at: int | None) -> list[Call]:
    started = view.tool_calls.rows[: view.tool_calls.count(at)]
    return [call for call in started[-SHOWN:] if call.status(at) == "running"]


def _since(call: Call, now_us: int) -> str:
    return figures.duration(max(0, now_us - call.started_us) // 1000)


def _row(call: Call, at: int | None) -> str:
    done = call.status(at)
    facts = "" if done == "running" else f" in {figures.duration(call.ms)}"
    code = f", exit code {call.exit_code}" if done != "running" and call.exit_code is not None else ""
    return f"#{call.seq} {done}{facts}{code}: {call.name} {one_line(call.target, LABEL)}"
