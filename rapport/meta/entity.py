"""`Entity`: the one declaration of a thing that people keep records of."""

from __future__ import annotations

import dataclasses
import datetime
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db import models

from .columns import Label
from .field import Address, Field, Pointer, kind_of
from .kinds import Kind
from .options import Option
from .states import States

# Fields that every record has and that no person writes.
SYSTEM = ("created_at", "created_by", "modified_at", "modified_by", "owning_unit")
# Columns that are derived from others or serve the machinery: not fields.
HIDDEN = frozenset({"id", "version", "sort_name", "search_text", "password", "last_login"})

Values = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Section:
    """A titled group of fields on the record page and its form; `tab` 'summary' or 'details'."""

    label: Label
    fields: tuple[str, ...]
    tab: str = "summary"


@dataclass(frozen=True, kw_only=True)
class Related:
    """A list of other records on the record page: those of `entity` whose `field` is this one.
    `prefill`: more values for "New" ({their field: our field})."""

    label: Label
    entity: str
    field: str
    columns: tuple[str, ...] = ()
    prefill: Mapping[str, str] = dataclasses.field(default_factory=dict)
    where: tuple[tuple[str, str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True)
class View:
    """A system view. `where`: conditions (field, operator, value), all of which hold; operators
    and relative values are those of `queries.query`. `order`: field names, '-' for descending."""

    key: str
    label: Label
    where: tuple[tuple[str, str, Any], ...] = ()
    columns: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    default: bool = False


@dataclass(frozen=True, kw_only=True)
class Command:
    """An own verb of an entity, on the record page and, when `bulk`, on its list.

    `run(ids, *, by, **form)` is the action; `when(row)` says whether the button shows for a
    record; `form`: name of a dialog that the hub knows; `choices`: a menu of (value, label) whose
    pick arrives as `choice`. `verb`: the right that it needs. `form` dialogs answer by themselves.
    `separate`: each record is an operation of its own, also in bulk.
    """

    key: str
    label: Label
    icon: str
    run: Callable[..., Any]
    when: Callable[[Any], bool] = lambda _record: True
    form: str = ""
    choices: tuple[tuple[int, Label], ...] = ()
    bulk: bool = False
    primary: bool = False
    separate: bool = False
    verb: str = "write"


def _nothing_derived(_values: Mapping[str, Any]) -> Values:
    return {}


@dataclass(frozen=True, kw_only=True, eq=False)
class Entity:
    """One kind of record: a model plus what the model cannot know.

    title: the field that names a record. columns: of a list, by default. sections: of the page
    and the form. quick: fields of the quick-create form. important: what each record
    should have filled (default: title and quick fields). facts: header of the page. cards: look-ups
    whose record stands on the page as a card. search: fields
    that search looks into (may be `link.field`). duplicates: groups of fields that make two records
    the same; duplicates_otherwise: such groups for records that have none of those. numbers:
    text fields by which other programs and people know a record. scope: fixed
    column values when several entities share a table. pointers, addresses: composite fields.
    hierarchy: the look-up to itself that must not form a circle. ownership: 'user', 'organisation'
    or 'parent' (then `parent` is the look-up or pointer that leads to it).
    menu: group of the site map that leads to its list. principal: its records can own others.
    mergeable: several records may become one. spare: {field or address: where a second value of it
    may go, in this order}.
    derive(values) -> stored derived columns, pure, per row; derived_from: all fields that it looks
    at. prepare(rows, by, now) fills in and checks rows before they are written; rows are `Draft`s,
    some with errors already (see `Draft.lacks`), and it may query.
    """

    model: type[models.Model]
    name: str
    label: Label
    label_plural: Label
    icon: str
    title: str
    columns: tuple[str, ...]
    sections: tuple[Section, ...]
    quick: tuple[str, ...] = ()
    important: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    cards: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    duplicates: tuple[tuple[str, ...], ...] = ()
    duplicates_otherwise: tuple[tuple[str, ...], ...] = ()
    numbers: tuple[str, ...] = ()
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    wire: Mapping[str, str] = field(default_factory=dict)
    wire_name: str = ""
    wire_set: str = ""
    code: int = 0
    views: tuple[View, ...] = ()
    related: tuple[Related, ...] = ()
    commands: tuple[Command, ...] = ()
    pointers: Mapping[str, Pointer] = field(default_factory=dict)
    addresses: Mapping[str, Address] = field(default_factory=dict)
    scope: Mapping[str, Any] = field(default_factory=dict)
    ownership: str = "user"
    parent: str = ""
    hierarchy: str = ""
    read_only: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    not_importable: frozenset[str] = frozenset()
    importable: bool = True
    in_hub: bool = True
    menu: Label = ""
    creatable: bool = True
    deletable: bool = True
    principal: bool = False
    in_search: bool = True
    activity: bool = False
    has_timeline: bool = False
    mergeable: bool = False
    spare: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    maps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    derive: Callable[[Mapping[str, Any]], Values] = _nothing_derived
    derived_from: tuple[str, ...] = ()
    prepare: Callable[[Sequence[Draft], Any, datetime.datetime], None] | None = None

    def __repr__(self) -> str:
        return f"<Entity {self.name}>"

    @property
    def states(self) -> States:
        """The state machine, from the model."""
        return self.model.STATES  # type: ignore[attr-defined,no-any-return]

    @property
    def table(self) -> str:
        """Name of the database table."""
        return self.model._meta.db_table

    @property
    def search_table(self) -> str:
        """Name of the table beside it that is the search index: record and text."""
        return f"{self.table}_search"

    def records(self) -> models.QuerySet[Any]:
        """All rows of this entity, whoever asks: for `access`, `queries` and `actions` only."""
        return self.model._default_manager.filter(**self.scope)

    @cached_property
    def fields(self) -> dict[str, Field]:
        """Every field by name: the model's own, pointers and addresses."""
        found: dict[str, Field] = {}
        composite = {f"{name}_{part}" for name in self.pointers for part in ("entity", "id")}
        for column in self.model._meta.concrete_fields:
            if column.name in HIDDEN | composite | self.hidden or column.name in self.scope:
                continue
            found[column.name] = self._from_column(column)
        for name, pointer in self.pointers.items():
            found[name] = Field(
                name=name,
                label=pointer.label,
                kind=Kind.POINTER,
                columns=(f"{name}_entity", f"{name}_id"),
                targets=pointer.targets,
                required=pointer.required,
                on_delete=pointer.on_delete,
                read_only=name in self.read_only,
                importable=name not in self.not_importable,
                wire=self.wire.get(name, ""),
                aliases=self.aliases.get(name, ()),
            )
        for name, address in self.addresses.items():
            found[name] = Field(
                name=name,
                label=address.label,
                kind=Kind.ADDRESS,
                columns=(),
                parts=address.parts,
                read_only=True,
                importable=False,
                wire=self.wire.get(name, ""),
            )
        return found

    def _from_column(self, column: models.Field[Any, Any]) -> Field:
        from .registry import registry  # the look-up's entity is known once all are declared

        kind = kind_of(column)
        read_only = column.name in SYSTEM or column.name in self.read_only or not column.editable
        target = None
        if isinstance(column, models.ForeignKey) and kind is Kind.LOOKUP:
            target = registry.of_model(column.related_model)
        options: tuple[Option, ...] = ()
        if kind is Kind.STATE:
            states = self.states
            options = (
                tuple(Option(value, label) for value, label in states.states.items())
                if column.name == "state"
                else tuple(Option(s.value, s.label, s.tone) for s in states.statuses)
            )
        elif column.choices and kind is Kind.CHOICE:
            options = tuple(Option(*choice) for choice in column.flatchoices)
        return Field(
            name=column.name,
            label=column.verbose_name,
            kind=kind,
            columns=(column.attname,),
            required=not column.blank and not read_only and kind is not Kind.BOOLEAN,
            read_only=read_only or kind is Kind.STATE,
            importable=not read_only and column.name not in self.not_importable,
            max_length=column.max_length,
            minimum=getattr(column, "minimum", None),
            maximum=getattr(column, "maximum", None),
            shipped=options,
            grows=getattr(column, "grows", ""),
            labels=dict(column.choices) if column.choices and kind is Kind.TEXT else {},  # type: ignore[arg-type]
            default=column.get_default() if column.has_default() else None,
            target=target,
            on_delete=_deletion(column),
            aliases=self.aliases.get(column.name, ()),
            wire=self.wire.get(column.name, ""),
            unique=column.unique,
            help=column.help_text,
        )

    @cached_property
    def editable(self) -> tuple[Field, ...]:
        """Fields that people write, in the model's order."""
        return tuple(f for f in self.fields.values() if not f.read_only)

    @cached_property
    def form_fields(self) -> tuple[str, ...]:
        """Names of the fields on the form, in the sections' order, addresses as their parts."""
        names: list[str] = []
        for section in self.sections:
            for name in section.fields:
                field_ = self.fields[name]
                names += field_.parts or ([] if field_.read_only else [name])
        return tuple(dict.fromkeys(names))

    @cached_property
    def important_fields(self) -> tuple[str, ...]:
        """Names of the fields that each record should have filled."""
        declared = self.important or (*self.title_fields, *self.quick)
        kinds = {Kind.LONG_TEXT, Kind.BOOLEAN, Kind.ADDRESS} if not self.important else set()
        return tuple(n for n in dict.fromkeys(declared) if self.fields[n].kind not in kinds)

    @cached_property
    def title_fields(self) -> tuple[str, ...]:
        """The fields that people fill to name a record (the title itself when it is editable)."""
        own = self.fields[self.title]
        if not own.read_only:
            return (self.title,)
        return tuple(n for n in ("first_name", "middle_name", "last_name") if n in self.fields)


def _deletion(column: models.Field[Any, Any]) -> str:
    if not isinstance(column, models.ForeignKey):
        return ""
    rule = column.remote_field.on_delete
    if rule is models.PROTECT:
        return "refuse"
    return "cascade" if rule is models.CASCADE else "unlink"


@dataclass(frozen=True, slots=True)
class Known:
    """What follows from the values of a new record and has been worked out before it is written, so
    that the writer need not do it again. Of exactly the values of its draft, whatever is blank.

    `derived`: what `Entity.derive` made of them. `names` {look-up: title of what it names}: those
    that the keys, the search text or the title tell. `keys`: the match keys. `search`: the search
    text, None where it is still to be made.
    """

    derived: Mapping[str, Any]
    names: Mapping[str, str]
    keys: Sequence[int]
    search: str | None = None


@dataclass(slots=True)
class Draft:
    """A row on its way to the writer.

    `values`: field values that are to be written. `current`: the whole stored row for an update,
    None for a create. `extra`: derived columns that are no fields (a password, a path). `known`:
    what a new one brings along. `errors`: {field name or '': messages}; a draft with errors is not
    written.
    """

    id: uuid.UUID
    values: Values
    current: Values | None = None
    source_row: int | None = None
    expected: Mapping[str, Any] | None = None
    version: int | None = None
    extra: Values = field(default_factory=dict)
    known: Known | None = None
    errors: dict[str, list[str]] = field(default_factory=dict)
    warnings: dict[str, list[str]] = field(default_factory=dict)

    def refuse(self, name: str, message: str) -> None:
        """Note that `name` cannot be written as it stands."""
        self.errors.setdefault(name, []).append(message)

    @property
    def complaints(self) -> str:
        """All errors in one text."""
        return " ".join(message for found in self.errors.values() for message in found)

    def lacks(self, name: str) -> bool:
        """Whether `name` is blank after the write. A value that is refused is not blank."""
        value = self.now(name)
        return (value is None or value == "") and name not in self.errors

    def now(self, name: str) -> Any:
        """The value of `name` after the write."""
        if name in self.values:
            return self.values[name]
        return None if self.current is None else self.current.get(name)
