"""Commands by file: whole, in order, once; what is no command is set aside with a reason."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.ids import ulid
from core.journal import Command, JournalError
from core.journal.inbox import discard, pending, post


def command(at_us: int, verb: str = "pause", **fields) -> Command:
    return Command(id=ulid(at_us * 1000), verb=verb, at=at_us, **fields)


def test_commands_come_in_order_of_their_ids_until_discarded(tmp_path: Path) -> None:
    late, early = command(2000, "guide", args={"text": "naïve\ud800"}), command(1000, head=7)
    post(tmp_path, late)
    post(tmp_path, early)
    post(tmp_path, early)
    assert [one.verb for one in pending(tmp_path)] == ["pause", "guide"]
    assert pending(tmp_path)[0] == early
    assert pending(tmp_path)[1].args == {"text": "naïve?"}
    discard(tmp_path, early.id)
    discard(tmp_path, early.id)
    assert [one.id for one in pending(tmp_path)] == [late.id]


def test_an_inbox_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert pending(tmp_path) == []


def test_files_belong_to_their_owner_alone(tmp_path: Path) -> None:
    post(tmp_path, command(1))
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "inbox").iterdir()} == {0o600}
    assert (tmp_path / "inbox").stat().st_mode & 0o777 == 0o700


def test_what_is_no_command_is_set_aside_with_its_reason(tmp_path: Path) -> None:
    inbox, good = tmp_path / "inbox", command(5)
    post(tmp_path, good)
    names = [f"{ulid(n * 1_000_000)}.json" for n in range(1, 9)]
    (inbox / names[0]).write_bytes(b"{broken")
    (inbox / names[1]).write_bytes(b"[" * 200_000)
    (inbox / names[2]).write_bytes(b'{"id":"' + good.id.encode() + b'","verb":"stop"}')
    (inbox / names[3]).write_bytes(b'{"verb":"stop"}')
    (inbox / names[4]).write_bytes(b" " * 1_100_000)
    (inbox / names[5]).symlink_to("/etc/passwd")
    os.mkfifo(inbox / names[6])
    (inbox / names[7]).mkdir()
    (inbox / ".hidden.new").write_bytes(b"being written")
    reported: list[tuple[str, str]] = []
    assert pending(tmp_path, lambda name, reason: reported.append((name, reason))) == [good]
    assert [name for name, _ in reported] == names
    assert all(reason and "Traceback" not in reason for _, reason in reported)
    assert (inbox / "bad" / f"{names[4]}.reason").read_text() == "it is larger than 1 MB\n"
    assert pending(tmp_path) == [good]


@pytest.mark.parametrize("name", ["../../escape", "", "u" * 26, "0" * 25])
def test_an_id_never_leads_out_of_the_inbox(tmp_path: Path, name: str) -> None:
    with pytest.raises(JournalError, match="not the id"):
        post(tmp_path, Command(id=name, verb="pause"))
    with pytest.raises(JournalError, match="not the id"):
        discard(tmp_path, name)


def test_an_inbox_that_can_not_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "inbox").write_text("in the way")
    with pytest.raises(JournalError, match="can't be left"):
        post(tmp_path, command(1))
