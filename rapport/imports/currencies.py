"""Currencies that stand beside amounts in their cells: “USD 12,000”, “€ 500”. They are those of the
records, where no column says it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _

from rapport.meta.entity import Entity
from rapport.meta.folding import fold
from rapport.meta.kinds import Kind
from rapport.models.account import default_currency

from .choicewords import CODES, CURRENCIES
from .mapping import Mapping
from .samples import values_of

FIELD = "currency"
_CALLED = {
    **{fold(code): code for code in CODES},
    **{fold(name): code for code, names in CURRENCIES.items() for name in names.split("|")},
    "dollar": "$", "dollars": "$", "$": "$", "¥": "¥",
}  # fmt: skip
# Dollars that are called so at home, and everywhere else the American one.
_DOLLARS = frozenset({"USD", "CAD", "AUD", "NZD", "SGD", "HKD"})
_WORDS = "|".join(sorted(map(re.escape, _CALLED), key=len, reverse=True))
# “TEUR” are thousands of them. A letter beside a word makes it another word.
_NAMED = re.compile(rf"(?:(?<![^\W\d_])[tk]?(?:{_WORDS})(?![^\W\d_])|[$€£¥₹₺₽₩₪₴])")
_PLAIN = re.compile(r"[\d.,\s'’+-]*")


def code_of(text: str, home: str) -> str:
    """The currency that an amount names, '' when none. `home`: the one of the installation, whose
    dollar a plain one is."""
    found = _NAMED.search(fold(text))
    if found is None:
        return ""
    word = found[0]
    code = _CALLED.get(word) or _CALLED[word[1:]]
    if code == "$":
        return home if home in _DOLLARS else "USD"
    if code == "¥":
        return "CNY" if home == "CNY" else "JPY"
    return code


def amounts(mapping: Mapping) -> dict[int, str]:
    """{column: field} of the amounts of which only their cells may say the currency."""
    if FIELD not in mapping.entity.fields or FIELD in {*mapping.fields, *mapping.constants}:
        return {}
    return {
        index: target.field
        for index, target in mapping.columns.items()
        if _is_amount(mapping.entity, target.field)
    }


def _is_amount(entity: Entity, name: str) -> bool:
    return name in entity.fields and entity.fields[name].kind is Kind.MONEY


def said(cells: Sequence[str]) -> dict[int, str]:
    """{place: code} of the cells that name a currency."""
    if _PLAIN.fullmatch("".join(cells)):
        return {}
    home = default_currency()
    known = {cell: code_of(cell, home) for cell in {*cells} if not _PLAIN.fullmatch(cell)}
    return {place: known[cell] for place, cell in enumerate(cells) if known.get(cell)}


def notes(
    mapping: Mapping, columns: Sequence[str], sample: Sequence[Sequence[str]]
) -> Iterable[str]:
    """What is to be said of columns whose amounts name other currencies than ours."""
    whole = [amounts(mapping), *(amounts(mapping.part(one)) for one in mapping.filled_parts)]
    text = _("“%(column)s” names currencies, which become those of the records: %(codes)s.")
    for index in sorted(index for found in whole for index in found):
        codes = sorted(set(said(values_of(sample, index)).values()))
        if codes and codes != [default_currency()]:
            yield text % {"column": columns[index], "codes": ", ".join(codes)}
