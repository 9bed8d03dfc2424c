"""The handbook says what there is: its commands, options, files, settings and keys exist."""

import re
import shlex
from pathlib import Path

import pytest
from click import Context, Group
from click.testing import CliRunner

from core.config import default_config_text
from core.folds.verdict import RESUME
from core.simulator.incidents import INCIDENTS
from tui.actions import ACTIONS
from tui.cli import cli
from tui.commands.handbook import PAGES, page_text

ROOT = Path(__file__).parents[2]
FOLDERS = ("core/", "tui/", "tests/", "themes/")


def command_lines(text):
    """The lines of its code blocks and its inline code that call longwatch."""
    blocks = re.findall(r"^ {4}(longwatch .*)$", text, re.MULTILINE)
    return blocks + re.findall(r"`(longwatch [^`]+)`", text)


def paths(text):
    """What is named of the repository, also a file beside its folder in a table."""
    named = {word for word in re.findall(r"`([\w/.-]+)`", text) if word.startswith(FOLDERS)}
    for row in re.findall(r"^\| (`(?:core|tui)/.*)$", text, re.MULTILINE):
        cells = row.split("|")
        folder = re.findall(r"`([\w/.]+)`", cells[0])[0]
        named |= {f"{folder}/{name}" for name in re.findall(r"`([\w/.-]+\.py)`", cells[-2])}
    return named


@pytest.mark.parametrize("page", PAGES)
def test_each_command_of_a_page_exists_with_its_options(page):
    for line in command_lines(page_text(page)):
        words = shlex.split(line, comments=True)[1:]
        command = cli
        while isinstance(command, Group) and words and not words[0].startswith("-"):
            command = command.get_command(Context(command), words.pop(0))
            assert command is not None, line
        known = {option for parameter in command.params for option in parameter.opts}
        unknown = {word for word in words if word.startswith("--") and word not in known and " " not in word}
        assert not unknown or command.name == "send", f"{line}: {unknown}"


@pytest.mark.parametrize("page", PAGES)
def test_each_file_that_a_page_names_exists(page):
    missing = [path for path in paths(page_text(page)) if not (ROOT / path).exists()]
    assert not missing


def test_the_architecture_names_files_of_every_folder_of_core():
    named = paths(page_text("architecture"))
    assert "core/folds/view.py" in named and "core/agent/decide.py" in named


@pytest.mark.parametrize("page", PAGES)
def test_each_section_of_the_configuration_that_a_page_names_exists(page):
    known = default_config_text()
    sections = re.findall(r"`\[([a-z]+)[\].]", page_text(page))
    assert all(f"[{section}" in known for section in sections)


@pytest.mark.parametrize("page", PAGES)
def test_the_keys_of_a_page_are_bound(page):
    bound = {key for action in ACTIONS for key in action.keys}
    named = re.findall(r"`([^`\s-]|ctrl\+[^`])`", page_text(page))
    assert not [key for key in named if key not in bound]


def test_the_page_on_trouble_tells_every_incident_with_the_key_that_helps():
    section = page_text("trouble").split("## What it says")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line.startswith("| `")]
    told = {words.strip("`"): re.findall(r"`([^`]+)`", helps) for words, _, helps in rows}
    assert list(told) == [incident.words for incident in INCIDENTS]
    for incident in INCIDENTS:
        verb = "continue" if incident.remedy == RESUME else incident.remedy
        (action,) = (action for action in ACTIONS if verb in action.verbs)
        assert action.keys[0] in told[incident.words], incident.name


def test_without_a_page_all_are_listed_and_an_unknown_one_is_refused():
    listed = CliRunner().invoke(cli, ["handbook"]).output
    assert all(page in listed for page in PAGES)
    assert CliRunner().invoke(cli, ["handbook", "cooking"]).exit_code == 2


def test_a_page_is_printed_as_it_is_into_a_pipe():
    assert CliRunner().invoke(cli, ["handbook", "remote"]).output.startswith("# On a remote box")
