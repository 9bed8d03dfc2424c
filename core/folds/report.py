"""The report of a session: one flat dictionary, the same for people and for programs."""

from __future__ import annotations

from typing import Any

from core.clock import MICROSECONDS, iso
from core.folds.totals import Totals


def report(totals: Totals, *, running: bool) -> dict[str, Any]:
    """The contract's fields, JSON-ready. Rates are None where nothing was counted yet; unknown money is None.

    `repetition_rate`: calls whose tool and arguments had been seen before, over all calls.
    `no_progress_repeats`: calls that repeat tool, arguments *and* result with no changed file in between.
    `running`: whether a runner holds the session now; a session that says "running" without one was cut off.
    """
    seconds = max(0, totals.last_us - totals.started_us) / MICROSECONDS
    calls = totals.tool_calls
    state, reason = _state(totals, running)
    return {
        "session": totals.session,
        "name": totals.name,
        "state": state,
        "reason": reason,
        "task": totals.task,
        "model": totals.model,
        "workspace": totals.workspace,
        "started_at": iso(totals.started_us) if totals.started_us else None,
        "duration_s": round(seconds, 3),
        "turns": totals.turns,
        "requests": totals.requests,
        "tool_calls": calls,
        "tool_calls_by_name": dict(sorted(totals.calls.items())),
        "tool_errors": totals.errors,
        "calls_per_hour": round(calls * 3600 / seconds, 2) if seconds else None,
        "repetition_rate": round(totals.repeats / calls, 4) if calls else None,
        "no_progress_repeats": totals.no_progress,
        "tokens": {
            "fresh_input": totals.fresh,
            "cache_read": totals.cache_read,
            "cache_write": totals.cache_write,
            "output": totals.output,
            "sent": totals.sent,
        },
        "cache_hit_rate": round(totals.cache_read / totals.sent, 4) if totals.sent else None,
        "cost_usd": _money(totals.usd) if not totals.unpriced else None,
        "cost_usd_known_part": _money(totals.usd),
        "unpriced_replies": totals.unpriced,
        "cost_by_model": {name: _money(usd) for name, usd in sorted(totals.by_model.items())},
        "cost_by_purpose": {name: _money(usd) for name, usd in sorted(totals.by_purpose.items())},
        "compressions": totals.compressions,
        "checkpoints": totals.checkpoints,
        "rewinds": totals.rewinds,
        "corrections": totals.corrections,
        "interventions": totals.interventions,
        "retries": totals.retries,
        "recoveries": totals.recoveries,
        "memory_entries": totals.memories,
        "plan_steps": {"done": totals.steps_done, "total": totals.steps_total},
        "files_changed": totals.files,
    }


def _state(totals: Totals, running: bool) -> tuple[str, str]:
    if running or totals.state in ("finished", "stopped", "failed", "paused"):
        return totals.state, totals.reason
    return "stopped", "crashed"


def _money(usd: str) -> float:
    return round(float(usd), 6)
