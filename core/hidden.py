"""Characters that nobody sees: controls, marks of direction, fillers, tags. Text of strangers hides words in them."""

from __future__ import annotations

import re
from typing import Final

# C0 but tab and newline, DEL, C1, soft hyphen, joiners, fillers, marks and isolates of bidi, separators,
# variation selectors, BOM, annotations, lone surrogates, shorthand and musical format controls, tags.
HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

# One presentation selector or joiner right after a symbol is ordinary emoji spelling. Terminals disagree on the width
# of such pairs, so the symbol alone is shown; anything longer is made visible like every other hidden character.
EMOJI_SPELLING: Final = re.compile(
    "(?<=[©®\u203c-\u3299\U0001f000-\U0001faff])(?:[\ufe0e\ufe0f]\u200d?|\u200d)(?![\ufe00-\ufe0f])"
)


def without_hidden(text: str) -> str:
    """The same without them: what a person who reads it sees is all that is in it."""
    return HIDDEN.sub("", text)
