"""What is said to a user who is away: the same words for the terminal, the command and the webhook."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from core.clock import iso
from core.folds.needs import Need

_LONGEST = 400


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """One call. `since` is ISO 8601 in UTC, `call` counts the calls about this need from 1."""

    text: str
    session: str
    name: str
    kind: str
    reason: str
    since: str
    seq: int
    call: int

    @property
    def line(self) -> str:
        """Who waits and why, on one line."""
        return f"{self.name}: {self.text}"

    def encoded(self) -> bytes:
        """The note as one JSON object."""
        return msgspec.json.encode(self)

    def environment(self) -> dict[str, str]:
        """The note as environment variables: LONGWATCH_TEXT, LONGWATCH_SESSION and so on."""
        return {f"LONGWATCH_{name.upper()}": str(value) for name, value in msgspec.structs.asdict(self).items()}


def note_of(need: Need, session: str, name: str, call: int) -> Note:
    """The note about a need. Words of models and servers lose whatever could control a terminal or end a line."""
    return Note(
        text=plain(need.text),
        session=session,
        name=plain(name) or session[:10],
        kind=need.kind,
        reason=plain(need.reason),
        since=iso(need.at_us),
        seq=need.seq,
        call=call,
    )


def plain(text: str) -> str:
    """Printable characters on one line, and not too many of them."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def without_notes(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment in which no note of an outer session is left."""
    return {name: value for name, value in environ.items() if name not in _NAMES}


_NAMES = frozenset(f"LONGWATCH_{name.upper()}" for name in Note.__struct_fields__)
