"""Constraints of the user, declared from their words and held against each call before and after it runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from core.agent.declaring import declarations
from core.agent.desk import Desk
from core.approvals.places import Places
from core.constraints.checking import Attempt, changed, forbidden
from core.constraints.reading import KINDS, Constraint
from core.events import ConstraintBroken, Draft, FileChange, GuidanceDelivered
from core.folds.asking import PendingCall
from core.folds.constraints import Declared
from core.tools.base import Tool, ToolError
from core.workspace.errors import WorkspaceError

PATHS = ("touch", "only")


class Forbidden(ToolError):
    """A constraint keeps the call from running; `broken` goes into the log with its refusal."""

    def __init__(self, one: Declared, call: PendingCall, what: str) -> None:
        super().__init__(
            f"The user's constraint {one.id} forbids this: {one.body.text!r} ({what}). It was not run. "
            "Do it another way, or say what you can't do without it."
        )
        self.broken = _broken(one, call, what, prevented=True)


class Warden:
    """Holds the standing constraints against calls."""

    def __init__(self, desk: Desk, places: Places) -> None:
        self._desk = desk
        self._places = places

    def forbid(self, call: PendingCall, tool: Tool, intent: Mapping[str, Any]) -> None:
        """Raises Forbidden where its words break a constraint. Blocks on the file system."""
        standing = self._desk.facts.constraints.standing()
        if not standing:
            return
        cwd = self._places.resolve(str(intent.get("cwd", ".")))
        attempt = Attempt(call.name, str(tool.effect), call.arguments, cwd)
        for one in standing:
            if what := forbidden(_constraint(one), attempt, self._places):
                raise Forbidden(one, call, what)

    async def broken(self, call: PendingCall, files: Iterable[FileChange], tree: str | None) -> list[Draft]:
        """What the call changed although a constraint forbids it; `tree` are the files as it left them."""
        standing = [one for one in self._desk.facts.constraints.standing() if one.body.form in PATHS]
        if not standing:
            return []
        paths = [change.path for change in files if change.before != change.after] or await self._differ(tree)
        found = ((one, changed(_constraint(one), paths)) for one in standing)
        return [_broken(one, call, what, prevented=False) for one, what in found if what]

    async def _differ(self, tree: str | None) -> list[str]:
        """What differs from the checkpoint that was made before the call."""
        made = self._desk.facts.trees.last
        before = made.tree if made else None
        if tree is None or before is None or tree == before:
            return []
        try:
            return [path for _, path in await self._desk.snapshots.diff(before, tree)]
        except WorkspaceError:
            return []


async def declare_at_start(desk: Desk, configured: Iterable[str]) -> None:
    """Those of the task, once, and those of the configuration that are new; the model is told of the latter."""
    facts = desk.facts
    by_source = {one.body.source for one in facts.constraints.by_id.values()}
    if facts.state.opened is not None and not facts.state.request and "task" not in by_source:
        await desk.append(*declarations(facts.state.opened.task, "task", facts.constraints))
    new = [text for text in configured if declarations(text, "config", facts.constraints)]
    for text in new:
        await desk.append(*declarations(text, "config", facts.constraints))
    if new:
        words = "Constraints of the user, from their configuration:\n" + "\n".join(f"- {text}" for text in new)
        await desk.append(Draft(GuidanceDelivered(text=words, standing=True), actor="user"))


def _constraint(one: Declared) -> Constraint:
    kind = next((kind for kind in KINDS if kind == one.body.form), None)
    return Constraint(one.body.text, kind, tuple(one.body.patterns))


def _broken(one: Declared, call: PendingCall, what: str, *, prevented: bool) -> Draft:
    body = ConstraintBroken(constraint=one.id, call=call.key, what=what, prevented=prevented)
    return Draft(body, key=f"{one.id}:{call.key}", actor="system")
