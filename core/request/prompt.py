"""The system prompt: a text file, named in every request by a version."""

from __future__ import annotations

import hashlib
from importlib import resources


def system_prompt() -> tuple[str, str]:
    """(text, version); the version is the first 12 hex digits of the text's SHA-256."""
    text = resources.files("core.request").joinpath("system.md").read_text(encoding="utf-8").strip()
    return text, hashlib.sha256(text.encode()).hexdigest()[:12]
