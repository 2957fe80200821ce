"""Rows into PostgreSQL by COPY, in its text format; also while we go on with what comes next."""

from __future__ import annotations

import datetime
import json
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal
from types import NoneType
from typing import Any

from django.db import connection

from .adapted import Column, Prepared, Same


def copy(
    table: str,
    quoted: Sequence[str],
    columns: Sequence[Column],
    count: int,
    ready: Prepared | None = None,
) -> None:
    """COPY in its text format, made here column by column: what all rows share comes last, and is
    written once."""
    named = list(zip(quoted, columns, strict=True))
    varying = [(name, texts(column)) for name, column in named if not isinstance(column, Same)]
    # No column of ours has another default than NULL.
    shared = [
        (name, column.value)
        for name, column in named
        if isinstance(column, Same) and column.value is not None
    ]
    end = "\t".join(_text(value) for _name, value in shared) + "\n"
    if ready:
        varying.append(ready)
    if varying:
        parts = [part for _name, part in varying]
        between = "\t" + end if shared else end
        lines = between.join(map("\t".join, zip(*parts, strict=True))) + between
    else:
        lines = end * count
    copy_lines(table, ", ".join(name for name, _column in (*varying, *shared)), lines)


def copy_lines(table: str, into: str, lines: str | bytes) -> None:
    sql = f"COPY {table} ({into}) FROM STDIN"
    if (line := _beside.get()) is not None:
        line.copy(sql, lines)
        return
    with connection.cursor() as cursor, cursor.copy(sql) as copy:
        copy.write(lines)


def texts(values: Sequence[Any]) -> Iterable[str]:
    """Values (as `adapted.encode_column` leaves them) as they stand in a line."""
    types = set(map(type, values))
    if types <= {str, NoneType}:
        # All at once: no text that can be stored has a zero in it.
        whole = "\x00".join([value for value in values if value is not None])
        if _SPECIAL.search(whole):
            for character, told in _ESCAPED.items():
                whole = whole.replace(character, told)
        found = whole.split("\x00")
        if types == {str} and len(found) == len(values):
            return found
        if NoneType in types and len(found) == len(values) - values.count(None):
            rest = iter(found)
            return ["\\N" if value is None else next(rest) for value in values]
    elif types == {int}:
        return map(str, values)
    return [_text(value) for value in values]


def _text(value: Any) -> str:
    if value is None:
        return "\\N"
    if value is True or value is False:
        return "t" if value else "f"
    if isinstance(value, str):
        return _SPECIAL.sub(lambda found: _ESCAPED[found[0]], value)
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat()
    if isinstance(value, int | float | Decimal | uuid.UUID):
        return str(value)
    # JSON comes wrapped by the adapter.
    return _SPECIAL.sub(lambda found: _ESCAPED[found[0]], (value.dumps or json.dumps)(value.obj))


_SPECIAL = re.compile(r"[\\\n\r\t\b\f\v]")
_ESCAPED = {
    "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f", "\v": "\\v",
}  # fmt: skip


class _Line:
    """COPYs that a thread does one after the other, on the connection that is ours."""

    def __init__(self, native: Any) -> None:
        self._native = native
        self._thread = ThreadPoolExecutor(1)
        self._going: list[Future[None]] = []

    def copy(self, sql: str, lines: str | bytes) -> None:
        """Let it follow those before."""
        self._going.append(self._thread.submit(self._copy, sql, lines))

    def _copy(self, sql: str, lines: str | bytes) -> None:
        with self._native.cursor() as cursor, cursor.copy(sql) as copy:
            copy.write(lines)

    def wait(self) -> None:
        """Until all are done. What went wrong with one is raised here."""
        going, self._going = self._going, []
        wait(going)
        for one in going:
            one.result()

    def first(self, execute: Callable[..., Any], *args: Any) -> Any:
        """Any other statement waits for them."""
        self.wait()
        return execute(*args)

    def end(self) -> None:
        self._thread.shutdown(cancel_futures=True)


_beside: ContextVar[_Line | None] = ContextVar("beside", default=None)


@contextmanager
def beside() -> Iterator[bool]:
    """PostgreSQL takes what is inserted inside while we go on with what comes next; whether it
    does. Any other statement waits for it, and so does the end. No thread is left behind."""
    if connection.vendor != "postgresql":
        yield False
        return
    line = _Line(connection.connection)
    token = _beside.set(line)
    try:
        with connection.execute_wrapper(line.first):
            yield True
        line.wait()
    finally:
        _beside.reset(token)
        line.end()


def is_beside() -> bool:
    """Whether we are inside `beside`, where everything goes by COPY."""
    return _beside.get() is not None
