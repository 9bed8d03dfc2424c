"""What a vendor refuses: unknown fields, malformed tools, histories in which calls and results do not pair up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from core.simulator.errors import ApiError, invalid
from core.simulator.policies.base import thinking_budget
from core.simulator.prompt import Message, Prompt, content_blocks

STRICT_VERSION = "2026-10-21"
_SAMPLING = {"temperature", "top_p", "top_k"}
_FIELDS = {
    "model", "messages", "max_tokens", "system", "tools", "tool_choice", "stream", "stop_sequences", "metadata",
    "thinking", "cache_control", "service_tier", "output_config", "context_management", "container", "mcp_servers",
    "diagnostics", "inference_geo",
}  # fmt: skip
_BLOCKS = {
    "user": {"text", "image", "document", "tool_result", "search_result"},
    "assistant": {"text", "thinking", "redacted_thinking", "tool_use"},
}
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")


def check_fields(fields: Mapping[str, Any], version: str, counting: bool = False) -> None:
    """Raises ApiError (400) for a missing or unknown field; sampling parameters are unknown to the newest version."""
    allowed = _FIELDS if version >= STRICT_VERSION else _FIELDS | _SAMPLING
    for name in fields:
        if name not in allowed:
            raise invalid(f"{name}: Extra inputs are not permitted")
    if not isinstance(fields.get("model"), str) or not fields["model"]:
        raise invalid("model: Field required")
    limit = fields.get("max_tokens")
    if not counting and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
        raise invalid("max_tokens: Field required" if limit is None else "max_tokens: must be at least 1")
    if not counting and thinking_budget(fields) >= fields["max_tokens"]:
        raise invalid("`max_tokens` must be greater than `thinking.budget_tokens`.")
    _check_tools(fields.get("tools") or [])


def check_history(prompt: Prompt) -> int:
    """Raises ApiError (400) where the API would; returns how often one role spoke twice in a row (it is merged)."""
    if not prompt.messages:
        raise invalid("messages: at least one message is required")
    if prompt.messages[0].role != "user":
        raise invalid('messages: first message must use the "user" role')
    turns = list(_turns(prompt.messages))
    if turns[-1][1][-1].role != "user":
        raise invalid(
            "This model does not support assistant message prefill. The conversation must end with a user message."
        )
    seen: set[str] = set()
    open_uses: tuple[str, ...] = ()
    for index, messages in turns:
        for offset, message in enumerate(messages):
            if not message.checked:
                _check_blocks(message, index + offset)
                message.checked = True
        uses = tuple(use for message in messages for use in message.uses)
        _check_results(messages, index, open_uses)
        _check_unique(uses, seen, index)
        open_uses = uses
    return len(prompt.messages) - len(turns)


def _turns(messages: list[Message]) -> Iterator[tuple[int, list[Message]]]:
    """Runs of messages of one role, with the index of the first."""
    start = 0
    for index in range(1, len(messages) + 1):
        if index == len(messages) or messages[index].role != messages[start].role:
            yield start, messages[start:index]
            start = index


def _check_blocks(message: Message, index: int) -> None:
    allowed = _BLOCKS.get(message.role)
    if allowed is None:
        raise invalid(f"messages.{index}.role: Input should be 'user' or 'assistant'")
    content = message.value.get("content")
    if not content or not isinstance(content, str | list):
        raise invalid(f"messages.{index}: all messages must have non-empty content")
    for place, block in enumerate(content_blocks(content)):
        where = f"messages.{index}.content.{place}"
        if block.get("type") not in allowed:
            raise invalid(
                f"{where}: Input tag '{block.get('type')}' is not expected in a message of role {message.role}"
            )
        _check_block(block, where)


def _check_block(block: dict[str, Any], where: str) -> None:
    match block["type"]:
        case "text":
            if not isinstance(block.get("text"), str) or not block["text"].strip():
                raise invalid(f"{where}: text content blocks must be non-empty and contain non-whitespace text")
        case "tool_use":
            if not isinstance(block.get("input"), dict):
                raise invalid(f"{where}.tool_use.input: Input should be a valid dictionary")
            if not _TOOL_NAME.fullmatch(str(block.get("id"))):
                raise invalid(f"{where}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
        case "thinking":
            if not block.get("signature"):
                raise invalid(f"{where}: thinking.signature: Field required")
        case "tool_result":
            if not isinstance(block.get("content", ""), str | list):
                raise invalid(f"{where}.tool_result.content: Input should be a string or a list of blocks")


def _check_results(messages: list[Message], index: int, open_uses: tuple[str, ...]) -> None:
    results = [result for message in messages for result in message.results]
    missing = [use for use in open_uses if use not in results]
    if missing or (open_uses and not _results_come_first(messages)):
        raise invalid(
            f"messages.{index - 1}: `tool_use` ids were found without `tool_result` blocks immediately after: "
            f"{', '.join(missing or open_uses)}. Each `tool_use` block must have a corresponding `tool_result` "
            "block in the next message."
        )
    for result in results:
        if result not in open_uses:
            raise invalid(
                f"messages.{index}: unexpected `tool_use_id` found in `tool_result` blocks: {result}. Each "
                "`tool_result` block must have a corresponding `tool_use` block in the previous message."
            )
    if len(set(results)) != len(results):
        raise invalid(
            f"messages.{index}: each tool_use must have a single result. Found multiple `tool_result` blocks."
        )


def _results_come_first(messages: list[Message]) -> bool:
    """Over a run of messages: only the last one with results may have other blocks behind them."""
    last = max((place for place, message in enumerate(messages) if message.results), default=0)
    only_results = all(len(message.results) == len(message.blocks) for message in messages[:last])
    return only_results and messages[last].results_first


def _check_unique(uses: tuple[str, ...], seen: set[str], index: int) -> None:
    for use in uses:
        if use in seen:
            raise invalid(f"messages.{index}: `tool_use` ids must be unique. Found {use} more than once.")
        seen.add(use)


def _check_tools(tools: list[dict[str, Any]]) -> None:
    names = [str(tool.get("name")) for tool in tools]
    for place, tool in enumerate(tools):
        if not _TOOL_NAME.fullmatch(names[place]):
            raise invalid(f"tools.{place}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
        if "type" not in tool and not isinstance(tool.get("input_schema"), dict):
            raise invalid(f"tools.{place}.input_schema: Field required")
    if len(set(names)) != len(names):
        raise invalid("tools: Tool names must be unique.")


def check_size(tokens: int, limit: int) -> None:
    """Raises ApiError (400) when the prompt does not fit the window."""
    if tokens > limit:
        raise ApiError(400, f"prompt is too long: {tokens} tokens > {limit} maximum")
