"""Hits are counted on the branch that is shown, as of any event, and gone through in order, round the end."""

from hypothesis import given
from hypothesis import strategies as st

from core.folds.conversation import Item
from core.folds.tool_calls import Call, ToolCalls
from tui.panes.call_filter import CallFilter, Sifted
from tui.panes.chips import Chip, fitting
from tui.panes.matches import Matches, next_hit


@given(st.sets(st.integers(0, 60)), st.lists(st.integers(0, 60), min_size=2, max_size=6), st.data())
def test_going_on_visits_every_hit_of_the_branch_in_order_and_begins_again(places, bounds, data):
    found, edges = sorted(places), sorted(set(bounds))
    ranges = [range(first, last) for first, last in zip(edges[::2], edges[1::2], strict=False)]
    shown = [place for place in found if any(place in part for part in ranges)]
    step = data.draw(st.sampled_from([1, -1]))
    if not shown:
        assert next_hit(found, ranges, None, step) is None
        return
    visited, here = [], None
    for _ in range(len(shown) + 1):
        hit = next_hit(found, ranges, here, step)
        assert shown[hit.number - 1] == hit.place and hit.total == len(shown)
        visited.append(hit.place)
        here = hit.place
    assert visited == [*shown[::step], shown[::step][0]]


def test_each_entry_is_read_once_whatever_its_case():
    items = [Item(seq, 0, "agent", "text", text) for seq, text in enumerate(("Find it", "no", "found"))]
    matches = Matches("FIND")
    matches.look(items)
    items.append(Item(9, 0, "user", "task", "finding"))
    matches.look(items)
    assert matches.places == [0, 3]


def test_a_filter_goes_round_its_kinds():
    wanted = CallFilter(words="x")
    kinds = [wanted.kind]
    while (wanted := wanted.step(1)).kind != kinds[0]:
        kinds.append(wanted.kind)
    assert kinds == ["all", "errors", "edits", "commands", "slow", "repeats"] and wanted.words == "x"


@given(st.lists(st.sampled_from(["a.py", "ab.py", "b.py", "abc"]), max_size=20), st.sampled_from(["", "a", "b"]))
def test_typing_on_finds_the_same_as_typing_at_once(targets, first):
    calls = ToolCalls()

    def add(number, seq, target):
        calls.rows.append(Call(number, str(seq), seq, "read_file", target, "read", 0, {}))
        calls.shelves["all"].add(seq, calls.rows[-1])

    for number, target in enumerate(targets, start=1):
        add(number, number, target)
    wider = Sifted(calls, CallFilter(words=first))
    wider.look()
    add(len(targets) + 1, 99, "ab")
    narrower, afresh = (Sifted(calls, CallFilter(words=first + "b"), before) for before in (wider, None))
    for sifted in (narrower, afresh):
        sifted.look()
    for at in (None, 0, 5, 99):
        assert narrower.found[: narrower.count(at)] == afresh.found[: afresh.count(at)]


def test_chips_give_up_counts_and_then_themselves_but_never_the_chosen_one():
    chips = [Chip("a", "first", 1_234), Chip("b", "second", 5, chosen=True), Chip("c", "third", 6)]
    for width in range(10, 60):
        kept = fitting(chips, width)
        assert any(chip.chosen and chip.count == 5 for chip in kept)
        assert sum(chip.content().cell_length for chip in kept) <= max(width, 10)
    assert fitting(chips, 60) == chips
