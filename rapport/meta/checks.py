"""System checks of the declarations: every mistake is named before the first request."""

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Error, register

from .entity import HIDDEN, Entity
from .field import Field
from .kinds import Kind
from .registry import registry


@register()
def check_entities(**_kwargs: Any) -> list[CheckMessage]:
    """Errors of all declared entities."""
    return [
        Error(f"{entity.name}: {message}", id=f"rapport.{code}")
        for entity in registry
        for code, message in problems(entity)
    ]


def problems(entity: Entity) -> Iterator[tuple[str, str]]:
    """(id, message) of each mistake in one declaration."""
    known = set(entity.fields)
    for part, names in _names(entity):
        for name in names:
            head = name.removeprefix("-").split(".")[0]
            if head not in known:
                yield "E001", f"{part} names an unknown field {name!r}"
    yield from _field_mistakes(entity)
    yield from _name_clashes(entity)
    yield from _related_mistakes(entity)
    yield from _merge_mistakes(entity)
    if sum(view.default for view in entity.views) > 1:
        yield "E007", "more than one default view"
    if not any(c.attname == "sort_name" for c in entity.model._meta.concrete_fields):
        yield "E008", "the model has no column sort_name"


def _field_mistakes(entity: Entity) -> Iterator[tuple[str, str]]:
    for field in entity.fields.values():
        if field.required and field.name not in entity.form_fields and entity.in_hub:
            yield "E002", f"required field {field.name!r} is on no form section"
        if field.kind is Kind.LOOKUP and field.target is None:
            yield "E003", f"look-up {field.name!r} leads to a table without a declaration"
        for target in field.targets:
            if target not in registry:
                yield "E003", f"pointer {field.name!r} leads to an unknown entity {target!r}"


def _related_mistakes(entity: Entity) -> Iterator[tuple[str, str]]:
    for related in entity.related:
        if related.entity not in registry:
            yield "E006", f"related list of an unknown entity {related.entity!r}"
        elif related.field not in registry[related.entity].fields:
            yield "E006", f"related list by an unknown field {related.entity}.{related.field}"


def _merge_mistakes(entity: Entity) -> Iterator[tuple[str, str]]:
    if entity.mergeable and (entity.principal or entity.ownership != "user" or entity.scope):
        yield "E009", "only records with an owner and a table of their own can be merged"
    if entity.mergeable and any(field.unique for field in entity.fields.values()):
        # The value of one that goes could not be given to the one that stays.
        yield "E009", "records with a unique field cannot be merged"
    for name, seconds in entity.spare.items():
        for second in (s for s in seconds if name in entity.fields and s in entity.fields):
            if not _fits(entity.fields[name], entity.fields[second]):
                yield "E010", f"{second!r} cannot hold a second {name!r}"


def _fits(field: Field, second: Field) -> bool:
    """Whether every value of `field` can be stored in `second`, another field."""
    if second.name == field.name or second.kind is not field.kind or second.required:
        return False
    if len(second.parts) != len(field.parts):
        return False
    return (second.max_length or 0) >= (field.max_length or 0)


def _names(entity: Entity) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield "title", (entity.title,)
    yield "columns", entity.columns
    yield "quick", entity.quick
    yield "important", entity.important
    yield "numbers", entity.numbers
    yield "facts", entity.facts
    yield "cards", entity.cards
    yield "search", entity.search
    for group in entity.duplicates + entity.duplicates_otherwise:
        yield "duplicates", group
    for section in entity.sections:
        yield f"section {section.label}", section.fields
    yield "aliases", tuple(entity.aliases)
    yield "wire", tuple(name for name in entity.wire if name not in HIDDEN)
    for view in entity.views:
        yield f"view {view.key}", view.columns + view.order + tuple(c[0] for c in view.where)
    if entity.hierarchy:
        yield "hierarchy", (entity.hierarchy,)
    if entity.parent:
        yield "parent", (entity.parent,)
    yield "spare", (*entity.spare, *(name for names in entity.spare.values() for name in names))


def _name_clashes(entity: Entity) -> Iterator[tuple[str, str]]:
    seen: dict[str, str] = {}
    for name, aliases in entity.aliases.items():
        for alias in aliases:
            other = seen.setdefault(alias.casefold(), name)
            if other != name:
                yield "E004", f"alias {alias!r} stands for {other!r} and {name!r}"
    for label, keys in (
        ("command", [c.key for c in entity.commands]),
        ("view", [v.key for v in entity.views]),
        ("wire name", list(entity.wire.values())),
    ):
        for key in {k for k in keys if keys.count(k) > 1}:
            yield "E005", f"{label} {key!r} is declared twice"
