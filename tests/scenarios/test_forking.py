"""A new session from a point of another: its own bill, its own files, and the original as it was."""

import asyncio
import errno
import hashlib
import json
import subprocess

import pytest
from processes import command, until

from core.journal.reader import Reader
from core.workspace.worktree import add_worktree


def steps(count):
    return [command(f"echo step-{number} >> log.txt", text=f"Step {number}.") for number in range(count)]


def digests(folder):
    """Every file below a folder but what readers of a journal leave beside it."""
    return {
        path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in ("session.db-shm", "session.db-wal")
    }


@pytest.fixture
def ran(longwatch):
    """A session of four steps that is over, and the event of its second result."""
    longwatch.run(longwatch.script(*steps(4))).communicate(timeout=60)
    results = [event.seq for event in longwatch.events() if event.kind == "tool.finished"]
    assert len(results) == 4
    return longwatch, results[1]


def forked(longwatch, *arguments):
    done = longwatch.call("fork", "", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def report(longwatch, session):
    return json.loads(longwatch.call("report", session, "--format", "json").stdout)


def test_a_fork_has_the_conversation_and_the_files_of_that_moment_and_goes_on_by_itself(ran, tmp_path):
    longwatch, at = ran
    original = longwatch.folder()
    before, parent = digests(original), report(longwatch, original.name)
    made = forked(longwatch, "--at", str(at), "--into", str(tmp_path / "fork"), "--name", "other")
    assert (tmp_path / "fork" / "log.txt").read_text().split() == ["step-0", "step-1"]
    assert (longwatch.workspace / "log.txt").read_text().split() == [f"step-{n}" for n in range(4)]
    assert made["files"] == "copy" and made["at"] == at
    fork = longwatch.home / "sessions" / made["session"]
    with Reader(original) as theirs, Reader(fork) as ours:
        assert ours.verify() is None
        told = [(row.seq, row.kind, row.key, row.body) for row in theirs.raw(1, at - 1)]
        assert [(row.seq, row.kind, row.key, row.body) for row in ours.raw(1, at - 1)] == told
    fresh = report(longwatch, made["session"])
    assert (fresh["state"], fresh["reason"], fresh["name"]) == ("paused", "forked", "other")
    assert (fresh["cost_usd"], fresh["tool_calls"], fresh["turns"]) == (0, 0, 0)
    assert fresh["forked_from"]["session"] == original.name and float(fresh["forked_from"]["usd"]) > 0
    assert "Forked from" in longwatch.call("report", made["session"]).stdout
    done = longwatch.call("resume", made["session"], "--headless")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "fork" / "log.txt").read_text().split() == [f"step-{n}" for n in range(4)]
    after = report(longwatch, made["session"])
    assert after["tool_calls"] == 2 and 0 < after["cost_usd"] < parent["cost_usd"]
    assert digests(original) == before and report(longwatch, original.name) == parent


def test_the_files_are_a_worktree_where_the_workspace_is_a_repository(longwatch, tmp_path):
    git = ["git", "-C", str(longwatch.workspace), "-c", "user.name=x", "-c", "user.email=x@x"]
    (longwatch.workspace / "log.txt").write_text("committed\n")
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run([*git, *arguments], check=True)
    longwatch.run(longwatch.script(*steps(2))).communicate(timeout=60)
    first = next(event.seq for event in longwatch.events() if event.kind == "tool.finished")
    made = forked(longwatch, "--at", str(first), "--into", str(tmp_path / "fork"))
    assert made["files"] == "worktree"
    assert (tmp_path / "fork" / "log.txt").read_text().split() == ["committed", "step-0"]
    status = subprocess.run(
        ["git", "-C", str(tmp_path / "fork"), "status", "--short"], capture_output=True, text=True, check=True
    )
    assert status.stdout.strip() == "M log.txt"
    plain = forked(longwatch, "--copy", "--into", str(tmp_path / "copy"))
    assert plain["files"] == "copy" and not (tmp_path / "copy" / ".git").exists()
    assert "stays" in longwatch.call("rm", made["session"], "--yes").stdout and (tmp_path / "fork").is_dir()


def test_a_session_in_a_worktree_leaves_the_checkout_free_is_landed_and_goes_with_its_worktree(longwatch):
    def git(*arguments):
        command = ["git", "-C", str(longwatch.workspace), "-c", "user.name=x", "-c", "user.email=x@x", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    (longwatch.workspace / "log.txt").write_text("committed\n")
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        git(*arguments)
    (longwatch.workspace / "mine.txt").write_text("not committed\n")
    process = longwatch.run(longwatch.script(*steps(2)), "--worktree")
    _, said = process.communicate(timeout=60)
    place = next(longwatch.workspace.parent.glob(f"{longwatch.workspace.name}.*"))
    assert process.returncode == 0 and "(1 files) is not in it" in said
    assert (place / "log.txt").read_text() == "committed\nstep-0\nstep-1\n"
    assert (longwatch.workspace / "log.txt").read_text() == "committed\n" and "worktree" not in git("status", "-s")
    assert "is there" in longwatch.call("land", "", "--branch", "landed").stdout
    assert git("show", "landed:log.txt") == "committed\nstep-0\nstep-1\n"
    assert "is gone" in longwatch.call("rm", longwatch.folder().name, "--yes", "--worktree").stdout
    assert not place.exists() and (longwatch.workspace / "mine.txt").exists()


def test_what_was_under_way_is_left_out_and_what_was_asked_of_the_original_is_not_asked_of_the_fork(ran, tmp_path):
    longwatch, at = ran
    events = longwatch.events()
    started = next(event.seq for event in events if event.kind == "tool.started" and event.seq > at)
    made = forked(longwatch, "--at", str(started), "--into", str(tmp_path / "fork"))
    assert made["at"] < started
    with Reader(longwatch.home / "sessions" / made["session"]) as reader:
        tail = reader.events(made["at"])
    assert [event.kind for event in tail] == ["session.forked", "guidance.delivered", "session.paused"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--at", "99999"], "There is no event #99999"),
        (["--at", "0"], "There is no event #0"),
        (["--into", "."], "is not empty"),
    ],
)
def test_what_can_not_be_forked_is_refused_with_a_sentence_and_leaves_nothing(ran, arguments, words):
    longwatch, _ = ran
    if "--into" in arguments:
        arguments = ["--into", str(longwatch.workspace)]
    done = longwatch.call("fork", "", *arguments)
    assert done.returncode == 2 and words in done.stderr
    assert len(list((longwatch.home / "sessions").iterdir())) == 1
    nothing_is_left(longwatch)


def nothing_is_left(longwatch):
    assert not [place for place in longwatch.home.iterdir() if place.name.startswith(".forking")]
    assert not list(longwatch.workspace.parent.glob("work.fork-*"))


def test_a_fork_for_which_there_is_no_room_is_told_in_a_sentence_and_leaves_nothing(ran, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device", "somewhere")

    longwatch, _ = ran
    monkeypatch.setattr("core.forking.copy_log", full)
    done = longwatch.here("fork", "")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "No space left on device" in done.stderr
    nothing_is_left(longwatch)


def test_a_worktree_whose_making_is_interrupted_leaves_the_repository_as_it_was(tmp_path):
    place, into = tmp_path / "repository", tmp_path / "into"
    place.mkdir()
    for number in range(200):
        (place / f"{number}.txt").write_text("x\n")
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@x"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "all"]):
        subprocess.run([*git, *words], cwd=place, check=True)

    async def interrupted():
        making = asyncio.create_task(add_worktree(place, into, "session"))
        await asyncio.to_thread(until, into.exists)
        making.cancel()
        await making

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(interrupted())
    left = subprocess.run([*git, "worktree", "list"], cwd=place, capture_output=True, text=True, check=True).stdout
    assert len(left.splitlines()) == 1 and not into.exists()
