"""Where a policy stands: one readable line at the end of each of its texts, which it reads back next time."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import fields
from typing import Any, TypeVar

_LINE = re.compile(r"^Progress: (.+)$", re.MULTILINE)
_SEPARATOR = " · "

Form = TypeVar("Form")


def progress_line(progress: Any) -> str:
    """The line of a dataclass whose first field is its step; what is as at the start is left out.

    `Progress: check · file app/ids.py · rule B324 · replies 31`.
    """
    step, *others = fields(progress)
    words = [getattr(progress, step.name)]
    for place in others:
        value = getattr(progress, place.name)
        if value != place.default:
            words.append(f"{place.name} {', '.join(value) if isinstance(value, tuple) else _plain(value)}")
    return f"Progress: {_SEPARATOR.join(words)}"


def read_line(texts: Iterable[str], form: type[Form]) -> Form | None:
    """The last progress line as the dataclass whose line it is."""
    lines = [line for text in texts for line in _LINE.findall(text)]
    if not lines:
        return None
    step, *rest = lines[-1].split(_SEPARATOR)
    words = dict(item.partition(" ")[::2] for item in rest)
    places = fields(form)[1:]  # type: ignore[arg-type]
    known: dict[str, Any] = {place.name: place.default for place in places if place.name in words}
    try:
        return form(step.strip(), **{name: _parsed(default, words[name]) for name, default in known.items()})  # type: ignore[call-arg]
    except ValueError:
        return None


def _plain(value: object) -> str:
    return "yes" if value is True else str(value)


def _parsed(default: object, word: str) -> Any:
    if isinstance(default, bool):
        return word == "yes"
    if isinstance(default, int):
        return int(word)
    return tuple(item.strip() for item in word.split(",")) if isinstance(default, tuple) else word
