"""Records as vCards: which field is which property, by entity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from rapport.files.column import ByColumns, Value
from rapport.files.vcardwrite import Line, card
from rapport.meta.entity import Entity

Record = Mapping[str, Any]
# In the order in which a card has them.
_NAMES = ("last_name", "first_name", "middle_name", "salutation", "suffix")
_PLACES = ("city", "state_or_province", "postal_code", "country")


@dataclass(frozen=True, kw_only=True)
class Property:
    """A property of a card, made of `fields`. `parts`: each is a part of its value; else they are
    one value. `own`: it says which field it is, because its name and types alone do not."""

    name: str
    fields: tuple[str, ...]
    types: tuple[str, ...] = ()
    own: bool = False

    def line(self, record: Record) -> Line:
        """The property of `record`."""
        values = tuple((_text(record[name]),) for name in self.fields)
        return Line(
            name=self.name,
            values=values,
            types=self.types,
            ours=self.fields[0] if self.own else "",
        )


@dataclass(frozen=True, kw_only=True)
class Address(Property):
    """A postal address: three lines of the street are one part."""

    name: str = "ADR"

    def line(self, record: Record) -> Line:
        prefix = self.fields[0].partition("_")[0]
        street = [_text(record[f"{prefix}_line{number}"]) for number in (1, 2, 3)]
        while street and not street[-1]:
            street.pop()
        rest = tuple((_text(record[f"{prefix}_{place}"]),) for place in _PLACES)
        return Line(
            name=self.name, values=((), (), tuple(street), *rest), types=self.types, ours=prefix
        )


def _address(prefix: str, *types: str) -> Address:
    lines = (f"{prefix}_line{number}" for number in (1, 2, 3))
    return Address(fields=(*lines, *(f"{prefix}_{place}" for place in _PLACES)), types=types)


def _own(name: str, field: str, *types: str) -> Property:
    return Property(name=name, fields=(field,), types=types, own=True)


# A new entity with cards is a new line here.
CARDS: dict[str, tuple[Property, ...]] = {
    "contact": (
        Property(name="N", fields=_NAMES),
        Property(name="FN", fields=("full_name",)),
        _own("NICKNAME", "nickname"),
        Property(name="ORG", fields=("account", "department")),
        _own("TITLE", "job_title"),
        _own("EMAIL", "email", "INTERNET", "PREF"),
        _own("EMAIL", "email2", "INTERNET"),
        _own("EMAIL", "email3", "INTERNET"),
        _own("TEL", "business_phone", "WORK", "VOICE"),
        _own("TEL", "business_phone2", "WORK", "VOICE"),
        _own("TEL", "mobile_phone", "CELL", "VOICE"),
        _own("TEL", "home_phone", "HOME", "VOICE"),
        _own("TEL", "phone3", "VOICE"),
        _own("TEL", "fax", "WORK", "FAX"),
        _address("address1", "WORK"),
        _address("address2", "HOME"),
        _own("URL", "website"),
        _own("BDAY", "birthday"),
        _own("X-ANNIVERSARY", "anniversary"),
        _own("X-SPOUSE", "spouse_name"),
        _own("X-MANAGER", "manager_name"),
        _own("X-ASSISTANT", "assistant_name"),
        _own("NOTE", "description"),
    ),
}  # fmt: skip


def fields(entity: Entity) -> tuple[str, ...]:
    """The fields that stand on a card, none when there are no cards of `entity`."""
    found = (name for made in CARDS.get(entity.name, ()) for name in made.fields)
    return tuple(dict.fromkeys(found))


class CardWriter(ByColumns):
    """Cards out of a table whose first columns are the record's id and the moment of its last
    change, and whose others are the fields `names`; what is not among them is on no card.
    `own_column`: the header of the ids."""

    def __init__(
        self, stream: IO[bytes], entity: Entity, names: Sequence[str], *, own_column: str
    ) -> None:
        self._stream = stream
        self._names = names
        self._blank: dict[str, Value] = dict.fromkeys(fields(entity))
        self._properties = CARDS[entity.name]
        self._own_column = own_column

    def write_columns(self, columns: Sequence[Sequence[Value]]) -> None:
        ids, changed, *values = columns
        for id_, moment, *row in zip(ids, changed, *values, strict=True):
            record = self._blank | dict(zip(self._names, row, strict=True))
            self._stream.write(card(self._lines(str(id_), str(moment), record)))

    def close(self) -> None:
        """The stream belongs to the caller."""

    def _lines(self, id_: str, moment: str, record: Record) -> list[Line]:
        return [
            Line(name="X-RECORD", values=((id_,),), ours=self._own_column),
            *(made.line(record) for made in self._properties),
            Line(name="REV", values=((moment,),)),
            Line(name="UID", values=((f"urn:uuid:{id_}",),)),
        ]


def _text(value: Value) -> str:
    return "" if value is None else str(value)
