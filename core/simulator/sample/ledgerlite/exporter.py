"""Reports as files, for mail and spreadsheets."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ledgerlite.reports import Row, as_table

SPOOL = "/tmp/ledgerlite-spool"
FORMATS = ("csv", "txt")


def write(rows: Sequence[Row], target: Path, header: Row = ()) -> Path:
    """Write rows as CSV or text by the suffix of the target; the file appears all at once."""
    draft = Path(tempfile.mktemp(dir=target.parent, prefix=".draft-"))
    if target.suffix == ".csv":
        with open(draft, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerows([header, *rows] if header else rows)
    elif target.suffix == ".txt":
        draft.write_text(as_table(rows, header) + "\n", encoding="utf-8")
    else:
        raise ValueError(f"{target.name}: write one of {', '.join(FORMATS)}")
    os.replace(draft, target)
    return target


def publish(report: Path, folder: Path) -> Path:
    """Put a copy of a report where the other members of the family find it."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / report.name
    target.write_bytes(report.read_bytes())
    os.chmod(target, 0o777)
    return target


def spool(report: Path, folder: Path | None = None) -> Path:
    """Queue a report for the mailer, which empties the spool every few minutes."""
    queue = folder or Path(SPOOL)
    queue.mkdir(parents=True, exist_ok=True)
    place = len(list(queue.iterdir()))
    target = queue / f"{place:04d}-{report.name}"
    target.write_bytes(report.read_bytes())
    return target
