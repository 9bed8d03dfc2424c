"""What a command line comes to: every simple command in it, unwrapped, with what of it leaves the workspace."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

from core.approvals.places import Places, paths_in
from core.approvals.programs import (
    HARMLESS_VARIABLES,
    SAYS_ONLY,
    TEXT_FIRST,
    openly,
    reaches_network,
    reads_only,
    stays_here,
)
from core.approvals.shell import NotUnderstood, Redirect, Simple, Word, parse
from core.approvals.targets import targets
from core.approvals.wrappers import program, unwrap

_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Step:
    """One simple command. `doubts`: sentences on what in it leaves the workspace or can't be known.

    `inner`: what it would run beside or instead of itself; `wraps`: it is judged by those alone. `argv` is None where a
    word is not known. `binds`: what no rule about its words answers for: its redirections and assignments. `reads`: its
    program only reads; `writes`: a redirection of it writes a file. `network`: it needs one; `outside`: what it surely
    writes outside the workspace, as far as that exists already.
    """

    simple: Simple
    argv: tuple[str, ...] | None
    doubts: tuple[str, ...] = ()
    binds: tuple[str, ...] = ()
    inner: tuple[Step, ...] = ()
    wraps: bool = False
    reads: bool = False
    writes: bool = False
    network: bool = False
    outside: tuple[str, ...] = ()

    def all(self) -> Iterator[Step]:
        """This step and those inside of it."""
        yield self
        for step in self.inner:
            yield from step.all()


@dataclass(frozen=True, slots=True)
class Reading:
    """A line as it was understood. `problem`: why it was not (then `steps` says nothing).

    `paths` are the resolved paths outside the workspace that it names.
    """

    steps: tuple[Step, ...] = ()
    problem: str = ""
    paths: tuple[str, ...] = ()

    def all(self) -> Iterator[Step]:
        for step in self.steps:
            yield from step.all()

    @property
    def reads_only(self) -> bool:
        """Whether it is known to change nothing, and to look at nothing outside."""
        return not self.problem and all(
            (step.reads or step.wraps) and not (step.writes or step.doubts or step.binds) for step in self.all()
        )


def read_command(line: str, places: Places, cwd: str) -> Reading:
    """What a line of `run_command` comes to, run in the folder `cwd` (a real path)."""
    reader = _Reader(places, [cwd])
    try:
        steps = tuple(reader.step(simple) for simple in parse(line, places.home))
    except NotUnderstood as doubt:
        return Reading(problem=str(doubt))
    return Reading(steps, paths=tuple(dict.fromkeys(reader.outside)))


@dataclass(slots=True)
class _Reader:
    """`folders`: every folder that the line may be in so far; a path has to be inside as seen from each."""

    places: Places
    folders: list[str]
    outside: list[str] = field(default_factory=list)
    depth: int = 0

    def step(self, simple: Simple) -> Step:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise NotUnderstood("commands nested too deeply")
        unwrapped = unwrap(self._named(simple), self.places.home)
        inner = tuple(self.step(it) for it in unwrapped.inner)
        self.depth -= 1
        own = unwrapped.own or Simple((), simple.assignments, simple.redirects)
        argv = self._argv(simple)
        binds = (*self._assigned(own), *self._redirected(own))
        writes = any(it.writes and not it.target.text.startswith("/dev/") for it in own.redirects)
        outside = tuple(self._written(own))
        if not own.words:
            return Step(simple, argv, (), binds, inner, wraps=True, writes=writes, outside=outside)
        doubts = tuple(self._doubts(own))
        own_argv = self._argv(own)
        reads = own_argv is not None and reads_only(own_argv)
        said = [program(own), *(word.text for word in own.words[1:] if word.known)]
        network = reaches_network(said) and not (own.beside and stays_here(said))
        return Step(simple, argv, doubts, binds, inner, False, reads, writes, network, outside)

    def _written(self, simple: Simple) -> Iterator[str]:
        """What it surely writes outside: the targets of its redirections, and what its words name as such."""
        known = [(it.target.text, False) for it in simple.redirects if it.writes and it.target.known]
        words = [word.text for word in simple.words if word.known]
        for text, holder in (*known, *(targets([program(simple), *words[1:]]) if words else ())):
            for real in self._reals(text):
                if not self.places.inside(real):
                    yield self.places.standing(str(Path(real).parent) if holder else real)

    def _named(self, simple: Simple) -> Simple:
        """A program from a folder of installed ones goes by its name."""
        if not simple.words or "/" not in simple.words[0].text:
            return simple
        name = self.places.program_of(simple.words[0].text, self.folders[0])
        return replace(simple, words=(Word(name), *simple.words[1:])) if name else simple

    def _argv(self, simple: Simple) -> tuple[str, ...] | None:
        return self._named(simple).argv or None

    def _assigned(self, simple: Simple) -> Iterator[str]:
        for name, _ in simple.assignments:
            if not HARMLESS_VARIABLES.fullmatch(name):
                yield f"it sets {name}, which may change what runs"

    def _redirected(self, simple: Simple) -> Iterator[str]:
        for redirect in simple.redirects:
            yield from self._target(redirect)

    def _target(self, redirect: Redirect) -> Iterator[str]:
        word = redirect.target
        if not word.known or word.glob:
            yield f"where `{redirect.operator} {word.text}` leads is only known when it runs"
            return
        for real in self._reals(word.text):
            if not self.places.inside(real):
                self.outside.append(real)
                yield f"it {'writes' if redirect.writes else 'reads'} {real}, outside the workspace"
            elif redirect.writes and self.places.protected(real):
                yield f"it writes {self.places.relative(real)}, which others act on"

    def _doubts(self, simple: Simple) -> Iterator[str]:
        name, words = program(simple), list(simple.words[1:])
        if "/" in simple.words[0].text:
            yield from self._named_paths(simple.words[0].text, reads=True)
        text = name in SAYS_ONLY
        if (unknown := next((word for word in words if not word.known), None)) is not None and not text:
            yield f"`{unknown.text}` is only known when it runs"
        known = [word.text for word in words if word.known]
        if said := openly([name, *known]):
            yield said
        if name == "cd":
            yield from self._moved(words)
            return
        if any(word.glob and _may_climb(word.text) for word in words):
            yield "a pattern in it may lead upwards"
        if name in ("rm", "mv") and any(self.places.workspace in self._reals(word) for word in known):
            yield "it removes the workspace itself"
        reads = reads_only([name, *known])
        for word in _opened(name, known):
            yield from self._named_paths(word, reads=reads)
        if not text and any("://" in word for word in known):
            yield "it names an address on a network"

    def _named_paths(self, word: str, *, reads: bool) -> Iterator[str]:
        for candidate in paths_in(word):
            for real in self._reals(candidate):
                if not self.places.inside(real):
                    self.outside.append(real)
                    yield f"it names {real}, outside the workspace"
                elif not reads and self.places.protected(real):
                    yield f"it names {self.places.relative(real)}, which others act on"

    def _moved(self, words: list[Word]) -> Iterator[str]:
        target = next((word for word in words if word.text not in ("-P", "-L", "--")), None)
        if target is None or target.text == "-" or not target.known or target.glob:
            raise NotUnderstood("a `cd` to a folder that is only known when it runs")
        for real in self._reals(target.text):
            self.folders.append(real)
            if not self.places.inside(real):
                self.outside.append(real)
                yield f"it goes to {real}, outside the workspace"

    def _reals(self, path: str) -> set[str]:
        return {self.places.resolve(path, folder) for folder in self.folders}


def _may_climb(text: str) -> bool:
    """Whether a part of a pattern can become `..` when it is expanded."""
    return any(part.startswith(".") and part != ".." and fnmatchcase("..", part) for part in text.split("/"))


def _opened(name: str, words: list[str]) -> list[str]:
    """The words that may be paths: all but plain text, and but the pattern of a search."""
    if name in SAYS_ONLY:
        return []
    if name in TEXT_FIRST:
        first = next((at for at, word in enumerate(words) if not word.startswith("-")), None)
        given = any(word.startswith(("-e", "-f", "--regexp", "--file")) for word in words)
        if first is not None and not given:
            return [*words[:first], *words[first + 1 :]]
    return words
