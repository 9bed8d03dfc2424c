"""What strangers write, made fit for a request: names that are valid and unique, descriptions without hidden words,
schemas that no endpoint refuses."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import msgspec

from core.hidden import without_hidden

LONGEST_NAME = 64
DESCRIPTION_CHARS = 1_000
LARGEST_SCHEMA = 8_000
"""Bytes of JSON of a schema that stands in every request."""
_DEEPEST = 16
_SERVER_CHARS = 24
_INVALID = re.compile(r"[^A-Za-z0-9_-]+")
_PROPERTY = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_COMBINED = ("anyOf", "oneOf", "allOf", "not", "if", "$ref")


def server_name(title: str) -> str:
    """A server's name as its tools' names begin: letters, digits, single `_` and `-`; at most 24 characters.

    A name that had to be changed ends in four digits of its hash, so that two of them stay two.
    """
    plain = re.sub(r"__+", "_", _INVALID.sub("_", title)).strip("_-")
    if plain == title and len(plain) <= _SERVER_CHARS:
        return plain
    return f"{plain[: _SERVER_CHARS - 5].rstrip('_-') or 'server'}-{_hash(title)[:4]}"


def tool_name(server: str, tool: str) -> str:
    """`server__tool`, at most 64 characters of the kind that every endpoint takes.

    A name that had to be changed ends in six digits of the hash of the original.
    """
    plain = _INVALID.sub("_", tool).lstrip("_") or "tool"
    room = LONGEST_NAME - len(server) - 2
    if plain == tool and len(plain) <= room:
        return f"{server}__{plain}"
    return f"{server}__{plain[: room - 7]}_{_hash(tool)[:6]}"


def cleaned(text: Any, limit: int = DESCRIPTION_CHARS) -> str:
    """What a person would see of it, at most `limit` characters."""
    plain = without_hidden(str(text or "")).strip()
    return plain if len(plain) <= limit else plain[: limit - 1].rstrip() + "…"


def shown_schema(schema: Any) -> dict[str, Any]:
    """A schema as it may be shown: an object, every text in it cleaned and short; an empty one where it is none."""
    if not isinstance(schema, dict) or _depth(schema) > _DEEPEST:
        return {"type": "object"}
    plain: dict[str, Any] = _cleaned_values({name: value for name, value in schema.items() if name != "$schema"})
    return {**plain, "type": "object"}


def fits(schema: dict[str, Any]) -> bool:
    """Whether a shown schema may stand in a request: one that an endpoint refuses would end the session.

    Small, sound as a JSON schema, an object with plain names of its properties, without references to elsewhere.
    """
    if len(msgspec.json.encode(schema)) > LARGEST_SCHEMA or any(name in schema for name in _COMBINED):
        return False
    return _sound(schema) and all(_PROPERTY.fullmatch(name) for name in _properties(schema)) and _local(schema)


def _sound(schema: dict[str, Any]) -> bool:
    from jsonschema import Draft202012Validator, SchemaError  # type: ignore[import-untyped]

    try:
        Draft202012Validator.check_schema(schema)
    except (SchemaError, RecursionError):
        return False
    return True


def _properties(schema: Any) -> list[str]:
    """The names of the properties at every depth."""
    if isinstance(schema, list):
        return [name for item in schema for name in _properties(item)]
    if not isinstance(schema, dict):
        return []
    own = schema.get("properties")
    names = list(own) if isinstance(own, dict) else []
    return names + [name for value in schema.values() for name in _properties(value)]


def _local(schema: Any) -> bool:
    if isinstance(schema, list):
        return all(map(_local, schema))
    if not isinstance(schema, dict):
        return True
    reference = schema.get("$ref", "#")
    return isinstance(reference, str | dict) and str(reference)[:1] in "#{" and all(map(_local, schema.values()))


def _depth(value: Any, at: int = 0) -> int:
    if at > _DEEPEST or not isinstance(value, dict | list):
        return at
    inner = value.values() if isinstance(value, dict) else value
    return max((_depth(item, at + 1) for item in inner), default=at)


def _cleaned_values(value: Any) -> Any:
    if isinstance(value, str):
        return cleaned(value)
    if isinstance(value, list):
        return [_cleaned_values(item) for item in value]
    if isinstance(value, dict):
        return {cleaned(name, 100): _cleaned_values(item) for name, item in value.items()}
    return value


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
