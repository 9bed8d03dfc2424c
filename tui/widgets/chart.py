"""A curve over time in block characters, and behind it the fan of what is to come. Plain functions."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

_BLOCKS = " ▁▂▃▄▅▆▇█"


def blocks(values: Sequence[float], height: int, top: float) -> list[str]:
    """`height` lines, top first, one column per value; `top` is the value that fills them all."""
    levels = [_level(value, height * 8, top) for value in values]
    return ["".join(_BLOCKS[min(8, max(0, level - row * 8))] for level in levels) for row in range(height - 1, -1, -1)]


def _level(value: float, units: int, top: float) -> int:
    """`value` in units of the drawing; anything above zero shows at least one."""
    if value <= 0 or top <= 0:
        return 0
    return min(units, max(1, round(value / top * units)))


class Ahead(Struct, frozen=True):
    """Where a curve will probably be: between `lows` and `highs`, one column each."""

    lows: Sequence[float]
    highs: Sequence[float]

    @classmethod
    def fan(cls, start: float, low: float, high: float, columns: int) -> Ahead:
        """From `start` in straight lines to `low` and `high`; nothing goes below zero."""
        steps = [(column + 1) / columns for column in range(columns)]
        return cls(
            [max(0.0, start + (low - start) * step) for step in steps],
            [max(0.0, start + (high - start) * step) for step in steps],
        )

    def rows(self, height: int, top: float) -> list[str]:
        """`height` lines, top first: dark where it will hardly be below, light up to where it will hardly be above."""
        middles = [(row + 0.5) / height * top for row in range(height - 1, -1, -1)]
        pairs = list(zip(self.lows, self.highs, strict=True))
        return [
            "".join("▒" if low >= middle else "░" if high >= middle else " " for low, high in pairs)
            for middle in middles
        ]
