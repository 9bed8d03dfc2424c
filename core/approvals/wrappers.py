"""Programs that run other programs: what they would run is read out of their words, or not understood."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from core.approvals.shell import NotUnderstood, Simple, Word, parse

SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "ash", "rbash"})
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
    wrapper = _WRAPPERS.get(name)
    return wrapper(simple) if wrapper else Unwrapped(simple)


def _shell(simple: Simple, home: str) -> Unwrapped:
    """`bash -c 'line'` is its line; `bash script` is judged by the script's path; a shell fed by a pipe is refused."""
    words = simple.words[1:]
    while words:
        text = _known(words[0])
        if re.fullmatch(r"-[a-z]*c", text) and _PLAIN_OPTIONS.fullmatch(text.replace("c", "") + "e"):
            if len(words) < 2 or not words[1].known:
                raise NotUnderstood("a shell whose line is only known when it runs")
            inner = parse(words[1].text, home)
            return Unwrapped(Simple((), simple.assignments, simple.redirects), inner)
        if re.fullmatch(r"-[euxfnv]*o|\+o", text):
            words = words[2:]
        elif _PLAIN_OPTIONS.fullmatch(text):
            words = words[1:]
        elif text.startswith(("-", "+")):
            raise NotUnderstood(f"a shell with the option {text}")
        else:
            return Unwrapped(replace(simple, words=words))  # the script takes the place of the program
    raise NotUnderstood("a shell that reads its commands from elsewhere")


def _prefix(simple: Simple, skip: int, assignments: Sequence[tuple[str, Word]] = ()) -> Unwrapped:
    """The command that begins at word `skip`, in the place of the whole."""
    rest = simple.words[skip:]
    together = (*simple.assignments, *assignments)
    if not rest:
        raise NotUnderstood(f"{simple.words[0].text} without a command")
    return Unwrapped(None, (replace(simple, words=rest, assignments=together),))


def _options(simple: Simple, *, flags: str, valued: str, long: tuple[str, ...] = ()) -> int:
    """The first word that is no option. `valued` options take the next word, or the rest of their own."""
    at = 1
    while at < len(simple.words) and (text := _known(simple.words[at])).startswith("-") and text != "-":
        if text == "--":
            return at + 1
        if any(text == name or text.startswith(f"{name}=") for name in long):
            at += 1
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
    at = _options(simple, flags="i0", valued="u", long=("--ignore-environment", "--unset"))
    assignments = []
    while at < len(simple.words) and (found := _ASSIGNED.match(simple.words[at].text)):
        word = simple.words[at]
        assignments.append((found[1], replace(word, text=word.text[found.end() :])))
        at += 1
    return Unwrapped(simple) if at == len(simple.words) and not assignments else _prefix(simple, at, assignments)


def _timeout(simple: Simple) -> Unwrapped:
    long = ("--foreground", "--preserve-status", "--signal", "--kill-after", "--verbose")
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


def _xargs(simple: Simple) -> Unwrapped:
    long = ("--null", "--no-run-if-empty", "--max-args", "--max-procs", "--delimiter", "--verbose")
    at = _options(simple, flags="0rtx", valued="nPILdsE", long=long)
    words = simple.words[at:] or (Word("echo"),)
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
    "nice": _plainly(valued="n", long=("--adjustment",)),
    "ionice": _plainly("t", valued="cn"),
    "stdbuf": _plainly(valued="ioe", long=("--input", "--output", "--error")),
    "command": _command,
    "builtin": _plainly(),
    "exec": _plainly("cl", valued="a"),
    "busybox": _plainly(),
    "toybox": _plainly(),
    "xargs": _xargs,
    "find": _find,
}
