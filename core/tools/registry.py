"""The tools of a session: which there are, how the model is told of them, and how its arguments are taken in."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec

from core.events import clean_text
from core.tools.ask import AskHuman
from core.tools.base import Foreign, InvalidArguments, Tool
from core.tools.command import RunCommand
from core.tools.edit import EditFile, WriteFile
from core.tools.fetch import FetchUrl
from core.tools.files import ListFiles, ReadFile
from core.tools.memory import Forget, Recall, Remember
from core.tools.plan import Plan
from core.tools.search import SearchCodebase


def builtin_tools() -> dict[str, Tool]:
    """Every built-in tool by its name, sorted: the order in which requests carry them."""
    tools: list[Tool] = [
        AskHuman(),
        EditFile(),
        FetchUrl(),
        Forget(),
        ListFiles(),
        Plan(),
        ReadFile(),
        Recall(),
        Remember(),
        RunCommand(),
        SearchCodebase(),
        WriteFile(),
    ]
    return {tool.name: tool for tool in sorted(tools, key=lambda tool: tool.name)}


def schemas(tools: Mapping[str, Tool]) -> list[dict[str, Any]]:
    """`name, description, input_schema` of each, sorted by name; equal tools give equal bytes."""
    return [
        {"name": name, "description": tool.description, "input_schema": input_schema(tool)}
        for name, tool in sorted(tools.items())
    ]


def input_schema(tool: Tool) -> dict[str, Any]:
    """The JSON schema of a tool's arguments, self-contained: one object without references or titles."""
    if isinstance(tool, Foreign):
        return tool.schema
    return _schema(tool.Arguments)


@cache
def _schema(arguments: type[msgspec.Struct]) -> dict[str, Any]:
    (schema,), definitions = msgspec.json.schema_components([arguments])
    inlined: dict[str, Any] = _inline(schema, definitions)
    return inlined


def _inline(schema: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_inline(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        rest = {name: value for name, value in schema.items() if name != "$ref"}
        return {**_inline(definitions[schema["$ref"].rsplit("/", 1)[1]], definitions), **rest}
    plain = {name: _inline(value, definitions) for name, value in schema.items() if not _is_title(name, value)}
    if plain.get("type") == "object":
        plain["additionalProperties"] = False
    return plain


def _is_title(name: str, value: Any) -> bool:
    """Titles repeat class names; a property that is called `title` has a schema, not a string."""
    return name == "title" and isinstance(value, str)


def parse_arguments(tool: Tool, raw: Mapping[str, Any]) -> Any:
    """The arguments as the tool's struct. Numbers and booleans may come as strings, absent values as null.

    Those for a tool of a server stay as they are: it judges them itself.
    Raises InvalidArguments with one sentence: which field is wrong, how, and which fields there are.
    """
    given = {name: value for name, value in clean_text(dict(raw)).items() if value is not None}
    if isinstance(tool, Foreign):
        return given
    try:
        return msgspec.convert(given, tool.Arguments, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidArguments(f"{tool.name}: {_plain(str(error))}; it takes {_fields(tool)}.") from error


def _plain(problem: str) -> str:
    """`` Expected `int`, got `str` - at `$.timeout` `` as `` `timeout`: expected `int`, got `str` ``."""
    what, _, where = problem.partition(" - at ")
    what = what[:1].lower() + what[1:].replace("Object ", "the arguments ")
    what = what.replace("object contains", "there is an").replace("object missing", "missing")
    return f"`{where.strip('`').removeprefix('$.')}`: {what}" if where else what


def _fields(tool: Tool) -> str:
    schema = input_schema(tool)
    required = schema.get("required", [])
    described = [
        f"{name} ({_kind(field)}{', required' if name in required else ''})"
        for name, field in schema["properties"].items()
    ]
    return ", ".join(described)


def _kind(field: Mapping[str, Any]) -> str:
    kinds = [field["type"]] if "type" in field else [it.get("type", "value") for it in field.get("anyOf", [])]
    kind = " or ".join(str(it) for it in kinds if it != "null") or "value"
    if "minimum" in field and "maximum" in field:
        kind += f" from {field['minimum']} to {field['maximum']}"
    return kind


def canonical(arguments: msgspec.Struct) -> str:
    """Arguments as one line of JSON with sorted names and defaults filled in: equal calls give equal text."""
    return msgspec.json.encode(msgspec.to_builtins(arguments), order="deterministic").decode()


_NOISE = (
    (re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-_]"), ""),
    (re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "<uuid>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"\b\d{1,2}:\d\d:\d\d(?:[.,]\d+)?\b"), "<time>"),
    (re.compile(r"\b0x[0-9a-fA-F]+\b"), "<address>"),
    (re.compile(r"(?:/private)?(?:/var)?/tmp/[^\s'\":,;)\]]+"), "<tmp>"),
    (re.compile(r"\bpid[ =:]{1,3}\d+", re.IGNORECASE), "<pid>"),
    (re.compile(r"\b\d+(?:\.\d+)? ?(?:ns|µs|us|ms|s|secs?|seconds?|m|min|minutes?)\b"), "<duration>"),
)


_SCRUBBED_CHARS = 1 << 18
"""Of a long output so much of the start and of the end is freed of noise; the patterns need seconds for more."""


def fingerprint(text: str) -> str:
    """16 hexadecimal characters that are equal for outputs which differ only in times, durations, pids, addresses,
    temporary paths, ids and colours (in the first and last quarter of a million characters)."""
    head, rest = text[:_SCRUBBED_CHARS], text[_SCRUBBED_CHARS:]
    middle, tail = rest[:-_SCRUBBED_CHARS], rest[-_SCRUBBED_CHARS:]
    parts = (_scrubbed(head), middle, _scrubbed(tail))
    return hashlib.sha256("".join(parts).encode("utf-8", "replace")).hexdigest()[:16]


def _scrubbed(text: str) -> str:
    for pattern, name in _NOISE:
        text = pattern.sub(name, text)
    return text
