"""A program of the user's that is run to call them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.notify.note import Note, without_notes
from core.notify.program import ProgramFailed, run_program


class CallFailed(Exception):
    """The user could not be called this way; the text is one plain sentence."""


async def run_command(argv: Sequence[str], note: Note, environ: Mapping[str, str], seconds: float) -> None:
    """Run the program with the note on its standard input and in its environment. Raises CallFailed."""
    environment = {**without_notes(environ), **note.environment()}
    try:
        await run_program(f"The notify command {argv[0]}", argv, note.encoded(), environment, seconds)
    except ProgramFailed as failed:
        from core.tools.secrets import Redactor  # Late: it makes patterns, and few commands fail.

        raise CallFailed(Redactor(environ)(str(failed))) from None
