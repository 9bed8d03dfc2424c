"""Heights and drawings come from the same break points."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content

from tui.widgets.heights import Heights
from tui.widgets.wrapping import breaks, fit, line_count, wrap

_TEXTS = st.text("ab cde \n日本é", max_size=60)


@given(_TEXTS, st.integers(1, 20))
def test_the_height_is_the_number_of_lines_drawn_and_each_fits(text: str, width: int) -> None:
    lines = wrap(Content(text), width)
    assert len(lines) == line_count(text, width)
    assert all(line.cell_length <= max(width, 2) for line in lines)
    assert "".join(line.plain for line in lines).replace(" ", "") == text.replace("\n", "").replace(" ", "")


@given(_TEXTS, st.integers(1, 20))
def test_styles_do_not_change_where_lines_break(text: str, width: int) -> None:
    styled = Content(text).stylize("bold", 0, len(text) // 2)
    assert [line.plain for line in wrap(styled, width)] == [line.plain for line in wrap(Content(text), width)]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("one two three", ["one two", "three"]),
        ("unbreakable", ["unbreaka", "ble"]),
        ("exactly8 now", ["exactly8", "now"]),
        ("a\n\nb", ["a", "", "b"]),
        ("日本語テキスト", ["日本語テ", "キスト"]),
    ],
)
def test_words_stay_whole_where_they_can(text: str, lines: list[str]) -> None:
    assert [text[start:end] for start, end in breaks(text, 8)] == lines


@given(st.text("ab日", max_size=12), st.integers(1, 12), st.booleans())
def test_a_fitted_cell_has_exactly_its_width(text: str, width: int, right: bool) -> None:
    assert fit(Content(text), width, right=right).cell_length == width


@given(st.lists(st.integers(1, 9), min_size=1), st.data())
def test_heights_agree_with_a_plain_list(numbers: list[int], data: st.DataObject) -> None:
    heights, plain = Heights(), list(numbers)
    heights.extend(numbers)
    changed, height = data.draw(st.integers(0, len(plain) - 1)), data.draw(st.integers(1, 9))
    assert heights.set(changed, height) == height - plain[changed]
    plain[changed] = height
    kept = data.draw(st.integers(1, len(plain)))
    heights.truncate(kept)
    del plain[kept:]
    assert heights.total == sum(plain) and len(heights) == kept
    lines = [(item, line) for item, height in enumerate(plain) for line in range(height)]
    assert [heights.locate(line) for line in range(heights.total)] == lines
