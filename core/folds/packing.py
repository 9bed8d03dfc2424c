"""Values of folds as bytes and back: for what is put away, and never for what comes from anybody else.

Nothing but our own value classes and plain data can be named in it, so a file that somebody has changed may be refused,
and may be wrong, but can't make anything happen.
"""

from __future__ import annotations

import copyreg
import hashlib
import io
import pickle
import sys
import zlib
from array import array
from collections.abc import Callable, Sequence
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, cast

import msgspec

_FOLDS: Final = "core.folds."
_OURS: Final = (_FOLDS, "core.events.")
_PLAIN: Final = {
    "array": {"array", "_array_reconstructor"},
    "builtins": {"bytearray", "frozenset", "set"},
    "decimal": {"Decimal"},
    "msgspec._utils": {"rebuild"},
}
_PROTOCOL: Final = 5
_FASTEST: Final = 1
_PIECE: Final = 1 << 20


class Columns(NamedTuple):
    """Values by class (None: plain ones): `order` says of which each is, `fields` what they hold, field by field."""

    kinds: list[type | None]
    order: bytes
    fields: list[list[Any]]


def columns_of(values: Sequence[Any]) -> Columns:
    """The same values, field by field: small and quick to pack, since what stands in a column is alike."""
    each = [_kind(type(value)) for value in values]  # type: ignore[arg-type]
    kinds = list(dict.fromkeys(each))
    if len(kinds) == 1:
        return Columns(kinds, b"", [_fields(kinds[0], values)])
    order = bytes(map(kinds.index, each))
    parts = [[value for value, its in zip(values, each, strict=True) if its is kind] for kind in kinds]
    return Columns(kinds, order, [_fields(kind, part) for kind, part in zip(kinds, parts, strict=True)])


def values_of(columns: Columns) -> list[Any]:
    """The values again."""
    parts = [_rebuilt(kind, fields) for kind, fields in zip(columns.kinds, columns.fields, strict=True)]
    if not columns.order:
        return parts[0] if parts else []
    each = [iter(part) for part in parts]
    return [next(each[kind]) for kind in columns.order]


@cache
def _kind(of: type) -> type | None:
    """A class whose values are packed field by field; None for what is packed whole."""
    apart = issubclass(of, msgspec.Struct) and len(of.__struct_fields__) > 1 and of.__module__.startswith(_FOLDS)
    return of if apart else None


@cache
def _getter(kind: type[msgspec.Struct]) -> Callable[[Any], tuple[Any, ...]]:
    return attrgetter(*kind.__struct_fields__)


def _fields(kind: type | None, values: Sequence[Any]) -> list[Any]:
    return list(values) if kind is None else list(zip(*map(_getter(kind), values), strict=True))


def _rebuilt(kind: type | None, fields: list[Any]) -> list[Any]:
    return fields if kind is None else list(map(kind, *fields))


def pack(value: Any) -> bytes:
    """Bytes of a value."""
    return zlib.compress(pickle.dumps(value, _PROTOCOL), _FASTEST)


def write(value: Any, file: IO[bytes]) -> None:
    """The first half of packing what is large: it goes to a file piece by piece, without a copy of its columns.

    Must not run beside what changes the value. Raises OSError.
    """
    pickler = pickle.Pickler(file, _PROTOCOL)
    pickler.dispatch_table = {**copyreg.dispatch_table, array: _in_place}
    pickler.dump(value)


def squeeze(written: IO[bytes], into: IO[bytes]) -> None:
    """The other half, which takes longer and may run in a thread: what was written, from its start. Raises OSError."""
    written.seek(0)
    squeezing = zlib.compressobj(_FASTEST)
    while piece := written.read(_PIECE):
        into.write(squeezing.compress(piece))
    into.write(squeezing.flush())


def _in_place(numbers: array[Any]) -> tuple[Any, ...]:
    """As an array tells how it is made anew, with its memory itself in place of a copy."""
    make, (*kind, _nothing) = cast(tuple[Any, list[Any]], array(numbers.typecode).__reduce_ex__(_PROTOCOL)[:2])
    return make, (*kind, pickle.PickleBuffer(memoryview(numbers).toreadonly()))


def unpack(data: bytes) -> Any:
    """The value of bytes that `pack` gave. Raises ValueError when they are damaged, or name what they must not."""
    try:
        return _Careful(io.BytesIO(zlib.decompress(data))).load()
    except Exception as error:  # Whatever foreign bytes make of it.
        raise ValueError(f"it can't be unpacked: {error}") from error


def read(file: IO[bytes]) -> Any:
    """The value that `squeeze` put into a file, from where it stands, without a copy of the whole in between.

    Raises ValueError as `unpack` does.
    """
    raw = _Inflated(file)
    try:
        with io.BufferedReader(raw, _PIECE) as inflated:
            value = _Careful(inflated).load()
            while inflated.read(_PIECE):  # Up to its sum, which stands at the end.
                pass
    except Exception as error:
        raise ValueError(f"it can't be unpacked: {error}") from error
    if not raw.is_whole:
        raise ValueError("it can't be unpacked: its end is missing")
    return value


class _Inflated(io.RawIOBase):
    """What was squeezed, as it was before, piece by piece."""

    def __init__(self, squeezed: IO[bytes]) -> None:
        self._squeezed, self._inflating = squeezed, zlib.decompressobj()

    @property
    def is_whole(self) -> bool:
        """Whether its end was reached, and its sum is right."""
        return self._inflating.eof

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = b""
        while not data and not self._inflating.eof:
            piece = self._inflating.unconsumed_tail or self._squeezed.read(_PIECE)
            if not piece:
                break
            data = self._inflating.decompress(piece, len(buffer))
        buffer[: len(data)] = data
        return len(data)


class _Careful(pickle.Unpickler):
    """Makes values of our own classes and plain ones, and calls nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if name in _PLAIN.get(module, ()):
            return super().find_class(module, name)
        if module.startswith(_OURS) and "." not in name:
            found = super().find_class(module, name)
            if isinstance(found, type) and found.__module__ == module:  # not what the module only imports
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is not to be made here")


@cache
def version() -> bytes:
    """Stands for the code that made a state: another one folds anew. Sixteen bytes."""
    digest = hashlib.blake2b(f"{sys.version_info[:2]} {msgspec.__version__}".encode(), digest_size=16)
    core = Path(__file__).parent.parent
    for file in sorted([*(core / "folds").rglob("*.py"), *(core / "events").rglob("*.py")]):
        digest.update(str(file.relative_to(core)).encode() + b"\0" + file.read_bytes())
    return digest.digest()
