"""A rule that is kept is in the user's configuration afterwards, and nothing else in it has changed."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path

import pytest

from core.approvals.keeping import CannotKeep, keep, with_allowed
from core.approvals.rules import exact_command, read_rule

RULE = str(exact_command(["git", "push", 'a "b" \\ é *']))

TEXTS = [
    "",
    "# mine\n[screen]\ntheme = 'nord'",
    "[screen]\ntheme = 'nord'\n\n",
    "[approvals]\n",
    "[approvals]",
    "[ approvals ] # how\nmode = 'ask'\n[screen]\ntheme = 'nord'\n",
    "[approvals]\nallow = []\n",
    "[approvals]\nallow = ['run_command: a', ] # old\n",
    "[approvals]\nmode = 'ask'\nallow = [\n  'run_command: a', # why ]\n  'run_command: b' # last\n]\ndeny = ['x']\n",
    "[screen.keymap]\npause = 'space'\n[approvals]\nallow = ['run_command: [a]']\n",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_rule_is_added_and_all_else_stays(text: str) -> None:
    before = tomllib.loads(text)
    changed = with_allowed(text, [RULE])
    after = tomllib.loads(changed)
    kept = after["approvals"].pop("allow")
    old = before.get("approvals", {}).pop("allow", [])
    assert kept == [RULE, *old]
    assert {**after, "approvals": after["approvals"]} == {**before, "approvals": before.get("approvals", {})}
    assert all(line in changed for line in text.splitlines() if not line.strip().startswith("allow"))
    assert read_rule(kept[0]).matches_words(["git", "push", 'a "b" \\ é *'])
    assert with_allowed(changed, [RULE]) == changed


@pytest.mark.parametrize("text", ["approvals = { mode = 'ask' }\n", "approvals.mode = 'ask'\n", "[approvals\n"])
def test_a_text_that_can_not_be_changed_safely_is_left_alone(text: str) -> None:
    with pytest.raises(CannotKeep, match=r"\.$"):
        with_allowed(text, [RULE])


def test_the_file_keeps_its_mode_and_its_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.toml", tmp_path / "config.toml"
    real.write_text("[approvals]\n")
    real.chmod(0o640)
    link.symlink_to(real)
    keep(link, [RULE])
    assert link.is_symlink() and stat.S_IMODE(real.stat().st_mode) == 0o640
    assert RULE in tomllib.loads(real.read_text())["approvals"]["allow"]
    fresh = tmp_path / "new" / "config.toml"
    keep(fresh, [RULE])
    assert stat.S_IMODE(fresh.stat().st_mode) == 0o600
