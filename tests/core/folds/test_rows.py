"""Columns that keep small numbers in arrays show what columns of objects show."""

from array import array

from hypothesis import given
from hypothesis import strategies as st

from core.folds.branches import Column, Span
from core.folds.rows import Rows, Words


def paired():
    words = Words()
    return Rows(2, lambda item: (words.number(item[0]), item[1]), lambda word, number: (words.word(word), number))


ITEMS = st.tuples(st.sampled_from(["a", "b", "c/d"]), st.integers(0, 2**32 - 1))


@given(st.lists(st.tuples(st.integers(1, 3), ITEMS), max_size=30), st.data())
def test_a_column_of_rows_shows_what_a_column_of_objects_shows(added, data):
    objects, rows, seq = Column(), Column.packed(paired()), 0
    for step, item in added:
        seq += step
        objects.append(seq, item)
        rows.append(seq, item)
    edges = sorted(data.draw(st.lists(st.integers(0, seq + 2), min_size=2, max_size=6)))
    spans = [Span(first, last) for first, last in zip(edges[::2], edges[1::2], strict=False)]
    assert list(rows.items) == list(objects.items) and len(rows.items) == len(objects.items)
    assert rows.within(spans) == objects.within(spans)
    assert rows.pairs(spans) == objects.pairs(spans)
    assert rows.seqs(spans) == [at for at, _ in objects.pairs(spans)]
    assert list(rows.window(spans)) == list(objects.window(spans))
    assert rows.last(spans) == objects.last(spans)


def test_a_column_of_numbers_is_an_array():
    numbers = Column(array("I"))
    for seq in range(1, 6):
        numbers.append(seq, seq * seq)
    assert numbers.within([Span(2, 3), Span(5, 9)]) == [4, 9, 25]


def test_words_that_recur_have_one_number():
    words = Words()
    assert [words.number(word) for word in ("a", "b", "a")] == [0, 1, 0]
    assert words.word(1) == "b"
