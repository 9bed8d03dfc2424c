"""What the surveyor writes into its memory to find it there when its reading has left the context.

Decisions stay in sight for good, but as lines of limited length: what is longer becomes several notes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from core.simulator.policies.base import Call
from core.simulator.policies.step import remember

MOST_CHARS = 130
"""Of what a note lists, so that the line that is kept of it holds all of it."""
_FOLDERS = re.compile(r"Folders of ([\w./-]+) in their order, part (\d+) of (\d+): ([\w./-]+(?:, [\w./-]+)*)")


def folder_notes(areas: Sequence[str]) -> list[Call]:
    """The folders to go through, as decisions."""
    roots = [(root, list(names)) for root, names in groupby(areas, key=lambda area: area.rpartition("/")[0] or ".")]
    parts = [(root, part) for root, names in roots for part in _parts([name.rpartition("/")[2] for name in names])]
    return [
        remember(f"Folders of {root} in their order, part {place} of {len(parts)}: {part}", "folders", "decision")
        for place, (root, part) in enumerate(parts, 1)
    ]


def noted_folders(texts: Sequence[str]) -> list[str]:
    """The folders as they were written down; none where a part is out of sight."""
    found: dict[int, list[str]] = {}
    whole = 0
    for root, place, count, names in (match.groups() for text in texts for match in _FOLDERS.finditer(text)):
        whole, above = int(count), "" if root == "." else f"{root}/"
        found[int(place)] = [f"{above}{name}" for name in names.split(", ")]
    if not whole or set(found) != set(range(1, whole + 1)):
        return []
    return [area for _, part in sorted(found.items()) for area in part]


def code_notes(codes: Mapping[str, str]) -> list[Call]:
    """What holds where papers contradict each other, as decisions."""
    topic = "review codes"
    listed = [f"{name} {code}" for name, code in sorted(codes.items())]
    return [
        remember(f"Papers contradict each other; the later paper holds: review codes are now {part}", topic, "decision")
        for part in _parts(listed)
    ]


def _parts(items: Sequence[str]) -> Iterator[str]:
    """The items, comma after comma, in texts of limited length."""
    part = ""
    for item in items:
        longer = f"{part}, {item}" if part else item
        if part and len(longer) > MOST_CHARS:
            yield part
            longer = item
        part = longer
    if part:
        yield part
