"""Small pictures of figures over time, drawn as SVG: no script, and always with their words."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape

from django.utils.safestring import SafeString

from .cells import CellContext

Line = Sequence[tuple[datetime.date, int]]
_SPARK = (88, 22)
_CHART = (640, 190)
_LEFT, _BOTTOM, _TOP, _RIGHT = 48, 24, 10, 12


def sparkline(values: Sequence[int], words: str) -> SafeString:
    """A line as small as a word; `words` say what it shows."""
    width, height = _SPARK
    low, high = min(values), max(values)
    apart = (width - 4) / (len(values) - 1)
    points = [
        (2 + place * apart, height - 3 - (height - 6) * ((value - low) / (high - low or 1)))
        for place, value in enumerate(values)
    ]
    x, y = points[-1]
    return SafeString(
        f'<svg class="sparkline" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' role="img" aria-label="{escape(words)}"><title>{escape(words)}</title>'
        f'<polyline points="{_points(points)}"></polyline>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2"></circle></svg>'
    )


def lines(
    drawn: Mapping[str, Line],
    title: str,
    day: Callable[[datetime.date], str],
    context: CellContext,
) -> SafeString:
    """Lines over the same days, from zero; told apart by colour, dashes and a legend."""
    width, height = _CHART
    every = sorted({at for line in drawn.values() for at, _number in line})
    high = _ceiling(max(number for line in drawn.values() for _at, number in line))
    first, span = every[0].toordinal(), max(1, every[-1].toordinal() - every[0].toordinal())
    across, down = width - _LEFT - _RIGHT, height - _TOP - _BOTTOM

    def place(at: datetime.date, number: int) -> tuple[float, float]:
        x = _LEFT + across * (at.toordinal() - first) / span
        return x, _TOP + down * (1 - number / high)

    made = []
    for value in (0, high // 2, high):
        y = place(every[0], value)[1]
        made.append(
            f'<line class="chart-grid" x1="{_LEFT}" x2="{width - _RIGHT}" y1="{y:.1f}"'
            f' y2="{y:.1f}"></line><text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">'
            f"{context.number(value)}</text>"
        )
    ends = ((every[0], _LEFT, "start"), (every[-1], width - _RIGHT, "end"))
    made += [
        f'<text x="{x}" y="{height - 6}" text-anchor="{anchor}">{escape(day(at))}</text>'
        for at, x, anchor in ends
    ]
    made += [
        f'<polyline class="chart-{number}" points="{_points(place(*p) for p in line)}"></polyline>'
        for number, line in enumerate(drawn.values())
    ]
    legend = "".join(
        f'<li><svg class="chart" viewBox="0 0 24 8" width="24" height="8" aria-hidden="true">'
        f'<polyline class="chart-{number}" points="0,4 24,4"></polyline></svg>{escape(label)}</li>'
        for number, label in enumerate(drawn)
    )
    return SafeString(
        f'<figure class="chart-figure"><svg class="chart" viewBox="0 0 {width} {height}" role="img"'
        f' aria-label="{escape(title)}">{"".join(made)}</svg>'
        f'<figcaption><ul class="chart-legend">{legend}</ul></figcaption></figure>'
    )


def _points(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _ceiling(number: int) -> int:
    """The next even number that reads well: 4, 10, 20, 50, 100 …"""
    for power in range(12):
        for step in (2, 4, 10):
            if number <= step * 10**power:
                return step * 10**power
    return number
