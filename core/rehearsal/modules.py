"""One module of a town and its tests, put together from the parts of a sheet."""

from __future__ import annotations

import random
import re
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from core.rehearsal.sheets import Sheet, filled

_AROUND_TESTS = (
    *("import contextlib", "import hashlib", "import hmac", "import io", "import os", "import pickle"),
    *("import random", "import sqlite3", "import tarfile", "import tempfile", "import unittest", "import zipfile"),
    *("from datetime import date, timedelta", "from decimal import Decimal", "from pathlib import Path"),
    "from unittest import mock",
)
_ALWAYS_WHOLE = frozenset(("records", "tariff", "schedule", "stats"))
"""Others call these, so no part of them may be left out."""


@dataclass(slots=True)
class Module:
    """`thing` is what it is about, `plot` which sheet it follows; `peers` are the modules that it calls, by plot."""

    area: str
    thing: str
    plot: str
    sheet: Sheet
    peers: Mapping[str, Module]
    pick: random.Random
    imports: list[str] = field(default_factory=list)
    _code: list[str] = field(default_factory=list)
    _tests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        words = module_words(self, self.pick)
        pairs = self.sheet.pairs()
        if self.plot not in _ALWAYS_WHOLE:
            left = 1 + self.pick.randrange(len(pairs) - 1)
            pairs = [pair for place, pair in enumerate(pairs) if place != left or self.pick.random() < 0.4]
        for code, test in pairs:
            self.add([], filled(code, words), filled(test, words))
        self.imports += self.sheet.values("import")
        self.imports += [f"from town.{peer.area} import {peer.name}" for peer in self.peers.values()]

    @property
    def name(self) -> str:
        return f"{self.thing}_{self.plot}"

    @property
    def path(self) -> str:
        return f"town/{self.area}/{self.name}.py"

    @property
    def test_path(self) -> str:
        return f"tests/{self.area}/test_{self.name}.py"

    def add(self, imports: Iterable[str], code: str, test: str) -> None:
        """One more part with its test."""
        self.imports += imports
        self._code.append(code.strip("\n"))
        self._tests.append(test.strip("\n"))

    def source(self) -> str:
        """The module's text."""
        head = f'"""{_title(self.plot)} of the {self.thing}s of the {self.area} department."""'
        code = "\n\n\n".join(self._code)
        used = [line for line in self.imports if _uses(code, line)]
        return "\n\n".join([head, _block(used), "\n" + code] if used else [head, "\n" + code]) + "\n"

    def tests(self) -> str:
        """The text of its tests."""
        return self._case("\n\n".join(self._tests))

    def proof(self, methods: str) -> str:
        """A test module with these methods, to be kept elsewhere."""
        return self._case(methods)

    def _case(self, methods: str) -> str:
        used = [line for line in _AROUND_TESTS if line == "import unittest" or _uses(methods, line)]
        subject = f"from town.{self.area} import {self.name} as subject"
        case = f"class {_camel(self.thing)}{_camel(self.plot)}Test(unittest.TestCase):"
        return f"{_block(used)}\n\n{subject}\n\n\n{case}\n{textwrap.indent(methods, '    ')}\n"


def module_words(module: Module, pick: random.Random) -> dict[str, object]:
    """What stands for the words of a sheet in a module: its names, and numbers by chance."""
    words: dict[str, object] = {f"n{place}": pick.randint(2, 97) for place in range(1, 7)}
    words |= {"m1": pick.choice((3, 4, 9, 10, 11)), "d1": pick.randint(2, 28), "p1": pick.randint(5, 40)}
    words |= {"thing": module.thing, "things": f"{module.thing}s", "area": module.area}
    words |= {"Thing": _camel(module.thing), "THING": module.thing.upper()}
    return words | {name: peer.name for name, peer in module.peers.items()}


def _title(plot: str) -> str:
    return {"stats": "Figures", "service": "The daily work", "store": "The table"}.get(plot, plot.capitalize())


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def _uses(code: str, line: str) -> bool:
    """Whether the code has one of the names that an import binds."""
    names = line.rpartition("import ")[2].split(",")
    return any(re.search(rf"\b{re.escape(name.split(' as ')[-1].strip().split('.')[0])}\b", code) for name in names)


def _block(imports: Iterable[str]) -> str:
    """Imports in their order, each once: of whole modules first, the town's own last."""
    once = sorted(dict.fromkeys(imports), key=lambda line: (" town." in line, line.startswith("from"), line))
    return "\n".join(once)
