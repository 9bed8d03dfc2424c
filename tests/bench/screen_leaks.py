"""Whether a screen that runs for days keeps what it no longer needs: a census of objects before and after.

    .venv/bin/python -P tests/bench/screen_leaks.py

2,000 ticks, 600 refreshes of the hint bar, 200 dialogs opened and closed: nothing of it may leave an object behind. A
first round fills the caches; each kind of step is then repeated, and all objects are counted once the collector ran.
Entries of Textual's caches are counted apart, for each of these holds only so many: what was found on a screen is
remembered under the number of times that the screen has changed, so that each dialog leaves some until it is full.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).parent))

from screen_stage import Figures, Stage, session
from textual.cache import LRUCache

SLACK = 50
"""Objects of one kind that may come and go without a leak: timers, messages under way, entries of caches."""
DIALOGS = ("g", "b", "r", "question_mark", "enter")


CACHED = "entries of caches that hold so many at most"


async def census(stage: Stage) -> Counter[str]:
    """Objects by kind, when nothing is under way."""
    await stage.bytes_of(lambda: None)
    gc.unfreeze()  # What was made while the screen opened is looked at, too.
    for _ in range(3):
        gc.collect()
    objects = gc.get_objects()
    caches = [one for one in objects if isinstance(one, LRUCache)]
    assert all(len(cache) <= cache.maxsize for cache in caches)
    held = {id(part) for cache in caches for key, link in cache._cache.items() for part in (key, link)}
    kinds = Counter(f"{type(one).__module__}.{type(one).__qualname__}" for one in objects if id(one) not in held)
    kinds[CACHED] = sum(map(len, caches))
    return kinds


async def ticks(stage: Stage, count: int) -> None:
    for index in range(count):
        stage.clock.advance(1)
        stage.screen._second()
        if index % 50 == 0:
            await stage.soon()


async def hints(stage: Stage, count: int) -> None:
    for index in range(count):
        stage.screen._front = ("conversation", "context")[index % 2]
        stage.screen._show_hints()
        stage.screen.refresh_bindings()
        if index % 50 == 0:
            await stage.soon()
    stage.screen._front = "conversation"


async def dialogs(stage: Stage, count: int) -> None:
    for index in range(count):
        await stage.key(DIALOGS[index % len(DIALOGS)])  # Drawn to its end: one that is still to open would stay open.
        await stage.key("escape")


async def grown(stage: Stage, play: Callable[[Stage, int], Awaitable[None]], count: int) -> Counter[str]:
    """What there is more of after `count` steps than before, kind by kind."""
    await play(stage, max(count // 10, 2 * len(DIALOGS)))
    before = await census(stage)
    await play(stage, count)
    return await census(stage) - before


async def play(stage: Stage) -> list[Figures]:
    parts = (("ticks", ticks, 2_000), ("refreshes of the hints", hints, 600), ("dialogs", dialogs, 200))
    tables = []
    for name, part, count in parts:
        more = await grown(stage, part, count)
        cached = more.pop(CACHED, 0)
        table = Figures(f"{count:,} {name}: objects more than before", "objects")
        table.add("all kinds", sum(more.values()))
        widgets = sum(number for kind, number in more.items() if "widget" in kind.lower() or kind.startswith("tui."))
        table.add("widgets and what is ours", widgets, SLACK)
        for kind, number in more.most_common(4):
            table.add(kind, number, None)
        table.add(CACHED, cached)
        table.add("the most of one kind", max(more.values(), default=0), max(SLACK, count / 10))
        tables.append(table)
    return tables


@click.command()
def main() -> None:
    for table in Stage(session(30), 80, 24).perform(play):
        table.show()


if __name__ == "__main__":
    main()
