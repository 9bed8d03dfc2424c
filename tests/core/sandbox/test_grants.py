"""A confined command gets what somebody allowed it, for that one call and nothing beside it."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cage import Cage

from core.config import ApprovalSettings, Config
from core.events import SessionOpened
from core.sandbox.choice import confinement_of
from core.sandbox.grant import Grant

ROOT = Path(__file__).parents[3]
DIAL = f"{sys.executable} -c 'import socket; socket.socket(type=socket.SOCK_DGRAM).connect((\"192.0.2.1\", 9))'"


@pytest.fixture
def outside() -> Iterator[Path]:
    """A folder beside the workspace, not below /tmp, of which commands have one of their own."""
    roomy = [place for place in (ROOT, Path.home()) if not str(place).startswith(("/tmp", "/var/tmp"))]
    if not roomy:
        pytest.skip("there is no folder but in /tmp here")
    with tempfile.TemporaryDirectory(prefix=".outside-", dir=roomy[0]) as name:
        yield Path(name).resolve()


def test_a_path_outside_is_written_by_the_call_that_may_and_by_no_other(cage: Cage, outside: Path) -> None:
    (outside / "beside").mkdir()
    (outside / "file").write_text("before")
    granted = Grant(writable=(str(outside / "file"),))
    assert cage.run(f"echo after > {outside}/file", grant=granted).ok
    assert (outside / "file").read_text() == "after\n"
    assert not cage.run(f"echo more > {outside}/beside/made", grant=granted).ok
    assert not cage.run(f"echo again > {outside}/file").ok
    assert (outside / "file").read_text() == "after\n"


def test_a_service_of_the_machine_is_reached_in_no_folder_but_what_is_written(cage: Cage, outside: Path) -> None:
    """One in a folder that is only read would take a connection, whatever the mount says."""
    dial = f"{sys.executable} -c 'import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])'"
    with socket.socket(socket.AF_UNIX) as service:
        service.bind(f"{outside}/a socket")
        service.listen()
        os.utime(f"{outside}/a socket", (0, 0))
        assert not cage.run(f"{dial} '{outside}/a socket'").ok
        assert not cage.run(f"{dial} '{outside}/a socket'", grant=Grant(network=True)).ok
        granted = cage.run(f"{dial} '{outside}/a socket'", grant=Grant(writable=(str(outside),)))
        assert granted.ok == (cage.sandbox.backend == "bubblewrap"), granted.content


def test_the_network_is_there_for_the_call_that_may_and_its_failure_is_explained_only_without(cage: Cage) -> None:
    assert not cage.run(DIAL).ok
    granted = cage.run(f"{DIAL}; echo could not resolve host >&2; exit 6", grant=Grant(network=True))
    assert "sandbox" not in granted.content


def test_nothing_opens_the_sessions_nor_the_configuration(cage: Cage) -> None:
    for closed in (cage.session / "inbox", cage.home, cage.user / ".config/longwatch"):
        cage.run(f"echo x > {closed}/forged.json", grant=Grant(writable=(str(closed),)))
        assert not (closed / "forged.json").exists()
    cage.run(f"echo x > {cage.session}/inbox/forged.json", grant=Grant(writable=(str(cage.place),)))
    assert not (cage.session / "inbox/forged.json").exists()


def test_a_path_that_became_a_link_to_elsewhere_since_it_was_granted_is_not_opened(cage: Cage, outside: Path) -> None:
    (outside / "victim").mkdir()
    (outside / "granted").symlink_to(outside / "victim")
    assert not cage.run(f"touch {outside}/granted/x", grant=Grant(writable=(str(outside / "granted"),))).ok
    assert list((outside / "victim").iterdir()) == []


def test_folders_that_approvals_are_free_in_can_be_written_in_the_sandbox(tmp_path: Path, outside: Path) -> None:
    config = Config(approvals=ApprovalSettings(folders=[str(outside)]))
    place = str(tmp_path)
    model = {"model": "m", "endpoint": "e", "profile": "p"}
    opened = SessionOpened(session="s", name="n", task="t", workspace=place, app_version="1", **model)
    assert outside in confinement_of(tmp_path / "home/sessions/s", config, opened).around.writable


def test_what_a_call_was_granted_is_in_its_intent_for_who_runs_it_again() -> None:
    for grant in (Grant(), Grant(True), Grant(writable=("/a", "/b")), Grant(True, ("/a",))):
        assert Grant.of({"cwd": ".", **grant.intent()}) == grant
