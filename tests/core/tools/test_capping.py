from __future__ import annotations

import re
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.tools.capping import cap, cap_file


def test_what_fits_is_shown_as_it_is() -> None:
    assert cap("a\nb\n", "out:r1.0.0").text == "a\nb\n"
    assert cap("x" * 12_000, "out:r1.0.0").whole


def test_the_mark_says_what_is_left_out_and_how_to_get_it() -> None:
    text = "".join(f"line {number}\n" for number in range(5_000))
    capped = cap(text, "out:r7.1.2")
    assert not capped.whole
    front, mark, back = re.split(r"\n(\[….*…\])\n", capped.text)
    found = re.fullmatch(
        r'\[… ([\d,]+) lines, ([\d,]+) characters left out; recall\(handle="out:r7\.1\.2"\) .*offset and limit …\]',
        mark,
    )
    assert found is not None
    lines, characters = (int(number.replace(",", "")) for number in found.groups())
    assert front.count("\n") + 1 + lines + back.count("\n") == 5_000
    assert len(front) + 1 + characters + len(back) == len(text)
    assert text.startswith(front) and text.endswith(back)


@given(st.text(alphabet="ab\n", max_size=400), st.integers(1, 60), st.integers(1, 60))
def test_both_ends_are_verbatim_and_nothing_grows_out_of_bounds(text: str, head: int, tail: int) -> None:
    capped = cap(text, "out:x", head, tail)
    if capped.whole:
        assert capped.text == text
        return
    front, _, back = re.split(r"\n(\[….*…\])\n", capped.text)
    assert text.startswith(front) and text.endswith(back)
    assert len(front) <= head and len(back) <= tail


def test_a_file_is_capped_like_its_text(tmp_path: Path) -> None:
    text = "".join(f"{number} äöü\n" for number in range(200_000))
    (tmp_path / "out").write_text(text)
    assert cap_file(tmp_path / "out", "out:x") == cap(text, "out:x")


def test_one_line_of_50_mb_is_cut_and_not_held(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as file:
        for _ in range(50):
            file.write(b"x" * 1_000_000)
    tracemalloc.start()
    capped = cap_file(tmp_path / "out", "out:x")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "49,988,000 characters left out" in capped.text
    assert len(capped.text) < 12_300
    assert peak < 12_000_000


def test_200_mb_are_read_in_pieces(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as file:
        file.write(b"begin\n" * 2_000)
        file.seek(200_000_000)
        file.write(b"\nend")
    tracemalloc.start()
    capped = cap_file(tmp_path / "out", "out:x")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert capped.text.startswith("begin\n") and capped.text.endswith("end")
    assert peak < 12_000_000


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n\0\0\0", bytes(200_000), b"\1\2\3\4\5"])
def test_binary_is_described_and_never_shown(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "out").write_bytes(data)
    text = cap_file(tmp_path / "out", "out:x").text
    assert re.fullmatch(r"\[binary, .*bytes, starting [0-9a-f ]+; not shown\]", text)
    assert ("PNG" in text) == data.startswith(b"\x89PNG")


def test_bytes_that_are_not_utf_8_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"caf\xe9 ok")
    assert cap_file(tmp_path / "out", "out:x").text == "caf\ufffd ok"
