"""Calls as the offered tools take them: a policy may know more tools and arguments than it is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.simulator.policies.base import Call


def fit(call: Call, offered: Mapping[str, Mapping[str, Any]]) -> Call | None:
    """The call with the arguments that the offered tool knows; None when it is not offered."""
    if call.name not in offered:
        return None
    known = offered[call.name]
    if not known:
        return call
    arguments = {name: _allowed_value(value, known[name]) for name, value in call.input.items() if name in known}
    return Call(call.name, arguments)


def _allowed_value(value: Any, schema: Any) -> Any:
    choices = schema.get("enum") if isinstance(schema, Mapping) else None
    return choices[0] if choices and value not in choices else value
