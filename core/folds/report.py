"""The report of a session: one flat dictionary, the same for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.clock import MICROSECONDS, iso
from core.folds.costs import CLASSES
from core.folds.totals import Totals


def report(
    totals: Totals,
    *,
    running: bool,
    counterfactuals: Sequence[tuple[str, float]] | None = None,
    guards: dict[str, Any] | None = None,
    quality: dict[str, Any] | None = None,
    verdict: str | None = None,
) -> dict[str, Any]:
    """The contract's fields, JSON-ready. Rates are None where nothing was counted yet; unknown money is None.

    `repetition_rate`: calls whose tool and arguments had been seen before, over all calls.
    `no_progress_repeats`: calls that repeat tool, arguments *and* result with no changed file in between.
    `cost_by_class`: dollars by the way a token was counted; `unsplit` was billed at prices that are not known.
    `cache_misses`: by cause, `compressed` being the planned ones; `usd` what they cost more than reading would have;
    None where the provider has a cache whose lifetime nobody knows.
    `forecast_error`: half of the requests cost within this share of their forecast. `amplification`: tokens sent for
    each that was new. `counterfactuals`: (what if, dollars) rows of the caller, None when nobody computed them.
    `guards`: what they raised and what came of it, None when nobody counted. `quality_by_hour`, `quality_trend`: how
    well it went, each hour and first against last quarter of the calls with a 95 % interval; None as above.
    `verdict`: how it stands, in a sentence; None when nobody asked the whole log.
    `tokens`: None where nobody tells them (sessions of other tools); `uncounted_replies` are those without any.
    `sandbox`: how the last runner confined commands (`bubblewrap`, `landlock`, `none: why`), None in logs of before.
    `forked_from`: the session, the event and the dollars spent until there; what is counted here is from then on.
    `running`: whether a runner holds the session now; a session that says "running" without one was cut off.
    """
    return {
        **_session(totals, running),
        "verdict": verdict,
        **_work(totals),
        **_costs(totals, counterfactuals),
        **_steering(totals, guards, quality),
        "memory_entries": totals.memories,
        "plan_steps": {"done": totals.steps_done, "total": totals.steps_total},
        "files_changed": totals.files,
    }


def _session(totals: Totals, running: bool) -> dict[str, Any]:
    """Which session it is, and how it stands."""
    state, reason = _state(totals, running)
    return {
        "session": totals.session,
        "name": totals.name,
        "state": state,
        "held": running,
        "reason": reason,
        "task": totals.task,
        "model": totals.model,
        "workspace": totals.workspace,
        "sandbox": totals.sandbox or None,
        "forked_from": totals.forked_from,
        "delegated_by": totals.delegated_by,
        "started_at": iso(totals.started_us) if totals.started_us else None,
        "duration_s": round(totals.lasted_us / MICROSECONDS, 3),
    }


def _work(totals: Totals) -> dict[str, Any]:
    """What was done, and how much of it again."""
    seconds, calls = totals.lasted_us / MICROSECONDS, totals.tool_calls
    return {
        "turns": totals.turns,
        "requests": totals.requests,
        "tool_calls": calls,
        "tool_calls_by_name": dict(sorted(totals.calls.items())),
        "tool_errors": totals.errors,
        "calls_per_hour": round(calls * 3600 / seconds, 2) if seconds else None,
        "repetition_rate": round(totals.repeats / calls, 4) if calls else None,
        "no_progress_repeats": totals.no_progress,
        "longest_stall_s": round(totals.stall_us / MICROSECONDS, 3),
    }


def _costs(totals: Totals, counterfactuals: Sequence[tuple[str, float]] | None) -> dict[str, Any]:
    """Tokens and dollars, and what became of the cache."""
    return {
        "tokens": _tokens(totals),
        "uncounted_replies": totals.uncounted,
        "cache_hit_rate": round(totals.cache_read / totals.sent, 4) if totals.sent else None,
        "cost_usd": _money(totals.usd) if not totals.unpriced else None,
        "cost_usd_known_part": _money(totals.usd),
        "unpriced_replies": totals.unpriced,
        "cost_by_model": {name: _money(usd) for name, usd in sorted(totals.by_model.items())},
        "cost_by_purpose": {name: _money(usd) for name, usd in sorted(totals.by_purpose.items())},
        "cost_by_class": {name: _money(totals.by_class.get(name, "0")) for name in CLASSES}
        | ({"unsplit": _money(totals.unsplit)} if float(totals.unsplit) else {}),
        "cache_hit_rate_last_20": _share(totals.cache.recent_rate),
        "cache_misses": _misses(totals),
        "forecast_error": _share(totals.forecasts.median),
        "amplification": round(totals.sent / new, 2) if (new := totals.fresh + totals.cache_write) else None,
        "pings": totals.pings,
        "counterfactuals": None
        if counterfactuals is None
        else [{"what": what, "usd": round(usd, 4)} for what, usd in counterfactuals],
    }


def _steering(totals: Totals, guards: dict[str, Any] | None, quality: dict[str, Any] | None) -> dict[str, Any]:
    """What was done to keep it on its way, by itself and by its user."""
    return {
        "compressions": totals.compressions,
        "compressions_automatic": totals.compressions - totals.forced,
        "compressions_forced": totals.forced,
        "checkpoints": totals.checkpoints,
        "rewinds": totals.rewinds,
        "corrections": totals.corrections,
        "guards": guards,
        "quality_by_hour": quality and quality["by_hour"],
        "quality_trend": quality and quality["trend"],
        "interventions": totals.interventions,
        "retries": totals.retries,
        "recoveries": totals.recoveries,
        "approvals": {
            "asked": totals.asked,
            "approved": totals.approved,
            "denied": totals.denied,
            "wait_s": round(totals.waited_us / MICROSECONDS, 3),
        },
    }


def _tokens(totals: Totals) -> dict[str, int | None]:
    """Unknown where replies tell none, and nothing tells them of the whole."""
    unknown = totals.uncounted and not totals.sent and not totals.output
    counts = {"fresh_input": totals.fresh, "cache_read": totals.cache_read, "cache_write": totals.cache_write}
    counts |= {"output": totals.output, "sent": totals.sent}
    return {name: None if unknown else count for name, count in counts.items()}


def _state(totals: Totals, running: bool) -> tuple[str, str]:
    if running or totals.state in ("finished", "stopped", "failed", "paused"):
        return totals.state, totals.reason
    return "stopped", "crashed"


def _misses(totals: Totals) -> list[dict[str, Any]] | None:
    """The dearest cause first; money is None where no price was known."""
    if totals.cache_read and not totals.losses and not totals.cache.judging:
        return None
    ordered = sorted(totals.losses.items(), key=lambda row: (-row[1].usd, -row[1].tokens, row[0]))
    return [
        {
            "cause": cause,
            "count": loss.count,
            "tokens": loss.tokens,
            "usd": None if loss.unpriced == loss.count else _money(str(loss.usd)),
        }
        for cause, loss in ordered
    ]


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _money(usd: str) -> float:
    return round(float(usd), 6)
