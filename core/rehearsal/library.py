"""Papers with planted contradictions, for the rehearsal `research`: some are none on a second look.

Two papers contradict each other when they give values for the same thing under the same conditions that differ by more
than the guide allows; a later paper makes the guide stricter, and some papers withdraw others.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from pathlib import Path

SUBJECTS = (
    *("peat", "oak", "granite", "chalk", "clay", "copper", "flax", "glass", "ice", "lime", "marble", "mud", "nickel"),
    *("pine", "quartz", "resin", "salt", "sand", "silk", "slate", "snow", "straw", "tar", "wax", "wool"),
)
QUANTITIES = (
    *(("density", "kg/m3"), ("strength", "MPa"), ("hardness", "HV"), ("conductivity", "W/mK"), ("porosity", "%")),
    *(("moisture", "%"), ("stiffness", "GPa"), ("heat capacity", "J/kgK")),
)
CONDITIONS = ("4 °C", "20 °C", "60 °C")
FIRST_TOLERANCE, LATER_TOLERANCE = 5, 2
"""Per cent by which values may differ: what the guide says, and what a later paper makes of it."""
REPORT = "FINDINGS.md"
_ROW = re.compile(r"^- (p\d{3}) and (p\d{3}): ", re.M)
_GUIDE = """\
# The guide

Read every paper in `papers/`. Two papers contradict each other when they give values for the same thing under the same
conditions that differ by more than {tolerance} %. Conditions are the same when the temperature is. A paper that was
withdrawn contradicts nobody. Papers may change this guide; the later word holds.
"""


@dataclass(slots=True)
class Library:
    """Texts by path, and the pairs of papers that contradict each other."""

    texts: dict[str, str] = field(default_factory=dict)
    contradictions: set[tuple[str, str]] = field(default_factory=set)

    def write(self, target: Path) -> None:
        for path, text in self.texts.items():
            place = target / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")


def library(seed: int, papers: int) -> Library:
    """So many papers. A tenth contradict another, as many only seem to, in one of four ways."""
    pick, made = random.Random(f"{seed}:library"), Library()
    claims: dict[int, list[str]] = {number: [] for number in range(1, papers + 1)}
    keys = [(subject, *what, where) for subject in SUBJECTS for what in QUANTITIES for where in CONDITIONS]
    pick.shuffle(keys)
    ways = ("far", "near", "agrees", "elsewhere", "withdrawn") * max(1, papers // 25)
    pairs = _pairs(pick, papers, len(ways))
    for way, (early, late) in zip(ways, pairs, strict=True):
        _plant(made, pick, claims, way, early, late, keys)
    for number in claims:
        claims[number] += [_claim(pick, *keys.pop(), pick.randint(100, 900)) for _ in range(2)]
    claims[max(1, papers * 3 // 4)].append(
        f"This paper changes the guide: values contradict each other from {LATER_TOLERANCE} % on."
    )
    for number, sentences in claims.items():
        made.texts[f"papers/p{number:03d}.md"] = _paper(pick, number, sentences)
    made.texts["GUIDE.md"] = _GUIDE.format(tolerance=FIRST_TOLERANCE)
    return made


def _pairs(pick: random.Random, papers: int, number: int) -> list[tuple[int, int]]:
    """Pairs of papers, an early one and a late one, no paper in two of them."""
    order = pick.sample(range(1, papers + 1), 2 * number)
    return [(min(pair), max(pair)) for pair in zip(order[::2], order[1::2], strict=True)]


def _plant(
    made: Library, pick: random.Random, claims: dict[int, list[str]], way: str, early: int, late: int,
    keys: list[tuple[str, str, str, str]],
) -> None:  # fmt: skip
    subject, quantity, unit, where = keys.pop()
    value = pick.randint(400, 900)
    other = {"far": value * 1.3, "near": value * 1.035, "agrees": value * 1.005, "elsewhere": value * 1.4}
    there = CONDITIONS[(CONDITIONS.index(where) + 1) % 3] if way == "elsewhere" else where
    if there != where and (subject, quantity, unit, there) in keys:
        keys.remove((subject, quantity, unit, there))  # nobody else says anything of it
    claims[early].append(_claim(pick, subject, quantity, unit, where, value))
    claims[late].append(_claim(pick, subject, quantity, unit, there, round(other.get(way, value * 1.5))))
    if way == "withdrawn":
        claims[late].append(f"With this we withdraw p{early:03d}.")
    if way in ("far", "near"):
        made.contradictions.add((f"p{early:03d}", f"p{late:03d}"))


def _claim(pick: random.Random, subject: str, quantity: str, unit: str, where: str, value: int) -> str:
    form = pick.choice(("The {q} of {s} at {w} is {v} {u}.", "At {w} we found a {q} of {v} {u} for {s}."))
    return form.format(q=quantity, s=subject, w=where, v=value, u=unit)


def _paper(pick: random.Random, number: int, sentences: list[str]) -> str:
    filler = "Samples were kept dry and measured twice; the second measurement is given."
    body = pick.sample(sentences, len(sentences))
    return f"# Paper {number}\n\n{filler}\n\n" + "\n\n".join(body) + "\n"


def judge(made: Library, workspace: Path) -> list[tuple[str, str]]:
    """(what, result) rows: contradictions found, and pairs that are none."""
    path = workspace / REPORT
    named = {(min(pair), max(pair)) for pair in _ROW.findall(path.read_text(encoding="utf-8") if path.exists() else "")}
    right = len(named & made.contradictions)
    return [
        ("contradictions found", f"{right} of {len(made.contradictions)}"),
        ("false claims", str(len(named - made.contradictions))),
    ]
