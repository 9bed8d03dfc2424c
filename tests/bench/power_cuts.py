"""Power cuts: disks as they could be after one, made of the recorded writes of a session, and what is found on them.

Every disk is made from a moment of the recording: what was synced is there, of later writes each sector is or is not.
The last rows are negative controls: a writer that syncs less loses what it had promised, so the test can fail.

.venv/bin/python -P tests/bench/power_cuts.py --images 2000 --seed 1 --results power_cuts.jsonl
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(Path(__file__).parent)]

import results  # noqa: E402
from power import Tally, examined, record, tally  # noqa: E402

from core.journal.store import JournalMode  # noqa: E402

PROMISED: tuple[tuple[JournalMode, str | None], ...] = (("wal", None), ("delete", None))
CONTROLS: tuple[tuple[JournalMode, str | None], ...] = (
    *(("wal", "NORMAL"), ("wal", "OFF")),
    *(("delete", "FULL"), ("delete", "OFF")),
)


def run(mode: JournalMode, synchronous: str | None, images: int, seed: int) -> Tally:
    with tempfile.TemporaryDirectory() as scratch:
        recording = asyncio.run(record(Path(scratch), mode, synchronous=synchronous))
        pick = random.Random(f"{seed} {mode} {synchronous}")
        return tally([examined(recording, Path(scratch, "image"), pick) for _ in range(images)])


@click.command()
@click.option("--images", type=click.IntRange(1), default=2000, show_default=True, help="Disks for each journal mode.")
@click.option("--control-images", type=click.IntRange(0), default=500, show_default=True, help="For each control.")
@click.option("--seed", default=1, show_default=True, help="Another one gives other disks: one for each shard.")
@click.option("--results", "file", type=click.Path(path_type=Path), help="Add the counts to this file.")
def main(images: int, control_images: int, seed: int, file: Path | None) -> None:
    rows: list[dict[str, Any]] = []
    for mode, synchronous in (*PROMISED, *(CONTROLS if control_images else ())):
        control = synchronous is not None
        counts = run(mode, synchronous, control_images if control else images, seed)
        name = f"{mode}, {f'control: synchronous={synchronous}' if control else 'as it is'}"
        rows.append({"journal": name, **counts._asdict()})
        results.add(file, [{"test": "power cuts", "seed": seed, "control": control, **rows[-1]}])
    print(results.table(rows))
    broken = [row for row in rows[: len(PROMISED)] if row["lost"] or row["unsound"] or row["unreadable"]]
    blind = [row for row in rows[len(PROMISED) :] if not (row["lost"] or row["unsound"] or row["unreadable"])]
    sys.exit(bool(broken or blind))


if __name__ == "__main__":
    main()
