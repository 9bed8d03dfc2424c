"""The mark of what the user has seen: kept, private, never going back, and nothing when it is broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.journal import JournalError
from core.journal.seen import SEEN, Seen, mark_seen, read_seen


def test_nothing_was_seen_until_something_was(tmp_path: Path) -> None:
    assert read_seen(tmp_path) == Seen(0, 0)
    assert mark_seen(tmp_path, 214, 5) == Seen(214, 5) == read_seen(tmp_path)


def test_the_mark_never_goes_back(tmp_path: Path) -> None:
    mark_seen(tmp_path, 214, 5)
    assert mark_seen(tmp_path, 100, 9) == Seen(214, 5) == read_seen(tmp_path)
    assert mark_seen(tmp_path, 215, 9) == Seen(215, 9)


def test_the_file_belongs_to_its_owner_alone_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    mark_seen(tmp_path, 1, 1)
    assert [path.name for path in tmp_path.iterdir()] == [SEEN]
    assert (tmp_path / SEEN).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "broken", [b"", b"{", b"[]", b'{"seq": "x"}', b'{"seq": -3}', b"\xff\xfe", b"[" * 4096, b'{"seq": 1e400}']
)
def test_a_broken_file_means_that_nothing_was_seen_and_is_replaced(tmp_path: Path, broken: bytes) -> None:
    (tmp_path / SEEN).write_bytes(broken)
    assert read_seen(tmp_path) == Seen()
    assert mark_seen(tmp_path, 3, 4) == read_seen(tmp_path) == Seen(3, 4)


def test_what_is_no_plain_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b'{"seq": 9}')
    (tmp_path / SEEN).symlink_to(tmp_path / "elsewhere")
    assert read_seen(tmp_path) == Seen()
    mark_seen(tmp_path, 3, 4)
    assert (tmp_path / "elsewhere").read_bytes() == b'{"seq": 9}'
    assert read_seen(tmp_path) == Seen(3, 4)


def test_a_folder_that_refuses_is_named_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"can't be noted .* No such file"):
        mark_seen(tmp_path / "gone", 3, 4)
