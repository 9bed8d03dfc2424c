"""How many loops the guards find, how soon, and how often they are wrong: on real calls and on labelled traces.

Real calls come from text-free skeletons of real sessions (a folder with sessions-dev.jsonl.gz and
entities-dev.jsonl.gz, named by --data or LONGWATCH_DATA); synthetic ones are planted into stretches of them. Without
real text a result is its hash, and what an edit made of a file is not known.

.venv/bin/python -P tests/bench/guards.py --data FOLDER
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).parent))

from forbidden import trials
from traces import HARMLESS, LOOPS, Labelled, Log, Trace, events_of, planted, real_traces

from core.events import GuardRaised
from core.folds.branches import Branches
from core.folds.constraints import Constraints
from core.folds.fold import Dispatcher
from core.folds.guards.finding import Limits
from core.folds.guards.watch import Due, GuardWatch
from core.folds.plan import Plan

REPETITION = ("repetition", "cycle", "oscillation")
BY_ROUND = {"exact": 3}
"""By which round a loop must be found; the others by `USUAL`."""
USUAL = 6


def watched(trace: Trace, limits: Limits, guided: bool = True) -> list[tuple[int, Due]]:
    """Every signal that is raised, with the index of the call after which it was."""
    branches = Branches()
    watch = GuardWatch(Plan(branches), Constraints())
    dispatch, log = Dispatcher((branches, watch)), Log()
    raised: list[tuple[int, Due]] = []
    if not guided:
        trace = replace(trace, words=set())
    done = 0
    for start, events in events_of(log, trace):
        for event in events:
            dispatch.apply(event)
        done = sum(event.kind == "tool.finished" for event in events)
        while (due := watch.due(limits)) is not None:
            raised.append((start + done - 1, due))
            finding = due.finding
            body = GuardRaised(
                guard=finding.guard,
                rung=due.rung,
                subject=finding.subject,
                times=finding.times,
                text=finding.text,
                evidence=list(finding.evidence),
                marks=list(finding.marks),
            )
            dispatch.apply(log.event(body, f"g{watch.raised + 1}"))
    return raised


def found_in(labelled: Labelled, limits: Limits) -> int | None:
    """The round of the pattern in which the first signal came; None: never."""
    raised = [index for index, _ in watched(labelled.trace, limits) if index >= labelled.begins]
    return labelled.rounds[raised[0] - labelled.begins] if raised else None


def real(traces: list[Trace], limits: Limits, show: bool) -> None:
    calls = sum(len(trace.steps) for trace in traces)
    for guided, title in ((True, "as they were"), (False, "as one stretch, nobody speaking in between")):
        alarms = [(trace, index, due) for trace in traces for index, due in watched(trace, limits, guided)]
        by_guard = Counter((due.finding.guard, due.rung) for _, _, due in alarms)
        repetition = sum(due.finding.guard in REPETITION for _, _, due in alarms)
        print(f"{len(traces)} real sessions, {calls:,} calls, {title}: {repetition} alarms of the repetition guards")
        for (guard, rung), times in sorted(by_guard.items()):
            print(f"  {guard:<12} {rung:<9} {times:>4}")
        for trace, index, due in alarms if show else ():
            step = trace.steps[index]
            print(f"    {trace.name} call {index} {step.name}: {due.rung} {due.finding.guard} {due.finding.times}")


def synthetic(traces: list[Trace], limits: Limits, each: int, seed: int) -> None:
    print(f"\n{'loops':<30} {'found':>7} {'in time':>8}  by the round")
    for kind in LOOPS:
        dice = random.Random(f"{seed} {kind}")
        rounds = [found_in(planted(kind, traces, dice), limits) for _ in range(each)]
        due = BY_ROUND.get(kind, USUAL)
        found = [round_ for round_ in rounds if round_ is not None]
        in_time = sum(round_ <= due for round_ in found)
        spread = ", ".join(f"{round_}: {times}" for round_, times in sorted(Counter(found).items()))
        print(f"{kind:<30} {len(found) / each:>7.1%} {in_time / each:>8.1%}  <= {due}   ({spread})")
    print(f"\n{'what is no loop':<30} {'flagged':>7}")
    for kind in HARMLESS:
        dice = random.Random(f"{seed} {kind}")
        flagged = [found_in(planted(kind, traces, dice), limits) is not None for _ in range(each)]
        print(f"{kind:<30} {sum(flagged):>7} of {each}")


def constraints(each: int, seed: int) -> None:
    dice = random.Random(seed)
    found = Counter((broken, told) for _ in range(each) for _, broken, told in trials(dice))
    broken, kept = found[True, True] + found[True, False], found[False, True] + found[False, False]
    print(
        f"\nconstraints: {found[True, True]:,} of {broken:,} violations found, {found[False, True]} of {kept:,} flagged"
    )


@click.command()
@click.option("--data", envvar="LONGWATCH_DATA", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--each", default=300, show_default=True, help="Traces of each kind.")
@click.option("--seed", default=1, show_default=True)
@click.option("--show", is_flag=True, help="Name each alarm on real calls.")
def main(data: Path, each: int, seed: int, show: bool) -> None:
    traces, limits = list(real_traces(data)), Limits()
    real(traces, limits, show)
    synthetic(traces, limits, each, seed)
    constraints(each, seed)


if __name__ == "__main__":
    main()
