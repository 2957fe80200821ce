"""The state of a list in its address: read into a `Query`, and written back.

view=active              a system view, or the id of a personal one
sort=-email              columns=full_name,account.address1_city      q=müller
f=city~eq~Berlin         each filter: field~operator~value; parts of a value separated by |
f=                       none of the filters that the view has of its own
o=email~empty~;fax~empty~    filters of which one must hold
x=-activity.regarding;occurred_at~newer_days~90    records that point here; - where none does
after=… or before=…      a page; n=51 its first row's number; count=all to count every row
"""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field as attribute, replace
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from rapport import access
from rapport.access import Actor
from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.kinds import Kind, Ref, to_text
from rapport.meta.registry import registry
from rapport.models.people import Verb
from rapport.queries import preferences, views
from rapport.queries.query import (
    KIND_OPERATORS,
    OPERATORS,
    Condition,
    Exists,
    Group,
    InvalidQuery,
    Order,
    Query,
    also,
    check,
    field_of,
    parse_value,
)

# Blank on the right side of these says "is blank"; everywhere else a value is missing.
_BLANK_FITS = frozenset({"eq", "ne"})
_PARTS = {m: re.compile(rf"(?:\\.|[^{m}\\]|\\$)*", re.DOTALL) for m in ("|", ";")}
LONGEST_FIND = 200
Pairs = list[tuple[str, str]]


@dataclass(kw_only=True)
class Listing:
    """A list as somebody looks at it. `view`: where its query comes from; `default`: key of the
    view that shows when none is asked for; `problems`: what in its address made no sense."""

    entity: Entity
    view: views.View
    default: str
    query: Query
    widths: dict[str, int] = attribute(default_factory=dict)
    problems: list[str] = attribute(default_factory=list)
    start: int = 1
    count_all: bool = False

    @cached_property
    def url(self) -> str:
        """Address of the list without any state."""
        return reverse("list", args=[self.entity])

    @cached_property
    def is_changed(self) -> bool:
        """Whether it shows something else than its view."""
        return bool(pairs(self.query, self.view.query))

    def params(self, query: Query | None = None) -> Pairs:
        """What makes `query` (default: the present one) out of the default view."""
        own = [] if self.view.key == self.default else [("view", self.view.key)]
        return own + pairs(query or self.query, self.view.query)

    def address(self, query: Query | None = None, *more: tuple[str, str]) -> str:
        """Address of the list with `query`, on its first page."""
        return self.url + encode([*self.params(query), *more])

    @property
    def state(self) -> str:
        """What forms carry along, so that their answer knows the list and its page. It names the
        view in any case: the default one may be another by the time that it comes back."""
        shown = [("view", self.view.key), *pairs(self.query, self.view.query), *self.place()]
        return encode(shown).removeprefix("?")

    def place(self) -> Pairs:
        """The present page."""
        if self.query.after:
            return [("after", self.query.after), ("n", str(self.start))]
        if self.query.before:
            return [("before", self.query.before), ("n", str(self.start))]
        return []


def listing(entity: Entity, params: QueryDict, by: Actor) -> Listing:
    """The list that `params` describe for `by`, in one statement for a system view."""
    keys = [default_key(entity), widths_key(entity)]
    kept = preferences.get_all(by, keys)
    problems: list[str] = []
    wanted = params.get("view", "")
    preferred = kept.get(keys[0], "")
    view = views.find(entity, wanted or preferred, by) if wanted or preferred else None
    if view is None:
        if wanted:
            problems.append(_("This view is not there any more: here is the default one."))
        view = views.default(entity)
    if view.problem:
        problems.append(
            _("The view “%(view)s” does not fit any more: %(problem)s")
            % {"view": view.label, "problem": view.problem}
        )
    query, wrong = read(params, view.query)
    start = params.get("n", "") if query.after or query.before else ""
    return Listing(
        entity=entity,
        view=view,
        default=preferred or views.default(entity).key,
        query=query,
        widths=_widths(kept.get(keys[1])),
        problems=problems + wrong,
        start=int(start) if start.isdecimal() and len(start) < 12 else 1,
        count_all=params.get("count") == "all",
    )


def require_read(entity: Entity, by: Actor) -> None:
    """Raise Forbidden for a list that `by` may not see at all. Colleagues, teams and units are
    seen by everybody, whatever their role says."""
    if not access.sees_all(by, entity):
        access.require(by, Verb.READ, entity)


def default_key(entity: Entity) -> str:
    """Name of the preference that holds the default view."""
    return f"view:{entity.name}"


def widths_key(entity: Entity) -> str:
    """Name of the preference that holds the widths of columns."""
    return f"widths:{entity.name}"


def _widths(kept: Any) -> dict[str, int]:
    return kept if isinstance(kept, dict) else {}


# -- address -> query ------------------------------------------------------------------------------


def read(params: QueryDict, base: Query) -> tuple[Query, list[str]]:
    """The query that `params` make out of the view's query `base`, and what in them makes no
    sense: the rest still counts, so that the list stays usable."""
    entity = registry[base.entity]
    problems: list[str] = []
    query = base

    def take(change: Callable[[Query], Query]) -> None:
        nonlocal query
        try:
            changed = change(query)
            check(changed)
        except InvalidQuery as error:
            problems.append(str(error))
        else:
            query = changed

    if columns := params.get("columns"):
        take(lambda q: replace(q, columns=tuple(dict.fromkeys(columns.split(",")))))
    if sort := params.get("sort"):
        take(lambda q: replace(q, order=_order(entity, sort)))
    for name, (without, also_) in _FILTERS.items():
        if name in params:
            query = without(query)
            for text in filter(None, params.getlist(name)):
                take(lambda q, text=text, also_=also_: also_(q, text))
    if "q" in params:
        query = replace(query, find=params["q"].replace("\0", "").strip()[:LONGEST_FIND])
    after, before = params.get("after", ""), params.get("before", "")
    return replace(query, after="" if before else after, before=before), problems


def condition(entity: Entity, text: str) -> Condition:
    """The condition of 'field~operator~value'. Raises InvalidQuery."""
    name, _tilde, rest = text.partition("~")
    operator, _tilde, value = rest.partition("~")
    found = field_of(entity, name)
    return Condition(name, operator, _value(found, operator, value))


def _either(entity: Entity, text: str) -> Group:
    """The filters of which one must hold, out of their texts. Raises InvalidQuery."""
    return Group(tuple(condition(entity, part) for part in _split(text, ";")), any=True)


def _pointing(text: str) -> Exists:
    """What points at a record, out of '-entity.field;filter;filter'. Raises InvalidQuery."""
    link, *filters = _split(text, ";")
    name, _dot, field = link.removeprefix("-").partition(".")
    if name not in registry:
        raise InvalidQuery(_("There is no such entity."))
    where = Group(tuple(condition(registry[name], part) for part in filters))
    return Exists(name, field, where, negated=link.startswith("-"))


# Parameter: what takes all such filters of a query away, what adds one. Later ones stand behind.
_FILTERS: dict[str, tuple[Callable[[Query], Query], Callable[[Query, str], Query]]] = {
    "f": (
        lambda q: replace(q, where=_without_simple(q.where)),
        lambda q, text: also(q, condition(registry[q.entity], text)),
    ),
    "o": (
        lambda q: replace(q, where=_without_either(q.where)),
        lambda q, text: also(q, _either(registry[q.entity], text)),
    ),
    "x": (
        lambda q: replace(q, exists=()),
        lambda q, text: replace(q, exists=(*q.exists, _pointing(text))),
    ),
}


def _value(found: Field, operator: str, text: str) -> Any:
    if operator not in KIND_OPERATORS[found.kind]:
        raise InvalidQuery(
            _("“%(operator)s” does not fit %(field)s.")
            % {"operator": operator, "field": found.label}
        )
    takes = OPERATORS[operator][1]
    parts = _split(text) if takes in {"many", "two"} else [text]
    if takes and operator not in _BLANK_FITS and not all(part.strip() for part in parts):
        raise InvalidQuery(_("%(field)s: a value is missing.") % {"field": found.label})
    if takes == "many":
        # One at a time: a text may hold the sign that separates them.
        return [parse_value(found, "eq", part) for part in parts]
    return parse_value(found, operator, "|".join(parts))


def _split(text: str, mark: str = "|") -> list[str]:
    return [re.sub(r"\\(.)", r"\1", part) for part in _parts(text, _PARTS[mark])]


def _join(parts: Iterable[str], mark: str = "|") -> str:
    """The inverse of `_split`."""
    return mark.join(re.sub(rf"[{mark}\\]", r"\\\g<0>", part) for part in parts)


def _parts(text: str, pattern: re.Pattern[str]) -> list[str]:
    parts, at = [], 0
    while True:
        found = pattern.match(text, at)
        assert found is not None  # the pattern matches the empty text, too
        parts.append(found[0])
        at = found.end() + 1
        if at > len(text):
            return parts


def _order(entity: Entity, text: str) -> tuple[Order, ...]:
    orders = []
    for name in text.split(","):
        order = Order(name.removeprefix("-"), name.startswith("-"))
        if not is_sortable(field_of(entity, order.field)):
            raise InvalidQuery(
                _("A list cannot be sorted by %(field)s.")
                % {"field": field_of(entity, order.field).label}
            )
        orders.append(order)
    return tuple(orders)


def is_sortable(found: Field) -> bool:
    """Whether a list can be sorted by this field in a way that people understand."""
    return found.kind not in {Kind.ADDRESS, Kind.POINTER, Kind.LONG_TEXT}


def label_of(entity: Entity, name: str) -> str:
    """What people call the field at `name`: 'City (Account)' through a link."""
    head, dot, _tail = name.partition(".")
    label = str(field_of(entity, name).label)
    return f"{label} ({entity.fields[head].label})" if dot else label


def _without_simple(where: Group) -> Group:
    """`where` without what chips show: only its groups."""
    return Group(tuple(part for part in _all_of(where) if isinstance(part, Group)))


def simple(query: Query) -> list[Condition]:
    """The conditions of `query` that chips show: those on the top, all of which must hold."""
    return [part for part in _all_of(query.where) if isinstance(part, Condition)]


def either(query: Query) -> list[Group]:
    """The groups of `query` that chips show: plain filters of which one must hold."""
    return [part for part in _all_of(query.where) if _is_either(part)]


def _is_either(part: Condition | Group) -> bool:
    plain = isinstance(part, Group) and all(isinstance(p, Condition) for p in part.conditions)
    return plain and part.any and bool(part.conditions)  # type: ignore[union-attr]


def _without_either(where: Group) -> Group:
    return Group(tuple(part for part in _all_of(where) if not _is_either(part)))


def _all_of(where: Group) -> tuple[Condition | Group, ...]:
    return (where,) if where.any else where.conditions


# -- query -> address ------------------------------------------------------------------------------


def pairs(query: Query, base: Query) -> Pairs:
    """The parameters that make `query` out of `base`, without its page: `read` is the inverse."""
    entity = registry[query.entity]
    found: Pairs = []
    if query.columns != base.columns:
        found.append(("columns", ",".join(query.columns)))
    if query.order != base.order:
        sort = ",".join(("-" if o.descending else "") + o.field for o in query.order)
        found.append(("sort", sort))
    conditions = simple(query)
    if conditions != simple(base):
        found += [("f", text_of(entity, part)) for part in conditions] or [("f", "")]
    if either(query) != either(base):
        found += [("o", _text_of_either(entity, part)) for part in either(query)] or [("o", "")]
    if query.exists != base.exists:
        found += [("x", _text_of_pointing(part)) for part in query.exists] or [("x", "")]
    if query.find != base.find:
        found.append(("q", query.find))
    return found


def whole_list(query: Query) -> tuple[str, str]:
    """Address of the list that shows `query` out of all records, and its state as forms carry it
    (see `Listing.state`)."""
    entity = registry[query.entity]
    view = views.widest(entity)
    state = encode([("view", view.key), *pairs(query, view.query)])
    return reverse("list", args=[entity]) + state, state.removeprefix("?")


def _text_of_either(entity: Entity, group: Group) -> str:
    plain = [part for part in group.conditions if isinstance(part, Condition)]
    return _join((text_of(entity, part) for part in plain), ";")


def _text_of_pointing(part: Exists) -> str:
    """What `_pointing` reads. Groups within have no text: views alone can hold them."""
    other, sign = registry[part.entity], "-" if part.negated else ""
    plain = [one for one in part.where.conditions if isinstance(one, Condition)]
    return _join((f"{sign}{part.entity}.{part.field}", *(text_of(other, p) for p in plain)), ";")


def text_of(entity: Entity, part: Condition) -> str:
    """'field~operator~value' of a condition."""
    found = field_of(entity, part.field)
    takes = OPERATORS[part.operator][1]
    if not takes:
        return f"{part.field}~{part.operator}~"
    return f"{part.field}~{part.operator}~{value_text(found, part.operator, part.value)}"


def value_text(found: Field, operator: str, value: Any) -> str:
    """A condition's value as its part of an address."""
    takes = OPERATORS[operator][1]
    if takes in {"many", "two"}:
        return _join(one_text(found, v) for v in value)
    return one_text(found, value)


def one_text(found: Field, value: Any) -> str:
    """One value as text that does not depend on a language."""
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Ref):
        return f"{value.entity}:{value.id}"
    if isinstance(value, int | uuid.UUID) or type(value) is datetime.date:
        return str(value)
    return to_text(found, value)


def encode(params: Iterable[tuple[str, str]]) -> str:
    """A query string with its question mark; '' when there is nothing to say."""
    text = urlencode([(name, value) for name, value in params], safe="~,|:;")
    return f"?{text}" if text else ""
