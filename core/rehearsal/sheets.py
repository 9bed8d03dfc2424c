"""Sheets: the text files from which code is made. A head of `name: value` lines, then parts under `---- name` lines.

Several sheets of a file are set apart by a line `====`. In every part `$thing`, `$n1` and the like stand for what the
place fills in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template

ROOT = Path(__file__).parent
_PART = re.compile(r"^---- (\w+)\n", re.M)


@dataclass(frozen=True, slots=True)
class Sheet:
    """`head` holds (name, value) pairs, a name may come several times; `parts` in the order of the file."""

    name: str
    head: tuple[tuple[str, str], ...]
    parts: tuple[tuple[str, str], ...]

    def values(self, name: str) -> list[str]:
        """The values of a name of the head."""
        return [value for key, value in self.head if key == name]

    @property
    def kind(self) -> str:
        return next(iter(self.values("kind")), "")

    def part(self, name: str, words: Mapping[str, object]) -> str:
        """A part that comes once, filled in."""
        return filled(next(text for key, text in self.parts if key == name), words)

    def pairs(self) -> list[tuple[str, str]]:
        """(code, test) of the parts, where they come in turn."""
        code = [text for key, text in self.parts if key == "code"]
        tests = [text for key, text in self.parts if key == "test"]
        return list(zip(code, tests, strict=True))


def filled(text: str, words: Mapping[str, object]) -> str:
    """The text with its words in place. Raises KeyError for one that is not there."""
    return Template(text).substitute(words)


@cache
def sheets(folder: str) -> tuple[Sheet, ...]:
    """All sheets of a folder of this room, in the order of their names."""
    return tuple(sheet for path in sorted((ROOT / folder).glob("*.txt")) for sheet in _read(path))


def _read(path: Path) -> Iterator[Sheet]:
    for number, text in enumerate(path.read_text(encoding="utf-8").split("====\n"), 1):
        head, *rest = _PART.split(text)
        pairs = tuple((key.strip(), value.strip()) for key, _, value in _lines(head))
        yield Sheet(f"{path.stem}-{number}", pairs, tuple(zip(rest[::2], rest[1::2], strict=True)))


def _lines(head: str) -> Iterator[tuple[str, str, str]]:
    return (line.partition(":") for line in head.splitlines() if line.strip())
