"""Keeping what the data was like. Figures are not journalled: nobody undoes a count."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from rapport.models import QualityFigure
from rapport.queries.quality import Figure


def keep(figures: Iterable[Figure], day: datetime.date) -> None:
    """Remember `figures` as those of `day`, in the place of earlier ones of that day."""
    QualityFigure.objects.bulk_create(
        [
            QualityFigure(
                day=day, entity=f.entity, measure=f.measure, number=f.number, total=f.total
            )
            for f in figures
        ],
        update_conflicts=True,
        unique_fields=["day", "entity", "measure"],
        update_fields=["number", "total"],
    )
