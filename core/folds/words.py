"""Short forms of what calls and results say, for one line on a screen or in a digest."""

from __future__ import annotations

import json
from typing import Any

_MAIN = ("question", "command", "path", "pattern", "url", "query", "handle", "text", "topic", "name", "reason", "task")
_PLAIN = (str, int, float)
LONGEST_NAME = 80
"""Characters of a tool's name, which a model may have made up."""


def target(arguments: dict[str, Any], limit: int = 160) -> str:
    """What a call is about: its telling arguments on one line."""
    if isinstance(steps := arguments.get("steps"), list):
        return f"{len(steps)} steps"
    parts = [str(arguments[name]) for name in _MAIN if isinstance(arguments.get(name), _PLAIN)]
    text = " · ".join(part for part in parts if part) or json.dumps(arguments, ensure_ascii=False)
    return one_line(text, limit) if arguments else ""


def one_line(text: str, limit: int) -> str:
    """White space folded, at most `limit` characters, an ellipsis where cut."""
    line = " ".join(text[: limit * 4].split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def call_line(name: str, arguments: dict[str, Any]) -> str:
    """A call on one line: `read_file core/clock.py`."""
    return f"{one_line(name, LONGEST_NAME)} {target(arguments)}".rstrip()


def preview(text: str, lines: int, width: int = 240) -> tuple[str, int]:
    """The first `lines` lines, each at most `width` characters, and how many lines are left out."""
    total = text.count("\n") + 1 if text else 0
    head = text.split("\n", lines)[:lines]
    shown = "\n".join(line if len(line) <= width else line[: width - 1] + "…" for line in head)
    return shown.rstrip("\n"), max(0, total - lines)


def changed_lines(text: str) -> str:
    """A result with a unified diff, reduced to its first line and the lines that were added or removed."""
    first, _, rest = text.partition("\n")
    lines = [line for line in rest.split("\n") if line[:1] in "+-" and line[:3] not in ("+++", "---") and line]
    return "\n".join([first, *lines])
