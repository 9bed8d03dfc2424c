"""What a shell command is, read without running it: a check of the work or not, and whether its exit code says so."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection
from functools import lru_cache
from typing import NamedTuple

LONGEST = 2_000
"""Characters beyond which a command is a script and is not looked into."""

_CHECK_ONLY = """
pytest py.test unittest tox nox mypy pyright flake8 pylint bandit eslint tsc jest vitest mocha ava ctest phpunit
phpstan rspec rubocop golangci-lint staticcheck shellcheck hadolint
"""
_RUNNERS = frozenset(_CHECK_ONLY.split())
"""Programs that do nothing but check."""
_CHECK_AMONG_OTHERS = """
cargo go dotnet mix swift bazel gradle gradlew mvn mvnw npm pnpm yarn bun deno make just task rake sbt lein stack ruff
black isort prettier composer bundle ninja meson zig
"""
_BUILDERS = frozenset(_CHECK_AMONG_OTHERS.split())
"""Programs that check when one of their words says so."""
_CHECKING = re.compile(r"(--)?(test|check|lint|verify|vet|clippy|spec|unittest)s?([:._-].*)?", re.I)
_SCRIPT = re.compile(r"(run[_-]?)?(tests?|checks?|lint|ci)([._-].*)?", re.I)
_WRAPPERS = re.compile(
    r"\w+=.*|-.*|\d+(\.\d+)?[smh]?|(.*/)?(python[\d.]*|node|bash|sh|time|timeout|env|nice|exec|command|sudo|run|x|dlx|"
    r"npx|bunx|uv|uvx|poetry|pipenv|pdm|hatch|rye|coverage|xvfb-run)"
)
_ASKS_ONLY = frozenset({"--version", "--help", "-h", "--collect-only", "--co", "--list", "-V"})
_FAILED = re.compile(
    r"\b[1-9]\d* (failed|failures?|errors?|failing)\b|^(FAILED|FAIL)\b|test result: FAILED", re.M | re.I
)
_PASSED = re.compile(
    r"\b[1-9]\d* (passed|passing)\b|^OK\b|test result: ok|^Success: no issues|^All checks passed", re.M
)
_TAIL = 4_000


class Reading(NamedTuple):
    """`check`: it checks the work; `decisive`: its exit code is that of the check, not of something after it."""

    check: bool
    decisive: bool


def reading(command: str, checks: Collection[str] = ()) -> Reading:
    """What a command is; `checks` are what the plan calls checks, in any words around the command."""
    if len(command) > LONGEST:
        return Reading(False, True)
    read = _read(command)
    asked = any(stands_in(command, check) for check in checks)
    return Reading(True, read.decisive) if asked else read


def stands_in(command: str, check: str) -> bool:
    """Whether the words of a check name this very command; one of a few letters stands in too many words."""
    return len(command.strip()) > 3 and command.strip() in check


@lru_cache(maxsize=512)
def _read(command: str) -> Reading:
    """By its words alone; agents say the same commands over and over."""
    chains = _chains(command)
    last = bool(chains) and any(map(_is_check, chains[-1]))
    check = last or any(_is_check(words) for chain in chains for words in chain)
    return Reading(check, decisive=last or len(chains) < 2)


def passed(read: Reading, ok: bool, exit_code: int | None, output: str) -> bool | None:
    """Whether a command passed: by its exit code, else by what a check printed last; None when nothing says so."""
    if exit_code is None:
        return None
    if not read.check or read.decisive:
        return ok
    tail = output[-_TAIL:]
    if _FAILED.search(tail):
        return False
    return True if _PASSED.search(tail) else None


def _chains(command: str) -> list[list[list[str]]]:
    """Simple commands as words, those joined by `&&` together: the last chain gives the exit code."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="();<>|&\n")
    lexer.whitespace, lexer.commenters = " \t\r", ""
    chains: list[list[list[str]]] = [[[]]]
    try:
        for token in lexer:
            if not set(token) <= set("();|&\n"):
                chains[-1][-1].append(token)
            elif token.strip("()\n") == "&&":
                chains[-1].append([])
            else:
                chains.append([[]])
    except ValueError:  # a quote without its end
        return []
    return [chain for chain in chains if any(chain)]


def _is_check(words: list[str]) -> bool:
    rest = list(words)
    while rest and _WRAPPERS.fullmatch(rest[0]):
        rest.pop(0)
    if not rest or rest[0] == "test" or not _ASKS_ONLY.isdisjoint(words):  # `test -f x` is the shell's
        return False
    program = rest[0].rsplit("/", 1)[-1]
    if program in _BUILDERS:
        return any(_CHECKING.fullmatch(word) for word in rest[1:])
    return program in _RUNNERS or bool(_SCRIPT.fullmatch(program))
