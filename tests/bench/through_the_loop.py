"""Planned workloads through the real loop: what the vendor bills, what our ledger says, what arithmetic expected.

    .venv/bin/python tests/bench/through_the_loop.py DATA/w1.json DATA/w2.jsonl [--policy auto] [--turns 300]

Everything runs in one process on a virtual clock: the session with its journal and its tools, and the simulated vendor
behind HTTP. Prices are those of the reference: $2.50 in, $7.50 out, cache read 10 %, write 125 %, five minutes.
Results beyond 8,000 tokens come in parts, and most compressions cause a re-read, as in the arithmetic.
Ends with 1 when the two bills differ by a cent, or when a miss has no explanation that no fault injected.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, ClassVar

import click
import msgspec
from msgspec import Meta

from core.agent.host import host
from core.agent.hosting import Hosting
from core.clock import Clock, VirtualClock
from core.config import Config, ContextSettings, PriceSettings, ProfileSettings
from core.economy.billing import Bill
from core.economy.policies import simulate
from core.economy.presets import Parameters, policies
from core.economy.tariff import REFERENCE
from core.economy.workload import Workload, capped, read_workload
from core.events import ContextCompressed, ContextPolicy, Event, GuidanceDelivered, ModelRequested
from core.folds.report import report
from core.journal.reader import Reader
from core.models.profiles import resolve_endpoint
from core.overview import read_totals
from core.request.pieces import text_block
from core.request.projection import Head
from core.request.prompt import system_prompt
from core.session import NewSession, create
from core.simulator import Faults, Invoice, PriceList, SimulatedServer
from core.simulator.policies import WorkloadPolicy
from core.simulator.policies.workload import TOOL, sized_text
from core.simulator.prompt import PromptReader
from core.tools.base import Effect, Outcome, ToolContext
from core.tools.common import Arguments, Repeatable
from core.tools.registry import builtin_tools, schemas

PRICES = PriceSettings(input=2.5, output=7.5, cache_read=0.25, cache_write=3.125)
VENDOR = PriceList.parse("2.5,7.5,0.25,3.125")
UNBOUNDED = 100_000_000
"""Tokens: append-only histories are to be billed, not refused."""


class WaitArguments(Arguments, frozen=True):
    turn: int
    gap_s: Annotated[float, Meta(ge=0)]
    result_tokens: Annotated[int, Meta(ge=0)]
    head: str = ""
    path: str = ""
    note: str = ""


class WaitAndPrint(Repeatable):
    """Takes its time on the clock and returns a text of the wanted size."""

    name: ClassVar[str] = TOOL
    description: ClassVar[str] = "Wait, then print."
    effect: ClassVar[Effect] = Effect.READ
    Arguments: ClassVar[type[msgspec.Struct]] = WaitArguments

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def run(self, arguments: WaitArguments, context: ToolContext) -> Outcome:
        await self._clock.sleep(arguments.gap_s)
        return Outcome(sized_text(max(1, arguments.result_tokens), arguments.turn))


@dataclass(frozen=True, slots=True)
class Measured:
    """One run: the vendor's invoices, the session's events and its report."""

    invoices: Sequence[Invoice]
    events: Sequence[Event]
    report: dict[str, Any]
    cpu_s: float

    @property
    def vendor_usd(self) -> Decimal:
        return sum((invoice.usd(VENDOR) for invoice in self.invoices), Decimal(0))

    @property
    def ledger_usd(self) -> Decimal:
        return Decimal(str(self.report["cost_usd"]))

    @property
    def unexplained(self) -> int:
        return sum(loss["count"] for loss in self.report["cache_misses"] if loss["cause"] == "unexplained")

    @property
    def peak(self) -> int:
        return max(invoice.prompt.total for invoice in self.invoices)

    def bodies(self, kind: type[Any]) -> list[Any]:
        return [event.body for event in self.events if isinstance(event.body, kind)]


async def through(workload: Workload, context: ContextSettings, faults: Sequence[str], place: Path) -> Measured:
    """Run a session to its end."""
    clock, began = VirtualClock(), cpu()
    config = Config(
        profiles={"bench": ProfileSettings(like="generic", cache="explicit", window=UNBOUNDED, max_output=65_536)},
        prices={"bench/reference": PRICES},
        context=context,
    )
    player = WorkloadPolicy(workload.turns, rereads=context.policy in ("auto", "summarize"))
    tool = WaitAndPrint(clock)
    (place / "work").mkdir()
    options: dict[str, Any] = {"faults": Faults(faults), "context_limit": UNBOUNDED}
    async with SimulatedServer(player, clock=clock, speed=0.0, **options) as server:
        endpoint = resolve_endpoint(config, "bench:reference", server.base_url)
        task = padded_task(workload.system, tool, place / "work")
        folder = await create(place / "home", NewSession(task, place / "work", endpoint), clock)
        code = await host(Hosting(folder, config, clock=clock, environ={}, extra_tools=(tool,)))
    assert code == 0, f"the session ended with {code}"
    with Reader(folder) as reader:
        events = reader.events()
    return Measured(server.invoices, events, report(read_totals(folder), running=False), cpu() - began)


def padded_task(system: int, tool: WaitAndPrint, workspace: Path) -> str:
    """A task with which the first prompt has as many tokens as the workload says, or as few as the product needs."""
    task = "Work through all parts, one after the other.\n\n"
    missing = system - first_prompt(task, tool, workspace)
    return task + sized_text(missing, 0) if missing > 0 else task


def first_prompt(task: str, tool: WaitAndPrint, workspace: Path) -> int:
    offered = schemas({**builtin_tools(), tool.name: tool})
    head = Head("reference", system_prompt()[0], tuple(offered), 1)
    told = f"<task>\n{task.strip()}\n</task>\n\nThe workspace is {workspace}; all paths are relative to it."
    body = head.encoded() + b'{"role":"user","content":[' + text_block(told) + b"]}]}"
    return sum(block.tokens for block in PromptReader().read(body).blocks())


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def arithmetic(workload: Workload, policy: str, context: ContextSettings) -> Bill:
    """The bill of the same policy with the same settings by arithmetic."""
    names = ("alpha", "keep_turns", "digest_tokens", "window_turns", "window_anchors", "mask_turns", "mask_batch")
    same = {name: getattr(context, name) for name in names}
    return simulate(workload, policies(Parameters(summarize_turns=context.keep_turns, **same))[policy](), REFERENCE)


def row(workload: Workload, policy: str, run: Measured, expected: Bill) -> str:
    purposes = Counter(invoice.purpose for invoice in run.invoices)
    cells = [
        f"{workload.name:<6}{policy:<11}{len(run.invoices):>8,}{run.vendor_usd:>10.4f}{run.ledger_usd:>10.4f}",
        f"{expected.total:>10.4f}",
        f"{100 * run.report['cache_hit_rate']:>7.2f}%{run.peak:>9,}{len(run.bodies(ContextCompressed)):>7}",
        f"{purposes['ping']:>7}{purposes['digest']:>8}{run.unexplained:>12}{run.cpu_s:>8.1f}",
    ]
    return "".join(cells)


def parts(run: Measured, expected: Bill) -> list[str]:
    """What the bill is made of, and what a compression leaves behind: why the loop and the arithmetic differ."""
    classes = ", ".join(f"{name} ${usd:.4f}" for name, usd in expected.usd.items())
    by_class = ", ".join(f"{name} ${float(usd):.4f}" for name, usd in run.report["cost_by_class"].items())
    by_purpose = ", ".join(f"{name} ${float(usd):.4f}" for name, usd in run.report["cost_by_purpose"].items())
    misses = ", ".join(f"{loss['cause']} {loss['count']}" for loss in run.report["cache_misses"]) or "none"
    lines = [f"    by class: {by_class}", f"    by purpose: {by_purpose}", f"    misses: {misses}"]
    lines.append(f"    forecast of the next call: half of them within {run.report['forecast_error']:.2%}")
    counts = f"{expected.requests:,.1f} requests, {expected.compressions} compressions, {expected.pings} pings"
    lines.append(f"    arithmetic: {classes}; {counts}, hit {expected.hit_rate:.2%}, peak {expected.peak:,}")
    anchors = [body for body in run.bodies(GuidanceDelivered) if body.source == "anchor"]
    lines.append(f"    reminders: {len(anchors)}, {tokens(body.text for body in anchors):,} tokens in all")
    if compressions := run.bodies(ContextCompressed):
        count = len(compressions)
        digest, ledger = tokens(body.digest for body in compressions), tokens(body.ledger for body in compressions)
        newest = tokens([compressions[-1].digest])
        floor = sum(body.tokens_after for body in compressions) // count
        reasons = Counter(body.reason for body in compressions)
        sizes = f"digest {digest // count:,} tokens on average, {newest:,} in the end"
        lines.append(f"    {sizes}, ledger {ledger:,} in all, floor {floor:,}")
        lines.append(f"    reasons: {', '.join(f'{reason} {times}' for reason, times in reasons.items())}")
    lines += [f"    from then on {body.policy}: {body.reason}" for body in run.bodies(ContextPolicy)]
    limits = Counter(body.max_tokens for body in run.bodies(ModelRequested))
    lines.append(f"    output limits: {', '.join(f'{limit:,} {times}' for limit, times in sorted(limits.items()))}")
    return lines


def tokens(texts: Any) -> int:
    return sum(-(-len(text.encode()) // 4) for text in texts)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--policy", "chosen", multiple=True, default=("auto",), show_default=True)
@click.option("--turns", type=int, help="Only so many turns of each.")
@click.option(
    "--fault", "faults", multiple=True, help="As the simulator takes them, e.g. 50:evict: one miss unexplained."
)
@click.option("--set", "settings", multiple=True, help="NAME=VALUE of the [context] settings, as JSON.")
def main(
    files: tuple[Path, ...],
    chosen: tuple[str, ...],
    turns: int | None,
    faults: tuple[str, ...],
    settings: tuple[str, ...],
) -> None:
    pairs = (item.partition("=") for item in settings)
    options: dict[str, Any] = {name: msgspec.json.decode(value) for name, _, value in pairs}
    print(
        f"{'':<6}{'policy':<11}{'requests':>8}{'vendor $':>10}{'ledger $':>10}{'expected':>10}{'hit':>8}{'peak':>9}"
        f"{'compr.':>7}{'pings':>7}{'digests':>8}{'unexplained':>12}{'CPU s':>8}"
    )
    sound, evictions = True, sum("evict" in fault for fault in faults)
    for file in files:
        workload = capped(read_workload(file))
        workload = replace(workload, turns=workload.turns[:turns])
        for policy in chosen:
            context = ContextSettings(policy=policy, **options)
            expected = arithmetic(workload, policy, context)
            with tempfile.TemporaryDirectory() as scratch:
                run = asyncio.run(through(workload, context, faults, Path(scratch)))
            print(row(workload, policy, run, expected), *parts(run, expected), sep="\n", flush=True)
            sound &= abs(run.vendor_usd - run.ledger_usd) < Decimal("0.01") and run.unexplained == evictions
    sys.exit(0 if sound else 1)


if __name__ == "__main__":
    main()
