"""What a server's answer becomes for the model: text as it is, everything else as one line that says what it was."""

from __future__ import annotations

from dataclasses import dataclass

from core.tools.base import Outcome, ToolContext
from core.tools.capping import cap
from core.tools.common import count, handle_of


@dataclass(frozen=True, slots=True)
class Part:
    """One block of an answer: `text`, or `data` in base64 of an image, a document or a sound."""

    kind: str
    text: str = ""
    data: str = ""
    media_type: str = ""

    @property
    def line(self) -> str:
        """What stands for it where it can't be seen."""
        what = {"image": "an image", "audio": "a sound"}.get(self.kind, "a document")
        size = count(len(self.data) * 3 // 4, "byte")
        return f"[{what}, {self.media_type or 'of no type'}, {size}]"


@dataclass(frozen=True, slots=True)
class Parts:
    """An answer. `ok` False: the server says that the call failed."""

    parts: tuple[Part, ...]
    ok: bool = True


def outcome(answer: Parts, context: ToolContext) -> Outcome:
    """The answer as the outcome of a call."""
    texts = [part.text if part.kind == "text" else f"{part.line[:-1]}; not passed on]" for part in answer.parts]
    whole = "\n".join(texts)
    shown = cap(whole, handle_of(context))
    return Outcome(shown.text, ok=answer.ok, full=None if shown.whole else whole)
