"""The code base of a town: departments as packages, modules that call each other, a test suite that runs.

A town is a function of its seed and size. Flaws and decoys stand in its modules without any mark; where they are, and
what proves them, only the `Town` knows.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from core.rehearsal.modules import Module, module_words
from core.rehearsal.papers import Codes, papers
from core.rehearsal.sheets import Sheet, sheets

AREAS = (
    *("archives", "bridges", "cemeteries", "clinics", "courts", "customs", "cycling", "elections", "energy"),
    *("festivals", "fire", "fisheries", "forests", "gardens", "harbour", "health", "housing", "kennels", "library"),
    *("lighting", "markets", "mills", "museums", "nurseries", "parking", "parks", "permits", "post", "quarries"),
    *("registry", "rivers", "roads", "schools", "shelters", "sports", "stables", "surveys", "taxes", "telegraph"),
    *("theatres", "transit", "treasury", "waste", "water", "weather", "welfare", "wharves", "wells"),
)
THINGS = (
    *("account", "badge", "barrel", "batch", "booth", "cart", "claim", "crate", "crew", "desk", "gate", "lamp"),
    *("lease", "ledger", "meter", "notice", "order", "parcel", "pump", "quota", "route", "sensor", "shelf", "shift"),
    *("stall", "tender", "ticket", "tram", "visit", "voucher"),
)
FOUNDATION = ("records", "tariff", "schedule", "stats")
"""Plots that others call: each department has them first."""
ON_TOP = ("store", "rules", "routes", "notices", "service")
LINES_PER_MODULE = 88
"""With its tests, on average; so many modules make a town of the wanted size."""
PER_AREA = 40


@dataclass(frozen=True, slots=True)
class Sizes:
    """How big a town is, and what is wrong in it."""

    lines: int = 200_000
    known: int = 40
    aside: int = 20
    decoys: int = 100


@dataclass(frozen=True, slots=True)
class Planted:
    """A flaw or a decoy. `proof` is a test module that fails as long as the flaw is there; empty for a decoy."""

    id: str
    kind: str
    path: str
    function: str
    origin: str
    sheet: str
    proof: str = ""


@dataclass(slots=True)
class Town:
    """What was made. `origin` of what is planted: `known`, `aside` or `decoy`."""

    seed: int
    areas: tuple[str, ...]
    planted: list[Planted] = field(default_factory=list)
    codes: Codes = field(default_factory=Codes)
    files: dict[str, str] = field(default_factory=dict)

    @property
    def lines(self) -> int:
        """Lines of Python, tests included."""
        return sum(text.count("\n") for path, text in self.files.items() if path.endswith(".py"))

    @property
    def flaws(self) -> list[Planted]:
        return [one for one in self.planted if one.origin != "decoy"]

    def write(self, target: Path) -> None:
        """Put it into an empty folder."""
        for path, text in self.files.items():
            place = target / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")


def found(seed: int, sizes: Sizes, variant: str = "flawed") -> Town:
    """Lay out a town. `variant` is the part that stands where a flaw is planted: `flawed`, or `fixed` to try proofs."""
    modules = list(_modules(seed, sizes))
    areas = tuple(dict.fromkeys(module.area for module in modules))
    town = Town(seed, areas)
    _plant(town, modules, sizes, variant)
    for area in areas:
        title = f'"""The {area} department."""\n'
        town.files |= {f"town/{area}/__init__.py": title, f"tests/{area}/__init__.py": ""}
    town.files |= {"town/__init__.py": '"""The offices of a town."""\n', "tests/__init__.py": ""}
    for module in modules:
        town.files[module.path], town.files[module.test_path] = module.source(), module.tests()
    town.codes, texts = papers(seed, areas)
    town.files |= texts
    return town


def _modules(seed: int, sizes: Sizes) -> Iterator[Module]:
    """Modules, department by department; what others call comes before its callers."""
    wanted = max(len(FOUNDATION) + len(ON_TOP), sizes.lines // LINES_PER_MODULE)
    count = min(len(AREAS), max(1, round(wanted / PER_AREA)))
    pick = random.Random(f"{seed}:layout")
    known: dict[str, list[Module]] = {}
    plots = {sheet.name.removesuffix("-1"): sheet for sheet in sheets("plots")}
    for index, area in enumerate(sorted(pick.sample(AREAS, count))):
        number = wanted * (index + 1) // count - wanted * index // count
        for name, thing in _names(pick, number):
            peers = {need: pick.choice(known[need]) for need in plots[name].values("needs")}
            module = Module(area, thing, name, plots[name], peers, random.Random(f"{seed}:{area}:{thing}:{name}"))
            known.setdefault(name, []).append(module)
            yield module


def _names(pick: random.Random, number: int) -> list[tuple[str, str]]:
    """(plot, thing) of a department's modules, each pair once, every plot as often as the others."""
    order = (*FOUNDATION, *ON_TOP)
    things = {name: pick.sample(THINGS, len(THINGS)) for name in order}
    rounds = [(name, things[name][turn]) for turn in range(-(-number // len(order))) for name in order]
    return sorted(rounds[:number], key=lambda pair: pair[0] in ("notices", "service"))


def _plant(town: Town, modules: list[Module], sizes: Sizes, variant: str) -> None:
    """Flaws and decoys into modules of their own; the set-aside ones by a seed of their own."""
    pick = random.Random(f"{town.seed}:places")
    places = pick.sample(modules, len(modules))
    wanted = [("known", "flaws/known", sizes.known), ("aside", "flaws/aside", sizes.aside)]
    wanted.append(("decoy", "flaws/decoys", sizes.decoys))
    if sum(number for *_, number in wanted) > len(places):
        raise ValueError(f"{len(places)} modules are too few for what is to be planted; ask for more lines.")
    for origin, folder, number in wanted:
        for index, sheet in enumerate(_drawn(folder, number, random.Random(f"{town.seed}:{origin}"))):
            module = places.pop()
            town.planted.append(_put(module, sheet, origin, index, variant))
    town.planted.sort(key=lambda one: one.path)


def _drawn(folder: str, number: int, pick: random.Random) -> list[Sheet]:
    """So many sheets, each as often as the others."""
    every = sheets(folder)
    drawn: list[Sheet] = []
    while len(drawn) < number:
        drawn += pick.sample(every, len(every))
    return drawn[:number]


def _put(module: Module, sheet: Sheet, origin: str, index: int, variant: str) -> Planted:
    words = module_words(module, random.Random(f"{origin}:{index}:{module.path}"))
    code = sheet.part("code" if origin == "decoy" else variant, words)
    module.add(sheet.values("import"), code, sheet.part("test", words))
    proof = "" if origin == "decoy" else module.proof(sheet.part("proof", words))
    function = code.split("def ")[-1].partition("(")[0]
    return Planted(f"{origin}-{index:02d}", sheet.kind, module.path, function, origin, sheet.name, proof)
