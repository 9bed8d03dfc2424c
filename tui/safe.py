"""The first of two barriers between foreign text and the terminal.

Models, tools, files and servers write text that may carry control sequences, reordering marks or invisible characters.
`safe_text` makes them visible where text enters a view, or a line of output; `tui.sanitize` is the last barrier of the
screen, `tui.plain.output` that of the plain mode.
"""

from __future__ import annotations

import re

from core.hidden import EMOJI_SPELLING, HIDDEN

CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f]"
)
"""What the last barrier lets through to no terminal, on the screen and in the plain mode."""

_PLAIN = re.compile(r"[\t\n\x20-\x7e]*")


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"⟨{code:X}⟩"


def safe_text(text: str) -> str:
    """`text` with every hidden or controlling character shown: controls as pictures (␛), others as ⟨202E⟩.

    Newlines and tabs stay (`\\r\\n` becomes `\\n`); expanding tabs is the caller's part.
    Works character by character, so no split over two deltas can put a sequence together again.
    """
    if _PLAIN.fullmatch(text):
        return text
    return HIDDEN.sub(_visible, EMOJI_SPELLING.sub("", text.replace("\r\n", "\n")))


def exactly(text: str) -> str:
    """`safe_text` on a single line in which each blank stays what it is: line ends and tabs are shown as pictures."""
    return safe_text(text).replace("\n", "\u240a").replace("\t", "\u2409")


def one_line(text: str) -> str:
    """`safe_text` on a single line: each run of white space becomes one space."""
    return " ".join(safe_text(text).split())
