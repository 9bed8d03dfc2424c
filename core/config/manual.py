"""The settings as a file to start from: each with its description and its default."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_type_hints

import msgspec
from msgspec import Meta

from core.config.settings import Config, Section, entry_type

_EXAMPLE_NAMES = {
    "profiles": "work",
    "mcp": "git",
    "hooks": "format",
    "boxes": "build1",
    "prices": '"openrouter/qwen/qwen3.7-max"',
}


def default_config_text() -> str:
    """Every setting with its manual and its default, commented out: a file that loads as it is."""
    lines = ["# Longwatch's configuration. Take the # away from the settings that you want to change."]
    for name, kind in get_type_hints(Config, include_extras=True).items():
        entry = entry_type(kind)
        section = entry or kind
        lines += ["", *(f"# {line.strip()}".rstrip() for line in (section.__doc__ or "").strip().splitlines())]
        lines.append(f"# [{name}.{_EXAMPLE_NAMES[name]}]" if entry else f"[{name}]")
        lines += list(_manual(section))
    return "\n".join(lines) + "\n"


def _manual(section: type[Section]) -> Iterator[str]:
    hints = get_type_hints(section, include_extras=True)
    for field in msgspec.structs.fields(section):
        meta = next(part for part in hints[field.name].__metadata__ if isinstance(part, Meta) and part.description)
        factory = field.default_factory
        default = field.default if factory is msgspec.NODEFAULT else factory()
        value = meta.examples[0] if meta.examples else default
        state = " (required)" if field.required else "" if default == value else " (not set)"
        yield f"## {meta.description}{state}"
        yield f"# {field.name} = {_toml(value)}"


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    return msgspec.json.encode(value).decode()
