"""The registry of actions, the controls of the core and the README say the same."""

import re
from pathlib import Path

from core.agent.commands import VERBS
from tui.actions import ACTIONS
from tui.widgets.line_list import LineList

README = Path(__file__).parents[2] / "README.md"


def test_every_control_has_an_action_and_every_action_a_control():
    assert {verb for action in ACTIONS for verb in action.verbs} == set(VERBS)


def keys_of_the_readme():
    section = README.read_text(encoding="utf-8").split("## Keys")[1].split("\n## ")[0]
    rows = [line.split("|") for line in section.splitlines() if line.startswith("| `")]
    return {key for row in rows for cell in (row[1], row[3]) for key in re.findall(r"`([^`]+)`", cell)}


def test_the_keys_of_the_readme_are_keys_of_the_screen():
    known = {key for action in ACTIONS for key in action.keys}
    known |= {key for binding in LineList.BINDINGS for key in binding.key.split(",")}
    assert keys_of_the_readme() and keys_of_the_readme() <= known
