"""What was met before is known again, however many there are."""

import pickle

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from core.folds import known
from core.folds.known import Known, Met


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=2), st.integers(0, 2**32 - 1)), max_size=60), st.integers(1, 5))
def test_it_answers_as_a_dictionary_does(pairs, fresh):
    before, known.FRESH = known.FRESH, fresh
    try:
        met, plain = Known(), {}
        for text, number in pairs:
            assert met.setdefault(text, number) == plain.setdefault(text, number)
    finally:
        known.FRESH = before
    again = pickle.loads(pickle.dumps(met))
    for text in [*plain, "never met"]:
        assert met.get(text) == again.get(text) == plain.get(text)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=2), st.integers(0, 9)), max_size=60), st.integers(1, 5))
def test_of_several_numbers_of_a_text_the_latest_is_known(pairs, fresh):
    before, known.FRESH = known.FRESH, fresh
    try:
        met, plain = Known(), dict(pairs)
        for text, number in pairs:
            met.put(text, number)
    finally:
        known.FRESH = before
    assert all(met.get(text) == plain.get(text) for text in [*plain, "never met"])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=2), max_size=60), st.integers(1, 5))
def test_what_is_met_again_is_not_new_and_storing_it_changes_nothing(texts, few):
    before, known.FEW = known.FEW, few
    try:
        met, plain = Met(), set()
        for text in texts:
            assert met.add(text) == (text not in plain)
            plain.add(text)
            met = msgspec.json.decode(msgspec.json.encode(met), type=Met)
    finally:
        known.FEW = before


def test_of_ten_thousand_texts_each_is_stored_in_a_dozen_characters():
    met = Met()
    assert all(met.add(f"r{number}.1.0") for number in range(10_000))
    assert not met.add("r0.1.0") and not met.add("r9999.1.0")
    assert len(msgspec.json.encode(met)) < 12 * 10_000


def test_a_hundred_thousand_are_a_megabyte_or_two():
    met = Known()
    for number in range(100_000):
        met.setdefault(f"r{number}.1.0", number)
    assert met.get("r99999.1.0") == 99_999 and met.get("r4.1.0") == 4
    assert len(pickle.dumps(met)) < 2_000_000
