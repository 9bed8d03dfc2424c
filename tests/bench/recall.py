"""Recall over a long session: how long one takes, and how many of all names one call finds.

A generated session, the same every time: results of some 9,000 characters and every tenth one far beyond the cap, full
of paths, identifiers, hashes and numbers, old ones mentioned again and again. Every question goes through
`Recollection`, threads and the reading of whole texts included; the first is asked of an index that has caught up.

.venv/bin/python -P tests/bench/recall.py
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import quantiles

import click

from core.agent.facts import Facts
from core.agent.recollection import Recollection
from core.clock import VirtualClock
from core.events import Draft, SessionOpened, ToolFinished
from core.journal import Journal, Reader
from core.journal.passages import findable_chunks, names_in
from core.journal.recall_index import RecallIndex

CHARS, GIANT = 9_000, 90_000
BATCH = 50
_SYLLABLES = ["ka", "ro", "mi", "te", "lu", "so", "ne", "pa", "di", "gor", "ven", "tas", "bel", "qui", "zor", "fen"]


class Author:
    """Writes results: lines of ordinary words, old names and new ones."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self._words = [self._word(2) for _ in range(3_000)]
        self._names: list[str] = []

    def result(self, chars: int) -> str:
        lines: list[str] = []
        while chars > 0:
            line = " ".join(self._part() for _ in range(self._dice.randint(4, 14)))
            lines.append(line)
            chars -= len(line) + 1
        return "\n".join(lines)

    def _part(self) -> str:
        chance = self._dice.random()
        if chance < 0.8 or not self._names:
            name = self._new_name() if chance < 0.03 else self._dice.choice(self._words)
            if chance < 0.03:
                self._names.append(name)
            return name
        recent = min(len(self._names), 400)
        pool = self._names[-recent:] if chance < 0.95 else self._names
        return self._dice.choice(pool)

    def _new_name(self) -> str:
        match self._dice.randrange(4):
            case 0:
                return "/".join(self._word(2) for _ in range(self._dice.randint(2, 4))) + ".py"
            case 1:
                return f"{self._word(3)}_{self._word(3)}"
            case 2:
                return f"{self._dice.getrandbits(48):012x}"
            case _:
                return str(self._dice.randint(1_000, 10**8))

    def _word(self, syllables: int) -> str:
        return "".join(self._dice.choice(_SYLLABLES) for _ in range(syllables))


async def write(folder: Path, chunks: int) -> None:
    """A journal whose results come to about that many chunks."""
    author, written, call = Author(7), 0, 0
    fields = {"model": "m", "endpoint": "e", "profile": "p", "app_version": "0", "workspace": "/w"}
    async with await Journal.create(folder, VirtualClock()) as journal:
        await journal.append(Draft(SessionOpened(session="s", name="bench", task="Mend it.", **fields)))
        while written < chunks:
            drafts, blobs = [], []
            for _ in range(BATCH):
                call += 1
                text = author.result(GIANT if call % 10 == 0 else CHARS)
                blobs += [text.encode()] if call % 10 == 0 else []
                blob = Journal.hash_of(blobs[-1]) if call % 10 == 0 else None
                seen = text[:4_000] + "\n[…]\n" + text[-8_000:] if blob else text
                body = ToolFinished(name="run_command", use_id="t", ok=True, content=seen, blob=blob)
                drafts.append(Draft(body, key=f"r{call}.1.0"))
                written += len(text) // 1_300 + 1
            await journal.append(*drafts, blobs=blobs)


def sample(reader: Reader, questions: int) -> tuple[list[str], list[str], list[str]]:
    """Names out of all that were ever seen, handles, and questions of some words, evenly drawn."""
    names: set[str] = set()
    handles, words = [], []
    dice, after = random.Random(11), 0
    while events := reader.events(after, 100):
        after = events[-1].seq
        for event in events[1 if after <= 100 else 0 :]:
            handles.append(f"out:{event.key}")
            for _, text in findable_chunks(event, reader):
                names |= names_in(text)
                if dice.random() < 0.05:
                    words.append(" ".join(dice.sample(text.split(), 5)))
    return dice.sample(sorted(names), questions), dice.choices(handles, k=questions), dice.choices(words, k=questions)


async def timed(ask: Callable[[str], Awaitable[object]], questions: list[str]) -> tuple[list[float], list[object]]:
    """Milliseconds and answers."""
    spent, answers = [], []
    for question in questions:
        began = time.perf_counter()
        answers.append(await ask(question))
        spent.append((time.perf_counter() - began) * 1000)
    return spent, answers


def line(label: str, spent: list[float], rest: str = "") -> None:
    cuts = quantiles(spent, n=100)
    print(f"  {label:<16} p50 {cuts[49]:6.2f} ms   p99 {cuts[98]:6.2f} ms   most {max(spent):6.2f} ms   {rest}")


async def measure(folder: Path, questions: int) -> None:
    with Reader(folder) as reader, RecallIndex(reader) as index:
        began = time.perf_counter()
        index.catch_up()
        took = time.perf_counter() - began
        size = index.path.stat().st_size / 1e6
        print(f"{folder.joinpath('session.db').stat().st_size / 1e6:.0f} MB of journal, indexed in {took:.0f} s")
        facts = Facts()
        facts.apply_all(reader.events(0, 1))
        recall = Recollection(facts, reader, index)
        names, handles, words = sample(reader, questions)
        stored = sum(len(list(findable_chunks(event, reader))) for event in reader.events())
        print(f"{stored:,} chunks, {size:.0f} MB of index, {questions:,} questions of each kind")
        spent, answers = await timed(recall.output, handles)
        line("handle", spent, f"found {sum(map(bool, answers)) / questions:.2%}")
        spent, answers = await timed(lambda name: recall.search(name, 10), names)
        hits = sum(any(name in one.text for one in found) for name, found in zip(names, answers, strict=True))
        line("exact name", spent, f"found in one call {hits / questions:.2%}")
        spent, _ = await timed(lambda text: recall.search(text, 10), words)
        line("five words", spent)
        spent, _ = await timed(lambda text: recall.search(text, 10), [f"{name}_nowhere" for name in names[:50]])
        line("never was", spent)


@click.command()
@click.option("--chunks", default=50_000, show_default=True)
@click.option("--questions", default=2_000, show_default=True)
def main(chunks: int, questions: int) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "s"
        asyncio.run(write(folder, chunks))
        asyncio.run(measure(folder, questions))


if __name__ == "__main__":
    main()
