"""`script`: plays rows of a file, one a reply, so that a test or a benchmark decides every word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from core.simulator.policies.base import Call, Reply, text_block, turns_compressed


class ToolUse(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    input: dict[str, Any] = {}


class Row(msgspec.Struct, forbid_unknown_fields=True):
    """One reply. `output_tokens` is billed and is the size of the message in later prompts; `result_tokens` is the
    size of the user message that follows it; `delay_s` passes before the first token."""

    text: str = ""
    thinking: str = ""
    tool_uses: list[ToolUse] = []
    stop_reason: str | None = None
    output_tokens: int | None = None
    result_tokens: int | None = None
    delay_s: float = 0.0

    def reply(self) -> Reply:
        blocks: list[dict[str, Any]] = []
        if self.thinking:
            blocks.append({"type": "thinking", "thinking": self.thinking})
        if self.text:
            blocks.append(text_block(self.text))
        blocks += [Call(use.name, use.input).block() for use in self.tool_uses]
        return Reply(blocks or [text_block("done")], self.stop_reason, self.output_tokens, self.delay_s)


_AFTER_THE_END = Row(text="done")


class ScriptPolicy:
    """Row n answers the request that has n replies before it.

    Replies that were compressed away count too: the first user message then has a line `turns so far: N`.
    """

    def __init__(self, rows: Sequence[Row | Mapping[str, Any]]) -> None:
        """Raises ValueError when a row is not of the form of `Row`."""
        self._rows: list[Row] = []
        self.add(rows)

    def add(self, rows: Sequence[Row | Mapping[str, Any]]) -> None:
        """More replies, behind those that there are. Raises ValueError when a row is not of the form of `Row`."""
        try:
            self._rows += [row if isinstance(row, Row) else msgspec.convert(row, Row) for row in rows]
        except msgspec.ValidationError as error:
            raise ValueError(f"A row of the script is not valid: {error}.") from error

    @classmethod
    def load(cls, path: Path) -> ScriptPolicy:
        """Read a JSONL file. Raises ValueError naming the line that can't be read, or saying the file can't be."""
        rows: list[Row] = []
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"The script {path} can't be read: {error}.") from error
        for number, line in enumerate(lines, 1):
            try:
                rows += [msgspec.json.decode(line, type=Row)] if line.strip() else []
            except msgspec.MsgspecError as error:
                raise ValueError(f"Line {number} of the script {path} is not valid: {error}.") from error
        return cls(rows)

    def reply(self, request: Mapping[str, Any]) -> Reply:
        messages = request["messages"]
        replies = sum(message["role"] == "assistant" for message in messages)
        return self._row(turns_compressed(messages) + replies).reply()

    def sizes(self, request: Mapping[str, Any]) -> Sequence[int | None]:
        index = turns_compressed(request["messages"]) - 1
        sizes: list[int | None] = []
        for message in request["messages"]:
            index += message["role"] == "assistant"
            row = self._row(index) if sizes else _AFTER_THE_END
            sizes.append(row.output_tokens if message["role"] == "assistant" else row.result_tokens)
        return sizes

    def _row(self, index: int) -> Row:
        return self._rows[index] if 0 <= index < len(self._rows) else _AFTER_THE_END
