"""Results of long runs: one JSON line a run is added to a file, and a table is made of all its lines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def add(path: Path | None, rows: Iterable[dict[str, Any]]) -> None:
    """Add what was run to the file, if one is kept."""
    if path is None:
        return
    with path.open("a", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps({"at": datetime.now(UTC).isoformat(timespec="seconds"), **row}) + "\n")


def table(rows: list[dict[str, Any]]) -> str:
    """Rows with the same columns, under their names."""
    cells = [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    )


def _cell(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
