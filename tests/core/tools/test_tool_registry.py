from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.tools.base import Effect, ToolError
from core.tools.registry import builtin_tools, canonical, fingerprint, parse_arguments, schemas

TOOLS = builtin_tools()


def test_the_tools_are_those_of_the_house_sorted_by_name() -> None:
    assert list(TOOLS) == sorted(TOOLS)
    assert set(TOOLS) == {
        *("ask_human", "edit_file", "fetch_url", "forget", "list_files", "plan", "read_file", "recall", "remember"),
        *("run_command", "search_codebase", "write_file"),
    }
    assert TOOLS["read_file"].effect.concurrent and not TOOLS["run_command"].effect.concurrent
    assert {name for name, tool in TOOLS.items() if tool.effect is Effect.WRITE} == {"edit_file", "write_file"}


def test_schemas_are_closed_self_contained_and_always_the_same_bytes() -> None:
    first = json.dumps(schemas(TOOLS))
    assert first == json.dumps(schemas(builtin_tools()))
    assert "$ref" not in first and "$defs" not in first

    def closed(schema: Any) -> None:
        if isinstance(schema, dict):
            if schema.get("type") == "object":
                assert schema["additionalProperties"] is False
            for value in schema.values():
                closed(value)

    for entry in schemas(TOOLS):
        assert set(entry) == {"name", "description", "input_schema"}
        assert entry["input_schema"]["type"] == "object" and "title" not in entry["input_schema"]
        assert 80 < len(entry["description"]) < 800
        closed(entry["input_schema"])


def test_numbers_and_flags_may_come_as_text_and_absent_values_as_null() -> None:
    arguments = parse_arguments(TOOLS["run_command"], {"command": "ls", "timeout": "5", "cwd": None})
    assert (arguments.timeout, arguments.cwd) == (5, ".")
    assert parse_arguments(TOOLS["edit_file"], {"path": "a", "old": "b", "new": "c", "all": "true"}).all is True
    assert parse_arguments(TOOLS["write_file"], {"path": "a", "content": "\ud800"}).content == "?"


@pytest.mark.parametrize(
    ("name", "raw", "problem"),
    [
        ("read_file", {}, "missing required field `path`"),
        ("read_file", {"path": 3}, "`path`: expected `str`, got `int`"),
        ("read_file", {"path": "a", "limit": 9_999}, "`limit`: expected `int` <= 2000"),
        ("read_file", {"path": "a", "lines": 3}, "unknown field `lines`"),
        ("plan", {"steps": "all"}, "`steps`: expected `array`, got `str`"),
    ],
)
def test_arguments_that_do_not_fit_are_answered_with_one_sentence(name: str, raw: dict[str, Any], problem: str) -> None:
    with pytest.raises(ToolError) as refused:
        parse_arguments(TOOLS[name], raw)
    text = str(refused.value)
    assert text.startswith(f"{name}: ") and problem in text and "\n" not in text
    if name == "read_file":
        assert text.endswith("; it takes path (string, required), offset (integer), limit (integer from 1 to 2000).")


@given(
    st.sampled_from(sorted(TOOLS)),
    st.dictionaries(
        st.sampled_from(["path", "command", "limit", "steps", "text", "x"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda it: st.lists(it, max_size=3)
        ),
        max_size=4,
    ),
)
@settings(max_examples=150, deadline=None)
def test_whatever_a_model_sends_is_taken_or_refused_in_words(name: str, raw: dict[str, Any]) -> None:
    try:
        parse_arguments(TOOLS[name], raw)
    except ToolError as error:
        assert str(error).startswith(name)


def test_equal_calls_have_equal_canonical_arguments() -> None:
    tool = TOOLS["read_file"]
    one = parse_arguments(tool, {"path": "a", "offset": "1"})
    two = parse_arguments(tool, {"limit": 2_000, "path": "a"})
    assert canonical(one) == canonical(two) == '{"limit":2000,"offset":1,"path":"a"}'


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("exit 0 · 1.2 s\nok", "exit 0 · 13.0 s\nok"),
        ("\x1b[31mFAILED\x1b[0m in 0.03s", "FAILED in 1.90s"),
        ("2026-01-02T03:04:05.123Z started", "2027-11-12T13:14:15.999Z started"),
        ("at 09:01:02 pid 123", "at 10:11:12 pid 9"),
        ("<object at 0x7f3a>", "<object at 0xdead>"),
        ("/tmp/pytest-12/x.txt missing", "/tmp/tmpabc/y.txt missing"),
        ("id 123e4567-e89b-12d3-a456-426614174000", "id 00000000-e89b-12d3-a456-426614174999"),
    ],
)
def test_outputs_that_differ_only_in_noise_have_one_fingerprint(one: str, two: str) -> None:
    assert fingerprint(one) == fingerprint(two)
    assert len(fingerprint(one)) == 16


@pytest.mark.parametrize(("one", "two"), [("3 failed", "2 failed"), ("line 12", "line 13"), ("a", "b")])
def test_outputs_that_differ_in_what_they_say_have_different_fingerprints(one: str, two: str) -> None:
    assert fingerprint(one) != fingerprint(two)
