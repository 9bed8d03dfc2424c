"""Whether a call breaks a constraint: by its arguments before it runs, by what it changed afterwards. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.approvals.places import Places
from core.approvals.policy import host_of
from core.approvals.reading import Reading, Step, read_command
from core.approvals.rules import COMMAND, Rule
from core.approvals.targets import targets
from core.approvals.wrappers import program
from core.constraints.reading import Constraint


@dataclass(frozen=True, slots=True)
class Attempt:
    """A call that is about to run: its tool and effect, its arguments, and the real folder that a command runs in."""

    tool: str
    effect: str
    arguments: Mapping[str, Any]
    cwd: str = ""


def forbidden(constraint: Constraint, attempt: Attempt, places: Places) -> str:
    """What of the call breaks the constraint, in a few words; empty where nothing that its words say does."""
    reading = _reading(attempt, places)
    match constraint.kind:
        case "touch" | "only":
            named = (path for path in _written(attempt, reading, places) if breaks(constraint, path))
            return next((f"it would change {path}" for path in named), "")
        case "network":
            return _reaches(attempt, reading)
        case "run":
            rule = Rule(COMMAND, f"{constraint.patterns[0]} *")
            steps = (step.argv for step in reading.all()) if reading else ()
            return next((f"it runs `{' '.join(argv)[:60]}`" for argv in steps if argv and _begins(rule, argv)), "")
    return ""


def changed(constraint: Constraint, paths: Iterable[str]) -> str:
    """Which of the paths that a call changed break the constraint, in a few words; empty where none does."""
    if constraint.kind not in ("touch", "only"):
        return ""
    broken = [path for path in paths if breaks(constraint, path)]
    more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
    return f"it changed {broken[0]}{more}" if broken else ""


def breaks(constraint: Constraint, path: str) -> bool:
    """Whether a change of that path, relative to the workspace, breaks it."""
    covered = any(Rule("*", pattern).matches_path(path) for pattern in constraint.patterns)
    return covered if constraint.kind == "touch" else not covered


def _begins(rule: Rule, argv: tuple[str, ...]) -> bool:
    """Options between the program and its subcommand do not hide it: `git -C x push`."""
    words = (argv[0], *(word for word in argv[1:] if not word.startswith("-")))
    return (
        rule.matches_words(argv)
        or rule.matches_words(words)
        or (argv[0] == "git" and any(rule.matches_words(("git", *argv[at:])) for at in range(1, len(argv))))
    )


def _reading(attempt: Attempt, places: Places) -> Reading | None:
    if attempt.tool != COMMAND:
        return None
    return read_command(str(attempt.arguments.get("command", "")), places, attempt.cwd or places.workspace)


def _reaches(attempt: Attempt, reading: Reading | None) -> str:
    if attempt.effect == "network":
        return f"it reaches {host_of(str(attempt.arguments.get('url', ''))) or 'an address'}"
    if attempt.arguments.get("network") is True:
        return "it asks for the network"
    found = next((step for step in reading.all() if step.network), None) if reading else None
    return f"{program(found.simple)} reaches the network" if found is not None else ""


def _written(attempt: Attempt, reading: Reading | None, places: Places) -> Iterator[str]:
    """Paths that the call would write, as far as its words name them, relative to the workspace."""
    path = attempt.arguments.get("path")
    if attempt.effect == "write" and isinstance(path, str):
        yield places.relative(places.resolve(path))
    for step in reading.all() if reading else ():
        for word in _named(step):
            yield places.relative(places.resolve(word, attempt.cwd or None))


def _named(step: Step) -> Iterator[str]:
    """The targets of its redirections, and the words that its program is known to write."""
    for redirect in step.simple.redirects:
        if redirect.writes and redirect.target.known and not redirect.target.text.startswith("/dev/"):
            yield redirect.target.text
    if step.argv:
        yield from (word for word, _ in targets(step.argv))
