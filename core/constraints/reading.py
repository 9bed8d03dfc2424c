"""Which constraints a text declares: "never touch migrations/", "no network", "keep the tests green". Pure.

Only what can be checked exactly on arguments and results is one; the rest stays the user's words, and is said to be so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Literal, NamedTuple, get_args

Kind = Literal["touch", "only", "network", "run", "green"]
KINDS: tuple[Kind, ...] = get_args(Kind)
FORMS = (
    "never touch PATH · only touch PATH · never run COMMAND · no network · keep the tests green · keep `COMMAND` green"
)
LONGEST = 400
"""Characters of one constraint."""
MOST = 40
"""Constraints of one text."""


class Constraint(NamedTuple):
    """What is not to happen. `kind`: touch (nothing of the patterns changes), only (nothing else does), network, run
    (no command that begins with these words), green (a check that passed does not fail); `patterns` are paths relative
    to the workspace, or the command. Without a kind it is a constraint that nobody can check."""

    text: str
    kind: Kind | None
    patterns: tuple[str, ...] = ()


_NOT = r"(?:never|do not|don['’]t|must not|mustn['’]t|may not|should not|shouldn['’]t)(?: ever)?"
_CHANGE = r"(?:touch|change|edit|modify|alter|overwrite|delete|remove|write(?: to| into| in)?)"
_FILLER = r"(?: (?:any(?:thing| file| files)?|the|files?|folders?|director(?:y|ies)|in|under|inside|of|to|at))*"
_PATH = r"(?:`[^`\n]+`|\"[^\"\n]+\"|'[^'\n]+'|[\w.~*?\[\]@+-]*[/.*][\w./~*?\[\]@+-]*)"
_PATHS = rf"{_PATH}(?:(?:,| and| or|, and|, or) {_PATH})*"
_COMMAND = r"(?:`[^`\n]+`|\"[^\"\n]+\"|'[^'\n]+')"
_GREEN = r"(?:green|passing|pass)"
_TESTS = r"(?:(?:the|all|our) )?(?:tests?|test suite|suite|checks|build)"

_WRITTEN: tuple[tuple[Kind, str], ...] = (
    ("only", rf"\bonly {_CHANGE}{_FILLER} (?P<paths>{_PATHS})"),
    (
        "only",
        rf"\b{_NOT} {_CHANGE} anything (?:outside|but|except|other than)(?: of)?{_FILLER} (?P<paths>{_PATHS})",
    ),
    ("only", rf"\bstay (?:in|within|inside)(?: of)?{_FILLER} (?P<paths>{_PATHS})"),
    ("touch", rf"\b{_NOT} {_CHANGE}{_FILLER} (?P<paths>{_PATHS})"),
    ("touch", rf"\bleave{_FILLER} (?P<paths>{_PATHS}) (?:alone|untouched|unchanged|as (?:it is|they are))"),
    ("touch", rf"(?P<paths>{_PATHS}) (?:is|are) (?:off[ -]limits|read[ -]only)"),
    ("touch", rf"(?P<paths>{_PATHS}) (?:must|should) (?:not (?:be )?|stay un)(?:changed?|touched|edited|modified)"),
    ("network", r"\bno (?:network|internet)(?: access| calls?| use)?\b"),
    ("network", rf"\b{_NOT} (?:use|access|reach|touch|go to|connect to) the (?:network|internet|web)\b"),
    ("network", r"\b(?:stay|work|remain) offline\b"),
    ("run", rf"\b{_NOT} (?:run|call|execute|use|start) (?P<command>{_COMMAND})"),
    ("run", rf"\b{_NOT} (?:run|call|execute) (?P<command>[a-z][\w.+-]*(?: [\w./:=+-]+){{0,3}})"),
    ("run", rf"\b{_NOT} (?P<git>commit|push|force[ -]push)\b"),
    ("run", r"\bno (?:git )?(?P<git>commits?|pushes|force[ -]push(?:es)?)\b"),
    ("green", rf"\bkeep (?P<command>{_COMMAND}) {_GREEN}"),
    ("green", rf"\bkeep {_TESTS} {_GREEN}"),
    ("green", rf"{_TESTS} (?:must|should|have to|need to) (?:stay|keep|always|remain) ?{_GREEN}"),
    ("green", rf"\b{_NOT} break {_TESTS}\b"),
)
_LIKE_ONE = re.compile(rf"(?:[-*•] )?(?:please )?(?:{_NOT}|no|only|keep)\b", re.I)
_HARMLESS = re.compile(r"(?:not|n['’]t|never) (?:forget|hesitate|worry|stop|mind)|no (?:need|problem|worries)", re.I)
LIFTED = "No longer forbidden:"
"""What stands before the words of a constraint that holds no more."""
_FENCED = re.compile(r"```.*?```", re.S)
_SENTENCE = re.compile(r"(?<=[.;!?])\s+|\n+")


def read_constraint(text: str) -> Constraint | None:
    """The one constraint that a text is; None where it is none that can be checked."""
    found = [one for one in constraints_in(text) if one.kind is not None]
    return Constraint(text.strip(), found[0].kind, found[0].patterns) if len(found) == 1 else None


def constraints_in(text: str) -> list[Constraint]:
    """Every constraint that a text declares, and the sentences that look like one that nobody can check."""
    found: dict[tuple[Kind | None, tuple[str, ...]], Constraint] = {}
    for sentence in _SENTENCE.split(_FENCED.sub("\n", text)):
        if sentence.lower().startswith(LIFTED.lower()):
            continue
        for one in _of_sentence(sentence.strip()[: 4 * LONGEST]):
            found.setdefault((one.kind, one.patterns or (one.text,)), one)
    return list(found.values())[:MOST]


@cache
def _rules() -> tuple[tuple[Kind, re.Pattern[str]], ...]:
    """Compiled when the first text is read: a screen that opens reads none."""
    return tuple((kind, re.compile(pattern, re.I)) for kind, pattern in _WRITTEN)


def _of_sentence(sentence: str) -> Iterator[Constraint]:
    taken: list[range] = []
    for kind, pattern in _rules():
        for match in pattern.finditer(sentence):
            span = range(*match.span())
            if any(span.start < other.stop and other.start < span.stop for other in taken):
                continue
            patterns = _patterns(kind, match)
            if patterns is not None:
                taken.append(span)
                yield Constraint(match[0].strip()[:LONGEST], kind, patterns)
    if not taken and _LIKE_ONE.match(sentence) and not _HARMLESS.search(sentence):
        yield Constraint(sentence[:LONGEST], None)


def _patterns(kind: Kind, match: re.Match[str]) -> tuple[str, ...] | None:
    """What it is about; None where that can't be named."""
    named = match.groupdict()
    if paths := named.get("paths"):
        words = re.findall(_PATH, paths)
        return tuple(glob for word in words for glob in _globs(_bare(word), kind)) or None
    if command := named.get("command"):
        return (_bare(command),)
    if git := named.get("git"):
        return (
            ("git push --force",) if "force" in git.lower() else (f"git {git.lower()[:4].replace('comm', 'commit')}",)
        )
    return ()


def _bare(word: str) -> str:
    quoted = word[:1] in "`\"'" and word[-1:] == word[:1]
    return (word[1:-1] if quoted else word.rstrip(".,;:!?")).strip()


def _globs(path: str, kind: Kind) -> Iterator[str]:
    """A path as patterns: a folder and all in it; a name without a folder wherever it is."""
    rooted = kind == "only" and path.endswith("/")
    path = path.removeprefix("./").rstrip("/")
    if not path or path in (".", "*"):
        return
    path = path.removesuffix("/**").removesuffix("/*") if path.endswith(("/**", "/*")) else path
    anywhere = "" if rooted or "/" in path or path.startswith("~") else "**/"
    yield f"{anywhere}{path}"
    yield f"{anywhere}{path}/**"
