"""Plots as inline SVG: small, without script, readable in light and dark, with a text for who can't see them.

Colours are classes of the page's style sheet: `tone-1` to `tone-3` for series, `grid` and `mark` for lines.
"""

from __future__ import annotations

import math
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_WIDTH: Final = 720
_HEIGHT: Final = 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 8, 28, 44
_INNER_WIDTH: Final = _WIDTH - _LEFT - _RIGHT
_INNER_HEIGHT: Final = _HEIGHT - _TOP - _BOTTOM
_TICKS: Final = 5
_LABELS_MAX: Final = 8
_BAR_ROW: Final = 40
_BAR_HEIGHT: Final = 14
_VALUE_WIDTH: Final = 72


class Series(NamedTuple):
    """Values, not negative, one per label of the plot."""

    name: str
    values: Sequence[float]


class Plot(NamedTuple):
    """What a plot is about; `name` is an id that the page has once. `unit` stands at the axis of values."""

    name: str
    title: str
    text: str
    unit: str
    axis: str
    labels: Sequence[str]
    series: Sequence[Series]


class Bar(NamedTuple):
    """A value from 0 to 1 of the whole width, as it is written, and a mark to compare it with."""

    label: str
    length: float
    written: str
    mark: float | None = None


def stacked(plot: Plot) -> str:
    """Draw columns, the series of each on top of each other."""
    totals = [sum(values) for values in zip(*(series.values for series in plot.series), strict=True)]
    top = _top(totals)
    step = _INNER_WIDTH / max(1, len(plot.labels))
    parts = []
    for index in range(len(plot.labels)):
        below = 0.0
        for tone, series in enumerate(plot.series, 1):
            value = series.values[index]
            x = _LEFT + (index + 0.12) * step
            parts.append(_column(x, step * 0.76, below, value, top, tone))
            below += value
    return _svg(plot, top, parts, step)


def grouped(plot: Plot) -> str:
    """Draw columns, the series of each side by side with the value above."""
    top = _top([value for series in plot.series for value in series.values])
    step = _INNER_WIDTH / max(1, len(plot.labels))
    width = step * 0.8 / max(1, len(plot.series))
    parts = []
    for tone, series in enumerate(plot.series, 1):
        for index, value in enumerate(series.values):
            x = _LEFT + (index + 0.1) * step + (tone - 1) * width
            parts.append(_column(x + 2, width - 4, 0, value, top, tone))
            parts.append(_text(x + width / 2, _y(value, top) - 4, _short(value), "middle"))
    return _svg(plot, top, parts, step)


def line(plot: Plot) -> str:
    """Draw one series as a line over the area below it."""
    values = plot.series[0].values
    top = _top(values)
    step = _INNER_WIDTH / max(1, len(values))
    points = [(_LEFT + (index + 0.5) * step, _y(value, top)) for index, value in enumerate(values)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    floor = _y(0, top)
    area = f"{points[0][0]:.1f},{floor:.1f} {path} {points[-1][0]:.1f},{floor:.1f}" if points else ""
    parts = [f'<polygon class="area" points="{area}"/><polyline class="curve" points="{path}"/>']
    if len(points) == 1:
        parts.append(f'<circle class="tone-2" cx="{points[0][0]:.1f}" cy="{points[0][1]:.1f}" r="4"/>')
    return _svg(plot, top, parts, step)


def bars(name: str, title: str, text: str, found: Sequence[Bar], tone: int = 1) -> str:
    """Draw one bar below the other, each under its label, however long that is."""
    height = _BAR_ROW * len(found) + 4
    inner = _WIDTH - _VALUE_WIDTH
    parts = []
    for index, bar in enumerate(found):
        y = index * _BAR_ROW
        width = max(1.0, bar.length * inner)
        parts.append(_text(0, y + 15, bar.label, "start"))
        parts.append(_rect(0, y + 21, width, _BAR_HEIGHT, tone))
        parts.append(_text(width + 6, y + 33, bar.written, "start"))
        if bar.mark is not None:
            x = bar.mark * inner
            parts.append(f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{y + 18}" y2="{y + 38}"/>')
    return _image(name, title, text, height, parts)


def merged(values: Sequence[float], size: int, merge: Callable[[Sequence[float]], float]) -> list[float]:
    """Make one value of each `size` neighbours."""
    return [merge(values[first : first + size]) for first in range(0, len(values), size)]


def _svg(plot: Plot, top: float, parts: Iterable[str], step: float) -> str:
    every = math.ceil(len(plot.labels) / _LABELS_MAX) or 1
    labels = [
        _text(_LEFT + (index + 0.5) * step, _HEIGHT - _BOTTOM + 17, label, "middle")
        for index, label in enumerate(plot.labels)
        if index % every == 0
    ]
    names = [
        _text(_LEFT, 14, plot.unit, "start"),
        _text(_LEFT + _INNER_WIDTH / 2, _HEIGHT - 8, plot.axis, "middle"),
    ]
    return _image(plot.name, plot.title, plot.text, _HEIGHT, [*_grid(top), *parts, *labels, *names])


def _image(name: str, title: str, text: str, height: float, parts: Iterable[str]) -> str:
    name = escape(name)
    return (
        f'<svg role="img" aria-labelledby="{name}-title {name}-text" viewBox="0 0 {_WIDTH} {height}">'
        f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-text">{escape(text)}</desc>'
        f"{''.join(parts)}</svg>"
    )


def _grid(top: float) -> list[str]:
    parts = []
    for tick in ticks(top):
        y = _y(tick, top)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(_text(_LEFT - 8, y + 4, _short(tick), "end"))
    return parts


def ticks(top: float) -> list[float]:
    """Return round values from 0 to the top of an axis; units are whole."""
    step = top / _TICKS
    size = 10 ** math.floor(math.log10(step)) if step > 1 else 1
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= step)
    return [step * number for number in range(math.floor(top / step) + 1)]


def _top(values: Sequence[float]) -> float:
    """Return the top of an axis: a round value that all are under."""
    most = max([1.0, *values])
    below = ticks(most)
    return most if below[-1] >= most else below[-1] + _gap(below)


def _gap(values: Sequence[float]) -> float:
    return next((second - first for first, second in pairwise(values)), 1.0)


def _y(value: float, top: float) -> float:
    return _TOP + _INNER_HEIGHT * (1 - value / top)


def _column(x: float, width: float, below: float, value: float, top: float, tone: int) -> str:
    if not value:
        return ""
    return _rect(x, _y(below + value, top), width, _INNER_HEIGHT * value / top, tone)


def _rect(x: float, y: float, width: float, height: float, tone: int) -> str:
    return f'<rect class="tone-{tone}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _short(value: float) -> str:
    """Write a number of units in few characters."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if value >= size:
            unit = 1e3 if letter == "k" else size
            return f"{value / unit:.1f}".removesuffix(".0") + letter
    return f"{value:g}"
