"""What the policies cost on the stated workloads, and how near the automatic one comes to the best in hindsight.

    .venv/bin/python -P tests/bench/costs.py [DATA]

DATA (or LONGWATCH_DATA) is the folder with w1.json, w2.jsonl and sessions-dev.jsonl.gz. Prices are the reference
tariff's; nothing is random and nothing is asked of a network. Columns: W1, W2 as measured, and W2 with results capped
at 8,000 tokens and each recall of the rest charged, which is how sessions run by default.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import click

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from core.economy.billing import Bill, Till, pings_through  # noqa: E402
from core.economy.context import Context, Shape  # noqa: E402
from core.economy.optimum import optimum  # noqa: E402
from core.economy.policies import Auto, Mask, Off, Policy, Summarize, Window, compress, simulate  # noqa: E402
from core.economy.rule import Rule  # noqa: E402
from core.economy.skeletons import read_skeletons  # noqa: E402
from core.economy.tariff import REFERENCE  # noqa: E402
from core.economy.workload import Workload, capped, read_workload  # noqa: E402
from core.folds.replies import likely_reply  # noqa: E402

AT_LEAST = 50
"""Calls of a session that counts."""
REPLACED = Shape(ledger=0)
"""A digest replaced whole at each compression, with no ledger before it."""
CANDIDATES: dict[str, Callable[[], Policy]] = {
    "auto (the default)": Auto,
    "auto, alpha 0.7": lambda: Auto(Rule(alpha=0.7)),
    "auto, alpha 2": lambda: Auto(Rule(alpha=2.0)),
    "auto, no keep-alive": lambda: Auto(Rule(keep_alive=False)),
    "auto, no keep-alive, no cold rule": lambda: Auto(Rule(keep_alive=False, cold=False)),
    "auto, a paragraph by the model": lambda: Auto(paragraph=400),
}
RIVALS: dict[str, Callable[[], Policy]] = {
    "append-only": Off,
    "window of 200 messages": Window,
    "old results masked by 20": Mask,
    "summary at 80 % of 1M": lambda: Summarize(trigger=800_000),
    "summary at 80 % of 200k": lambda: Summarize(trigger=160_000),
    "keep 50 messages, every 25 turns": lambda: Summarize(period=25),
}


@click.command()
@click.argument("data", envvar="LONGWATCH_DATA", type=click.Path(path_type=Path, exists=True, file_okay=False))
def main(data: Path) -> None:
    w1, w2 = read_workload(data / "w1.json"), read_workload(data / "w2.jsonl")
    planned = [w1, w2, capped(w2)]
    skeletons = list(read_skeletons(data / "sessions-dev.jsonl.gz"))
    sessions = [capped(session) for session in skeletons if len(session.turns) >= AT_LEAST]
    shorter = [capped(session) for session in skeletons if 20 <= len(session.turns) < AT_LEAST]
    totals(planned)
    details(planned)
    against_hindsight("the default shape", sessions, Shape(), CANDIDATES)
    against_hindsight(
        "a digest replaced whole", sessions, REPLACED, {"auto (the default)": lambda: Auto(shape=REPLACED)}
    )
    neighbours(planned, sessions)
    elsewhere(sessions, shorter)
    forecasts(planned[2], sessions)
    ledger(planned, sessions)


def totals(planned: Sequence[Workload]) -> None:
    print(f"{'dollars':<36}{'W1':>9}{'W2':>9}{'W2 capped':>11}")
    best = [optimum(workload, REFERENCE).usd for workload in planned]
    row("the best in hindsight", best)
    for name, make in (CANDIDATES | RIVALS).items():
        row(name, [simulate(workload, make(), REFERENCE).total for workload in planned])


def row(name: str, values: Sequence[float]) -> None:
    print(f"{name:<36}{values[0]:>9.2f}{values[1]:>9.2f}{values[2]:>11.2f}")


def details(planned: Sequence[Workload]) -> None:
    print(
        f"\n{'auto (the default)':<20}{'x best':>8}{'hit':>8}{'with pings':>12}{'peak':>9}{'compr.':>8}{'misses':>8}"
        f"{'the best hits':>16}"
    )
    for name, workload in zip(("W1", "W2", "W2 capped"), planned, strict=True):
        bill = simulate(workload, Auto(), REFERENCE)
        best = optimum(workload, REFERENCE)
        ratio = bill.total / best.usd
        foreseen = simulate(workload, Foreseen(best.moments), REFERENCE)
        print(
            f"{name:<20}{ratio:>8.3f}{bill.hit_rate:>8.1%}{hit_with_pings(bill):>12.1%}{bill.peak:>9,}"
            f"{bill.compressions:>8}{bill.misses:>8}{foreseen.hit_rate:>16.1%}"
        )


@dataclass
class Foreseen(Off):
    """Compresses at the moments of the best plan, and pings through every gap where that is cheaper than to write."""

    moments: Sequence[int]

    def prepare(self, context: Context, till: Till) -> None:
        if len(context.turns) in self.moments:
            compress(context, till, Shape())

    def pays_to_ping(self, context: Context, till: Till, pings: int) -> bool:
        needed = pings_through(context.turns[-1].gap_s, till.tariff)
        return (needed + 1) * till.tariff.read < till.tariff.write


def hit_with_pings(bill: Bill) -> float:
    """The hit rate as it is billed: pings are requests that read everything."""
    pinged = bill.usd["pings"] / REFERENCE.read
    return (bill.read + pinged) / (bill.sent + pinged)


def against_hindsight(
    title: str, sessions: Sequence[Workload], shape: Shape, candidates: dict[str, Callable[[], Policy]]
) -> None:
    best = [optimum(session, REFERENCE, shape).usd for session in sessions]
    turns = sum(len(session.turns) for session in sessions)
    print(f"\n{len(sessions)} real sessions, {turns:,} turns, {title}: best in hindsight ${sum(best):,.2f}")
    print(f"{'':<36}{'dollars':>9}{'mean':>8}{'p90':>8}{'max':>8}{'hit':>8}")
    for name, make in candidates.items():
        bills = [simulate(session, make(), REFERENCE) for session in sessions]
        ratios = sorted(bill.total / least for bill, least in zip(bills, best, strict=True))
        hit = sum(bill.read for bill in bills) / sum(bill.sent for bill in bills)
        print(
            f"{name:<36}{sum(bill.total for bill in bills):>9.2f}{sum(ratios) / len(ratios):>8.3f}"
            f"{ratios[int(0.9 * len(ratios))]:>8.3f}{ratios[-1]:>8.3f}{hit:>8.1%}"
        )


def neighbours(planned: Sequence[Workload], sessions: Sequence[Workload]) -> None:
    """What other sizes of tail and digest would give: dollars, hit rates with pings, and the ratios to hindsight."""
    print(f"\n{'turns kept, digest':<20}{'W1':>8}{'hit':>8}{'W2 capped':>11}{'hit':>8}{'mean':>8}{'max':>8}")
    default = Shape()
    tails = [replace(default, keep=keep) for keep in (6, 7, 8, 9, 10)]
    digests = [replace(default, digest=digest) for digest in (6_000, 7_000, 7_500, 8_000)]
    for shape in [*tails, *digests]:
        w1, w2 = (simulate(workload, Auto(shape=shape), REFERENCE) for workload in (planned[0], planned[2]))
        ratios = [
            simulate(one, Auto(shape=shape), REFERENCE).total / optimum(one, REFERENCE, shape).usd for one in sessions
        ]
        print(
            f"{f'{shape.keep}, {shape.digest:,}':<20}{w1.total:>8.2f}{hit_with_pings(w1):>8.2%}"
            f"{w2.total:>11.2f}{hit_with_pings(w2):>8.2%}{sum(ratios) / len(ratios):>8.3f}{max(ratios):>8.3f}"
        )


def elsewhere(sessions: Sequence[Workload], shorter: Sequence[Workload]) -> None:
    """How far the figures hang on these sessions: the rule's constants were chosen on them, not on what follows."""
    print(f"\n{'auto against hindsight':<36}{'mean':>8}{'max':>8}")
    parts = {
        "sessions at even places": sessions[::2],
        "sessions at odd places": sessions[1::2],
        "all, system prompt of 20,000 tokens": [replace(one, system=20_000) for one in sessions],
        "all, turns in reverse order": [replace(one, turns=one.turns[::-1]) for one in sessions],
        "sessions of 20 to 49 calls": shorter,
    }
    for name, part in parts.items():
        ratios = [simulate(one, Auto(), REFERENCE).total / optimum(one, REFERENCE).usd for one in part]
        print(f"{name:<36}{sum(ratios) / len(ratios):>8.3f}{max(ratios):>8.3f}")


@dataclass
class Noted:
    """A policy whose next requests are noted: what each prompt costs, which is known beforehand, None when cold."""

    policy: Policy
    prompts: list[float | None] = field(default_factory=list)

    def prepare(self, context: Context, till: Till) -> None:
        self.policy.prepare(context, till)
        known = till.tariff.prompt_usd(context.prompt, min(context.shared, till.cached))
        self.prompts.append(known if till.warm else None)

    def pays_to_ping(self, context: Context, till: Till, pings: int) -> bool:
        return self.policy.pays_to_ping(context, till, pings)


def forecasts(planned: Workload, sessions: Sequence[Workload]) -> None:
    """How far the price of the next warm request is from its forecast: all that isn't known is the reply's length."""
    print(f"\n{'forecast of the next warm request':<36}{'median':>8}{'p90':>8}")
    parts = {
        "real sessions": (sessions, Auto),
        "real sessions at even places": (sessions[::2], Auto),
        "real sessions at odd places": (sessions[1::2], Auto),
        "real sessions, 80 % of 200k": (sessions, RIVALS["summary at 80 % of 200k"]),
        "W2 capped": ([planned], Auto),
    }
    for name, (part, make) in parts.items():
        errors = sorted(error for session in part for error in _errors(session, make()))
        print(f"{name:<36}{errors[len(errors) // 2]:>8.1%}{errors[int(0.9 * len(errors))]:>8.1%}")


def _errors(session: Workload, policy: Policy) -> Iterator[float]:
    noted = Noted(policy)
    simulate(session, noted, REFERENCE)
    outputs = [turn.output for turn in session.turns]
    for turn, prompt in enumerate(noted.prompts, 1):
        if prompt is not None:
            guess = likely_reply(outputs[:turn], prompt, REFERENCE.output)
            yield abs((prompt + guess * REFERENCE.output) / (prompt + outputs[turn] * REFERENCE.output) - 1)


def ledger(planned: Sequence[Workload], sessions: Sequence[Workload]) -> None:
    """What a ledger that only grows costs more than a digest that is replaced."""
    print(f"\n{'the ledger, dollars':<20}{'with':>9}{'without':>9}{'more':>8}")
    for name, part in (("W1", planned[:1]), ("W2 capped", planned[2:]), ("real sessions", sessions)):
        kept, replaced = (
            sum(simulate(workload, Auto(shape=shape), REFERENCE).total for workload in part)
            for shape in (Shape(), REPLACED)
        )
        print(f"{name:<20}{kept:>9.2f}{replaced:>9.2f}{kept / replaced - 1:>8.1%}")


if __name__ == "__main__":
    main()
