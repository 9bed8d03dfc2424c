"""The kinds of weakness that the surveyor knows: what to search for, how to see it in a module, how to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from core.simulator.policies.auditor.rules import RULES
from core.simulator.policies.auditor.rules.base import Fix, Option, Rule, apply
from core.simulator.policies.auditor.rules.calls import narrow_mode, safe_extraction, secure_random, stronger_hash
from core.simulator.policies.auditor.rules.commands import without_shell, without_system
from core.simulator.policies.auditor.source import Source, defining
from core.simulator.policies.surveyor import finding, mending, reckoning
from core.simulator.policies.surveyor.finding import Finder
from core.simulator.policies.surveyor.taint import Taint, functions

_REVIEW = "no repair of mine fits; a person has to look at it"


@dataclass(frozen=True, slots=True)
class Kind:
    """`pattern` is searched for in the lines of a folder, `finder` looks at a module that was read."""

    name: str
    pattern: str
    finder: Finder
    rule: Rule


class Spot(NamedTuple):
    """Something weak: in which function, of which kind, at which lines."""

    function: str
    kind: str
    lines: tuple[int, ...]


def _kind(name: str, title: str, pattern: str, finder: Finder, *options: Option) -> Kind:
    return Kind(name, pattern, finder, Rule(title, options, _REVIEW))


KINDS = (
    _kind("sql", "SQL from strings", r"\b(SELECT|INSERT|UPDATE|DELETE)\b.*(\{|%s|['\"] ?[+%]|\.format\()", finding.sql,
          *RULES["B608"].options),
    _kind("command", "command line of a shell", r"shell=True|os\.(system|popen)\(",
          finding.command, Option("the command runs as an argument list", without_shell),
          Option("the shell gave way to an argument list", without_system)),
    _kind("path", "path that leads out", r"\bopen\(|\.(read|write)_(text|bytes)\(|path\.join\(", finding.path,
          Option("the path has to lie in its folder", mending.kept_inside)),
    _kind("pickle", "unpickling what comes in", r"\b(pickle|marshal|shelve)\b", finding.unpickled,
          *RULES["B301"].options,
          Option("unpickling takes plain values and own classes alone", mending.own_classes,
                 defining(mending.OWN_CLASSES, "pickle"))),
    _kind("eval", "evaluating what comes in", r"\b(eval|exec)\(", finding.evaluated, *RULES["B307"].options,
          *reckoning.OPTIONS),
    _kind("archive", "archive members that lead out", r"extractall\(|unpack_archive\(|namelist\(", finding.archive,
          Option("members are filtered", safe_extraction), Option("members have to lie inside", mending.kept_inside)),
    _kind("token", "secrets that can be foretold", r"\brandom\b", finding.chance,
          Option("random numbers come from the system's secure source", secure_random),
          Option("all numbers come from the system's secure source", mending.secure_numbers)),
    _kind("digest", "weak digest", r"md5|sha1\b|hashlib\.new", finding.weak_digest,
          Option("the weak digest gave way to SHA-256", stronger_hash)),
    _kind("html", "markup that comes in", r"['\"].*</?[a-z][a-z0-9]*[ >]", finding.markup,
          Option("values are escaped", mending.escaped("html.escape({})")),
          Option("values are escaped as text", mending.escaped("html.escape(str({}))"))),
    _kind("redirect", "addresses that lead elsewhere",
          r"startswith\(['\"](https?:/)?/|\bin (url|target|address|link)\b",
          finding.forwarded,
          Option("only addresses of ours are taken", mending.ours_alone)),
    _kind("compare", "secrets compared letter by letter",
          r"[=!]= *\w*(token|secret|signature|password|digest|expected|seal)|(token|secret|signature|digest)\w* [=!]=",
          finding.compared, Option("secrets are compared in constant time", mending.steadily(str)),
          Option("secrets are compared as bytes in constant time", mending.steadily("{}.encode()".format))),
    _kind("mode", "files that others may change", r"chmod\(|umask\(", finding.open_mode,
          Option("the file is its owner's alone", narrow_mode(0)),
          Option("the group may read the file", narrow_mode(0o40))),
)  # fmt: skip
BY_NAME = {kind.name: kind for kind in KINDS}


@lru_cache(maxsize=256)
def spots(text: str) -> tuple[Spot, ...]:
    """Everything weak in a module, kind by kind; nothing when it can't be parsed."""
    try:
        source = Source(text)
    except (SyntaxError, ValueError):
        return ()
    tainted = [(function, Taint(source, function)) for function in functions(source)]
    found: list[Spot] = []
    for kind in KINDS:
        for function, taint in tainted:
            lines = {node.lineno for node in kind.finder(source, function, taint)}  # type: ignore[attr-defined]
            found += [Spot(function.name, kind.name, tuple(sorted(lines)))] if lines else []
    return tuple(found)


def repaired(kind: str, text: str, lines: tuple[int, ...], attempt: int) -> tuple[int, Fix] | None:
    """The first option from number `attempt` (counted from 1) on that fits the module, with its number."""
    for number, option in enumerate(BY_NAME[kind].rule.options, 1):
        fix = apply(option, text, set(lines)) if number >= attempt else None
        if fix is not None:
            return number, fix
    return None
