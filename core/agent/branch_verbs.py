"""The controls for branches: going on with one that was left, and giving one a name."""

from __future__ import annotations

from typing import Any

from core.agent.facts import Facts
from core.agent.verb import Refused, Verb, text_of
from core.events import BranchNamed, Draft
from core.folds.branch_tree import Branch, branch_named, branches_of
from core.journal.inbox import Command

LONGEST_NAME = 80
SWITCH_FLAGS = frozenset({"--conversation-only", "--overwrite"})


def known_branches(facts: Facts) -> list[Branch]:
    """The branches so far."""
    return branches_of(facts.branches, facts.state.head, facts.state.last_seq)


def _wanted(command: Command, facts: Facts) -> tuple[Branch, list[Branch]]:
    found = known_branches(facts)
    wanted = command.args.get("branch")
    branch = branch_named(found, str(wanted)) if isinstance(wanted, int | str) else None
    if branch is None:
        raise Refused(f"There is no branch {wanted!r}; `longwatch branches` lists the {len(found)} there are.")
    return branch, found


def _switch(command: Command, facts: Facts) -> list[Draft]:
    branch, _ = _wanted(command, facts)
    if not branch.left:
        raise Refused(f"{branch.title} is the current branch.")
    for flag in ("files", "overwrite"):
        if not isinstance(command.args.get(flag, False), bool):
            raise Refused(f"{flag} is true or false.")
    if command.head is not None and not facts.branches.visible(command.head):
        raise Refused(f"This was meant for #{command.head}, but the session is on another branch now.")
    return []


def _name(command: Command, facts: Facts) -> list[Draft]:
    branch, found = _wanted(command, facts)
    name = " ".join(text_of(command, LONGEST_NAME).split())
    if name.lstrip("#").isdigit():
        raise Refused("A number can't be the name of a branch: branches are numbered.")
    if any(other.title == name and other.number != branch.number for other in found):
        raise Refused(f"Another branch is called {name!r} already.")
    return [Draft(BranchNamed(branch=branch.number, name=name), key=command.id, actor=command.actor)]


def parse_branch_words(verb: str, words: list[str]) -> dict[str, Any]:
    """Arguments of these controls from words of the command line. Raises Refused."""
    flags = {word for word in words if word.startswith("--")} if verb == "switch" else set()
    rest = [word for word in words if word not in flags]
    if unknown := flags - SWITCH_FLAGS:
        raise Refused(f"switch has no {min(unknown)}; it knows {', '.join(sorted(SWITCH_FLAGS))}.")
    if not rest:
        raise Refused(f"{verb} needs the number of a branch, as `longwatch branches` prints it.")
    if verb == "name-branch":
        return {"branch": rest[0], "text": " ".join(rest[1:])}
    files = {"files": False} if "--conversation-only" in flags else {}
    return {"branch": " ".join(rest), **files, **({"overwrite": True} if "--overwrite" in flags else {})}


BRANCH_VERBS = (
    Verb("switch", ("branch", "files", "overwrite"), "go on with a branch that was left, files included", _switch),
    Verb("name-branch", ("branch", "text"), "give a branch a name", _name),
)
