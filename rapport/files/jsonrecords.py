"""JSON: one object a line, objects one after another, or a document that is or holds a list."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rapport.files import jsonshapes
from rapport.files.canonical import Columns, Converted, Sink, marked
from rapport.files.limits import LIMITS
from rapport.files.refusal import FileRefused, damaged, empty, gettext_noop
from rapport.files.textstream import lines, open_text, show_bytes

_DEPTH = 40
# Lists and objects in one another: far below the depth at which Python gives up.
_NESTED = 300
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
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
    return isinstance(found, dict) and bool(second or jsonshapes.inside(found) is None)


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
    found = None if unreadable else _parsed(text)
    if found == []:
        raise empty()
    if found is None and not unreadable:
        found = _one_after_another(text)
    if isinstance(found, dict):
        found = jsonshapes.inside(found) or [found]
    return found if jsonshapes.is_table(found) else _named(found)


def _named(found: object) -> list[dict[str, Any]]:
    """A list of lists, of which the first holds the names, as objects."""
    rows = found if isinstance(found, list) else []
    if len(rows) < 2 or not all(isinstance(row, list) for row in rows):
        raise damaged("JSON")
    names = [_text(name) or f"Column {place}" for place, name in enumerate(rows[0], 1)]
    if not names or len(set(names)) < len(names) or max(map(len, rows)) > len(names):
        raise damaged("JSON")
    return [dict(zip(names, row, strict=False)) for row in rows[1:]]


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
