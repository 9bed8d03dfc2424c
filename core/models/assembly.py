"""A streamed reply put together from its events: pure, and suspicious of every one of them.

Blocks stay the raw dicts that came, since they are sent back as they are. A reply counts only when its end came.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Container
from typing import Any, Literal

import msgspec

from core.events import Usage, clean_text
from core.models.errors import ErrorClass, ModelError
from core.models.usage import merge_usage, usage_of

LARGEST_REPLY_CHARS = 64_000_000
"""No model writes this much; a stream that does is not a reply."""

DEEPEST = 100
"""Levels of nesting in one piece of JSON."""

DeltaKind = Literal["text", "thinking", "tool", "arguments"]


class Delta(msgspec.Struct, frozen=True):
    """A piece of a reply in flight, for viewers only. `index`: its block; `tool` carries the tool's name."""

    index: int
    kind: DeltaKind
    text: str


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A whole reply. `content` may be empty: a model may end its turn without a word.

    `usage` None: the server did not say. A tool call in a reply that ended in `max_tokens` may be cut and must not
    run; where its arguments could not be read they are `{}`. Times in milliseconds from the sending of the request.
    """

    message_id: str
    model: str
    content: list[dict[str, Any]]
    stop_reason: str
    usage: Usage | None
    raw_usage: dict[str, Any] = {}
    first_token_ms: int | None = None
    ms: int = 0
    request_id: str | None = None


class _Block:
    """A block being written: the dict it began with, and what was appended to it."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.raw = raw
        self.text: list[str] = []
        self.json: list[str] = []
        self.cut = False
        self._finished: dict[str, Any] | None = None

    def finish(self) -> dict[str, Any]:
        """The whole block. Arguments that are not a JSON object set `cut`."""
        if self._finished is None:
            kind = self.raw.get("type")
            if kind in ("text", "thinking"):
                self.raw[kind] = _string(self.raw.get(kind)) + "".join(self.text)
            elif self.json or "input" in self.raw or kind == "tool_use":
                self.raw["input"] = self._input()
            self._finished = clean_text(_healed(self.raw))
        return self._finished

    def _input(self) -> dict[str, Any]:
        text = "".join(self.json)
        try:
            value = strict_json(text) if text.strip() else self.raw.get("input") or {}
        except ValueError:
            value = None
        self.cut = not isinstance(value, dict)
        return value if isinstance(value, dict) else {}

    @property
    def says_nothing(self) -> bool:
        """A text without text, which servers refuse to take back; thinking with neither text nor signature."""
        block = self.finish()
        if block.get("type") == "thinking":
            return not block["thinking"].strip() and not block.get("signature")
        return block.get("type") == "text" and not block["text"].strip()


class Assembly:
    """Takes the events of one stream, gives deltas on the way and the reply at the end.

    `chars`: how much text has come. `begun`: an event of the protocol has come. `request_id`: the server's.
    """

    def __init__(self) -> None:
        self.chars = 0
        self.begun = False
        self.request_id: str | None = None
        self._finished = False
        self._foreign = False
        self._message: dict[str, Any] = {}
        self._blocks: dict[int, _Block] = {}
        self.raw_usage: dict[str, Any] = {}
        self._stop_reason: str | None = None

    def feed(self, event: dict[str, Any]) -> Delta | None:
        """Take one event; unknown ones are passed over. Raises ModelError on one that can't be part of a reply."""
        known = is_part(event)
        self.begun = self.begun or known
        self._foreign = self._foreign or not (known or event["type"] == "ping")
        match event["type"]:
            case "message_start":
                self._message = _table(event.get("message"))
                self.raw_usage = merge_usage(self.raw_usage, self._message.get("usage"))
            case "content_block_start":
                return self._start(self._index(event), _table(event.get("content_block")))
            case "content_block_delta":
                return self._delta(self._index(event), _table(event.get("delta")))
            case "content_block_stop":
                self._stop(self._index(event))
            case "message_delta":
                self._stop_reason = _string(_table(event.get("delta")).get("stop_reason")) or self._stop_reason
                self.raw_usage = merge_usage(self.raw_usage, event.get("usage"))
            case "message_stop":
                self._finished = True
        return None

    def reply(self, model: str) -> Reply:
        """The whole reply; `model` where the server did not name one. Raises ModelError when it isn't whole."""
        if self._foreign and not self.begun:
            raise ModelError(ErrorClass.MALFORMED, "The server streams, but not in the Messages protocol.")
        if not self._finished or not self._stop_reason:
            raise ModelError(ErrorClass.STREAM_CUT, "The reply broke off before its end.")
        if self._stop_reason == "model_context_window_exceeded":
            raise ModelError(ErrorClass.CONTEXT_TOO_LONG, "The reply reached the end of the model's context window.")
        message_id = _string(self._message.get("id"))
        content = [block.finish() for _, block in sorted(self._blocks.items()) if not block.says_nothing]
        if self._stop_reason != "max_tokens" and any(block.cut for block in self._blocks.values()):
            raise ModelError(ErrorClass.MALFORMED, "The arguments of a tool call are not valid JSON.")
        return Reply(
            message_id=clean_text(message_id),
            model=clean_text(_string(self._message.get("model"))) or model,
            content=unique_ids(content, message_id or "toolu"),
            stop_reason=clean_text(self._stop_reason),
            usage=usage_of(self.raw_usage),
            raw_usage=clean_text(self.raw_usage),
            request_id=self.request_id,
        )

    def _index(self, event: dict[str, Any]) -> int:
        index = event.get("index")
        if isinstance(index, int) and not isinstance(index, bool):
            return index
        return max(self._blocks, default=0)

    def _start(self, index: int, raw: dict[str, Any]) -> Delta | None:
        block = self._blocks[index] = _Block(dict(raw))
        kind, name = raw.get("type"), raw.get("name")
        if kind == "tool_use":
            if not (isinstance(name, str) and name):
                raise ModelError(ErrorClass.MALFORMED, "A tool call came without the name of its tool.")
            return Delta(index, "tool", clean_text(name))
        if not isinstance(kind, str):
            del self._blocks[index]
        elif (kind == "text" or kind == "thinking") and (text := _string(block.raw.get(kind))):
            return Delta(index, "text" if kind == "text" else "thinking", self._counted(text))
        return None

    def _delta(self, index: int, delta: dict[str, Any]) -> Delta | None:
        kind = delta.get("type")
        if kind == "text_delta" or kind == "thinking_delta":
            shown: DeltaKind = "text" if kind == "text_delta" else "thinking"
            text = _string(delta.get(shown))
            self._block(index, shown).text.append(text)
            return Delta(index, shown, self._counted(text)) if text else None
        if kind == "input_json_delta":
            text = _string(delta.get("partial_json"))
            self._block(index, None).json.append(text)
            return Delta(index, "arguments", self._counted(text)) if text else None
        if kind == "signature_delta":
            self._block(index, "thinking").raw["signature"] = _string(delta.get("signature"))
        elif kind == "citations_delta" and isinstance(delta.get("citation"), dict):
            raw = self._block(index, "text").raw
            raw["citations"] = [*(raw.get("citations") or []), delta["citation"]]
        return None

    def _block(self, index: int, implied: str | None) -> _Block:
        """The block of a delta; one whose start never came is begun here, if a delta can tell what it is."""
        if index not in self._blocks:
            if implied is None:
                raise ModelError(ErrorClass.MALFORMED, "Arguments came for a tool call that never began.")
            self._blocks[index] = _Block({"type": implied})
        return self._blocks[index]

    def _stop(self, index: int) -> None:
        if index in self._blocks:
            self._blocks[index].finish()

    def _counted(self, text: str) -> str:
        self.chars += len(text)
        if self.chars > LARGEST_REPLY_CHARS:
            raise ModelError(ErrorClass.MALFORMED, "The reply is larger than any model writes.")
        return clean_text(text)


def is_part(event: dict[str, Any]) -> bool:
    """Whether an event belongs to a reply as the protocol has it."""
    return bool(event["type"].startswith(("message_", "content_block_")))


def unique_ids(content: list[dict[str, Any]], stem: str, taken: Container[str] = ()) -> list[dict[str, Any]]:
    """The same blocks with an id of its own on each tool call: kept where it is usable and new, else `<stem>_<index>`.

    `taken`: ids used earlier in the conversation. The same input gives the same ids.
    """
    used = set[str]()
    stem = re.sub(r"[^a-zA-Z0-9_-]", "", stem)[:40] or "toolu"
    result = []
    for index, block in enumerate(content):
        if block.get("type") == "tool_use":
            use_id = block.get("id")
            if (
                not (isinstance(use_id, str) and re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", use_id))
                or use_id in used
                or use_id in taken
            ):
                use_id = f"{stem}_{index}"
                while use_id in used or use_id in taken:
                    use_id += "_"
            used.add(use_id)
            block = {**block, "id": use_id}
        result.append(block)
    return result


def strict_json(text: str) -> Any:
    """JSON as the standard has it, in numbers and depths that a journal can hold. Raises ValueError else."""
    try:
        value = json.loads(text, parse_constant=_refused, parse_int=_integer, parse_float=_float)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if text.count("[") + text.count("{") > DEEPEST and _deeper(value, DEEPEST):
        raise ValueError("nested too deeply")
    return value


def _deeper(value: Any, levels: int) -> bool:
    """Whether lists and objects are nested deeper than so many levels."""
    if not isinstance(value, list | dict):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_deeper(item, levels - 1) for item in inner)


def _refused(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _integer(digits: str) -> int | float:
    """Beyond 64 bits an integer becomes a float."""
    value = int(digits) if len(digits) < 20 else float(digits)
    return value if isinstance(value, int) and -(1 << 63) <= value < 1 << 63 else _float(digits)


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError("a number out of range")
    return value


def _healed(value: Any) -> Any:
    """Surrogate pairs that were split between two deltas, put together again."""
    if isinstance(value, str):
        return (
            value
            if value.isascii()
            else value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        )
    if isinstance(value, list):
        return [_healed(item) for item in value]
    if isinstance(value, dict):
        return {_healed(name): _healed(item) for name, item in value.items()}
    return value


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
