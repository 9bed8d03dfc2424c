"""Figures that add up, in the bar and in its legend."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.widgets.gauge import Part, bar_cells, legend, shares, stacked

_AMOUNTS = st.lists(st.integers(0, 1_000_000), min_size=1, max_size=9)


@given(_AMOUNTS, st.integers(80, 2000))
def test_shares_add_up_and_nothing_that_is_there_vanishes(amounts: list[int], units: int) -> None:
    result = shares(amounts, units)
    assert sum(result) == (units if any(amounts) else 0)
    for amount, share in zip(amounts, result, strict=True):
        assert (share > 0) == (amount > 0)
        if any(amounts):
            assert abs(share - amount * units / sum(amounts)) <= len(amounts)


@given(_AMOUNTS, st.integers(10, 200))
def test_the_bar_is_as_wide_as_asked_and_runs_through_its_parts_in_order(amounts: list[int], width: int) -> None:
    cells = bar_cells(amounts, width)
    assert len(cells) == (width if any(amounts) else 0)
    order = [part for _, front, behind in cells for part in (front, behind)]
    assert order == sorted(order)
    assert all(1 <= eighths <= 8 and amounts[front] for eighths, front, _ in cells)


def test_an_exact_half_is_an_exact_half() -> None:
    assert bar_cells([1, 1], 3) == [(8, 0, 0), (4, 0, 1), (8, 1, 1)]


@given(_AMOUNTS, st.integers(24, 60))
def test_the_legend_fits_and_its_shares_add_up_to_a_hundred(amounts: list[int], width: int) -> None:
    lines = legend([Part(f"part {n}", amount, "context-text") for n, amount in enumerate(amounts)], width)
    assert all(line.cell_length <= width for line in lines)
    told = [line.plain.split()[-1].removesuffix("%") for line in lines]
    total = sum(float(share) for share in told if share != "<0.1")
    assert round(total, 1) == (100.0 if any(amounts) else 0.0)


def test_a_share_is_rounded_and_what_is_there_is_never_nothing() -> None:
    amounts = {"a": 1_990, "b": 539, "c": 64, "d": 0, "residual": -60, "free": 997_467}
    lines = legend([Part(name, amount, "context-text") for name, amount in amounts.items()], 40)
    assert [line.plain.split()[-1] for line in lines] == ["0.2%", "0.1%", "<0.1%", "0.0%", "0.0%", "99.7%"]


def test_room_is_drawn_lightly_so_that_it_reads_without_colours() -> None:
    parts = [Part("text", 25, "context-text"), Part("free", 75, "context-free", empty=True)]
    assert stacked(parts, 16).plain == "████░░░░░░░░░░░░"
    assert stacked([], 16).plain == ""


@given(_AMOUNTS, st.integers(10, 200))
def test_the_painted_bar_has_one_cell_for_each_cell_of_the_width(amounts: list[int], width: int) -> None:
    bar = stacked([Part(str(n), amount, "context-text", n % 2 > 0) for n, amount in enumerate(amounts)], width)
    assert bar.cell_length == (width if any(amounts) else 0)
