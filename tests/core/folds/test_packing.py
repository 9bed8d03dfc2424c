"""What is put away comes back as it was, and bytes that somebody else made do nothing."""

import io
import pickle
import zlib
from array import array
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.folds.packing import pack, read, squeeze, unpack, write
from core.folds.verdict import Verdict


class Foreign:
    """Pickled, it names a callable to be called with arguments."""

    def __init__(self, *named):
        self._named = named

    def __reduce__(self):
        return self._named


def named(module, name):
    """Bytes in which a global stands alone."""
    return zlib.compress(b"\x80\x04\x8c" + bytes([len(module)]) + module.encode() + b"\x8c" + bytes([len(name)])
                         + name.encode() + b"\x93.")  # fmt: skip


def test_a_value_of_ours_comes_back():
    assert unpack(named("core.folds.verdict", "Verdict")) is Verdict
    assert unpack(pack([1, "two", {3.0}])) == [1, "two", {3.0}]


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("builtins", "eval"),
        ("core.folds.packing", "Path"),
        ("core.folds.packing", "pickle"),
        ("core.folds.packing", "unpack"),
        ("core.folds.verdict", "Verdict.__class__"),
        ("core.folds.view", "SessionView.apply"),
        ("core.foldsaside", "Verdict"),
    ],
)
def test_nothing_else_can_be_named(module, name):
    with pytest.raises(ValueError, match="is not to be made here"):
        unpack(named(module, name))


def test_bytes_that_call_something_are_refused(tmp_path):
    harm = tmp_path / "harm"
    data = zlib.compress(pickle.dumps(Foreign(open, (str(harm), "w"))))
    with pytest.raises(ValueError, match="unpacked"):
        unpack(data)
    assert not harm.exists()


@pytest.mark.parametrize("data", [b"", b"x", zlib.compress(b""), zlib.compress(b"garbage"), pack([1])[:-3]])
def test_damaged_bytes_are_refused(data):
    with pytest.raises(ValueError, match="unpacked"):
        unpack(data)


def test_what_goes_through_a_file_comes_back_and_may_grow_on():
    value = {"numbers": array("q", range(100_000)), "none": array("d"), "text": "x" * 100_000}
    written, squeezed = io.BytesIO(), io.BytesIO()
    write(value, written)
    squeeze(written, squeezed)
    assert unpack(squeezed.getvalue()) == value
    squeezed.seek(0)
    assert read(squeezed) == value
    value["numbers"].append(1)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_file_that_somebody_damaged_is_refused_or_as_it_was(data):
    written, squeezed = io.BytesIO(), io.BytesIO()
    value = [*range(300), "text" * 40]
    write(value, written)
    squeeze(written, squeezed)
    whole = squeezed.getvalue()
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = whole[:place] + bytes([whole[place] ^ data.draw(st.integers(1, 255))]) + whole[place + 1 :]
    with pytest.raises(ValueError, match="can't be unpacked"):
        read(io.BytesIO(whole[:place]))
    with suppress(ValueError):
        assert read(io.BytesIO(changed)) == value  # A bit that means nothing.
