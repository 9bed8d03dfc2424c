"""What the screen's own work costs while somebody watches and types, after 1,158 calls at 200x50, in CPU time.

    .venv/bin/python -P tests/bench/screen_work.py

A reply streams in batches of ten tokens, each drawn to its end before the next; then keys go into the guidance line.
Drawing and writing are included, waiting for the end of it is taken off. A busy machine makes CPU time longer.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from screen_bytes import TEXT, TOKENS_A_BATCH, say
from screen_stage import REFERENCE_CALLS, Figures, Stage, session

BATCHES = 60
KEYS = "look at the tests of the loader first, then go on"


async def costs(stage: Stage, steps: list[Callable[[], object]]) -> list[float]:
    """CPU milliseconds of each step, without what the same wait costs when nothing happens."""
    idle = [await _spent(stage, lambda: None) for _ in range(20)]
    return [await _spent(stage, step) - statistics.median(idle) for step in steps]


async def _spent(stage: Stage, step: Callable[[], object]) -> float:
    before = time.process_time()
    await stage.bytes_of(step)
    return 1000 * (time.process_time() - before)


async def play(stage: Stage) -> Figures:
    table = Figures(f"{REFERENCE_CALLS:,} calls on a screen of 200x50, milliseconds of CPU", "ms")
    key, words = stage.log.requested(), itertools.cycle(TEXT.split(" "))
    await stage.bytes_of(stage.pushed)
    batches = [[word + " " for word in itertools.islice(words, TOKENS_A_BATCH)] for _ in range(BATCHES)]
    spent = await costs(stage, [lambda batch=batch: say(stage, key, batch) for batch in batches])
    table.add(f"a streamed batch of {TOKENS_A_BATCH} tokens: mean", statistics.mean(spent))
    table.add("  its dearest", max(spent))
    await stage.key("g")
    spent = await costs(stage, [lambda letter=letter: stage._press(letter) for letter in KEYS])
    table.add("a key in the guidance line: mean", statistics.mean(spent))
    table.add("  its dearest", max(spent))
    return table


if __name__ == "__main__":
    Stage(session()).perform(play).show()
