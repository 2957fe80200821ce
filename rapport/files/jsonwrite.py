"""JSON lines: one object on each line, numbers and yes/no as what they are, moments in UTC."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from json.encoder import encode_basestring as quoted
from math import isfinite
from typing import IO

from rapport.files.celltext import text_of
from rapport.files.column import ByColumns, Column, Value


class JsonWriter(ByColumns):
    """For programs: every line has the same keys, a blank is null."""

    def __init__(self, stream: IO[bytes], columns: Sequence[Column]) -> None:
        self._stream = stream
        # Of two values with one key readers would see the last alone.
        seen: Counter[str] = Counter()
        self._keys = []
        for column in columns:
            seen[column.name] += 1
            number = f" ({seen[column.name]})" if seen[column.name] > 1 else ""
            self._keys.append(f"{quoted(column.name + number)}: ")

    def write_columns(self, columns: Sequence[Sequence[Value]]) -> None:
        made = [
            [f"{key}{text}" for text in _texts(values)]
            for key, values in zip(self._keys, columns, strict=True)
        ]
        lines = "}\n{".join(map(", ".join, zip(*made, strict=True)))
        if made[0]:
            self._stream.write(f"{{{lines}}}\n".encode("utf-8", "backslashreplace"))

    def close(self) -> None:
        """The stream belongs to the caller."""


def _texts(values: Sequence[Value]) -> list[str]:
    if set(map(type, values)) <= {str, type(None)}:
        return [quoted(value) if value else "null" for value in values]  # type: ignore[arg-type]
    return [_text(value) for value in values]


def _text(value: Value) -> str:
    if value is None or value == "":
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value) if isfinite(value) else "null"
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() else "null"
    if isinstance(value, datetime):
        return quoted((value.astimezone(UTC) if value.tzinfo else value).isoformat())
    return quoted(text_of(value))
