"""The ids of the records that rows become."""

from __future__ import annotations

import uuid

from rapport.duplicates import fresh
from rapport.meta.ids import new_id

# Rows of one import may have numbers below this; see `Ids`.
_ROWS = 1 << fresh.ROWS


class Ids:
    """The ids of the records that one plan makes: one after another, so that a row gets the same id
    whenever it is judged, and what the import itself has made is known by its id."""

    def __init__(self, plan: uuid.UUID) -> None:
        self._base = plan.int & ~(_ROWS - 1)

    def of(self, row: int) -> uuid.UUID:
        """The id of the record that `row` becomes."""
        return uuid.UUID(int=self._base | row) if row < _ROWS else new_id()

    def hex_of(self, row: int) -> str:
        """The same as hexadecimal digits."""
        return f"{self._base | row:032x}" if row < _ROWS else new_id().hex

    @property
    def ends(self) -> tuple[uuid.UUID, uuid.UUID]:
        """The first and the last."""
        return uuid.UUID(int=self._base), uuid.UUID(int=self._base | (_ROWS - 1))
