"""`ls` and `rm` from the command line: the trash, the way back, and for good."""

import json

import pytest
from click.testing import CliRunner
from session_homes import DONE, NEEDED, assorted, make

from core.journal.lease import acquire
from core.journal.trash import list_trash
from tui.cli import cli


@pytest.fixture
def call(tmp_path):
    """Runs a command over the home; its exit code and what it printed."""

    def run(*arguments, code=0):
        result = CliRunner().invoke(cli, ["--home", str(tmp_path), *arguments])
        assert result.exit_code == code, result.output
        return result.output

    return run


async def test_a_session_goes_to_the_trash_and_comes_back(tmp_path, call):
    folder = await make(tmp_path, "01a", "audit", DONE)
    assert "rm --back 01a" in call("rm", "audit", "--yes")
    assert not folder.exists() and "No sessions" in call("ls")
    assert "audit" in call("ls", "--trash")
    (row,) = json.loads(call("ls", "--trash", "--json"))
    assert (row["session"], row["name"]) == ("01a", "audit") and row["bytes"] > 0 and row["deleted_at"] < row["until"]
    assert call("rm", "--back", "audit") == "01a is back.\n"
    assert folder.exists() and call("ls", "--trash") == "The trash is empty.\n"


async def test_for_good_at_once_from_the_list_and_from_the_trash(tmp_path, call):
    first, second = [await make(tmp_path, session, session, DONE) for session in ("01a", "01b")]
    call("rm", "01a", "--now", "--yes")
    call("rm", "01b", "--yes")
    assert "--yes" in call("rm", "01b", "--now", code=2)
    call("rm", "01b", "--now", "--yes")
    assert not first.exists() and not second.exists() and list_trash(tmp_path) == []
    assert not list((tmp_path / "trash").iterdir())


async def test_what_can_not_be_deleted_or_put_back_is_said(tmp_path, call):
    folder = await make(tmp_path, "01a", "audit", NEEDED)
    with acquire(folder):
        assert "is running; stop it first" in call("rm", "audit", "--yes", code=2)
    assert "add --yes" in call("rm", "audit", code=2)
    for option in ("--yes", "--now", "--back"):
        assert "Name the session" in call("rm", "", option, code=2)
    assert "No session in the trash answers" in call("rm", "--back", "audit", code=2)
    assert "give one of them" in call("rm", "--back", "--now", "audit", code=2)
    for _ in range(2):
        call("rm", "01a", "--yes")
        await make(tmp_path, "01a", "audit", DONE)
    assert "2 sessions in the trash answer" in call("rm", "--back", "01a", code=2)


async def test_the_list_has_a_line_for_each_session(tmp_path, call):
    await assorted(tmp_path)
    header, *lines = call("ls").splitlines()
    assert header.split() == ["SESSION", "STATE", "CALLS", "COST", "SIZE", "CHANGED", "NAME"]
    rows = {line.split()[0]: line for line in lines}
    states = {session: line.split()[1] for session, line in rows.items()}
    interrupted = dict.fromkeys(("01c", "01e"), "interrupted")
    assert states == {"01a": "finished", "01b": "paused", "01d": "paused", "01f": "damaged", **interrupted}
    assert rows["01a"].split()[2:4] == ["2", "$0.00"] and rows["01a"].endswith("audit")
    assert rows["01a"].split()[5] == "KB" and float(rows["01a"].split()[4]) > 1
    assert "not a database" in rows["01f"]
    assert call("ls").splitlines() == [header, *lines]
