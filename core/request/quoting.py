"""Words of a model, a tool or a file as they stand in blocks of our own: they can't pose as anybody else's."""

from __future__ import annotations

import json
import re

from core.folds.words import one_line
from core.request.pieces import BYTES_PER_TOKEN

_OURS = (
    "task|guidance|notice|nudge|reminder|project-memory|memory|plan|ledger|digest|pinned|paragraph|compress-request|"
    "workspace-file"
)
_TAG = re.compile(rf"<(?=/?(?:{_OURS})\b)", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def tame(text: str) -> str:
    """The same without control characters, and with tags like ours made plain text."""
    return _TAG.sub("‹", _CONTROL.sub("", text))


def tame_line(text: str, limit: int) -> str:
    """On one line, at most `limit` characters."""
    return one_line(tame(text), limit)


def size(text: str) -> int:
    """Bytes that a line takes in a request, its end included."""
    return len(json.dumps(text, ensure_ascii=False).encode())


def shortened(text: str, tokens: int, handle: str) -> str:
    """The whole text, or its head and tail around a line that names its handle, about `tokens` tokens long."""
    room = tokens * BYTES_PER_TOKEN
    if len(text) <= room:
        return text
    head, tail = text[: room // 3], text[len(text) - room * 2 // 3 :]
    left = len(text) - len(head) - len(tail)
    return f'{head}\n[… {left:,} characters left out; recall("{handle}") returns them …]\n{tail}'
