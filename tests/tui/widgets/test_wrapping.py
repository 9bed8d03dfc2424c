"""Heights and drawings come from the same break points."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.content import Content

from tui.widgets import heights as module
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


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_heights_agree_with_a_plain_list_whatever_of_it_is_only_guessed(data: st.DataObject) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", 3)
        heights, plain = Heights(), list[int]()
        heights.guess = data.draw(st.integers(1, 3))
        numbers = st.lists(st.integers(1, 9), max_size=7)
        for deed in data.draw(st.lists(st.sampled_from(["extend", "suppose", "measure", "set", "cut"]), max_size=12)):
            match deed:
                case "extend":
                    more = data.draw(numbers)
                    heights.extend(more)
                    plain += more
                case "suppose" if len(plain) % 3 == 0:
                    blocks = data.draw(st.integers(0, 3))
                    heights.suppose(blocks)
                    plain += [heights.guess] * 3 * blocks
                case "measure" if guessed := heights.unmeasured(0, len(plain)):
                    found = data.draw(st.lists(st.integers(1, 9), min_size=3, max_size=3))
                    heights.measured(guessed[0], found)
                    plain[guessed[0] * 3 : guessed[0] * 3 + 3] = found
                case "set" if plain:
                    item, height = data.draw(st.integers(0, len(plain) - 1)), data.draw(st.integers(1, 9))
                    known = not heights.unmeasured(item, item)
                    assert heights.set(item, height) == (height - plain[item] if known else 0)
                    plain[item] = height if known else plain[item]
                case "cut":
                    length = data.draw(st.integers(0, len(plain)))
                    heights.truncate(length)
                    assert 0 <= min(length, len(plain)) - len(heights) < 3
                    del plain[len(heights) :]
        assert heights.total == sum(plain) and len(heights) == len(plain)
        assert [heights.top(item) for item in range(len(plain))] == [sum(plain[:item]) for item in range(len(plain))]
        assert [heights.height(item) for item in range(len(plain))] == plain
        lines = [(item, line) for item, height in enumerate(plain) for line in range(height)]
        assert [heights.locate(line) for line in range(heights.total)] == lines
