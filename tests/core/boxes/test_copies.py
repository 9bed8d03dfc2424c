"""The copies of other machines' sessions: what is old or too much goes, what was just looked at stays."""

import os

import pytest
from click.testing import CliRunner

from core.boxes.copies import DAY_US, all_copies, chosen, copies_of, remove, sweep
from core.clock import VirtualClock
from core.journal.mirror import Mirror
from tui.cli import cli

NOW_US = 1_767_225_600_000_000


def copy(home, box, session, days):
    """A copy that was last looked at so many days ago."""
    folder = copies_of(home, box) / session
    Mirror(folder, {"session": session}).close()
    for path in folder.iterdir():
        os.utime(path, ns=((NOW_US - days * DAY_US) * 1000,) * 2)
    return folder


def names(copies):
    return [(one.box, one.folder.name) for one in copies]


def test_what_nobody_looked_at_for_long_goes_and_then_the_oldest_of_too_much(tmp_path):
    for session, days in (("01a", 0), ("01b", 2), ("01c", 3), ("01d", 31)):
        copy(tmp_path, "anna@b:1", session, days)
    assert names(all_copies(tmp_path)) == [("anna@b:1", one) for one in ("01a", "01b", "01c", "01d")]
    assert names(sweep(tmp_path, VirtualClock(NOW_US))) == [("anna@b:1", "01d")]
    size = all_copies(tmp_path)[0].size
    assert names(sweep(tmp_path, VirtualClock(NOW_US), keep_bytes=2 * size)) == [("anna@b:1", "01c")]
    assert names(sweep(tmp_path, VirtualClock(NOW_US), keep_bytes=0)) == [("anna@b:1", "01b")]
    remove(chosen(tmp_path, "anna@b:1", ""))
    assert not any((tmp_path / "boxes").iterdir())


@pytest.mark.parametrize(
    ("words", "code", "said", "left"),
    [
        (["one:01a", "--yes"], 0, "What is on one stays", {"01b", "02a"}),
        (["one:", "--yes"], 0, "Removed", set()),
        (["one:01", "--yes"], None, "2 copies", {"01a", "01b", "02a"}),
        (["one:03", "--yes"], None, "no copy here", {"01a", "01b", "02a"}),
        (["one:01a", "--back"], None, "only the copy here", {"01a", "01b", "02a"}),
        (["one:01a"], None, "add --yes", {"01a", "01b", "02a"}),
    ],
)
def test_rm_takes_a_copy_away_and_nothing_else(tmp_path, words, code, said, left):
    for session in ("01a", "01b", "02a"):
        copy(tmp_path, "one", session, 0)
    result = CliRunner().invoke(cli, ["--home", str(tmp_path), "rm", *words], standalone_mode=False)
    assert said in (result.output + str(result.exception)) and result.return_value == code
    assert {one.folder.name for one in all_copies(tmp_path)} == left
