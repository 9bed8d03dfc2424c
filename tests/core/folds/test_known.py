"""What was met before is known again, however many there are."""

import pickle

from hypothesis import given, settings
from hypothesis import strategies as st

from core.folds import known
from core.folds.known import Known


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


def test_a_hundred_thousand_are_a_megabyte_or_two():
    met = Known()
    for number in range(100_000):
        met.setdefault(f"r{number}.1.0", number)
    assert met.get("r99999.1.0") == 99_999 and met.get("r4.1.0") == 4
    assert len(pickle.dumps(met)) < 2_000_000
