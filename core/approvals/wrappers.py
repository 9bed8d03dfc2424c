"""Programs that run other programs: what they would run is read out of their words, or not understood."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from core.approvals.programs import FED
from core.approvals.shell import NotUnderstood, Simple, Word, parse

SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "ash", "rbash"})
_OTHER_TONGUES = frozenset({"zsh", "ksh"})
"""Shells that read the same line another way, and run subscripts where bash does not."""
_PLAIN_OPTIONS = re.compile(r"-[eufxvnabCETh]+|--(norc|noprofile|posix|login)|[-+]o")
_ASSIGNED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=")
_DURATION = re.compile(r"[0-9.]+[smhd]?")


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """What a command comes to: `own` is judged by its own words (None: it only runs the others), `inner` by theirs."""

    own: Simple | None
    inner: tuple[Simple, ...] = ()


def program(simple: Simple) -> str:
    """The program's name without its folder; empty where there is none. Raises NotUnderstood where it is not known."""
    if not simple.words:
        return ""
    first = simple.words[0]
    if not first.known or first.glob:
        raise NotUnderstood(f"a program that is only known when it runs ({first.text})")
    return first.text.rsplit("/", 1)[-1]


def unwrap(simple: Simple, home: str) -> Unwrapped:
    """One layer of wrapping taken off. Raises NotUnderstood for wrappers used in ways that are not known here."""
    name = program(simple)
    if name in SHELLS:
        return _shell(simple, home)
    if name == "eval":
        return _eval(simple, home)
    wrapper = _WRAPPERS.get(name)
    return wrapper(simple) if wrapper else Unwrapped(simple)


def _shell(simple: Simple, home: str) -> Unwrapped:
    """`bash -c 'line'` is its line; `bash script` is judged by the script's path; a shell fed by a pipe is refused."""
    words, lined = simple.words[1:], False
    while words and (text := words[0].text).startswith(("-", "+")):
        _known(words[0])
        named = re.fullmatch(r"-[euxfnv]*o|\+o", text)
        line = re.fullmatch(r"-[a-z]*c", text) and _PLAIN_OPTIONS.fullmatch(text.replace("c", "") + "e")
        if not (named or line or text == "--" or _PLAIN_OPTIONS.fullmatch(text)):
            raise NotUnderstood(f"a shell with the option {text}")
        lined |= bool(line)  # the line itself is the first word that is no option
        words = words[2 if named else 1 :]
        if text == "--":
            break
    if lined and program(simple) in _OTHER_TONGUES:
        raise NotUnderstood(f"a line for {program(simple)}")
    if lined:
        if not words or not words[0].known or words[0].glob:
            raise NotUnderstood("a shell whose line is only known when it runs")
        return Unwrapped(Simple((), simple.assignments, simple.redirects), parse(words[0].text, home))
    if not words or FED.fullmatch(_known(words[0])):
        raise NotUnderstood("a shell that reads its commands from elsewhere")
    return Unwrapped(replace(simple, words=words))  # the script takes the place of the program


def _prefix(simple: Simple, skip: int, assignments: Sequence[tuple[str, Word]] = ()) -> Unwrapped:
    """The command that begins at word `skip`, in the place of the whole."""
    rest = simple.words[skip:]
    together = (*simple.assignments, *assignments)
    if not rest:
        raise NotUnderstood(f"{simple.words[0].text} without a command")
    return Unwrapped(None, (replace(simple, words=rest, assignments=together),))


def _options(simple: Simple, *, flags: str, valued: str, long: tuple[str, ...] = ()) -> int:
    """The first word that is no option. `valued` options take the next word, or the rest of their own.

    `long` options end with `=` where they take a value, be it behind a `=` or as the next word.
    """
    at = 1
    while at < len(simple.words) and (text := _known(simple.words[at])).startswith("-") and text != "-":
        if text == "--":
            return at + 1
        name, equals, _ = text.partition("=")
        if text in long or (equals and f"{name}=" in long):
            at += 1
        elif f"{name}=" in long:
            at += 2
        elif text[1] in valued and not text.startswith("--"):
            at += 1 if len(text) > 2 else 2
        elif not text.startswith("--") and set(text[1:]) <= set(flags):
            at += 1
        else:
            raise NotUnderstood(f"{simple.words[0].text} with the option {text}")
    return at


def _known(word: Word) -> str:
    if not word.known or word.glob:
        raise NotUnderstood(f"a word that is only known when it runs ({word.text})")
    return word.text


def _env(simple: Simple) -> Unwrapped:
    at = _options(simple, flags="i0", valued="u", long=("--ignore-environment", "--unset="))
    at += at < len(simple.words) and simple.words[at].text == "-"  # as `-i`
    assignments = []
    while at < len(simple.words) and (found := _ASSIGNED.match(simple.words[at].text)):
        word = simple.words[at]
        assignments.append((found[1], replace(word, text=word.text[found.end() :])))
        at += 1
    return Unwrapped(simple) if at == len(simple.words) and not assignments else _prefix(simple, at, assignments)


def _timeout(simple: Simple) -> Unwrapped:
    long = ("--foreground", "--preserve-status", "--signal=", "--kill-after=", "--verbose")
    at = _options(simple, flags="v", valued="sk", long=long)
    if at >= len(simple.words) or not _DURATION.fullmatch(_known(simple.words[at])):
        raise NotUnderstood("timeout without a duration")
    return _prefix(simple, at + 1)


def _plainly(flags: str = "", valued: str = "", long: tuple[str, ...] = ()) -> Callable[[Simple], Unwrapped]:
    def wrapper(simple: Simple) -> Unwrapped:
        return _prefix(simple, _options(simple, flags=flags, valued=valued, long=long))

    return wrapper


def _command(simple: Simple) -> Unwrapped:
    asks = len(simple.words) > 1 and simple.words[1].text in ("-v", "-V")
    return Unwrapped(simple) if asks else _plainly("p")(simple)


def _sudo(simple: Simple) -> Unwrapped:
    """Judged by itself, for it gives other rights, and by what it runs."""
    at = _options(simple, flags="nEHSkKPAbvl", valued="ugCpTrtUhDR")
    while at < len(simple.words) and _ASSIGNED.match(simple.words[at].text):
        at += 1
    return Unwrapped(simple, (Simple(simple.words[at:]),) if at < len(simple.words) else ())


def _eval(simple: Simple, home: str) -> Unwrapped:
    return Unwrapped(simple, parse(" ".join(map(_known, simple.words[1:])), home))


def _launcher(verb: str) -> Callable[[Simple], Unwrapped]:
    """`poetry run pytest` is itself and `pytest`."""

    def wrapper(simple: Simple) -> Unwrapped:
        launches = len(simple.words) > 2 and simple.words[1].text == verb and not simple.words[2].text.startswith("-")
        return Unwrapped(simple, (Simple(simple.words[2:]),) if launches else ())

    return wrapper


def _xargs(simple: Simple) -> Unwrapped:
    long = ("--null", "--no-run-if-empty", "--max-args=", "--max-procs=", "--delimiter=", "--verbose")
    at = _options(simple, flags="0rtx", valued="nPILdsE", long=long)
    words = simple.words[at:] or (Word("echo"),)
    options = [word.text for word in simple.words[1:at]]
    for name in (text[2:] or after for text, after in pairwise([*options, ""]) if text.startswith("-I")):
        words = tuple(replace(word, known=word.known and name not in word.text) for word in words)
    return Unwrapped(None, (replace(simple, words=(*words, Word("(what xargs reads)", known=False))),))


def _find(simple: Simple) -> Unwrapped:
    """`-exec` and its like run what follows; what is found lies below the folders that are named."""
    own: list[Word] = []
    inner: list[Simple] = []
    words = list(simple.words)
    roots = [word for word in words[1:] if not word.text.startswith("-")][:1] or [Word(".")]
    while words:
        word = words.pop(0)
        if word.text not in ("-exec", "-execdir", "-ok", "-okdir"):
            own.append(word)
            continue
        end = next((at for at, it in enumerate(words) if it.text == ";" or _ends_plus(words, at)), None)
        if not end:
            raise NotUnderstood(f"find with a {word.text} that has no end")
        found = [replace(it, text=it.text.replace("{}", f"{roots[0].text}/found")) for it in words[:end]]
        if any("{}" in it.text and it.text != "{}" for it in words[:end]) or "{}" in words[0].text:
            raise NotUnderstood("find with a name put into another word")
        inner.append(Simple(tuple(found)))
        words = words[end + 1 :]
    return Unwrapped(replace(simple, words=tuple(own)), tuple(inner))


def _ends_plus(words: list[Word], at: int) -> bool:
    return words[at].text == "+" and at > 0 and words[at - 1].text == "{}"


_WRAPPERS: dict[str, Callable[[Simple], Unwrapped]] = {
    "env": _env,
    "timeout": _timeout,
    "gtimeout": _timeout,
    "nohup": _plainly(),
    "setsid": _plainly("fwc"),
    "nice": _plainly(valued="n", long=("--adjustment=",)),
    "time": _plainly("pqv", valued="f", long=("--portability", "--quiet", "--verbose", "--format=")),
    "ionice": _plainly("t", valued="cn"),
    "stdbuf": _plainly(valued="ioe", long=("--input=", "--output=", "--error=")),
    "command": _command,
    "builtin": _plainly(),
    "exec": _plainly("cl", valued="a"),
    "busybox": _plainly(),
    "toybox": _plainly(),
    "xargs": _xargs,
    "find": _find,
    **dict.fromkeys(("sudo", "doas"), _sudo),
    **dict.fromkeys(("uv", "poetry", "pipenv", "pdm", "hatch", "rye"), _launcher("run")),
    "bundle": _launcher("exec"),
}
