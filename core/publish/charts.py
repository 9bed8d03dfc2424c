"""Charts as inline SVG: no script, no font, no network; colours are those of the page around them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from itertools import pairwise
from typing import Final

from core.publish.words import plain

WIDE, NARROW = 720, 340
"""How wide a chart is by itself, and in a column beside something: about as many pixels, or its words get too small."""
HEIGHT: Final = 160
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 12, 12, 22
POINTS: Final = 600
"""Points of a curve; more are thinned out, the last of each stretch stays."""

Say = Callable[[float], str]


def curve(
    points: Sequence[tuple[float, float]], say: Say, title: str, *, steps: bool = False, width: int = WIDE
) -> str:
    """A curve over events with its highest value and its ends named; nothing where there are no two points."""
    if len(points) < 2:
        return ""
    thin = points if len(points) <= POINTS else [points[i * (len(points) - 1) // (POINTS - 1)] for i in range(POINTS)]
    first, last = thin[0][0], max(thin[-1][0], thin[0][0] + 1)
    top = max(value for _, value in thin) or 1.0
    right = width - _RIGHT
    places = [(_LEFT + (right - _LEFT) * (at - first) / (last - first), _y(value, top)) for at, value in thin]
    path = _stepped(places) if steps else " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    floor = HEIGHT - _BOTTOM
    area = f"{places[0][0]:.1f},{floor} {path} {places[-1][0]:.1f},{floor}"
    labels = [
        _label(_LEFT - 6, _TOP + 4, say(top), "end"),
        _label(_LEFT - 6, floor, say(0), "end"),
        _label(_LEFT, HEIGHT - 6, f"event {first:,.0f}", "start"),
        _label(right, HEIGHT - 6, f"{last:,.0f}", "end"),
    ]
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><svg class="chart" viewBox="0 0 {width} {HEIGHT}" role="img" '
        f'aria-label="{escape(title)}, up to {escape(say(top))}">'
        f'<line class="axis" x1="{_LEFT}" y1="{floor}" x2="{right}" y2="{floor}"/>'
        f'<line class="grid" x1="{_LEFT}" y1="{_TOP}" x2="{right}" y2="{_TOP}"/>'
        f'<polygon class="area" points="{area}"/><polyline class="line" points="{path}"/>'
        f"{''.join(labels)}</svg></figure>"
    )


def bars(rows: Sequence[tuple[str, float]], say: Say, title: str, *, width: int = WIDE) -> str:
    """Amounts beside each other, the largest first; nothing where there are none."""
    rows = sorted(((name, value) for name, value in rows if value > 0), key=lambda row: -row[1])[:12]
    if not rows:
        return ""
    top, step, left = rows[0][1], 24, 220 if width >= WIDE else 120
    room = left // 6
    lines = []
    for index, (name, value) in enumerate(rows):
        y = index * step
        length = max(1.0, (width - left - (90 if width >= WIDE else 64)) * value / top)
        told = name if len(name) <= room else f"{name[: room - 1]}…"
        lines.append(_label(left - 10, y + 16, told, "end"))
        lines.append(f'<rect class="bar" x="{left}" y="{y + 4}" width="{length:.1f}" height="{step - 8}" rx="2"/>')
        lines.append(_label(int(left + length + 8), y + 16, say(value), "start"))
    box = f"0 0 {width} {len(rows) * step}"
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><svg class="chart" viewBox="{box}" role="img" '
        f'aria-label="{escape(title)}">{"".join(lines)}</svg></figure>'
    )


def _y(value: float, top: float) -> float:
    return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * value / top


def _stepped(places: Sequence[tuple[float, float]]) -> str:
    out = [f"{places[0][0]:.1f},{places[0][1]:.1f}"]
    for (_, before), (x, y) in pairwise(places):
        out += [f"{x:.1f},{before:.1f}", f"{x:.1f},{y:.1f}"]
    return " ".join(out)


def _label(x: int, y: int, text: str, anchor: str) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{escape(plain(text))}</text>'
