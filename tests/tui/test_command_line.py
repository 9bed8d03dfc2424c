"""The command line itself: quick help, completions, a manual page, metrics."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from core.metrics import metrics
from tui.cli import COMMANDS, cli, main, short_help


def test_the_help_names_each_command_as_its_own_help_begins() -> None:
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)  # type: ignore[attr-defined]
        assert short_help(name, 60) == command.get_short_help_str(60), name


def test_the_help_imports_no_command() -> None:
    script = (
        "import sys\nfrom tui.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "rooms = ('tui.commands.', 'core.', 'textual', 'anthropic', 'mcp')\n"
        "print([name for name in sys.modules if name.startswith(rooms)])"
    )
    told = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True).stdout
    assert told.splitlines()[-1] in ("[]", "['core.hidden']") and "simulate-cost" in told


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_script(shell: str) -> None:
    answer = subprocess.run(
        [sys.executable, "-P", "-m", "tui.cli", "completions", shell], capture_output=True, text=True, check=True
    )
    assert "_LONGWATCH_COMPLETE" in answer.stdout


def test_commands_and_options_are_completed() -> None:
    def completed(words: str, at: int) -> list[str]:
        environment = {**os.environ, "_LONGWATCH_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(at)}
        script = "from tui.cli import main; main()"
        answer = subprocess.run([sys.executable, "-P", "-c", script], env=environment, capture_output=True, text=True)
        return [line.partition(",")[2] for line in answer.stdout.splitlines()]

    assert completed("longwatch ex", 1) == ["export"]
    assert "--sandbox" in completed("longwatch run --sand", 2)


def test_the_manual_page_has_every_command_and_no_line_that_the_formatter_would_obey() -> None:
    answer = subprocess.run(
        [sys.executable, "-P", "-m", "tui.cli", "man"], capture_output=True, text=True, check=True
    ).stdout
    sections = [line.split()[1].replace("\\-", "-") for line in answer.splitlines() if line.startswith(".SS")]
    assert set(sections) == set(COMMANDS)
    assert {line.split()[0] for line in answer.splitlines() if line.startswith((".", "'"))} == {
        ".TH", ".SH", ".SS", ".PP", ".TP"
    }  # fmt: skip


LINE = re.compile(r'longwatch_[a-z_]+\{(?:[a-z]+="(?:[^"\\]|\\\\|\\")*",?)*\} -?[0-9.e+-]+')


@given(st.text(), st.integers() | st.none(), st.floats(allow_nan=False, allow_infinity=False))
def test_any_session_gives_metrics_that_a_collector_reads(name: str, calls: int | None, usd: float) -> None:
    row = {"session": "S", "name": name, "tool_calls": calls, "cost_usd_known_part": usd, "tokens": {"output": 3}}
    lines = [line for line in metrics([row]) if not line.startswith("#")]
    assert all(LINE.fullmatch(line) for line in lines)
    assert f'longwatch_session_cost_usd{{session="S"}} {usd}' in lines
    assert any(line.startswith("longwatch_session_tool_calls_total") for line in lines) == (calls is not None)


def test_a_damaged_session_is_still_told_of() -> None:
    (line,) = [it for it in metrics([{"session": "S", "state": "damaged"}]) if not it.startswith("#")]
    assert line == 'longwatch_session_info{session="S",state="damaged"} 1'


def test_whoever_opens_a_damaged_session_is_told_how_to_save_it(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "sessions" / "01torn"
    folder.mkdir(parents=True)
    (folder / "session.db").write_text("junk")
    monkeypatch.setenv("LONGWATCH_HOME", str(tmp_path))
    with pytest.raises(SystemExit) as end:
        main(["report", "01torn"])
    assert end.value.code == 2
    assert "`longwatch doctor 01torn --repair` saves what can be read." in capsys.readouterr().err


def test_a_demo_without_its_scanner_is_not_begun(tmp_path, monkeypatch):
    monkeypatch.setattr("tui.commands.run.find_spec", lambda name: None)
    result = CliRunner().invoke(cli, ["--home", str(tmp_path / "home"), "demo", "--headless"])
    assert result.exit_code == 2 and "longwatch[demo]" in result.output and not (tmp_path / "home").exists()


@pytest.mark.parametrize("words", [["--help"], ["man"], ["themes"]])
def test_whatever_prints_ends_quietly_when_nobody_reads_on(tmp_path, words):
    heard, said = os.pipe()
    os.close(heard)
    command = [sys.executable, "-P", "-m", "tui.cli", "--home", str(tmp_path), *words]
    with os.fdopen(said, "wb") as closed:
        end = subprocess.run(command, stdout=closed, stderr=subprocess.PIPE)
    assert (end.returncode, end.stderr) == (141, b"")


def test_an_output_without_room_is_told_and_a_closed_one_is_none(tmp_path):
    command = [sys.executable, "-P", "-m", "tui.cli", "--home", str(tmp_path), "themes"]
    with Path("/dev/full").open("wb") as full:
        end = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert end.returncode == 1 and end.stderr.count("\n") == 1 and "no room left" in end.stderr
    end = subprocess.run(["sh", "-c", '"$@" <&- >&-', "sh", *command], stderr=subprocess.PIPE, text=True)
    assert (end.returncode, end.stderr) == (0, "")


def test_a_film_that_is_not_there_is_told_as_a_file(tmp_path):
    result = CliRunner().invoke(cli, ["--home", str(tmp_path), "replay", "--plain", "night.jsonl"])
    assert "There is no file night.jsonl, and no session" in str(result.exception)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["run", "x", "--budget", "much"], "Invalid value for '--budget': 'much' is not a number."),
        (["run", "x", "--max-turns", "much"], "Invalid value for '--max-turns': 'much' is not a number."),
        (["report", "a", "--with", "b"], "Only --format md and --format html show a session beside another one."),
        (["estimate", "--hours", "x"], "--hours 'x' can't be used; write it like 1,4,12,35."),
        (["blame"], "Missing argument 'SESSION'. `longwatch blame --help` says what there is."),
        (
            ["mcp", "check", "--tols"],
            "No such option '--tols'. Did you mean '--tools'? `longwatch mcp check --help` says",
        ),
    ],
)
def test_words_that_are_wrong_are_told_plainly(capsys, words, sentence):
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2 and f"longwatch: {sentence}" in capsys.readouterr().err


def test_the_latest_session_is_replayed_where_none_is_named(tmp_path):
    result = CliRunner().invoke(cli, ["--home", str(tmp_path), "replay", "--plain"])
    assert str(result.exception).startswith("There are no sessions in")


@pytest.mark.parametrize("name", ["../config.toml", "A\u202e", "\x1b]0;x\x07"])
@pytest.mark.parametrize("more", [[], ["--forget"]])
def test_a_key_has_the_name_of_a_variable(tmp_path, monkeypatch, capsys, name: str, more: list[str]) -> None:
    monkeypatch.setenv("LONGWATCH_CONFIG", str(tmp_path / "config.toml"))
    (tmp_path / "keys").mkdir()
    (tmp_path / "config.toml").touch()
    with pytest.raises(SystemExit, match="2"):
        main(["key", name, *more])
    said = capsys.readouterr()
    assert said.out == "" and said.err.endswith("is not the name of an environment variable.\n")
    assert (tmp_path / "config.toml").exists()
