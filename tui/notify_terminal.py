"""The bytes that call somebody who looks elsewhere: title, bell, and notifications of the desktop."""

from __future__ import annotations

from collections.abc import Mapping

from core.config import NotifySettings
from core.notify.note import Note
from tui.safe import CONTROL, one_line

_LONGEST = 120
_ESC, _BEL, _ST = "\x1b", "\x07", "\x1b\\"
KEEP_TITLE = f"{_ESC}[22;0t"
"""Puts the title onto the terminal's own stack of titles."""
RETURN_TITLE = f"{_ESC}]2;{_ST}{_ESC}[23;0t"
"""Takes it from there; where there is no such stack the title is at least no longer ours."""


def title(text: str) -> str:
    """Sets the title of the window."""
    return f"{_ESC}]2;{worded(text)}{_ST}"


def worded(text: str) -> str:
    """Text that can stand inside a sequence: nothing in it ends one or begins another."""
    line = CONTROL.sub("", one_line(text))
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def understands(environ: Mapping[str, str]) -> bool:
    """Whether this terminal swallows such sequences where it does not know them; old consoles print them."""
    return not environ.get("TERM", "").startswith(("linux", "dumb", "unknown", "vt"))


def alert(note: Note, settings: NotifySettings, environ: Mapping[str, str]) -> str:
    """Bell and notification, as far as they are wanted and understood."""
    parts = []
    if understands(environ) and settings.desktop in ("osc9", "both"):
        parts.append(_through(f"{_ESC}]9;Longwatch: {worded(note.line)}{_BEL}", environ))
    if understands(environ) and settings.desktop in ("osc777", "both"):
        # Its fields end at semicolons.
        text = worded(note.line).replace(";", ",")
        parts.append(_through(f"{_ESC}]777;notify;Longwatch;{text}{_BEL}", environ))
    if settings.bell:
        parts.append(_BEL)
    return "".join(parts)


def _through(sequence: str, environ: Mapping[str, str]) -> str:
    """The sequence, wrapped for a multiplexer that would keep it: what is outside of tmux or screen shall see it."""
    if environ.get("TMUX"):
        return f"{_ESC}Ptmux;{sequence.replace(_ESC, _ESC * 2)}{_ST}"
    if environ.get("STY"):
        return f"{_ESC}P{sequence}{_ST}"
    return sequence
