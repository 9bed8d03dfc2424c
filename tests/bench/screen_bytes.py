"""Bytes to the terminal, step by step: what a call, a token batch, a number, a focus change, a page, a second cost.

    .venv/bin/python -P tests/bench/screen_bytes.py [--columns 200] [--rows 50] [--thrifty]

A session of 1,158 calls is on the screen, in true colour. Each step is drawn to its end before the next, so nothing is
saved by drawing several at once: a real session, with minutes between its calls, is like that. The figures are means
over the steps, the dearest one beside them. Deterministic but for how frames fall. `--thrifty` counts a call as over a
slow line, at the pace of the reference session: each of its parts apart from the others, and what is not in front drawn
again as often as then.
"""

from __future__ import annotations

import itertools
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).parent))

from screen_stage import Figures, Stage, session

from core.events import SessionFinished, ToolFinished, ToolStarted
from core.protocols import LiveDelta
from tui.line_speed import ASIDE_S

TEXT = """\
The loader reads the whole file before it checks the header, so a damaged file costs as much as a good one. I move the \
check to the front and keep the public names, since `scripts/migrate.py` calls both of them.

- `load` checks the header first
- the tests cover a short file, an empty one and a wrong version

"""
BETWEEN_CALLS_S = 35 * 3600 / 1158
"""The pace of the reference session."""
TOKENS_A_BATCH = 10
"""At 100 tokens a second and ten frames a second."""


class Bytes:
    """Collects the bytes of steps by name and puts them into the table."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.figures = Figures(f"bytes to the terminal, {stage.screen.app.driver_class.SIZE}", "bytes")

    def add(self, what: str, sizes: Sequence[int], aim: float | None = None) -> None:
        self.figures.add(f"{what} (dearest {max(sizes):,})", statistics.mean(sizes), aim)


async def one_call(stage: Stage, number: int) -> list[int]:
    """A call as it happens: asked for, written, begun, done; each on the screen before the next."""
    log, sizes = stage.log, []
    key = log.requested()
    sizes.append(await stage.bytes_of(stage.pushed))
    text = f"Step {number}: the next part, and its test."
    for word in text.split(" "):
        stage.source.say(word + " ", attempt=key)
    sizes.append(await stage.bytes_of(lambda: None))
    use, arguments = f"toolu_b{number}", {"command": f"echo step {number}"}
    asked = {"type": "tool_use", "id": use, "name": "run_command", "input": arguments}
    log.responded(key, [{"type": "text", "text": text}, asked])
    sizes.append(await stage.bytes_of(lambda: (stage.pushed(), stage.source.settle())))
    log.add(ToolStarted(name="run_command", use_id=use, arguments=arguments, effect="command"), key=f"{key}.0")
    sizes.append(await stage.bytes_of(stage.pushed))
    output = f"step {number}"
    log.add(
        ToolFinished(name="run_command", use_id=use, ok=True, content=output, ms=12, size=len(output)), key=f"{key}.0"
    )
    sizes.append(await stage.bytes_of(stage.pushed))
    return sizes


async def calls(stage: Stage, figures: Bytes) -> None:
    rows = [await one_call(stage, number) for number in range(12)]
    figures.add("a tool call, on the whole screen", [sum(row) for row in rows], 2_000)
    for index, part in enumerate(("request", "reply streams", "reply", "call begins", "call ends")):
        figures.add(f"  of it: {part}", [row[index] for row in rows])
    together = []
    for number in range(8):
        stage.log.call("run_command", {"command": f"echo step {number}"}, "step", effect="command", text="Step.")
        together.append(await stage.bytes_of(stage.pushed))
    figures.add("a tool call whose events come together", together)


async def tokens(stage: Stage, figures: Bytes) -> None:
    key, sizes, words = stage.log.requested(), [], itertools.cycle(TEXT.split(" "))
    await stage.bytes_of(stage.pushed)
    for _ in range(60):
        batch = [word + " " for word in itertools.islice(words, TOKENS_A_BATCH)]
        sizes.append(await stage.bytes_of(lambda batch=batch: say(stage, key, batch)))
    figures.add(f"a streamed batch of {TOKENS_A_BATCH} tokens", sizes, 700)
    await stage.key("pageup")
    away = [await stage.bytes_of(lambda: say(stage, key, ["more "] * TOKENS_A_BATCH)) for _ in range(10)]
    figures.add("the same while scrolled away", away)
    await stage.key("end")
    stage.log.responded(key, [{"type": "text", "text": "Done."}])
    await stage.bytes_of(lambda: (stage.pushed(), stage.source.settle()))


def say(stage: Stage, attempt: str, batch: Sequence[str]) -> None:
    deltas = [LiveDelta(attempt=attempt, kind="text", index=0, text=text) for text in batch]
    stage.source._deltas.put_nowait(deltas)


async def numbers(stage: Stage, figures: Bytes) -> None:
    line = stage.screen.query_one("#status")
    sizes = [await stage.bytes_of(lambda n=n: line.set("spent", f"${n / 100}")) for n in range(1_300, 1_320)]
    figures.add("a number that changes", sizes, 200)


async def focus(stage: Stage, figures: Bytes) -> None:
    sizes = [await stage.key(key) for key in "1212"]
    figures.add("focus: conversation, calls, and back", sizes, 1_000)
    around = [await stage.key("tab") for _ in range(6)]
    figures.add("focus: round all panes with tab", around, 1_000)
    await stage.key("1")


async def pages(stage: Stage, figures: Bytes) -> None:
    sizes = [await stage.key("pageup") for _ in range(12)]
    figures.add("a page of the conversation", sizes, 8_000)
    lines = [await stage.key("down") for _ in range(12)]
    figures.add("the cursor, one item down", lines)
    await stage.key("end")
    await stage.key("2")
    figures.add("a page of the calls", [await stage.key("pageup") for _ in range(8)], 8_000)
    await stage.key("end")
    await stage.key("1")


async def waiting(stage: Stage, figures: Bytes) -> None:
    stage.log.requested()
    await stage.bytes_of(stage.pushed)
    figures.add("a second of waiting for the model", [await stage.second() for _ in range(30)], 200)
    key = f"r{stage.log.turn}.1"
    asked = {"type": "tool_use", "id": "toolu_w", "name": "run_command", "input": {"command": "make"}}
    stage.log.responded(key, [asked])
    arguments = {"command": "make"}
    stage.log.add(ToolStarted(name="run_command", use_id="toolu_w", arguments=arguments, effect="command"), f"{key}.0")
    await stage.bytes_of(stage.pushed)
    figures.add("a second of waiting for a command", [await stage.second() for _ in range(30)], 200)


async def dialogs(stage: Stage, figures: Bytes) -> None:
    for key, name in (("g", "guide"), ("b", "budget"), ("r", "rewind"), ("question_mark", "help"), ("enter", "reader")):
        opened = await stage.key(key)
        figures.figures.add(f"{name}: open", opened)
        figures.figures.add(f"{name}: close", await stage.key("escape"))


async def thrifty_calls(stage: Stage, figures: Bytes) -> None:
    sizes, since_s = [], 0.0
    for number in range(48):
        size, since_s = sum(await one_call(stage, number)), since_s + BETWEEN_CALLS_S
        if since_s >= ASIDE_S:
            stage.screen._paid_s, since_s = float("-inf"), since_s - ASIDE_S
        sizes.append(size + await stage.second())
    figures.add("a tool call, on the whole screen, thrifty", sizes, 1_000)
    await waiting(stage, figures)


async def idle(stage: Stage, figures: Bytes) -> None:
    stage.log.add(SessionFinished(state="finished", reason="done"))
    await stage.bytes_of(stage.pushed)
    for _ in range(330):  # the cache that has expired says so once
        stage.clock.advance(1)
    await stage.second()
    figures.add("an idle second, the session over", [await stage.second() for _ in range(10)], 0)


async def play(stage: Stage) -> Figures:
    figures = Bytes(stage)
    thrifty = stage.screen.line.thrifty
    for part in (thrifty_calls,) if thrifty else (calls, tokens, numbers, focus, pages, dialogs, waiting, idle):
        await part(stage, figures)
    return figures.figures


@click.command()
@click.option("--columns", default=200, show_default=True)
@click.option("--rows", default=50, show_default=True)
@click.option("--thrifty", is_flag=True)
def main(columns: int, rows: int, thrifty: bool) -> None:
    Stage(session(), columns, rows, thrifty="always" if thrifty else "never").perform(play).show()


if __name__ == "__main__":
    main()
