"""The disk of the sessions gets full while commands are to run: the session waits for room, and each runs once."""

import subprocess
from contextlib import suppress

import pytest
from processes import command, until


@pytest.fixture
def small_disk(longwatch):
    """A file system of 8 MB under the sessions' home."""
    longwatch.home.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m,nr_inodes=400", "none", str(longwatch.home)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield longwatch.home
    longwatch.end()
    subprocess.run(["umount", "-l", longwatch.home], check=True)


def fill_with_bytes(place):
    with suppress(OSError), (place / "ballast").open("wb", buffering=0) as ballast:
        while ballast.write(bytes(4096)):
            pass


def fill_with_names(place):
    (place / "ballast").mkdir()
    with suppress(OSError):
        for number in range(1000):
            (place / "ballast" / str(number)).touch()


@pytest.mark.parametrize("fill", [fill_with_bytes, fill_with_names])
def test_commands_wait_for_room_and_run_once(longwatch, small_disk, fill):
    rows = [longwatch.gated("echo first >> log"), *[command(f"echo {n} >> log") for n in range(4)]]
    process = longwatch.run(longwatch.script(*rows))
    until(lambda: (longwatch.workspace / "log").exists())
    fill(small_disk)
    longwatch.gate.touch()
    until(lambda: longwatch.count("session.paused"))
    paused = next(event.body for event in longwatch.events() if event.kind == "session.paused")
    assert paused.reason == "disk"
    subprocess.run(["rm", "-rf", small_disk / "ballast"], check=True)
    assert process.wait(60) == 0
    assert (longwatch.workspace / "log").read_text().split() == ["first", "0", "1", "2", "3"]
    assert all(event.body.ok for event in longwatch.events() if event.kind == "tool.finished")
    assert longwatch.count("session.paused") == longwatch.count("session.continued") == 1


def test_a_command_that_waited_for_room_can_be_cut_as_any_other(longwatch, small_disk):
    rows = [longwatch.gated("touch first"), command("touch begun; sleep 100"), command("touch after")]
    process = longwatch.run(longwatch.script(*rows))
    until(lambda: (longwatch.workspace / "first").exists())
    fill_with_names(small_disk)
    longwatch.gate.touch()
    until(lambda: longwatch.count("session.paused"))
    subprocess.run(["rm", "-rf", small_disk / "ballast"], check=True)
    until(lambda: (longwatch.workspace / "begun").exists())
    longwatch.here("send", "", "interrupt")
    assert process.wait(60) == 0
    assert (longwatch.workspace / "after").exists()
    results = [event.body for event in longwatch.events() if event.kind == "tool.finished"]
    assert [(it.ok, "stopped" in it.content) for it in results] == [(True, False), (False, True), (True, False)]
