"""Companies that a list calls otherwise than they are called here: “Hansa” for “Hansa GmbH”.

What cells mean is proposed and shown, like the options of choices; nobody links by likeness later.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping as MappingType, Sequence
from dataclasses import replace

from django.db.models import Q
from django.utils.translation import gettext as _

from rapport import queries
from rapport.access import Actor
from rapport.duplicates import normalise
from rapport.duplicates.keys import has_title_key
from rapport.duplicates.tables import COMPANY_FILL
from rapport.meta.batches import batches
from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.folding import sort_key
from rapport.meta.kinds import Kind
from rapport.meta.registry import registry

from . import links
from .layouts import SEVERAL_IN_A_CELL
from .mapping import CREATE, Mapping, missing_rule
from .parts import SOURCE_ID

# So many rows more are looked at than for the columns, so many different names looked up, and so
# many records that begin like some of them.
ROWS, NAMES, BEGINNING_SO, AT_ONCE = 5000, 1000, 2000, 50
# Names that a note tells.
TOLD = 5
# Behind every letter.
_LAST = "\U0010ffff"


def named_otherwise(
    mapping: Mapping, columns: Sequence[str], records: Iterable[Sequence[str]], *, by: Actor
) -> Mapping:
    """The `mapping`, with what the names of companies in `records` mean that are not called just so
    here, or that stand there in two ways, and what is to be said of it."""
    wanted = dict(_company_columns(mapping))
    if not wanted:
        return mapping
    counted: dict[int, Counter[str]] = {index: Counter() for index in wanted}
    sign = SEVERAL_IN_A_CELL.get(mapping.system, "")
    for cells in records:
        for index, texts in counted.items():
            cell = cells[index] if index < len(cells) else ""
            if text := " ".join((cell.partition(sign)[0] if sign else cell).split()):
                texts[text] += 1
    made, notes = dict(mapping.columns), list(mapping.notes)
    for index, found in wanted.items():
        target = made[index]
        names = [text for text, _count in counted[index].most_common(NAMES)]
        is_made = missing_rule(found, target) == CREATE
        meant = _meant(registry[found.target or ""], names, by=by, is_made=is_made)
        if meant := {text: title for text, title in meant.items() if text not in target.values}:
            made[index] = replace(target, values={**meant, **target.values})
            notes.append(_note(columns[index], meant))
    return replace(mapping, columns=made, notes=tuple(notes))


def _company_columns(mapping: Mapping) -> Iterator[tuple[int, Field]]:
    """Columns of names of companies that no id says as well."""
    for index, target in mapping.columns.items():
        found = mapping.entity.fields.get(target.field)
        if (
            found is not None
            and found.kind is Kind.LOOKUP
            and found.target
            and found.target != mapping.entity.name
            and has_title_key(registry[found.target])
            and f"{found.name}.{SOURCE_ID}" not in mapping.fields
        ):
            yield index, found


def _note(column: str, meant: MappingType[str, str]) -> str:
    told = ", ".join(f"“{text}” = “{title}”" for text, title in list(meant.items())[:TOLD])
    more = " …" if len(meant) > TOLD else ""
    said = _("“%(column)s”: companies by other spellings of their names: %(names)s.")
    return said % {"column": column, "names": told + more}


def _meant(entity: Entity, names: Collection[str], *, by: Actor, is_made: bool) -> dict[str, str]:
    """The title that a name stands for: of the one record that is called so but for its legal form;
    else, where records are made of names, of the longest name of the list."""
    known = links.records(entity, names, by)
    groups: dict[str, list[str]] = defaultdict(list)
    for text in names:
        if text not in known and (company := _company(text)):
            groups[company].append(text)
    stored = _stored(entity, groups, by)
    meant: dict[str, str] = {}
    for company, texts in groups.items():
        titles = stored.get(company, [])
        if not titles and is_made:
            whole = max(texts, key=lambda text: len(_words(text)))
            # Of two legal forms neither is meant by the bare name.
            titles = [whole] if all(_words(text) <= _words(whole) for text in texts) else []
        if len(titles) == 1:
            (title,) = titles
            meant |= {text: title for text in texts if _is_part(text, title)}
    return meant


def _is_part(one: str, other: str) -> bool:
    """Whether two names are the same but for a legal form, which one may lack, and for how it is
    written. Nothing is to be said of those that are found by themselves."""
    ours, theirs = _words(one), _words(other)
    is_found = normalise.words(one) == normalise.words(other)
    return not is_found and (ours <= theirs or theirs <= ours)


def _words(name: str) -> set[str]:
    words = normalise.words(_spelt_out(name)).split()
    return {_SHORT.get(word, word) for word in words if word not in COMPANY_FILL}


def _company(name: str) -> str:
    return normalise.company(_spelt_out(name))


def _spelt_out(name: str) -> str:
    """The name as it is written where there are no umlauts."""
    return name.translate(_UMLAUTS)


_UMLAUTS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss", "å": "aa",
     "Å": "Aa", "ø": "oe", "Ø": "Oe", "æ": "ae", "Æ": "Ae"}
)  # fmt: skip
_SHORT = {
    "limited": "ltd", "incorporated": "inc", "corporation": "corp", "company": "co",
    "aktiengesellschaft": "ag", "gesellschaft": "ges", "kommanditgesellschaft": "kg",
}  # fmt: skip


def _beginnings(company: str) -> set[str]:
    """How sort names may begin of companies that are called so; those know no umlauts."""
    first = company.split(maxsplit=1)[0]
    plain = first.replace("ae", "a").replace("oe", "o").replace("ue", "u").replace("aa", "a")
    return {first, plain}


def _stored(entity: Entity, groups: Collection[str], by: Actor) -> dict[str, list[str]]:
    """Titles of visible active records by the name of their company without its legal form."""
    found: dict[str, list[str]] = defaultdict(list)
    beginnings = {word for company in groups for word in _beginnings(company)}
    for part in batches(sorted(beginnings), AT_ONCE):
        spans = Q()
        for word in map(sort_key, part):
            spans |= Q(sort_name__gte=word, sort_name__lt=word + _LAST)
        rows = queries.records(entity, by).filter(spans, state=0)
        for title in rows.values_list(entity.title, flat=True)[:BEGINNING_SO]:
            if (company := _company(title)) in groups:
                found[company].append(title)
    return found
