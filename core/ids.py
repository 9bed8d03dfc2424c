"""Identifiers: sortable by time, unique without coordination (ULID, github.com/ulid/spec); and names for people."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH = 26


def ulid(now_us: int, random_bits: Callable[[int], int] = secrets.randbits) -> str:
    """26 lower-case Crockford base-32 characters: 48 bits of milliseconds, then 80 random bits."""
    value = (now_us // 1000) << 80 | random_bits(80)
    return "".join(_ALPHABET[(value >> shift) & 31] for shift in range((_LENGTH - 1) * 5, -1, -5))


def name_from(task: str) -> str:
    """A short name from the first words of a task: `audit-the-parser`."""
    words = re.findall(r"[a-z0-9]+", task[:400].lower())
    return "-".join(words[:5])[:40].strip("-") or "session"
