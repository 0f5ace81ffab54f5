"""Two charts as SVG text, without a plotting library: recall by edit, and a fitted tail."""

import math
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from haechi.evaluation.tail import Tail

_ROW, _LEFT, _BAR, _TOP = 18, 190, 520, 40
_COLOURS = ("#c7c7c7", "#9db7d5", "#5b8fc7", "#e3b23c", "#1f6f3a")
_WIDE, _HIGH, _EDGE = 640, 400, 60


def recall(rows: Sequence[tuple[str, Mapping[str, float]]], ways: Sequence[str], title: str) -> str:
    """Dots of each way's recall (0..1), a line an edit; the last way is drawn as a bar."""
    height = _TOP + _ROW * len(rows) + 50
    parts = [_head(_LEFT + _BAR + 70, height, title)]
    for step in range(0, 11, 2):
        x = _LEFT + _BAR * step / 10
        parts.append(f'<path d="M{x} {_TOP}V{height - 50}" stroke="#ddd"/>')
        parts.append(_text(x, height - 36, f"{step * 10} %", "middle"))
    for number, (name, values) in enumerate(rows):
        y = _TOP + _ROW * number + _ROW / 2
        parts.append(_text(_LEFT - 8, y + 4, name, "end"))
        parts.append(_text(_LEFT + _BAR + 8, y + 4, f"{values[ways[-1]]:.3f}", "start"))
        parts.append(
            f'<rect x="{_LEFT}" y="{y - 5}" width="{_BAR * values[ways[-1]]:.1f}" height="10" '
            f'fill="{_COLOURS[-1]}" fill-opacity="0.35"/>'
        )
        for way, colour in zip(ways, _COLOURS, strict=True):
            x = _LEFT + _BAR * values[way]
            parts.append(f'<circle cx="{x:.1f}" cy="{y}" r="4" fill="{colour}"/>')
    for number, (way, colour) in enumerate(zip(ways, _COLOURS, strict=True)):
        x = _LEFT + 110 * number
        parts.append(f'<circle cx="{x}" cy="{height - 14}" r="4" fill="{colour}"/>')
        parts.append(_text(x + 8, height - 10, way, "start"))
    return "\n".join([*parts, "</svg>\n"])


def tail(values: NDArray[np.float64], fitted: Tail, rate: float, title: str) -> str:
    """Share of pairs at or above each value, log scale, as measured and as fitted to `rate`."""
    lowest = math.log10(rate) - 0.5
    low, high = float(np.quantile(values, 0.5)), fitted.value(rate) + fitted.scale
    parts = [_head(_WIDE, _HIGH, title)]

    def place(value: float, share: float) -> str:
        x = _EDGE + (_WIDE - 2 * _EDGE) * (value - low) / (high - low)
        y = _EDGE / 2 + (_HIGH - 1.5 * _EDGE) * math.log10(share) / lowest
        return f"{x:.1f} {y:.1f}"

    for power in range(0, math.floor(lowest) - 1, -1):
        if power >= lowest:
            left, top = place(low, 10.0**power).split()
            parts.append(f'<path d="M{left} {top}H{_WIDE - _EDGE}" stroke="#eee"/>')
            parts.append(_text(float(left) - 6, float(top) + 4, f"1e{power}", "end"))
    for value in np.linspace(low, high, 6).tolist():
        x = float(place(value, 1.0).split()[0])
        parts.append(_text(x, _HIGH - _EDGE / 2, f"{value:.2f}", "middle"))
    ordered = np.sort(values)[::-1]
    ranks = np.unique(np.geomspace(1, len(ordered) / 2, 160).astype(int))
    seen = "L".join(place(float(ordered[rank - 1]), rank / len(ordered)) for rank in ranks)
    parts.append(f'<path d="M{seen}" fill="none" stroke="#5b8fc7" stroke-width="2"/>')
    ends = place(fitted.start, fitted.part), place(fitted.value(rate), rate)
    parts.append(f'<path d="M{ends[0]}L{ends[1]}" stroke="#b3261e" stroke-dasharray="6 4"/>')
    parts.append(_text(_WIDE - _EDGE, 46, f"{rate:.0e} at {fitted.value(rate):.3f}", "end"))
    return "\n".join([*parts, "</svg>\n"])


def _head(width: float, height: float, title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="12">\n'
        f'<rect width="{width}" height="{height}" fill="#fff"/>\n' + _text(12, 20, title, "start")
    )


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
