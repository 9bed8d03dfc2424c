"""Copying to the clipboard of whoever sits at the terminal, also over SSH: by a sequence that the terminal takes."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from tui.safe import safe_text

LONGEST = 74_000
"""Bytes that every terminal takes that takes any; some refuse more."""


def copy_sequence(text: str, environ: Mapping[str, str]) -> str:
    """OSC 52; inside tmux also wrapped, for one that passes such things on but keeps no clipboard itself.

    What is copied is pasted into a shell as often as not, so what would control that is made visible here, too.
    """
    data = base64.b64encode(safe_text(text).encode("utf-8", "replace")).decode()
    sequence = f"\x1b]52;c;{data}\x07"
    if environ.get("TMUX"):
        doubled = sequence.replace("\x1b", "\x1b\x1b")
        return f"{sequence}\x1bPtmux;{doubled}\x1b\\"
    return f"\x1bP{sequence}\x1b\\" if environ.get("STY") else sequence


def copied(text: str, environ: Mapping[str, str]) -> str:
    """What was done, and what it needs, as a sentence."""
    count = f"{len(text):,} character{'' if len(text) == 1 else 's'}"
    if len(text.encode("utf-8", "replace")) > LONGEST:
        return f"Copied {count}; some terminals refuse so many."
    hint = " In tmux it arrives with: set -g set-clipboard on" if environ.get("TMUX") else ""
    return f"Copied {count}.{hint}"
