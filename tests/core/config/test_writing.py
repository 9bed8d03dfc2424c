"""Settings are changed in the user's file, and nothing else of it."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.config import ConfigError, default_config_text
from core.config.writing import with_settings

MINE = """# mine
[screen] # looks
theme = 'ink'

[model]  # which
# name = "x"
name = 'old'
base_url = 'http://h'
[limits]
budget_usd = 3
"""
TEXTS = ["", MINE, default_config_text()]


def test_what_was_said_is_replaced_and_the_rest_stays() -> None:
    changed = with_settings(MINE, "model", {"name": "new", "base_url": None, "max_tokens": 9})
    assert tomllib.loads(changed) == {
        "screen": {"theme": "ink"},
        "model": {"name": "new", "max_tokens": 9},
        "limits": {"budget_usd": 3},
    }
    assert [line for line in MINE.splitlines() if "#" in line] == [line for line in changed.splitlines() if "#" in line]


@given(st.text(max_size=30), st.none() | st.text(max_size=30), st.sampled_from(TEXTS))
def test_any_values_are_read_back_as_they_were(name: str, url: str | None, text: str) -> None:
    model = tomllib.loads(with_settings(text, "model", {"name": name, "base_url": url}))["model"]
    assert model["name"] == name and model.get("base_url") == url


@pytest.mark.parametrize(
    "text", ["model = {name = 'x'}\n", "[model]\nname = '''a\nb'''\n", "[ 'model' ]\nname = 'x'\n"]
)
def test_a_file_that_is_written_in_another_way_is_left_alone(text: str) -> None:
    with pytest.raises(ConfigError, match='in \\[model\\] say: name = "y"'):
        with_settings(text, "model", {"name": "y"})


def test_a_broken_file_is_left_alone() -> None:
    with pytest.raises(ConfigError, match="not valid TOML"):
        with_settings("[model", "model", {"name": "y"})
