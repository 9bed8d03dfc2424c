"""Usage as the chat protocol tells it: the prompt with its cached part in it."""

from __future__ import annotations

from typing import Any

from core.events import Usage
from core.importers.rows import fields, tokens


def chat_usage(raw: dict[str, Any]) -> Usage | None:
    """Tokens of one reply; None where they are not told."""
    sent, output = tokens(raw.get("prompt_tokens")), tokens(raw.get("completion_tokens"))
    if sent is None or output is None or not (sent or output):
        return None
    details = fields(raw.get("prompt_tokens_details"))
    read = tokens(raw.get("cache_read_input_tokens")) or tokens(details.get("cached_tokens")) or 0
    written = tokens(raw.get("cache_creation_input_tokens")) or tokens(details.get("cache_creation_tokens")) or 0
    read = min(read, sent)
    written = min(written, sent - read)
    return Usage(fresh=sent - read - written, cache_read=read, cache_write_5m=written, output=output)
