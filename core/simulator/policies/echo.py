"""`echo`: says back the last text it was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.simulator.policies.base import Reply, message_texts, text_block


class EchoPolicy:
    """Repeats the newest text of the user, in one text block."""

    def reply(self, request: Mapping[str, Any]) -> Reply:
        for message in reversed(request["messages"]):
            texts = message_texts(message) if message["role"] == "user" else []
            if texts:
                return Reply([text_block(texts[-1])])
        return Reply([text_block("(no text)")])

    def sizes(self, request: Mapping[str, Any]) -> Sequence[int | None]:
        return ()
