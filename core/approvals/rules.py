"""Rules: `tool` or `tool: pattern`, matched against parsed calls, never against raw text.

For `run_command` the pattern is words in the shell's quotes, matched word by word against one simple command; a last
`*` stands for any further words, though not for other programs that they run. For tools with a path it is a glob
relative to the workspace (`**` crosses folders), for `fetch_url` a host, where `*.example.org` also covers its
subdomains.
"""

from __future__ import annotations

import re
import shlex
import socket
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Literal

from msgspec import Struct

COMMAND = "run_command"
Mode = Literal["read-only", "ask", "workspace", "full"]
"""What a session may do where no rule says otherwise; the configuration describes them."""


_NUMBERS = re.compile(r"[0-9][0-9a-fx.]*")
_ESCAPED = re.compile(r"\[([*?[])\]")


class BadRule(Exception):
    """What is wrong with a rule, as a plain sentence."""


class Rule(Struct, frozen=True):
    """One rule as it was written: the tool's name (a glob) and the pattern, empty for every call of the tool."""

    tool: str
    pattern: str = ""

    def __str__(self) -> str:
        return f"{self.tool}: {self.pattern}" if self.pattern else self.tool

    def covers(self, tool: str) -> bool:
        return fnmatchcase(tool, self.tool)

    @property
    def spelled(self) -> frozenset[str]:
        """The words of a command's pattern that stand in it as they are."""
        return frozenset(filter(None, map(_literal, _pattern_words(self.pattern))))

    @property
    def exact(self) -> bool:
        """Whether a command's pattern has no word that stands for others."""
        return all(_literal(word) is not None for word in _pattern_words(self.pattern))

    def matches_words(self, argv: Sequence[str]) -> bool:
        """Whether a simple command is covered; never one without a program."""
        if not self.pattern:
            return True
        wanted = _pattern_words(self.pattern)
        if wanted[-1] == "*" and len(argv) >= len(wanted) - 1:
            argv, wanted = argv[: len(wanted) - 1], wanted[:-1]
        pairs = zip(argv, wanted, strict=False)
        return bool(argv) and len(argv) == len(wanted) and all(fnmatchcase(word, glob) for word, glob in pairs)

    def matches_path(self, name: str) -> bool:
        """`name` is relative to the workspace, or absolute outside of it."""
        return not self.pattern or _path_glob(self.pattern).fullmatch(name) is not None

    def matches_host(self, host: str) -> bool:
        """`host` as `plain_host` writes it."""
        wanted = plain_host(self.pattern)
        return not wanted or fnmatchcase(host, wanted) or (wanted.startswith("*.") and host == wanted[2:])


class Rules(Struct, frozen=True):
    """What is always asked, allowed and refused; a denial beats a question, a question beats a permission."""

    allow: tuple[Rule, ...] = ()
    ask: tuple[Rule, ...] = ()
    deny: tuple[Rule, ...] = ()

    def with_allowed(self, more: Iterable[Rule]) -> Rules:
        return Rules((*self.allow, *more), self.ask, self.deny)


NO_RULES = Rules()


def read_rule(text: str) -> Rule:
    """A rule from its text. Raises BadRule."""
    tool, colon, pattern = (part.strip() for part in text.partition(":"))
    if not re.fullmatch(r"[\w*?.-]+", tool):
        raise BadRule(f"{text!r} is no rule: write `tool` or `tool: pattern`, as in `run_command: pytest *`.")
    if colon and not pattern:
        raise BadRule(f"{text!r} has nothing after its colon; leave the colon out to mean every call of {tool}.")
    if pattern and "__" in tool:
        raise BadRule(
            f"{text!r} can't be applied: what is given to a server's tool is not read; write `{tool}` for all."
        )
    if tool == COMMAND and pattern:
        try:
            _pattern_words(pattern)
        except ValueError:
            raise BadRule(f"{text!r} has a quote without its end.") from None
    return Rule(tool, pattern)


def read_rules(allow: Iterable[str], ask: Iterable[str], deny: Iterable[str]) -> Rules:
    """Raises BadRule for the first one that is wrong."""
    allowed, asked, denied = (tuple(map(read_rule, texts)) for texts in (allow, ask, deny))
    return Rules(allowed, asked, denied)


def exact_command(argv: Sequence[str]) -> Rule:
    """The rule that covers this simple command and no other."""
    return Rule(COMMAND, shlex.join(_escaped(word) for word in argv))


def exact_path(tool: str, name: str) -> Rule:
    """The rule that covers this path and no other, also where blanks at its ends would be lost in a text."""
    ends = re.compile(r"^\s+|\s+$")
    return Rule(tool, ends.sub(lambda blanks: "".join(f"[{blank}]" for blank in blanks[0]), _escaped(name)))


def plain_host(host: str) -> str:
    """A host as it is looked up: lower case, other alphabets as IDNA writes them, numbers as an address."""
    try:
        host = (host if host.isascii() else host.encode("idna").decode()).rstrip(".").lower()
        return socket.inet_ntoa(socket.inet_aton(host)) if _NUMBERS.fullmatch(host) else host
    except (ValueError, OSError):
        return host.lower()


def exact_host(tool: str, host: str) -> Rule:
    return Rule(tool, _escaped(host))


def _escaped(text: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", text)


def _literal(word: str) -> str | None:
    """The one word that a word of a pattern stands for; None where there are several."""
    rest = _ESCAPED.sub("", word)
    return None if any(char in rest for char in "*?[") else _ESCAPED.sub(r"\1", word)


@lru_cache(maxsize=512)
def _pattern_words(pattern: str) -> tuple[str, ...]:
    return tuple(shlex.split(pattern))


@lru_cache(maxsize=512)
def _path_glob(pattern: str) -> re.Pattern[str]:
    """`*` and `?` stay within a folder, `**` does not, `[x]` is a class of characters."""
    parts, at = [], 0
    while at < len(pattern):
        if pattern.startswith("**", at):
            folders = pattern.startswith("**/", at)
            parts.append("(?:.*/)?" if folders else ".*")
            at += 3 if folders else 2
        elif (found := re.compile(r"\[!?\]?[^\]]*\]").match(pattern, at)) is not None:
            inner = found[0][1:-1].replace("\\", r"\\")
            parts.append(f"[{'^' + inner[1:] if inner.startswith('!') else inner.replace('[', chr(92) + '[')}]")
            at = found.end()
        else:
            parts.append({"*": "[^/]*", "?": "[^/]"}.get(pattern[at]) or re.escape(pattern[at]))
            at += 1
    return re.compile("".join(parts), re.S)
