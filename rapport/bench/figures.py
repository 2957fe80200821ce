"""A figure: what was measured, what the raw limit was in the same run, what it should be."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """`value` in `unit`; `limit`: the same by raw SQL (None when there is none); `goal` as text;
    `ok`: whether it holds, None for a figure that is only shown."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    goal: str = ""
    ok: bool | None = None


def at_most(name: str, value: float, goal: float, unit: str, limit: float | None = None) -> Figure:
    """A figure that should be small."""
    return Figure(
        name=name, value=value, unit=unit, limit=limit, goal=f"<= {goal:g}", ok=value <= goal
    )


def at_least(name: str, value: float, goal: float, unit: str, limit: float | None = None) -> Figure:
    """A figure that should be large."""
    return Figure(
        name=name, value=value, unit=unit, limit=limit, goal=f">= {goal:g}", ok=value >= goal
    )


def shown(name: str, value: float, unit: str, limit: float | None = None) -> Figure:
    """A figure without a goal."""
    return Figure(name=name, value=value, unit=unit, limit=limit)


def as_json(figures: Sequence[Figure]) -> str:
    """All figures as one JSON list."""
    rounded = [
        {k: round(v, 3) if isinstance(v, float) else v for k, v in asdict(figure).items()}
        for figure in figures
    ]
    return json.dumps(rounded, indent=1)


def as_line(figure: Figure) -> str:
    """One line for people."""
    limit = "" if figure.limit is None else f"limit {figure.limit:,.1f}"
    verdict = {True: "ok", False: "MISSED", None: ""}[figure.ok]
    return (
        f"{figure.name:<58} {figure.value:>10,.1f} {figure.unit:<10} {figure.goal:>8}"
        f"  {verdict:<7}{limit}"
    ).rstrip()
