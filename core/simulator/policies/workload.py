"""`workload`: plays turns of given sizes and gaps, one tool call each, so that a planned run can be billed for real.

The arguments of a call carry the number of its turn and what its result shall be; so the newest call in a request says
which turn comes next, and the history may be compressed, rewound or resumed anywhere.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.economy.rule import REREAD_CALL, REREADS
from core.economy.workload import RECALL_RESULT, Turn, WorkloadError, read_workload
from core.simulator.policies.base import Call, Reply, message_texts, text_block, turns_compressed
from core.simulator.prompt import BYTES_PER_TOKEN, block_tokens

TOOL = "wait_and_print"
"""The call of every turn. Its tool takes `gap_s` seconds and returns `sized_text(result_tokens, ...)`."""

_SENTENCES = (
    "The next part was read and compared with what the earlier parts had said about it.",
    "Two of the cases behave as the notes expect, and the third one waits for its fixture.",
    "Nothing here contradicts the plan, so the work goes on with the step that is open.",
    "The slow path is taken more often than it should be, as the counters show again.",
    "A smaller change would do, and it leaves the callers as they are today.",
)
_AREAS = ("parser", "storage", "network", "reports", "accounts", "imports")


class WorkloadPolicy:
    """Turn i is a reply of its tokens with one call of `TOOL`; after the last turn the task is done.

    A reply re-sent costs exactly its `output` again, but never less than its call takes (about 30 tokens). With
    `rereads` most compressions make the model read something again, in one more turn, as often as the arithmetic has
    it: a compression is told by the first message, which changes with nothing else.
    """

    def __init__(self, turns: Iterable[Turn], *, rereads: bool = False) -> None:
        self._turns = tuple(turns)
        self._rereads = rereads

    @classmethod
    def load(cls, path: Path) -> WorkloadPolicy:
        """Read a workload file as `core.economy.workload` does. Raises ValueError, one plain sentence."""
        try:
            return cls(read_workload(path).turns)
        except WorkloadError as error:
            raise ValueError(str(error)) from None

    def __len__(self) -> int:
        return len(self._turns)

    def reply(self, request: Mapping[str, Any]) -> Reply:
        messages = request["messages"]
        head = _head(messages) if self._rereads else ""
        last = _newest_call(messages)
        if last is not None and last.get("head", "") != head and last["turn"] * 7_919 % 100 < 100 * REREADS:
            return _played(last["turn"], Turn(REREAD_CALL, RECALL_RESULT, 0.0), head)
        number = turns_compressed(messages) if last is None else last["turn"] + 1
        if number >= len(self._turns):
            return Reply([text_block("All turns are done.")])
        return _played(number, self._turns[number], head)

    def sizes(self, request: Mapping[str, Any]) -> Sequence[int | None]:
        return ()


def sized_text(tokens: int, seed: int) -> str:
    """ASCII prose of exactly so many tokens as the simulator counts them; another seed, another text."""
    wanted = tokens * BYTES_PER_TOKEN
    start = f"Part {seed}. "
    offset = seed % len(_SENTENCES)
    prose = " ".join(_SENTENCES[offset:] + _SENTENCES[:offset]) + " "
    text = (start + prose * (wanted // len(prose) + 1))[:wanted]
    return text[:-1] + "." if text[-1].isspace() else text


def names_at(turn: int) -> tuple[str, str]:
    """A path and an identifier that a turn works on: half of them are new, half were used a few turns before."""
    back = turn - turn * 7_919 % 23 if turn % 2 else turn
    area = _AREAS[back % len(_AREAS)]
    return f"src/{area}/{area}_part_{max(0, back)}.py", f"handle_{area}_{turn}"


def _played(number: int, turn: Turn, head: str) -> Reply:
    """A reply of the wanted size: the call, and text for what is left."""
    path, name = names_at(number)
    arguments: dict[str, Any] = {"turn": number, "gap_s": turn.gap_s, "result_tokens": turn.result}
    arguments |= {"head": head} if head else {}
    noted = Call(TOOL, arguments | {"path": path, "note": f"look at {name}"}).block()
    call = noted if block_tokens(noted) < turn.output else Call(TOOL, arguments).block()
    left = turn.output - block_tokens(call)
    blocks = [text_block(sized_text(left, number)), call] if left > 0 else [call]
    return Reply(blocks, output_tokens=sum(map(block_tokens, blocks)))


def _newest_call(messages: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The arguments of the newest call of a turn; one that was cut carries no number and does not count."""
    for message in reversed(messages):
        content = message["content"]
        blocks: list[Mapping[str, Any]] = (
            content if message["role"] == "assistant" and isinstance(content, list) else []
        )
        for block in reversed(blocks):
            arguments = block.get("input") if block.get("name") == TOOL else None
            if isinstance(arguments, Mapping) and isinstance(arguments.get("turn"), int):
                return arguments
    return None


def _head(messages: Sequence[Mapping[str, Any]]) -> str:
    return f"{zlib.crc32(chr(10).join(message_texts(messages[0])).encode()):08x}"
