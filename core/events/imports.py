"""Bodies of what a session has that was imported from another tool's transcript."""

from __future__ import annotations

from typing import Any

from core.events.envelope import Body, kind


@kind("import.kept")
class ImportKept(Body, frozen=True):
    """A row of the transcript that says nothing in our words, kept as it was.

    `what`: its type in the other tool's words, or why it could not be taken; `row`: its number in the file, from 1, 0
    where the file has no rows. `fields` is the row, or its beginning as `text` where it is long or no object.
    """

    what: str
    row: int = 0
    fields: dict[str, Any] = {}
