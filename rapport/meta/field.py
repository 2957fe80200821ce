"""A field of an entity, computed from the model field and the declaration's hints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db import models
from django.utils.translation import get_language, override

from . import columns, options as lists
from .columns import Label
from .kinds import LINKS, TEXTS, Kind, Ref
from .options import Option


@dataclass(frozen=True, kw_only=True)
class Pointer:
    """A pointer declared over two columns, `<name>_entity` and `<name>_id`: any record of
    `targets` (every declared entity when empty). `on_delete`: 'cascade' or 'unlink'."""

    label: Label
    targets: tuple[str, ...] = ()
    on_delete: str = "cascade"
    required: bool = False


@dataclass(frozen=True, kw_only=True)
class Address:
    """An address shown as one value, made of the text fields `parts` (two lines or more)."""

    label: Label
    parts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Field:
    """What every surface knows of one field.

    `columns`: the database attributes that hold the value (none for an address, two for a
    pointer). `target`: the entity of a look-up; `targets`: those of a pointer. `shipped`: options
    in the code; `grows`: the name of the list when an organisation may add some.
    """

    name: str
    label: Label
    kind: Kind
    columns: tuple[str, ...]
    required: bool = False
    read_only: bool = False
    importable: bool = True
    max_length: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    shipped: tuple[Option, ...] = ()
    grows: str = ""
    labels: Mapping[str, Label] = field(default_factory=dict)
    default: Any = None
    target: str | None = None
    targets: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    on_delete: str = ""
    aliases: tuple[str, ...] = ()
    wire: str = ""
    unique: bool = False
    help: Label = ""

    @property
    def blank_value(self) -> Any:
        """What an empty value is: '' for texts, False for yes/no, else None."""
        if self.kind in TEXTS:
            return ""
        return False if self.kind is Kind.BOOLEAN else None

    @property
    def is_link(self) -> bool:
        """Whether the value is the id of one other record."""
        return self.kind in LINKS

    @property
    def column(self) -> str:
        """The single database attribute of a field that has one."""
        return self.columns[0]

    def ref(self, value: Any) -> Ref:
        """The record that the value of a look-up or pointer names."""
        return value if isinstance(value, Ref) else Ref(self.target or "", value)

    @property
    def options(self) -> tuple[Option, ...]:
        """The options that people may choose."""
        return self.shipped + lists.added(self.grows).offered if self.grows else self.shipped

    @property
    def option_by_value(self) -> dict[int, Option]:
        """Options by their value, with those that are not offered any more."""
        version = lists.version() if self.grows else 0
        if self._by_value[0] != version:
            known = self.shipped + lists.added(self.grows).known if self.grows else self.shipped
            # Replaced whole: another thread reads the old one or the new one.
            found = version, {option.value: option for option in known}
            object.__setattr__(self, "_by_value", found)
            return found[1]
        return self._by_value[1]

    def option_of(self, text: str) -> int | None:
        """The value of the option with this label, in the reader's language or in English, or
        with this number; None when there is none."""
        key = get_language() or "", lists.version() if self.grows else 0
        if key not in self._by_text:
            options = self.options
            found = {str(option.value): option.value for option in options}
            with override("en"):
                found |= {str(o.label).casefold(): o.value for o in options}
            found |= {str(option.label).casefold(): option.value for option in options}
            # Those of older versions are of no more use.
            for old in [kept for kept in list(self._by_text) if kept[1] != key[1]]:
                self._by_text.pop(old, None)
            self._by_text[key] = found
        return self._by_text[key].get(text.casefold())

    _by_value: tuple[int, dict[int, Option]] = field(
        default=(-1, {}), init=False, repr=False, compare=False
    )

    @cached_property
    def _by_text(self) -> dict[tuple[str, int], dict[str, int]]:
        return {}


# The more special types come first: a date-time is a date, an e-mail is a text.
_KINDS: tuple[tuple[type[models.Field[Any, Any]], Kind], ...] = (
    (columns.EmailColumn, Kind.EMAIL),
    (columns.PhoneColumn, Kind.PHONE),
    (columns.UrlColumn, Kind.URL),
    (models.DateTimeField, Kind.DATETIME),
    (models.DateField, Kind.DATE),
    (models.BooleanField, Kind.BOOLEAN),
    (models.DecimalField, Kind.MONEY),
    (models.IntegerField, Kind.NUMBER),
    (models.TextField, Kind.LONG_TEXT),
    (models.CharField, Kind.TEXT),
)


def kind_of(column: models.Field[Any, Any]) -> Kind:
    """The kind that a model field's type says. TypeError for a type without one."""
    if isinstance(column, columns.ChoiceColumn):
        return Kind.STATE if column.name in {"state", "status"} else Kind.CHOICE
    if isinstance(column, models.ForeignKey):
        return Kind.OWNER if _leads_to_principals(column) else Kind.LOOKUP
    for type_, kind in _KINDS:
        if isinstance(column, type_):
            return kind
    raise TypeError(f"{column}: no kind for {type(column).__name__}")


def _leads_to_principals(column: models.Field[Any, Any]) -> bool:
    """Owners are users or teams: a table that says so by its `kind`, not an entity of its own."""
    model = column.related_model
    return model is not None and getattr(model, "IS_PRINCIPAL", False)
