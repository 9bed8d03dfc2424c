"""The index lists the names that are likely needed again, within its budget, whatever they look like."""

import random
import tracemalloc

from hypothesis import given, settings
from hypothesis import strategies as st

from core.request import names
from core.request.names import HANDLE_TOKENS, NameIndex, listed_in, name_lines, name_tokens, name_weight, names_in


def index():
    return NameIndex(name_tokens, name_weight)


def flat(listed):
    return [name for group in listed.values() for name in group]


def test_paths_identifiers_hashes_and_numbers_are_names_and_short_words_are_not():
    text = "See core/request/names.py: NameIndex sets deadbeef1 to 4096, not 12, in fold()."
    assert names_in(text) == ("core/request/names.py", "NameIndex", "deadbeef1", "4096")


def test_a_name_that_was_used_comes_before_one_that_was_only_read():
    told = index()
    told.seen(["read_only_1", "used_once_1"], 1)
    told.used(["used_once_1"], 2)
    told.seen(["read_only_2"], 3)
    assert flat(told.best(name_tokens("used_once_1") + HANDLE_TOKENS)) == ["used_once_1"]


def test_of_names_used_as_often_the_latest_come_first_and_often_used_ones_stay_longer():
    told = index()
    for call in range(40):
        told.used(["workhorse"] if call < 10 else [f"passer_{call:02}"], call)
    listed = flat(told.best(4 * (name_tokens("workhorse") + HANDLE_TOKENS)))
    assert listed == ["passer_39", "passer_38", "passer_37", "workhorse"]


def test_what_the_kept_turns_show_and_what_stands_elsewhere_is_left_out():
    told = index()
    told.used(["long_gone_1", "elsewhere_1", "seen_again_1"], 5)
    told.seen(["seen_again_1", "still_here_1"], 9)
    assert told.best(1_000, keep_from=9, without={"elsewhere_1"}) == {5: ["long_gone_1"]}


def test_names_of_one_place_share_a_handle_and_the_latest_place_is_listed_first():
    told = index()
    told.used(["first_name", "second_name"], 7)
    told.used(["third_name_x"], 11)
    assert name_lines(told.best(100)) == ["#11: third_name_x", "#7: first_name, second_name"]


def test_listed_names_can_be_counted_in_an_edited_digest():
    text = "## Names\n#11: third_name_x, core/a.py\nmine: other_name\n#7: first_name"
    assert listed_in(text) == {"third_name_x", "core/a.py", "first_name"}


def test_to_choose_takes_no_more_memory_after_many_calls_than_after_few():
    def peak(calls):
        told = index()
        for call in range(calls):
            told.used([f"some_name_{call % 500}"], call)
        tracemalloc.start()
        told.best(100)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(50_000) < peak(1_000) + 100_000


def test_memory_is_bounded_and_used_names_outlive_read_ones(monkeypatch):
    monkeypatch.setattr(names, "MOST_NAMES", 100)
    told = index()
    told.used(["kept_for_use"], 1)
    for place in range(2, 500):
        told.seen([f"noise_{place:06}"], place)
    assert len(told) <= 100
    assert "kept_for_use" in told
    assert "noise_000499" in told


NAME = st.text("abcdefghij/._-0123456789Ωé", min_size=1, max_size=300)
MENTIONS = st.lists(st.tuples(st.booleans(), st.lists(NAME, max_size=6, unique=True)), max_size=30)


@settings(max_examples=80, deadline=None)
@given(MENTIONS, st.floats(0, 400), st.integers(0, 31))
def test_an_index_keeps_its_budget_repeats_nothing_and_is_the_same_each_time(mentions, budget, keep_from):
    def told():
        each = index()
        for place, (by_call, group) in enumerate(mentions):
            (each.used if by_call else each.seen)(group, place)
        return each.best(budget, keep_from)

    listed = told()
    assert listed == told()
    assert len(set(flat(listed))) == len(flat(listed))
    assert all(place < keep_from for place in listed)
    assert sum(map(name_tokens, flat(listed))) + HANDLE_TOKENS * len(listed) <= budget or not listed
    lines = name_lines(listed)
    assert len("\n".join(lines).encode()) <= 4 * budget or not lines


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 20_000), st.sampled_from(["-", ".", "a", "1", "a/", "/", "_", "é", "a.b-c ", "0f"]))
def test_hostile_texts_give_few_short_names_in_linear_time(length, brick):
    found = names_in(brick * length)
    assert len(found) <= 400
    assert all(len(name) <= names.LONGEST_NAME for name in found)


def test_a_long_session_keeps_the_names_that_are_worked_with():
    told, chance = index(), random.Random(3)
    hot = [f"src/hot/module_{number}.py" for number in range(20)]
    for call in range(1_200):
        told.used([chance.choice(hot)], 2 * call)
        told.seen([f"identifier_{call}_{number}" for number in range(10)], 2 * call + 1)
    listed = flat(told.best(2_000))
    assert set(hot) < set(listed)
    assert len(listed) > 200
