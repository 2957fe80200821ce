"""JSON: one object a line, objects one after another, or a document that is or holds a list."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeGuard

from rapport.files.canonical import Columns, Converted, Sink, marked
from rapport.files.limits import LIMITS
from rapport.files.refusal import FileRefused, damaged, empty, gettext_noop
from rapport.files.textstream import lines, open_text, show_bytes

_DEPTH = 40
# Lists and objects in one another: far below the depth at which Python gives up.
_NESTED = 300
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
# What web services call the list of what was asked for.
_WRAPPERS = {"value", "results", "data", "records", "items", "rows", "contacts"}
# Keys that no field is called by: numbers and ids, addresses, whole names.
_KEY = re.compile(r".*[\d@\s]")
# So many objects alike are records, whatever their keys are.
_MANY = 10
_NOT_BLANK = re.compile(r"\S")
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
_NO_BRACKET = re.compile(r"[^\[\]{}]+")


def convert(path: Path, encoding: str, target: Path) -> Converted:
    columns = Columns()
    sink = Sink(target)
    try:
        if _by_lines(path, encoding):
            _read_lines(path, encoding, columns, sink)
        else:
            for found in _document(path, encoding):
                sink.add(columns.row(_flat("", found)))
    finally:
        sink.close()
    if not columns.names:
        raise empty()
    return sink.converted(columns=columns.names)


def _by_lines(path: Path, encoding: str) -> bool:
    """Whether a line of the file is an object of its own: the first that is not blank tells,
    unless it is the only one and an answer of a web service, or has records by their keys."""
    with open_text(path, encoding) as stream:
        filled = (line for line in lines(stream) if line.strip())
        first, second = next(filled, ""), next(filled, "")
    found = _parsed(first)
    return isinstance(found, dict) and bool(second or not _holds_more(found))


def _holds_more(found: dict[str, Any]) -> bool:
    return bool(_WRAPPERS & set(found)) or _by_key(found) is not None


def _read_lines(path: Path, encoding: str, columns: Columns, sink: Sink) -> None:
    with open_text(path, encoding) as stream:
        for line in lines(stream):
            text, unreadable = show_bytes(line)
            found = _parsed(text) if text.strip() and not unreadable else None
            if isinstance(found, dict):
                sink.add(columns.row(_flat("", found)))
            elif not text.strip():
                sink.add(())
            else:
                # Shown in the first column, so that the line is neither lost nor read.
                sink.marked = True
                sink.add([marked("line", text.strip())])


def _document(path: Path, encoding: str) -> list[dict[str, Any]]:
    if path.stat().st_size > LIMITS.json_whole:
        raise FileRefused(
            "json-too-large",
            gettext_noop("This JSON document is too large to be read as a whole."),
            gettext_noop("Write it as JSON lines: one object on each line."),
        )
    with open_text(path, encoding) as stream:
        text, unreadable = show_bytes("".join(lines(stream)))
    found = None if unreadable else _parsed(text) or _one_after_another(text)
    if isinstance(found, dict):
        # An answer of a web service: the one list of objects inside is what is meant.
        lists = [value for value in found.values() if _is_table(value)]
        found = lists[0] if len(lists) == 1 else _by_key(found) or [found]
    if not _is_table(found):
        found = _named(found)
    return found


def _named(found: object) -> list[dict[str, Any]]:
    """A list of lists, of which the first holds the names, as objects."""
    rows = found if isinstance(found, list) else []
    if len(rows) < 2 or not all(isinstance(row, list) for row in rows):
        raise damaged("JSON")
    names = [_text(name) or f"Column {place}" for place, name in enumerate(rows[0], 1)]
    if not names or len(set(names)) < len(names) or max(map(len, rows)) > len(names):
        raise damaged("JSON")
    return [dict(zip(names, row, strict=False)) for row in rows[1:]]


def _by_key(found: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Objects alike by the keys of their records, as databases of documents export them, also where
    one name stands above them; None when it is one record, of which some fields are objects."""
    if len(found) == 1 and isinstance(inner := next(iter(found.values())), dict):
        below = _by_key(inner)
        if below is not None:
            return below
    values = list(found.values())
    if not all(isinstance(value, dict) and value for value in values):
        return None
    names = Counter(name for value in values for name in value)
    common = {name for name, number in names.items() if number * 2 > len(values)}
    of_all = sum(names.values())
    are_alike = bool(common) and sum(names[name] for name in common) * 2 >= of_all
    has_keys = all(map(_KEY.match, found)) or (len(values) >= _MANY and "value" not in common)
    if not are_alike or not has_keys:
        return None
    column = "key"
    while column in names:
        column = f"_{column}"
    return [{column: key, **value} for key, value in found.items()]


def _is_table(value: object) -> TypeGuard[list[dict[str, Any]]]:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _one_after_another(text: str) -> list[object]:
    """Documents of several lines each without a list around them; none if it is anything else."""
    if nests_too_deep(text):
        return []
    found: list[object] = []
    at = 0
    try:
        while begins := _NOT_BLANK.search(text, at):
            value, at = _DECODER.raw_decode(text, begins.start())
            found.append(value)
    except ValueError:
        return []
    return found


def _parsed(text: str) -> object:
    """Numbers stay as they are written: 007 is no JSON, but 1.50 and 12345678901234567890 are."""
    if nests_too_deep(text):
        return None
    try:
        return _DECODER.decode(text)
    except ValueError:
        return None


def nests_too_deep(text: str) -> bool:
    """Whether lists and objects stand in one another so deep that the parser would run out of
    stack, where anything else that runs meanwhile fails as well."""
    if text.count("[") + text.count("{") <= _NESTED:
        return False
    brackets = _NO_BRACKET.sub("", _STRING.sub("", text))
    for _ in range(_NESTED):
        fewer = brackets.replace("[]", "").replace("{}", "")
        if not fewer or fewer == brackets:
            # What does not pair is refused by the parser, which may go as deep as it is long.
            return len(fewer) > _NESTED
        brackets = fewer
    return True


def _flat(prefix: str, value: object, depth: int = 0) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and depth < _DEPTH:
        for key, inner in value.items():
            yield from _flat(f"{prefix}/{key}" if prefix else str(key), inner, depth + 1)
    elif isinstance(value, list) and any(isinstance(inner, dict | list) for inner in value):
        for inner in value:
            yield from _flat(prefix, inner, depth + 1) if depth < _DEPTH else [(prefix, str(inner))]
    elif isinstance(value, list):
        yield prefix, "; ".join(_text(inner) for inner in value)
    else:
        yield prefix, _text(value)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value).replace("\0", "␀")
