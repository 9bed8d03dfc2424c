"""Each value says where it comes from, and the schema takes what the reader takes."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, ValidationError

from core.config import default_config_text, strange_settings, trust
from core.config.sources import origins, schema

MINE = """[model]
name = "m"

[limits]
budget_usd = 3  # dollars

[mcp.git]
command = "git-server"
args = [
  "a",
]
"""


@pytest.fixture(autouse=True)
def file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    file = tmp_path / "config.toml"
    file.write_text(MINE)
    monkeypatch.setenv("LONGWATCH_CONFIG", str(file))
    return file


def test_each_value_says_its_file_and_line(file: Path, tmp_path: Path) -> None:
    (tmp_path / ".longwatch.toml").write_text("ignore = ['x/']\n")
    assert not any(it.setting == "workspace.ignore" for it in origins(tmp_path))
    trust(tmp_path, strange_settings(tmp_path))
    assert [(it.setting, it.value, it.source) for it in origins(tmp_path)] == [
        ("limits.budget_usd", 3, f"{file}, line 5"),
        ("mcp.git.args", ["a"], f"{file}, line 9"),
        ("mcp.git.command", "git-server", f"{file}, line 8"),
        ("model.name", "m", f"{file}, line 2"),
        ("workspace.ignore", ["x/"], f"{tmp_path / '.longwatch.toml'}, line 1"),
    ]


def test_all_values_are_told_and_what_was_set_wins(file: Path) -> None:
    every = {it.setting: it for it in origins(everything=True)}
    assert every["model.name"].source == f"{file}, line 2"
    assert every["context.keep_turns"].source == "default" and len(every) > 60


def test_the_schema_takes_what_the_reader_takes() -> None:
    check = Draft202012Validator(schema())
    Draft202012Validator.check_schema(schema())
    settings = [line.removeprefix("# ") for line in default_config_text().splitlines() if not line.startswith("##")]
    told = [line for line in settings if line.startswith("[") or (" = " in line and line[0].islower())]
    for text in (MINE, default_config_text(), "\n".join(told)):
        check.validate(tomllib.loads(text))
    for wrong in ("[model]\nnmae = 'x'\n", "[limits]\nbudget_usd = -1\n", "[context]\npolicy = 'no'\n"):
        with pytest.raises(ValidationError):
            check.validate(tomllib.loads(wrong))
    Draft202012Validator(schema(for_workspace=True)).validate({"name": "x"})
