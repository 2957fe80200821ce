"""Where the records of a JSON document stand that is one object: in a list somewhere inside, by
their keys, in columns, or in itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeGuard

from rapport.files.refusal import FileRefused, gettext_noop

# What web services call the list of what was asked for, whatever is in it …
_ASKED_FOR = {"value", "results", "data", "records", "items", "rows"}
_WRAPPERS = _ASKED_FOR | {"contacts"}
# … and what they say of an answer.
_ABOUT = frozenset(
    "status type kind object message code next previous first last self version format query sort "
    "order etag cursor timestamp generated".split()
)
# Lists that belong to one record.
_PARTS = frozenset(
    "phone phones phonenumber phonenumbers email emails emailaddress emailaddresses address "
    "addresses url urls website websites link links tag tags label labels note notes name names "
    "im ims photo photos date dates birthday birthdays event events relation relations "
    "organization organizations socialprofiles socials customfields fields attachments children "
    "errors".split()
)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_PUNCTUATION = re.compile(r"[\W_]+")
# Of so few texts none is a record, but something about an answer.
_FEW = 3
# Answers stand in one another no deeper than that; so many rows tell what all have.
_DEEP, _LOOK_AT = 4, 50
# Keys that no field is called by: numbers and ids, addresses, whole names.
_KEY = re.compile(r".*[\d@\s]")
# So many objects alike are records, whatever their keys are.
_MANY = 10

Rows = list[dict[str, Any]]


class _List(NamedTuple):
    """A list of objects: its key, its path, and how many texts stand beside it on the way there."""

    key: str
    path: str
    rows: Rows
    told: int

    @property
    def is_asked_for(self) -> bool:
        """Whether it is what an answer is about, and no part of a record."""
        names = {name for row in self.rows[:_LOOK_AT] for name in row}
        return self.key in _WRAPPERS or (
            _plain(self.key) not in _PARTS and self.told < _FEW and len(names) > self.told
        )


def is_table(value: object) -> TypeGuard[Rows]:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def inside(found: dict[str, Any]) -> Rows | list[list[Any]] | None:
    """The records in an object, or a list of lists of which the first has their names; None when it
    is one record itself. Raises FileRefused when there are several lists."""
    if columns := _by_columns(found):
        return columns
    lists = [one for one in _lists(found) if one.is_asked_for]
    if len(lists) > 1 and len(named := [one for one in lists if one.key in _ASKED_FOR]) == 1:
        lists = named
    if len(lists) > 1 and not any(one.told for one in lists):
        raise FileRefused(
            "json-lists",
            gettext_noop("This JSON document holds several lists: %(names)s."),
            gettext_noop("Save each as a file of its own; packed as .zip they are one import."),
            names=", ".join(one.path for one in lists)[:200],
        )
    return lists[0].rows if len(lists) == 1 else _by_key(found)


def _lists(found: dict[str, Any], path: str = "", told: int = 0, depth: int = 0) -> Iterator[_List]:
    told += sum(_says(key, value) for key, value in found.items())
    for key, value in found.items():
        if is_table(value):
            yield _List(key, f"{path}{key}", value, told)
        elif isinstance(value, dict) and depth < _DEEP:
            yield from _lists(value, f"{path}{key}/", told, depth + 1)


def _says(key: str, value: object) -> bool:
    """Whether a field of a record stands there, and nothing about an answer."""
    return (
        isinstance(value, str)
        and bool(value)
        and key[:1] not in {"@", "_", "$"}
        and _plain(key) not in _ABOUT
        and "://" not in value
        and not _NUMBER.fullmatch(value)
    )


def _plain(key: str) -> str:
    return _PUNCTUATION.sub("", key).lower()


def _by_columns(found: dict[str, Any]) -> Rows | list[list[Any]] | None:
    """Rows of a table that is written column by column, or whose names stand beside its rows, as
    programs for statistics do."""
    names, rows = found.get("columns"), found.get("data")
    if isinstance(names, list) and isinstance(rows, list) and _are_lists([names, *rows]):
        return [names, *rows]
    values = list(found.values())
    if len(values) < 2:
        return None
    if all(isinstance(one, dict) and one for one in values):
        numbers = list(values[0])
        if all(map(str.isdecimal, numbers)) and not any(map(str.isdecimal, found)):
            same = all(list(one) == numbers for one in values)
            return [{n: found[n][at] for n in found} for at in numbers] if same else None
    elif _are_lists(values) and len({len(one) for one in values}) == 1 and len(values[0]) > 1:
        return [dict(zip(found, row, strict=True)) for row in zip(*values, strict=True)]
    return None


def _are_lists(values: list[Any]) -> bool:
    """Whether these are lists of nothing but plain values."""
    return all(
        isinstance(one, list) and not any(isinstance(cell, dict | list) for cell in one)
        for one in values
    )


def _by_key(found: dict[str, Any]) -> Rows | None:
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
