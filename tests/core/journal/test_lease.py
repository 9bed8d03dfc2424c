"""One runner per session: refused while it lives, taken over when it is dead."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from core.journal import Holder, JournalError, LeaseHeld
from core.journal.lease import BEAT, LOCK, acquire, holder, taken

OWNER = """
import os, sys
from pathlib import Path
from core.journal.lease import acquire
lease = acquire(Path(sys.argv[1]))
if "left" in sys.argv and not os.fork():
    sys.stdin.read()
    os._exit(0)
print(lease.epoch, flush=True)
sys.stdin.read()
"""


def owner(folder: Path, *, left: bool = False) -> subprocess.Popen[str]:
    """A process with the session; `left`: with a child that has its lock, too, until the input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(folder), *["left"] * left],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline()
    return process


def record(folder: Path, **changes) -> None:
    with acquire(folder) as lease:
        mine = lease.owner
    (folder / LOCK).write_bytes(msgspec.json.encode(msgspec.structs.replace(mine, **changes)))


def test_a_second_runner_is_refused_and_told_who_runs_it(tmp_path: Path) -> None:
    process = owner(tmp_path)
    with pytest.raises(LeaseHeld, match="attach") as caught:
        acquire(tmp_path)
    assert (caught.value.pid, caught.value.host) == (process.pid, socket.gethostname())
    found = holder(tmp_path)
    assert found is not None and found.pid == process.pid and found.since_us == caught.value.since_us
    process.communicate(timeout=10)


def test_the_same_process_does_not_run_a_session_twice(tmp_path: Path) -> None:
    with acquire(tmp_path), pytest.raises(LeaseHeld):
        acquire(tmp_path)
    with acquire(tmp_path), pytest.raises(LeaseHeld, match=r"no sign of life .* end that process, and resume"):
        os.utime(tmp_path / BEAT, (0, 0))
        acquire(tmp_path)
    acquire(tmp_path).release()


def test_a_killed_owner_leaves_the_session_free_at_once(tmp_path: Path) -> None:
    for epoch in (1, 2, 3):
        process = owner(tmp_path)
        process.kill()
        process.communicate(timeout=10)
        assert holder(tmp_path) is None
        assert msgspec.json.decode((tmp_path / LOCK).read_bytes())["epoch"] == epoch
    with acquire(tmp_path) as lease:
        assert lease.epoch == 4


async def test_a_lock_that_a_dead_owners_child_still_has_is_waited_for(tmp_path: Path) -> None:
    process = owner(tmp_path, left=True)
    process.kill()
    process.wait(timeout=10)
    with pytest.raises(LeaseHeld):
        acquire(tmp_path)
    takes = asyncio.create_task(taken(tmp_path))
    await asyncio.sleep(0)
    process.communicate(timeout=10)
    with await takes as lease:
        assert lease.epoch == 2


async def test_whoever_has_it_for_a_moment_is_waited_for_and_a_runner_is_not(tmp_path: Path) -> None:
    with acquire(tmp_path, brief=True):
        takes = asyncio.create_task(taken(tmp_path))
        await asyncio.sleep(0)
        assert not takes.done()
    with await takes, pytest.raises(LeaseHeld):
        await taken(tmp_path)


def test_an_unreaped_owner_counts_as_dead(tmp_path: Path) -> None:
    process = owner(tmp_path)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert holder(tmp_path) is None
    process.communicate(timeout=10)


def test_a_released_session_has_no_holder_and_release_may_be_repeated(tmp_path: Path) -> None:
    lease = acquire(tmp_path)
    found = holder(tmp_path)
    assert found is not None and found.pid == os.getpid()
    lease.release()
    lease.release()
    assert holder(tmp_path) is None
    assert holder(tmp_path / "nowhere") is None


def test_another_process_with_the_dead_owners_pid_is_not_the_owner(tmp_path: Path) -> None:
    record(tmp_path, pid=os.getppid(), started="1")
    assert holder(tmp_path) is None
    acquire(tmp_path).release()


def test_an_owner_before_the_last_boot_is_dead(tmp_path: Path) -> None:
    record(tmp_path, pid=os.getppid(), boot="another boot")
    assert holder(tmp_path) is None
    acquire(tmp_path).release()


def test_an_owner_on_another_host_lives_as_long_as_its_heart_beats(tmp_path: Path) -> None:
    record(tmp_path, pid=1, host="elsewhere")
    with pytest.raises(LeaseHeld, match="process 1 on elsewhere"):
        acquire(tmp_path)
    os.utime(tmp_path / BEAT, (1000, 1000))
    assert holder(tmp_path) is None
    with acquire(tmp_path) as lease:
        lease.beat()
        assert (tmp_path / BEAT).stat().st_mtime > 1000


def test_a_torn_record_does_not_lock_a_session_for_ever(tmp_path: Path) -> None:
    (tmp_path / LOCK).write_bytes(b'{"pid": 12')
    assert holder(tmp_path) is None
    with acquire(tmp_path) as lease:
        assert lease.owner == msgspec.json.decode((tmp_path / LOCK).read_bytes(), type=Holder)


def test_tools_do_not_inherit_the_lease(tmp_path: Path) -> None:
    lease = acquire(tmp_path)
    tool = subprocess.Popen(["sleep", "30"], close_fds=False)
    os.close(lease._descriptor or -1)
    lease._descriptor = None
    try:
        acquire(tmp_path).release()
    finally:
        tool.kill()
        tool.wait()


def test_a_missing_folder_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="can't be written"):
        acquire(tmp_path / "nowhere")
