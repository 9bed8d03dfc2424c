"""Curves in characters."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult

from tui.theming import role_variables
from tui.widgets.chart import Band, Chart, blocks, braille, resample

_VALUES = st.lists(st.floats(0, 1000), min_size=1, max_size=60)


def test_a_ramp_in_blocks() -> None:
    assert blocks([0, 1, 4, 8, 12, 16], 2, 16) == ["    ▄█", " ▁▄███"]


def test_a_step_in_braille_is_joined() -> None:
    assert braille([1, 1, 8, 8], 2, 8) == [" ⡏", "⣀⡇"]


def test_each_column_has_the_last_value_of_its_stretch() -> None:
    assert resample([1, 2, 3, 4, 5, 6], 3) == [2, 4, 6]
    assert resample([1, 2], 4) == [1, 1, 2, 2]
    assert resample([], 4) == []


@given(_VALUES, st.integers(1, 40))
def test_a_resampled_series_ends_as_the_series_does(values: list[float], columns: int) -> None:
    result = resample(values, columns)
    assert len(result) == columns and result[-1] == values[-1]


@given(_VALUES, st.integers(1, 6))
def test_drawings_have_their_size_and_show_all_that_is_not_zero(values: list[float], height: int) -> None:
    lines = blocks(values, height, max(values))
    assert len(lines) == height and {len(line) for line in lines} == {len(values)}
    assert all((lines[-1][n] != " ") == (value > 0) for n, value in enumerate(values))
    dots = braille(values, height, max(values))
    assert len(dots) == height and {len(line) for line in dots} == {(len(values) + 1) // 2}


class ChartApp(App[None]):
    CSS = "Chart { width: 14; height: 2; }"

    def compose(self) -> ComposeResult:
        yield Chart(bands=[Band(0, "cost-ok"), Band(5, "cost-over")])

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return role_variables(self.current_theme)


async def test_the_scale_stands_at_the_side_and_thresholds_change_the_colour() -> None:
    app = ChartApp()
    async with app.run_test() as pilot:
        chart = app.query_one(Chart)
        await pilot.pause()
        chart.show([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], top=10, labels=("$10", "$0"))
        top, bottom = chart.render_line(0), chart.render_line(1)
        assert top.text.startswith("$10 ") and bottom.text.startswith(" $0 ")
        colours = [segment.style.color for segment in bottom if segment.style and segment.text.strip(" $0")]
        assert len(set(map(str, colours))) == 2
