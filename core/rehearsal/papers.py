"""The papers of a town: how its code is tested, and the review code of each department, which later papers change.

An audit's report has to name the code of each department that it looked at; some are given twice, the later paper
holds. So it shows hours afterwards what of the first hour is still known.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

_PER_PAPER = 8
_CHANGED = 4
"""Every so many departments one whose code a later paper changes."""
_README = """\
# The offices of a town

One package a department under `town/`, its tests under `tests/`.

The tests run with `python3 -m unittest discover -s tests -t . -q`, those of one department with
`python3 -m unittest discover -s tests/DEPARTMENT -t . -q`. They need nothing but Python.

Each department has a review code, see `docs/codes-*.md`; where two papers differ, the later one holds.
"""


@dataclass(slots=True)
class Codes:
    """Review codes by department: what holds, and what an earlier paper said where it was changed."""

    current: dict[str, str] = field(default_factory=dict)
    old: dict[str, str] = field(default_factory=dict)


def papers(seed: int, areas: Sequence[str]) -> tuple[Codes, dict[str, str]]:
    """The codes, and the texts of the papers by path."""
    pick, codes = random.Random(f"{seed}:papers"), Codes()
    for area in areas:
        codes.current[area] = _code(pick, area)
    for area in pick.sample(sorted(areas), len(areas) // _CHANGED):
        codes.old[area] = _code(pick, area)
    texts = {"README.md": _README}
    parts = [areas[start : start + _PER_PAPER] for start in range(0, len(areas), _PER_PAPER)]
    for number, part in enumerate(parts, 1):
        told = {area: codes.old.get(area, codes.current[area]) for area in part}
        texts[f"docs/codes-{number}.md"] = _paper(f"Review codes, part {number}", "2021-03-04", told)
    changed = {area: codes.current[area] for area in sorted(codes.old)}
    if changed:
        texts["docs/codes-changed.md"] = _paper("Review codes that were changed", "2024-11-19", changed)
    return codes, texts


def _code(pick: random.Random, area: str) -> str:
    return f"{area[:3].upper()}-{pick.randrange(1000, 10_000)}-{pick.choice('ACEHKMPRTX')}"


def _paper(title: str, day: str, codes: dict[str, str]) -> str:
    lines = [f"- The review code of {area} is {code}." for area, code in codes.items()]
    return f"# {title}\n\nIn force since {day}.\n\n" + "\n".join(lines) + "\n"
