"""Whether a list is about records that are there: by which fields its rows then find them.

Somebody who brings e-mail addresses with new job titles, or customer numbers with new names, means
the records that have them, and no new ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from django.utils.translation import gettext as _

from rapport.access import Actor
from rapport.duplicates import normalise
from rapport.meta.entity import Entity
from rapport.meta.kinds import Reading

from . import candidates, parts
from .headers import RECORD_ID
from .mapping import Mapping, label_of, missing_required
from .proposal import propose
from .samples import values_of

# So many values of a column are looked up.
LOOKED_UP = 200
EMAIL = "email"


def found_by(mapping: Mapping, sample: Sequence[Sequence[str]], *, by: Actor) -> Mapping:
    """The `mapping`, with the fields by which rows find their records where nothing else will do,
    and what people should know of it."""
    entity = mapping.entity
    if not mapping.fields.isdisjoint({RECORD_ID, parts.SOURCE_ID}) or mapping.match:
        return mapping
    keys = [name for name in (*entity.numbers, EMAIL) if name in mapping.fields]
    if lacking := missing_required(mapping):
        if not keys:
            return mapping
        said = _(
            "No column is %(lacking)s, so nothing can be created: each row changes the "
            "%(entity)s that has its %(key)s."
        ) % {
            "lacking": ", ".join(str(found.label) for found in lacking),
            "entity": str(entity.label).lower(),
            "key": _(" or ").join(label_of(entity, name) for name in keys),
        }
        sets = tuple((name,) for name in keys)
        return replace(mapping, match=sets, notes=(*mapping.notes, said))
    for name in entity.numbers:
        if name in keys and (count := _known_by(mapping, name, sample, by=by)):
            said = _(
                "Rows are about the %(entity)s that has their %(key)s: of the first rows "
                "%(count)s have that of one that is here by the same name."
            ) % {
                "entity": str(entity.label).lower(),
                "key": label_of(entity, name),
                "count": count,
            }
            return replace(mapping, match=((name,),), notes=(*mapping.notes, said))
    return mapping


def _known_by(mapping: Mapping, name: str, sample: Sequence[Sequence[str]], *, by: Actor) -> int:
    """How many of the first rows have the number, and the name, of a record that is there; 0 where
    more have only the number: those are numbers of somebody else."""
    column, title = mapping.column_of(name), mapping.column_of(mapping.entity.title)
    if column is None or title is None:
        return 0
    width = max(column, title)
    called = {row[column].strip(): row[title] for row in sample if width < len(row)}
    called.pop("", None)
    texts = [*called][:LOOKED_UP]
    found = candidates.by_fields(mapping.entity, (name,), texts, by)
    same = sum(
        any(_are_alike(stored, called[text]) for _id, stored in own) for text, own in found.items()
    )
    return same if same * 2 > len(found) else 0


def _are_alike(one: str, other: str) -> bool:
    """Whether two names may be spellings of one: they share a word that says something."""
    ours, theirs = (set(normalise.company(name).split()) for name in (one, other))
    return not ours.isdisjoint(theirs)


def entity_of(
    found: Entity | None,
    among: Iterable[Entity],
    columns: Sequence[str],
    sample: Sequence[Sequence[str]],
    *,
    by: Actor,
) -> Entity | None:
    """Whose records rows are about that name nobody: those of `among` that have most of the e-mail
    addresses or numbers. Else what was `found` by the headers."""

    def mapped(entity: Entity) -> Mapping:
        return propose(entity, columns, sample, reading=Reading())

    if found is not None and _names_records(mapped(found)):
        return found
    best, most = found, 0
    for mapping in map(mapped, among):
        count = 0 if _names_records(mapping) else _count_known(mapping, sample, by=by)
        if count > most:
            best, most = mapping.entity, count
    return best


def _names_records(mapping: Mapping) -> bool:
    """Whether some column is what a record is called, or a part of that."""
    entity = mapping.entity
    return not mapping.fields.isdisjoint({entity.title, *entity.title_fields, RECORD_ID})


def _count_known(mapping: Mapping, sample: Sequence[Sequence[str]], *, by: Actor) -> int:
    """How many of the first e-mail addresses or numbers are those of records that are there; 0
    where most are not."""
    best = 0
    for name in (*mapping.entity.numbers, EMAIL):
        column = mapping.column_of(name)
        if column is not None:
            texts = list(dict.fromkeys(values_of(sample, column)))[:LOOKED_UP]
            names = (name,)
            count = len(candidates.by_fields(mapping.entity, names, texts, by))
            best = max(best, count if count * 2 > len(texts) else 0)
    return best
