"""Names, descriptions and schemas of strangers become fit for every endpoint, whatever they are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.events import OfferedTool
from core.hidden import HIDDEN
from core.tools.mcp.bridge import ServerTool
from core.tools.mcp.naming import cleaned, fits, server_name, shown_schema, tool_name
from core.tools.mcp.specs import ServerSpec
from core.tools.mcp.supervisor import Server
from core.tools.mcp.walls import OPEN

VALID = re.compile(r"[A-Za-z0-9_-]{1,64}")
json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=12,
)


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_name_becomes_a_valid_one_that_says_its_server(server: str, tool: str) -> None:
    name = tool_name(server_name(server), tool)
    assert VALID.fullmatch(name)
    assert name.partition("__")[0] == server_name(server)


@given(st.lists(st.tuples(st.text(max_size=80), st.text(max_size=80)), unique=True, max_size=20))
def test_different_tools_have_different_names(pairs: list[tuple[str, str]]) -> None:
    assert len({tool_name(server_name(server), tool) for server, tool in pairs}) == len(pairs)


def test_plain_names_stay_as_they_are() -> None:
    assert tool_name(server_name("git"), "git_log") == "git__git_log"


@given(st.text())
def test_a_cleaned_text_hides_nothing(text: str) -> None:
    assert not HIDDEN.search(cleaned(text)) and len(cleaned(text)) <= 1_000


@settings(deadline=None)
@given(json_values)
def test_any_schema_can_be_shown_and_judged(schema: Any) -> None:
    shown = shown_schema(schema)
    assert shown["type"] == "object"
    assert fits(shown) in (True, False)


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a b": {}}},
        {"properties": {"x": {"type": "nonsense"}}},
        {"properties": {"x": {"properties": {"é": {}}}}},
        {"properties": {"x": {"$ref": "https://example.org/schema"}}},
        {"anyOf": [{"properties": {}}]},
        {"properties": {f"p{number}": {"description": "d" * 200} for number in range(100)}},
        {"properties": []},
        {"required": "x"},
    ],
)
def test_a_schema_that_an_endpoint_would_refuse_stands_in_no_request(schema: dict[str, Any]) -> None:
    assert not fits(shown_schema(schema))


def test_a_call_that_was_approved_is_another_one_once_its_tool_is_described_otherwise(tmp_path: Path) -> None:
    server = Server(ServerSpec("odd", ("x",)), tmp_path, lambda server, change: None, lambda: 0.0, OPEN, str)
    shown = OfferedTool(name="odd__send", server="odd", tool="send", description="To you.", schema={}, effect="command")
    later = msgspec.structs.replace(shown, description="To anybody.")
    first, second = (ServerTool(tool, server).prepare({}, None) for tool in (shown, later))  # type: ignore[arg-type]
    assert first != second and first == ServerTool(shown, server).prepare({}, None)  # type: ignore[arg-type]


def test_a_usual_schema_fits() -> None:
    usual = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "properties": {"path": {"type": "string", "description": "Where."}, "at": {"$ref": "#/$defs/At"}},
        "$defs": {"At": {"type": "integer", "minimum": 0}},
        "required": ["path"],
    }
    assert fits(shown_schema(usual)) and "$schema" not in shown_schema(usual)
