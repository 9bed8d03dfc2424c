"""What a server's answer becomes for the model: text as it is, everything else as one line that says what it was."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from core.tools.base import Outcome, ToolContext
from core.tools.capping import cap
from core.tools.common import count, handle_of
from core.tools.media import MOST, Media, Unfit, media_of


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
    """The answer as the outcome of a call; `context.settings["sees"]` says what the model takes beside text."""
    texts: list[str] = []
    media: list[Media] = []
    for part in answer.parts:
        try:
            texts.append(part.text if part.kind == "text" else _taken(part, media, context).line)
        except Unfit as why:
            texts.append(f"{part.line[:-1]}; it was not passed on, because {why}]")
    whole = "\n".join(texts)
    shown = cap(whole, handle_of(context))
    return Outcome(shown.text, ok=answer.ok, full=None if shown.whole else whole, media=tuple(media))


def _taken(part: Part, media: list[Media], context: ToolContext) -> Media:
    """The image or document of a part, added to those that the model sees. Raises Unfit."""
    try:
        data = base64.b64decode(part.data, validate=True)
    except ValueError:
        raise Unfit("its data is no base64") from None
    found = media_of(data)
    if not context.settings.get("sees", _nothing)(found.kind):
        profile = context.settings.get("profile", "NAME")
        raise Unfit(
            f"the profile {profile} says that its models take no {found.kind}s ({found.kind}s = true in "
            f"[profiles.{profile}] of the configuration would say that they do)"
        )
    if len(media) == MOST:
        raise Unfit(f"a result has at most {MOST} of them")
    media.append(found)
    return found


def _nothing(kind: str) -> bool:
    return False
