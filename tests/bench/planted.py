"""The script of the retention benchmark: facts of eight kinds, where each is met, and everything in between."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.simulator.policies.base import Call

KINDS = ("constraint", "correction", "decision", "file", "error", "number", "todo", "superseded")
PER_KIND = 25
GIANT, BEYOND = 10, 60_000
"""So many of the numbers stand in the middle of an output of about so many characters, where none is shown."""
AWAY = {"decision": 4, "error": 4, "number": 4}
"""So many facts of these kinds are met on branches that are then abandoned."""
STAY = 3
"""Calls on such a branch."""


@dataclass(slots=True)
class Fact:
    """Something planted. `text` holds `name`, and both occur in nothing else; `old` is what held before it.

    `position`: the step that first shows it; `renewed_at`: the one that shows `text` where `old` came first (0: none).
    `away`: met on an abandoned branch. Counted over the requests after compressions: `looked` at, of these `verbatim`,
    `named`; and `stale`, with the old value where the new one holds. `recalled`: what the recall by name answered.
    """

    kind: str
    name: str
    text: str
    old: str = ""
    away: bool = False
    giant: bool = False
    position: int = 0
    renewed_at: int = 0
    looked: int = 0
    verbatim: int = 0
    named: int = 0
    stale: int = 0
    recalled: str = ""

    def current(self, place: int) -> str:
        """What holds at a step."""
        return self.old if self.old and place <= self.renewed_at else self.text


@dataclass(frozen=True, slots=True)
class Step:
    """One call of the model. `orders` go into the inbox before it; `shows` is what looking at its part shows.

    `renews`: the fact whose new value it brings. `departs`: a branch begins that the step that `returns` abandons.
    `dies`: the process is killed while this step is being asked for.
    """

    call: Call
    facts: tuple[Fact, ...] = ()
    orders: tuple[tuple[str, dict[str, Any]], ...] = ()
    shows: str = ""
    renews: Fact | None = None
    departs: bool = False
    returns: bool = False
    dies: bool = False


def script(calls: int, seed: int, every: int) -> tuple[list[Fact], list[Step]]:
    """The facts and the steps, `calls` of them; a compression every `every` steps (0: none), two kills."""
    dice = random.Random(seed)
    facts = [_fact(kind, number, dice) for kind in KINDS for number in range(PER_KIND)]
    units = _units(facts, dice)
    spare = calls - sum(map(len, units))
    if spare < 0:
        raise ValueError(f"{calls} calls are too few for {len(facts)} facts; {calls - spare} are the least.")
    between = [spare * (place + 1) // len(units) - spare * place // len(units) for place in range(len(units))]
    steps = [step for unit, idle in zip(units, between, strict=True) for step in (*unit, *[Step(_look())] * idle)]
    return facts, _numbered(steps, every)


def looked_at(steps: Sequence[Step]) -> dict[int, str]:
    """What looking at each part shows."""
    return {place: step.shows for place, step in enumerate(steps)}


def _numbered(steps: Sequence[Step], every: int) -> list[Step]:
    """Each step with its part, its compression, its end; facts learn where they are."""
    done: list[Step] = []
    branch, last_kill = False, 0
    for place, step in enumerate(steps):
        branch = (branch or step.departs) and not step.returns
        calm = not branch and not step.returns
        kill = calm and place - last_kill > len(steps) // 3
        last_kill = place if kill else last_kill
        orders = (*step.orders, ("compress", {})) if every and calm and place % every == every - 1 else step.orders
        call = replace(step.call, input={"part": place} | step.call.input) if step.call.name == "look" else step.call
        done.append(replace(step, call=call, orders=orders, dies=kill))
        for fact in step.facts:
            fact.position = place
        if step.renews is not None:
            step.renews.renewed_at = place
    return done


def _units(facts: Sequence[Fact], dice: random.Random) -> list[list[Step]]:
    """Steps that belong together, the facts of each kind spread evenly; new values one stratum after the old ones."""
    units: list[list[Step]] = []
    plan: list[Fact] = []
    later: list[list[Step]] = []
    for number in range(PER_KIND):
        stratum = [facts[PER_KIND * kind + number] for kind in range(len(KINDS))]
        now, later = [*([fact] for fact in stratum), *later], []
        dice.shuffle(now)
        for item in now:
            if isinstance(item[0], Step):
                units.append(item)
                continue
            fact = item[0]
            plan += [fact] if fact.kind == "todo" else []
            units.append(list(_met(fact, plan)))
            later += [[_renewed(fact)]] if fact.old else []
    return [*units, *later]


def _met(fact: Fact, plan: Sequence[Fact]) -> Iterator[Step]:
    """How a fact is met."""
    if fact.away:
        yield Step(_look(), departs=True)
    yield replace(_shown(fact, plan), facts=(fact,))
    if fact.away:
        yield from [Step(_look())] * (STAY - 2)
        yield Step(_look(), returns=True)


def _shown(fact: Fact, plan: Sequence[Fact]) -> Step:
    match fact.kind:
        case "constraint" | "correction":
            guide = {"text": fact.text, "standing": fact.kind == "constraint"}
            return Step(_look(), orders=(("guide", guide),))
        case "decision":
            return Step(_remember(fact.text, fact, "decision"))
        case "file":
            return Step(Call("write_file", {"path": _path(fact), "content": _source(fact.old or fact.text)}))
        case "error":
            return Step(_look(fails=True), shows=fact.text)
        case "todo":
            steps = [{"id": todo.name, "intent": todo.text} for todo in plan]
            return Step(Call("plan", {"steps": steps}))
        case "superseded" if fact.giant:
            return Step(_look(), shows=fact.old)
        case "superseded":
            return Step(_remember(fact.old, fact, "fact"))
    return Step(_look(giant=True) if fact.giant else _look(), shows=fact.text)


def _renewed(fact: Fact) -> Step:
    """The new value: an edit, another look, or an entry that replaces the old one."""
    if fact.kind == "file":
        return Step(Call("edit_file", {"path": _path(fact), "old": fact.old, "new": fact.text}), renews=fact)
    if fact.giant:
        return Step(_look(), shows=fact.text, renews=fact)
    return Step(_remember(fact.text, fact, "fact"), renews=fact)


def _fact(kind: str, number: int, dice: random.Random) -> Fact:
    name, value, before = f"{kind[:4]}_{dice.randrange(16**6):06x}", dice.randrange(10**6), dice.randrange(10**6)
    text = _TEXTS[kind]
    renewed = kind == "superseded" or (kind == "file" and number % 2 == 1)
    return Fact(
        kind,
        name,
        text.format(name=name, value=value),
        old=text.format(name=name, value=before) if renewed else "",
        away=number % 6 == 2 and number // 6 < AWAY.get(kind, 0),
        giant=number % 5 < 2 if kind == "number" else kind == "superseded" and number % 2 == 1,
    )


_TEXTS = {
    "constraint": "Never change config/{name}.toml: its value {value} is agreed with the customer.",
    "correction": "No: {name} counts in steps of {value}, not in seconds.",
    "decision": "For {name} a queue with {value} places was chosen, because the lock was held for too long.",
    "file": "LIMIT_{name} = {value}",
    "error": "ConnectionError {value}: {name} refused the handshake",
    "number": "https://{name}.example.org:8443/v2 answers in {value} ms",
    "todo": "Measure the rate of {name} again, it was {value}",
    "superseded": "The pool of {name} has {value} workers.",
}


def _look(**more: Any) -> Call:
    return Call("look", more)


def _remember(text: str, fact: Fact, category: str) -> Call:
    return Call("remember", {"text": text, "category": category, "topic": fact.name})


def _path(fact: Fact) -> str:
    return f"src/{fact.name}.py"


def _source(line: str) -> str:
    return f'"""Settings."""\n\n{line}\n'
