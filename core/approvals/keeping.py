"""Writing a rule into the user's configuration: a change of text that keeps every other line as it is."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.config.writing import Unwritable, rewrite, toml_value

_HEADER = re.compile(r"^[ \t]*\[[ \t]*approvals[ \t]*\][ \t]*(#[^\n]*)?\n?", re.M)
_NEXT_HEADER = re.compile(r"^[ \t]*\[", re.M)
_ALLOW = re.compile(r"^[ \t]*allow[ \t]*=[ \t]*\[", re.M)


class CannotKeep(Exception):
    """Why the rules could not be written, as a plain sentence that says what to do."""


def with_allowed(text: str, rules: Sequence[str]) -> str:
    """The configuration `text` with `rules` in `[approvals] allow`, those left out that it has. Raises CannotKeep."""
    before = _read(text)
    section = before.get("approvals", {})
    known = section.get("allow", []) if isinstance(section, dict) else None
    if not isinstance(known, list):
        raise CannotKeep("[approvals] is not as it should be, so no rule can be added; mend it first.")
    new = [rule for rule in dict.fromkeys(rules) if rule not in known]
    if not new:
        return text
    changed = _changed(text, new)
    wanted = {**before, "approvals": {**section, "allow": [*new, *known]}}
    try:
        same = tomllib.loads(changed) == wanted
    except tomllib.TOMLDecodeError:
        same = False
    if not same:
        raise CannotKeep(f"Add this to `allow` in [approvals] by hand: {', '.join(map(toml_value, new))}.")
    return changed


def keep(file: Path, rules: Sequence[str]) -> None:
    """Write the rules into the file, made where it is missing, whole or not at all. Raises CannotKeep."""
    try:
        rewrite(file, lambda text: with_allowed(text, rules))
    except Unwritable as why:
        raise CannotKeep(f"{file} can't be changed ({why}); the rule holds for this session only.") from None


def _changed(text: str, new: Sequence[str]) -> str:
    """New rules go to the front of a list: there they need no look at what it ends with."""
    items = ", ".join(map(toml_value, new))
    header = _HEADER.search(text)
    if header is None:
        gap = "" if not text or text.endswith("\n\n") else "\n" if text.endswith("\n") else "\n\n"
        return f"{text}{gap}[approvals]\nallow = [{items}]\n"
    following = _NEXT_HEADER.search(text, header.end())
    end = following.start() if following else len(text)
    if (allow := _ALLOW.search(text, header.end(), end)) is not None:
        return f"{text[: allow.end()]}{items}, {text[allow.end() :]}"
    newline = "" if header[0].endswith("\n") else "\n"
    return f"{text[: header.end()]}{newline}allow = [{items}]\n{text[header.end() :]}"


def _read(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise CannotKeep("The configuration is not valid TOML, so no rule can be added; mend it first.") from None
