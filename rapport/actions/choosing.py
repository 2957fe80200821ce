"""Which of several records stays when they become one, and which value each of its fields gets."""

from __future__ import annotations

import dataclasses
import datetime
import re
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _, ngettext

from rapport.meta.entity import SYSTEM, Entity
from rapport.meta.field import Field
from rapport.meta.folding import digits, fold
from rapport.meta.kinds import TEXTS, Kind
from rapport.meta.registry import registry
from rapport.models import Change
from rapport.models.journal import ChangeVerb

# Digits at the end of two phone numbers that make them the same.
PHONE_DIGITS = 8
# What may say a part of what another one says.
_WORDS = frozenset({Kind.TEXT, Kind.LONG_TEXT, Kind.ADDRESS})
_WORD = re.compile(r"\w+")
# Changes that are looked through for the age of values.
MOST_CHANGES = 5000

Rows = Mapping[uuid.UUID, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Origin:
    """When a value came, and by what."""

    at: datetime.datetime
    kind: str
    actor: str

    @property
    def by_exchange(self) -> bool:
        """Whether a mailbox brought it."""
        return self.kind.startswith("exchange") or "exchange" in self.actor.casefold()


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldChoice:
    """One field, or one address as a whole.

    candidates: {record: its value}, of an address the values of its parts. chosen: the record whose
    value stays, why: the reason in words; proposed: the one that we would choose. kept: {record:
    the second field that its value goes to}. lost: records whose value is then nowhere but in the
    journal. origins: {record: Origin}, where the records differ.
    """

    field: str
    candidates: Mapping[uuid.UUID, Any]
    chosen: uuid.UUID
    proposed: uuid.UUID
    why: str
    kept: dict[uuid.UUID, str] = dataclasses.field(default_factory=dict)
    lost: tuple[uuid.UUID, ...] = ()
    origins: Mapping[uuid.UUID, Origin] = dataclasses.field(default_factory=dict)
    differs: bool = False


# -- the record that stays -------------------------------------------------------------------------


def best(entity: Entity, rows: Rows, related: Mapping[uuid.UUID, int]) -> tuple[uuid.UUID, str]:
    """The record that stays, and why: an open one, then the one on which most hangs, then the most
    complete one, then the oldest."""
    rest = sorted(rows, key=lambda id_: (rows[id_]["created_at"], id_))
    why = _("the oldest one")
    for measure, words in (
        ({i: int(row["state"] in entity.states.editable) for i, row in rows.items()}, _open_one),
        (related, _most_hangs_on),
        ({i: _filled(entity, row) for i, row in rows.items()}, _most_complete),
    ):
        most = max(measure.get(id_, 0) for id_ in rest)
        above = [id_ for id_ in rest if measure.get(id_, 0) == most]
        if len(above) < len(rest):
            rest, why = above, words(most)
        if len(rest) == 1:
            break
    return rest[0], why


def _open_one(_number: int) -> str:
    return _("the active one")


def _most_hangs_on(number: int) -> str:
    text = ngettext(
        "the one with the most related records: %(count)s",
        "the one with the most related records: %(count)s",
        number,
    )
    return text % {"count": number}


def _most_complete(number: int) -> str:
    return _("the most complete one: %(count)s fields are filled in") % {"count": number}


def _filled(entity: Entity, row: Mapping[str, Any]) -> int:
    names = [name for parts in units(entity).values() for name in parts]
    return sum(not _is_blank(entity, name, row.get(name)) for name in names)


# -- the values ------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def units(entity: Entity) -> dict[str, tuple[str, ...]]:
    """What is chosen as one: {field or address: the fields that it is made of}. Not what Rapport
    itself writes: state, dates, names made of others."""
    derived = entity.derive({})
    parts = {part for address in entity.addresses.values() for part in address.parts}
    skipped = {*SYSTEM, *derived, *parts, "state", "status"}
    return {
        name: found.parts or (name,)
        for name, found in entity.fields.items()
        if name not in skipped and (found.columns or found.parts)
    }


def origins(rows: Rows) -> dict[tuple[uuid.UUID, str], Origin]:
    """When each value came, by (record, field); under (record, '') when the record was made."""
    found: dict[tuple[uuid.UUID, str], Origin] = {
        (id_, ""): Origin(row["created_at"], "", "") for id_, row in rows.items()
    }
    changes = Change.objects.filter(record__in=list(rows)).exclude(verb=ChangeVerb.DELETE)
    told = changes.order_by("-id").values_list(
        "record", "verb", "after", "at", "operation__kind", "operation__actor"
    )
    made: set[uuid.UUID] = set()
    for record, verb, after, at, kind, actor in told[:MOST_CHANGES]:
        if verb == ChangeVerb.CREATE:
            if record not in made:
                made.add(record)
                found[record, ""] = Origin(found[record, ""].at, kind, actor)
            continue
        for name in after or ():
            found.setdefault((record, name), Origin(at, kind, actor))
    return found


@dataclass(frozen=True, slots=True)
class _Unit:
    """A field or address with what each of the records has in it."""

    entity: Entity
    name: str
    parts: tuple[str, ...]
    held: dict[uuid.UUID, tuple[Any, ...]]

    def says(self, id_: uuid.UUID) -> bool:
        """Whether somebody filled it in there."""
        return _says(self.entity, self.parts, self.held[id_])

    def sameness(self, id_: uuid.UUID) -> tuple[Any, ...]:
        """What values have in common that say the same."""
        return _sameness(self.entity, self.parts, self.held[id_])


def conflicts(entity: Entity, rows: Rows) -> list[str]:
    """Fields and addresses of which a merge of these records would keep one value and lose
    another. Reads nothing, so that it can be asked of many."""
    if not any(_may_clash(entity, parts, rows) for parts in units(entity).values()):
        return []
    barred = {
        (id_, link.name)
        for link in entity.fields.values()
        if link.kind is Kind.LOOKUP and link.target and registry[link.target].model is entity.model
        for id_, row in rows.items()
        if row[link.name] in rows
    }
    known = {(id_, ""): Origin(row["created_at"], "", "") for id_, row in rows.items()}
    made, _values = choose(entity, rows, next(iter(rows)), wanted={}, barred=barred, known=known)
    return [choice.field for choice in made if choice.lost]


def _may_clash(entity: Entity, parts: Sequence[str], rows: Rows) -> bool:
    """Whether more than one thing is said there, however much alike."""
    said = {tuple(row.get(part) for part in parts) for row in rows.values()}
    return len(said) > 1 and sum(_says(entity, parts, one) for one in said) > 1


def choose(
    entity: Entity,
    rows: Rows,
    master: uuid.UUID,
    *,
    wanted: Mapping[str, uuid.UUID],
    barred: Collection[tuple[uuid.UUID, str]] = (),
    known: Mapping[tuple[uuid.UUID, str], Origin] | None = None,
) -> tuple[list[FieldChoice], dict[str, Any]]:
    """The choice for every field that any record has filled in, and the values that the master
    gets. `wanted`: what a person chose; `barred`: (record, field) of values that cannot be used;
    `known`: when each value came, where that need not be read."""
    known = origins(rows) if known is None else known
    ids = [master, *(id_ for id_ in rows if id_ != master)]
    made: list[FieldChoice] = []
    values: dict[str, Any] = {}
    for name, parts in units(entity).items():
        held = {id_: tuple(rows[id_].get(part) for part in parts) for id_ in ids}
        for id_ in ids:
            if (id_, name) in barred:
                held[id_] = tuple(entity.fields[part].blank_value for part in parts)
        unit = _Unit(entity, name, parts, held)
        proposed, why = _pick(unit, master, known)
        chosen = wanted.get(name, proposed)
        if chosen != proposed and chosen in held:
            why = _("your choice")
        else:
            chosen = proposed
        values.update(zip(parts, held[chosen], strict=True))
        if any(map(unit.says, held)):
            made.append(replace(_choice(unit, chosen, why, known), proposed=proposed))
    free = _keep_seconds(entity, made, values, wanted)
    return made, {**values, **free}


def _pick(
    unit: _Unit,
    master: uuid.UUID,
    known: Mapping[tuple[uuid.UUID, str], Origin],
) -> tuple[uuid.UUID, str]:
    """The record whose value we would let stay, and why."""
    held, parts = unit.held, unit.parts
    telling = [id_ for id_ in held if unit.says(id_)]
    if not telling:
        # Nobody chose anything: a value that every new record has is one too.
        stated = [id_ for id_, one in held.items() if any(v not in {None, ""} for v in one)]
        return (stated or [master])[0], ""
    if len(set(map(unit.sameness, telling))) == 1:
        agreed = len(telling) == len(held)
        return telling[0], _("the same in all") if agreed else _("the only value")
    if master in telling:
        # Of a town alone and the same town with its street the second says more.
        more = [id_ for id_ in telling if len(parts) > 1 and _within(held[master], held[id_])]
        fullest = max([master, *more], key=lambda id_: _fullness(held[id_]))
        if fullest == master:
            return master, _("of the main record")
        return fullest, _("the most complete one")
    fullest = max(telling, key=lambda id_: _fullness(held[id_]))
    if unit.entity.fields[unit.name].kind in _WORDS and all(
        _within(held[id_], held[fullest]) for id_ in telling
    ):
        return fullest, _("the most complete one")
    newest = max(telling, key=lambda id_: _origin(known, id_, parts).at)
    if _origin(known, newest, parts).by_exchange:
        return newest, _("the newest one, from Exchange")
    return newest, _("the newest one")


def _choice(
    unit: _Unit,
    chosen: uuid.UUID,
    why: str,
    known: Mapping[tuple[uuid.UUID, str], Origin],
) -> FieldChoice:
    differs = len(set(map(unit.sameness, unit.held))) > 1
    single = not unit.entity.fields[unit.name].parts
    return FieldChoice(
        field=unit.name,
        candidates={id_: one[0] if single else one for id_, one in unit.held.items()},
        chosen=chosen,
        proposed=chosen,
        why=why,
        origins={id_: _origin(known, id_, unit.parts) for id_ in unit.held} if differs else {},
        differs=differs,
    )


def _origin(
    known: Mapping[tuple[uuid.UUID, str], Origin], id_: uuid.UUID, parts: Sequence[str]
) -> Origin:
    changed = [known[id_, part] for part in parts if (id_, part) in known]
    return max(changed, key=lambda origin: origin.at) if changed else known[id_, ""]


def _says(entity: Entity, parts: Sequence[str], one: Sequence[Any]) -> bool:
    return any(not _is_blank(entity, part, v) for part, v in zip(parts, one, strict=True))


def _is_blank(entity: Entity, name: str, value: Any) -> bool:
    """Whether nobody said this: empty, No, or what every new record has."""
    found = entity.fields[name]
    return value is None or value in {"", found.blank_value} or value == found.default


def _sameness(entity: Entity, parts: Sequence[str], one: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(_same(entity.fields[part], v) for part, v in zip(parts, one, strict=True))


def _same(found: Field, value: Any) -> Any:
    """What two values have in common that say the same."""
    if value is None or value == "":
        return ""
    if found.kind is Kind.PHONE:
        return digits(str(value))[-PHONE_DIGITS:] or fold(str(value))
    return fold(str(value)) if found.kind in TEXTS else value


def _fullness(one: Sequence[Any]) -> tuple[int, int]:
    return sum(v not in {None, ""} for v in one), sum(len(str(v or "")) for v in one)


def _within(one: Sequence[Any], other: Sequence[Any]) -> bool:
    """Whether the texts `other` have all the words of `one`, in the same places."""
    return all(_words(v) in _words(w) for v, w in zip(one, other, strict=True) if v)


def _words(value: Any) -> str:
    return f" {' '.join(_WORD.findall(fold(str(value or ''))))} "


def _keep_seconds(
    entity: Entity,
    made: list[FieldChoice],
    values: Mapping[str, Any],
    wanted: Collection[str],
) -> dict[str, Any]:
    """Give the values that were not chosen a place in a free second field; note on the choices
    where each went, or that it is lost. The fields that are filled by it."""
    more: dict[str, Any] = {}
    parts_of = units(entity)

    def says(name: str, held: Sequence[Any]) -> bool:
        return _says(entity, parts_of[name], held)

    def now(name: str) -> tuple[Any, ...]:
        return tuple(more.get(part, values[part]) for part in parts_of[name])

    for number, choice in enumerate(made):
        name, found = choice.field, entity.fields[choice.field]
        seconds = [n for n in entity.spare.get(name, ()) if n not in wanted]
        # A value that a field of the same sort has got is not lost.
        group = {name, *(n for n in _spares(entity) if entity.fields[n].kind is found.kind)}
        lost = []
        for id_, one in choice.candidates.items():
            held = one if found.parts else (one,)
            like = _sameness(entity, parts_of[name], held)
            if not says(name, held) or any(
                _sameness(entity, parts_of[n], now(n)) == like for n in group
            ):
                continue
            if found.kind in _WORDS and _within(held, now(name)):
                continue
            if free := next((n for n in seconds if not says(n, now(n))), ""):
                more.update(zip(parts_of[free], held, strict=True))
                choice.kept[id_] = free
            elif found.kind is not Kind.OWNER:
                lost.append(id_)
        made[number] = replace(choice, lost=tuple(lost))
    return more


def _spares(entity: Entity) -> set[str]:
    """Fields that have, or are, a second field."""
    return {*entity.spare, *(name for names in entity.spare.values() for name in names)}
