"""Tests that are to stay green: a check that had passed fails now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from core.events import ToolFinished, ToolStarted
from core.folds.commands import passed, reading, stands_in
from core.folds.constraints import Constraints, Declared
from core.folds.guards.finding import MOST_EVIDENCE, Finding
from core.folds.words import one_line


@dataclass(slots=True)
class _Check:
    green: bool = False
    red: list[int] = field(default_factory=list)


class Green:
    """Follows each check that a constraint is about, from its first green run on."""

    def __init__(self, constraints: Constraints) -> None:
        self._constraints = constraints
        self._checks: dict[tuple[str, str], _Check] = {}

    def red(self) -> list[str]:
        """Ids of the constraints that do not hold now."""
        return sorted({id for (id, _), check in self._checks.items() if check.red and self._stands(id)})

    def observe(self, started: ToolStarted, seq: int, finished: ToolFinished) -> Iterator[Finding]:
        """Take in a command that ended."""
        wanted = [one for one in self._constraints.standing() if one.body.form == "green"]
        if not wanted or started.effect != "command":
            return
        command = str(started.arguments.get("command", ""))
        for one in wanted:
            named = one.body.patterns
            read = reading(command, named)
            ok = passed(read, finished.ok, finished.exit_code, finished.content)
            asked = any(stands_in(command, name) or name in command for name in named) if named else read.check
            if ok is not None and asked:
                yield from self._ran(one, command, seq, ok)

    def _ran(self, one: Declared, command: str, seq: int, ok: bool) -> Iterator[Finding]:
        check = self._checks.setdefault((one.id, " ".join(command.split())), _Check())
        if ok:
            check.green = True
            check.red.clear()
        elif check.green:
            check.red.append(seq)
            shown = one_line(command, 60)
            text = f"{one.id} `{one.body.text}`: `{shown}` had passed and fails, {len(check.red)} times now"
            yield Finding("red", one.id, len(check.red), text, tuple(check.red[-MOST_EVIDENCE:]))

    def _stands(self, id: str) -> bool:
        return self._constraints.by_id[id].stands()
