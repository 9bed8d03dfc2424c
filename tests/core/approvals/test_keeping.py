"""A rule that is kept is in the user's configuration afterwards, and nothing else in it has changed."""

from __future__ import annotations

import stat
import tomllib
from concurrent.futures import ThreadPoolExecutor
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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("approvals = { mode = 'ask' }\n", "by hand"),
        ("approvals.mode = 'ask'\n", "by hand"),
        ("[approvals]\n'allow' = ['x']\n", "by hand"),
        ("x = '''\n[approvals]\nallow = ['''\n[approvals]\n", "by hand"),
        ("[approvals\n", "not valid TOML"),
        ("[[approvals]]\n", "mend it"),
        ("[approvals]\nallow = 'x'\n", "mend it"),
    ],
)
def test_a_text_that_can_not_be_changed_safely_is_left_alone(text: str, said: str) -> None:
    with pytest.raises(CannotKeep, match=rf"{said}.*\.$"):
        with_allowed(text, [RULE])


def test_of_rules_that_are_kept_at_once_none_is_lost(tmp_path: Path) -> None:
    file, rules = tmp_path / "config.toml", [f"run_command: {number}" for number in range(40)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda rule: keep(file, [rule]), rules))
    assert sorted(tomllib.loads(file.read_text())["approvals"]["allow"]) == sorted(rules)
    assert list(tmp_path.iterdir()) == [file]


def test_the_ends_of_lines_and_characters_that_no_text_has_raw(tmp_path: Path) -> None:
    file, rule = tmp_path / "config.toml", "edit_file: a\x7fb"
    file.write_bytes(b"# mine\r\n[approvals]\r\nallow = [\r\n  'x',\r\n]\r\n")
    keep(file, [rule])
    text = file.read_bytes()
    assert text.count(b"\r\n") == text.count(b"\n") == 5
    assert tomllib.loads(text.decode())["approvals"]["allow"] == [rule, "x"]
    with pytest.raises(CannotKeep, match="UTF-8"):
        keep(file, ["edit_file: \udce9"])
    assert file.read_bytes() == text


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
