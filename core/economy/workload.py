"""What a session is to arithmetic: turns of so many tokens, so many seconds apart. Read from files, never trusted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

SYSTEM_TOKENS = 6_000
"""System prompt, tool schemas and task, where a file doesn't say."""
RESULT_CAP = 8_000
RECALL_CALL, RECALL_RESULT, RECALL_GAP_S = 120, 2_100, 7.0
"""Asking for more of a capped result: the call, what it brings at most, and when it follows (medians of sessions)."""
LARGEST_TOKENS, LARGEST_GAP_S, MOST_TURNS = 10_000_000, 31_536_000.0, 50_000
LARGEST_BYTES = 64 << 20


class WorkloadError(Exception):
    """A file that holds no workload; the text is one plain sentence that names the file and, if it can, the line."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A request: tokens of its reply, tokens that come in before the next one, seconds from its start to the next."""

    output: int
    result: int
    gap_s: float

    @property
    def size(self) -> int:
        return self.output + self.result


@dataclass(frozen=True, slots=True)
class Workload:
    """A session to be priced. `system`: tokens of system prompt, tools and task, which every request begins with."""

    name: str
    turns: tuple[Turn, ...]
    system: int = SYSTEM_TOKENS

    @property
    def history(self) -> int:
        """Tokens of all replies and results together."""
        return sum(turn.size for turn in self.turns)


def capped(workload: Workload, cap: int = RESULT_CAP) -> Workload:
    """The workload with results of at most `cap` tokens; each that was cut is followed by one recall of the rest."""
    return replace(workload, turns=tuple(part for turn in workload.turns for part in _capped(turn, cap)))


def _capped(turn: Turn, cap: int) -> Iterator[Turn]:
    rest = turn.result - cap
    if rest <= 0:
        yield turn
        return
    yield Turn(turn.output, cap, min(RECALL_GAP_S, turn.gap_s))
    yield Turn(RECALL_CALL, min(rest, RECALL_RESULT, cap), turn.gap_s)


def read_workload(path: Path) -> Workload:
    """A workload from a file: one JSON object (a uniform session), or JSONL with one turn a line.

    The object: {"turns", "out_tokens", "result_tokens", "gap_s"}, and "system_tokens" if it is known. A line:
    {"out_tokens", "result_tokens", "gap_s"}. Other keys are ignored. Raises WorkloadError.
    """
    text = _text(path)
    whole = _json(text)
    if isinstance(whole, dict) and "turns" in whole:
        return _uniform(whole, path)
    turns = tuple(_turns(text.splitlines(), path))
    if not turns:
        raise WorkloadError(f"{path} is empty; a workload has one turn a line, or says how many turns it has.")
    return Workload(path.stem, turns)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            raw = stream.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise WorkloadError(f"{path} can't be read ({error.strerror}); name a file with a workload.") from None
    if len(raw) > LARGEST_BYTES:
        raise WorkloadError(f"{path} is larger than 64 MiB, which no workload is; check that it is the right file.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise WorkloadError(f"{path}, line {line}: this is not UTF-8 text; save the file as UTF-8.") from None


def _json(text: str) -> Any:
    """The value, or None where the text is no JSON (or nested beyond reason)."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _uniform(row: Mapping[str, Any], path: Path) -> Workload:
    place = f"{path}"
    count = _number(row, "turns", MOST_TURNS, place)
    if not count:
        raise WorkloadError(f"{place}: `turns` is 0; a workload has at least one turn.")
    system = _number(row, "system_tokens", LARGEST_TOKENS, place) if "system_tokens" in row else SYSTEM_TOKENS
    return Workload(path.stem, (_turn(row, place),) * int(count), int(system))


def _turns(lines: Iterable[str], path: Path) -> Iterator[Turn]:
    for number, line in enumerate(lines, 1):
        if number > MOST_TURNS:
            raise WorkloadError(f"{path} has more than {MOST_TURNS:,} lines; cut it into parts.")
        if not line.strip():
            continue
        place = f"{path}, line {number}"
        row = _json(line)
        if not isinstance(row, dict):
            raise WorkloadError(
                f'{place}: this is not a turn; write it like {{"out_tokens": 240, "result_tokens": 468, "gap_s": 60}}.'
            )
        yield _turn(row, place)


def _turn(row: Mapping[str, Any], place: str) -> Turn:
    output, result = (int(_number(row, key, LARGEST_TOKENS, place)) for key in ("out_tokens", "result_tokens"))
    return Turn(output, result, _number(row, "gap_s", LARGEST_GAP_S, place))


def _number(row: Mapping[str, Any], key: str, largest: float, place: str) -> float:
    if key not in row:
        raise WorkloadError(f"{place}: `{key}` is missing; a turn needs out_tokens, result_tokens and gap_s.")
    value = row[key]
    whole = key == "gap_s" or not isinstance(value, float) or value.is_integer()
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= largest or not whole:
        kind = "number" if key == "gap_s" else "whole number"
        raise WorkloadError(f"{place}: `{key}` must be a {kind} from 0 to {largest:,.0f}.")
    return float(value)
