"""A list whose past is put away reads as any other list, and a view packed and unpacked is the same view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lives import Life

from core.events import FileChange
from core.folds import pages
from core.folds.conversation import Item
from core.folds.packing import columns_of, pack, unpack, values_of
from core.folds.pages import Pages


class Drawer:
    """A store in memory, that packs what it is given."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []

    def keep(self, values: list[Any]) -> int:
        self.kept.append(pack(columns_of(values)))
        return len(self.kept) - 1

    def values(self, place: int) -> list[Any]:
        return values_of(unpack(self.kept[place]))


@pytest.fixture(autouse=True)
def short_pages(monkeypatch):
    monkeypatch.setattr(pages, "PAGE", 3)


values = st.one_of(
    st.integers(),
    st.none(),
    st.builds(Item, st.integers(), st.integers(), st.just("agent"), st.just("text"), st.text(max_size=3)),
    st.builds(FileChange, path=st.text(max_size=2), before=st.none(), after=st.none()),
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_list_of_which_the_past_is_put_away_reads_as_any_other(data):
    drawer, told, plain = Drawer(), Pages[Any](), list[Any]()
    for _ in range(data.draw(st.integers(0, 25))):
        match data.draw(st.sampled_from(["add", "add", "add", "change", "put away"])):
            case "change" if plain:
                index, value = data.draw(st.integers(-len(plain), len(plain) - 1)), data.draw(values)
                told[index] = plain[index] = value
            case "put away":
                told.put_away(drawer)
            case _:
                value = data.draw(values)
                told.append(value)
                plain.append(value)
    cut = data.draw(st.slices(len(plain)))
    first = data.draw(st.integers(0, len(plain)))
    assert list(told) == plain and told[:] == plain and told[cut] == plain[cut]
    assert [told[index] for index in range(-len(plain), len(plain))] == plain * 2
    assert list(told.since(first)) == plain[first:]


def test_what_is_put_away_leaves_the_memory():
    told = Pages(range(20))
    told.put_away(Drawer())
    assert len(told._tail) < 6 and list(told) == [*range(20)]


def test_the_strip_and_the_curve_of_a_session_read_no_page(monkeypatch):
    """They look at hundreds of places all over it: as many pages would stay in memory."""
    log, drawer = Life(), Drawer()
    for number in range(12):
        log.run(f"make part-{number}")
    log.view.put_away(drawer)
    assert drawer.kept
    monkeypatch.setattr(drawer, "values", pytest.fail)
    cells = log.view.lanes.strip(40)
    assert sum(cell.usd for cell in cells) == pytest.approx(float(log.view.costs.total.last.usd))
    assert [spent for _, spent in log.view.costs.spent.sampled(12)][-1] == log.view.costs.spent.last > 0


def test_an_index_outside_is_an_error_as_in_any_list():
    told = Pages(range(20))
    told.put_away(Drawer())
    for index in (20, -21):
        with pytest.raises(IndexError):
            told[index]


@dataclass
class Stranger:
    a: int = 1
    b: int = 2


@pytest.mark.parametrize(
    "thing",
    [Stranger(), eval, __import__("os").system, pytest.raises],
    ids=["a stranger", "eval", "os.system", "pytest.raises"],
)
def test_nothing_but_our_own_values_can_be_named_in_what_is_unpacked(thing):
    with pytest.raises(ValueError, match="can't be unpacked"):
        unpack(pack(thing))


@given(st.binary(max_size=200))
def test_foreign_bytes_are_refused(data):
    with pytest.raises(ValueError, match="can't be unpacked"):
        unpack(data)
