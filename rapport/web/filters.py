"""Filters of a list: chips that say which are in force, and the dialog that sets one."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_http_methods

from rapport.access import Actor
from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.kinds import Kind, Ref, parse
from rapport.meta.options import Option
from rapport.meta.registry import registry
from rapport.queries import lookup, one
from rapport.queries.query import (
    KIND_OPERATORS,
    OPERATORS,
    Condition,
    Group,
    InvalidQuery,
    Query,
    check,
    field_of,
    parse_value,
)

from . import shell
from .cells import CellContext, day_text, local_text
from .forms import LOOKUPS
from .inputs import INPUTS, Control, input_text, reading
from .liststate import (
    Listing,
    either,
    encode,
    label_of,
    listing,
    one_text,
    require_read,
    simple,
)
from .signin import signed_in

# -- chips -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A filter in force: what it says, where it is edited, and the list without it."""

    label: str
    text: str
    edit_url: str
    remove_url: str


def chips(seen: Listing, by: Actor, context: CellContext) -> list[Chip]:
    """A chip for each condition that must hold, for each group of which one must, and for what
    points at the records; only a condition alone can be edited."""
    entity, query, made = seen.entity, seen.query, []
    for place, (condition, said) in enumerate(_said(entity, simple(query), by, context)):
        made.append(
            Chip(
                label=label_of(entity, condition.field),
                text=said,
                edit_url=filter_url(seen, ("at", str(place))),
                remove_url=seen.address(_without(query, place)),
            )
        )
    for group in either(query):
        label, text = _either(entity, _said(entity, _plain_parts(group), by, context))
        rest = tuple(part for part in query.where.conditions if part != group)
        where = Group() if query.where.any else Group(rest)
        without = seen.address(replace(query, where=where))
        made.append(Chip(label=label, text=text, edit_url="", remove_url=without))
    for exists in query.exists:
        other = registry[exists.entity]
        found = _said(other, _plain_parts(exists.where), by, context)
        pattern = _("No %(records)s") if exists.negated else _("With %(records)s")
        without = replace(query, exists=tuple(one for one in query.exists if one != exists))
        made.append(
            Chip(
                label=pattern % {"records": str(other.label_plural).lower()},
                text=", ".join(f"{label_of(other, c.field)} {said}" for c, said in found),
                edit_url="",
                remove_url=seen.address(without),
            )
        )
    return made


def _plain_parts(group: Group) -> list[Condition]:
    return [part for part in group.conditions if isinstance(part, Condition)]


# So many fields of a group are named by a chip.
_NAMED = 3


def _either(entity: Entity, said: Sequence[tuple[Condition, str]]) -> tuple[str, str]:
    """Label and text of a group: 'Email or Fax' 'is empty'."""
    labels = [label_of(entity, condition.field) for condition, _text in said]
    texts = {text for _condition, text in said}
    if len(texts) == 1:
        if len(labels) > _NAMED + 1:
            more = _("%(count)s more") % {"count": len(labels) - _NAMED}
            labels = [*labels[:_NAMED], more]
        return _(" or ").join(labels), texts.pop()
    parts = [f"{label} {text}" for label, (_condition, text) in zip(labels, said, strict=True)]
    return _("One of"), _(" or ").join(parts)


def _said(
    entity: Entity, conditions: Sequence[Condition], by: Actor, context: CellContext
) -> list[tuple[Condition, str]]:
    """Each condition with what it says behind the name of its field."""
    titles = _titles(entity, conditions, by)
    made = []
    for condition in conditions:
        found = field_of(entity, condition.field)
        label, takes = OPERATORS[condition.operator]
        words = [str(label)]
        if takes in COUNTS:
            words = [str(label).replace("…", str(condition.value))]
        elif takes:
            values = condition.value if takes in {"many", "two"} else [condition.value]
            glue = f" {_('and')} " if takes == "two" else ", "
            words.append(glue.join(_shown(found, value, titles, context) for value in values))
        made.append((condition, " ".join(words)))
    return made


def _titles(entity: Entity, conditions: Sequence[Condition], by: Actor) -> Mapping[Ref, str]:
    """Names of the records that the conditions compare with; no statement when there are none."""
    refs = []
    for condition in conditions:
        found = field_of(entity, condition.field)
        values = condition.value if isinstance(condition.value, list) else [condition.value]
        refs += [ref_of(found, v) for v in values if isinstance(v, uuid.UUID | Ref)]
    return one.title_of(refs, by) if refs else {}


def ref_of(found: Field, value: Any) -> Ref:
    """The record that a value of a look-up, owner or pointer names."""
    return Ref(one.PRINCIPAL, value) if found.kind is Kind.OWNER else found.ref(value)


def _shown(found: Field, value: Any, titles: Mapping[Ref, str], context: CellContext) -> str:
    if value is None or value == "":
        return _("nothing")
    if isinstance(value, uuid.UUID | Ref):
        return titles.get(ref_of(found, value)) or _("a record that you cannot see")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if found.kind in {Kind.CHOICE, Kind.STATE}:
        option = found.option_by_value.get(value)
        return str(option.label if option else value)
    if found.kind in {Kind.DATE, Kind.DATETIME}:
        if hasattr(value, "tzinfo"):
            return local_text(value, context)
        return day_text(value, context.language)
    if isinstance(value, str):
        return f"“{found.labels.get(value, value)}”"
    return context.number(value) if isinstance(value, int) else one_text(found, value)


def filter_url(seen: Listing, *more: tuple[str, str]) -> str:
    """Where a filter of the list is made or changed."""
    return reverse("list-filter", args=[seen.entity]) + encode([("state", seen.state), *more])


def _without(query: Query, place: int) -> Query:
    """`query` without its condition number `place`."""
    return _with(query, place, None)


def _with(query: Query, place: int | None, condition: Condition | None) -> Query:
    """`query` with `condition` at `place`, or behind the others."""
    conditions = list(simple(query))
    if place is not None and condition is None:
        del conditions[place]
    elif place is not None and condition is not None:
        conditions[place] = condition
    elif condition is not None:
        conditions.append(condition)
    groups = [query.where] if query.where.any else query.where.conditions
    kept = [part for part in groups if isinstance(part, Group)]
    return replace(query, where=Group((*kept, *conditions)), after="", before="")


# -- the dialog ------------------------------------------------------------------------------------


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def edit_filter(request: HttpRequest, entity: Entity) -> HttpResponse:
    """One filter: its field, its operator, its value. GET fills in what `at` or `field` say; POST
    answers with the list that it makes, or with what is missing."""
    require_read(entity, request.user)
    given = request.POST if request.method == "POST" else request.GET
    seen = listing(entity, QueryDict(given.get("state", "")), request.user)
    place = _place(seen, given)
    error = ""
    # A post without `apply` only asks for other inputs: another field or operator was chosen.
    if request.method == "POST" and "apply" in given:
        try:
            condition = read_condition(entity, given, request.user)
            query = _with(seen.query, place, condition)
            check(query)
        except InvalidQuery as problem:
            error = str(problem)
        else:
            return shell.moved(request, seen.address(query))
    current = simple(seen.query)[place] if place is not None else None
    context = _dialog(seen, given, current, request.user)
    context |= {
        "error": error,
        "listing": seen,
        "place": "" if place is None else place,
        "remove_url": "" if place is None else seen.address(_without(seen.query, place)),
        "back_url": seen.address(),
        "action": request.path,
    }
    return shell.render(request, "lists/filter.html", context, status=422 if error else 200)


def _place(seen: Listing, given: QueryDict) -> int | None:
    """Which filter is meant: `at` its number; else that of the field, if it has one."""
    conditions = simple(seen.query)
    text = given.get("at", "")
    if text.isdecimal() and len(text) < 4 and int(text) < len(conditions):
        return int(text)
    if text or "at" in given:
        return None
    of_field = [i for i, part in enumerate(conditions) if part.field == given.get("field")]
    return of_field[0] if of_field else None


def _dialog(
    seen: Listing, given: QueryDict, current: Condition | None, by: Actor
) -> dict[str, Any]:
    """What the dialog shows: `current` is the filter that is being changed."""
    entity = seen.entity
    name = given.get("field") or (current.field if current else "")
    try:
        found = field_of(entity, name)
    except InvalidQuery:
        return {"groups": field_groups(entity), "name": "", "inputs": []}
    stays = given.get("was", name) == name  # another field begins with its own comparison
    operator = given.get("operator", "") if stays else ""
    if not operator and current is not None and current.field == name:
        operator = current.operator
    if operator not in KIND_OPERATORS[found.kind]:
        operator = _FIRST.get(found.kind, KIND_OPERATORS[found.kind][0])
    same = current is not None and (current.field, current.operator) == (name, operator)
    typed = given.getlist("value") if stays else []
    if not typed and same and current is not None:
        typed = _typed(found, operator, current.value)
    return {
        "groups": field_groups(entity),
        "name": name,
        "operators": _operators(found, operator),
        "operator": operator,
        "inputs": _inputs(_owner_of(entity, name), found, operator, typed, by),
    }


def _owner_of(entity: Entity, name: str) -> Entity:
    """The entity that the field at `name` is one of."""
    head, dot, _tail = name.partition(".")
    return registry[entity.fields[head].target or ""] if dot else entity


def field_groups(
    entity: Entity, fits: Callable[[Field], bool] = lambda _field: True
) -> list[tuple[str, list[tuple[str, str]]]]:
    """(title, [(path, label)]) of what can be filtered or shown: the entity's fields, then those of
    the records that it links to."""
    groups = [(str(entity.label), _named(entity, "", fits))]
    for link in entity.fields.values():
        if link.kind is Kind.LOOKUP and link.target and link.name not in _SYSTEM:
            target = registry[link.target]
            groups.append((str(link.label), _named(target, f"{link.name}.", fits)))
    return groups


_SYSTEM = frozenset({"created_by", "modified_by", "owning_unit"})


def _named(entity: Entity, path: str, fits: Callable[[Field], bool]) -> list[tuple[str, str]]:
    named = [(path + f.name, str(f.label)) for f in entity.fields.values() if fits(f)]
    return sorted(named, key=lambda pair: pair[1].casefold())


# The operator that a new filter starts with, where it is not the first one.
_FIRST: dict[Kind, str] = {
    Kind.TEXT: "contains",
    Kind.LONG_TEXT: "contains",
    Kind.EMAIL: "contains",
    Kind.PHONE: "contains",
    Kind.URL: "contains",
    Kind.CHOICE: "in",
    Kind.STATE: "in",
    Kind.NUMBER: "ge",
    Kind.MONEY: "ge",
}
# Understood in addresses, but people choose "on", "on or after" …
_UNSAID = {kind: {"eq", "ne", "lt", "le", "gt", "ge"} for kind in (Kind.DATE, Kind.DATETIME)}


def _operators(found: Field, chosen: str) -> list[tuple[str, str]]:
    unsaid = _UNSAID.get(found.kind, set()) - {chosen}
    return [
        (operator, str(OPERATORS[operator][0]))
        for operator in KIND_OPERATORS[found.kind]
        if operator not in unsaid
    ]


# What is asked for where an operator takes a number, whatever the kind of the field.
COUNTS = {"number": gettext_lazy("Days"), "times": gettext_lazy("Records")}


# -- inputs ----------------------------------------------------------------------------------------


def _plain(control: Control, _operator: str) -> SafeString:
    """A line of text, whatever it is compared with: part of an address is no address."""
    field = replace(control.field, labels={}, max_length=None)
    return INPUTS[Kind.TEXT](replace(control, field=field))


def _text(control: Control, operator: str) -> SafeString:
    if control.field.labels and operator in {"eq", "ne"}:
        return INPUTS[Kind.TEXT](control)
    return _plain(control, operator)


def _same(control: Control, _operator: str) -> SafeString:
    return INPUTS[control.field.kind](control)


def _boolean(control: Control, _operator: str) -> SafeString:
    options = (Option(1, _("Yes")), Option(0, _("No")))
    text = {"yes": "1", "no": "0"}.get(control.text, control.text or "1")
    return INPUTS[Kind.STATE](replace(control, options=options, text=text))


def _moment(control: Control, operator: str) -> SafeString:
    kind = Kind.DATE if operator in {"on", "on_or_after", "on_or_before", "between"} else None
    return INPUTS[kind or Kind.DATETIME](control)


def _link(control: Control, operator: str) -> SafeString:
    return _plain(control, operator) if operator == "contains" else INPUTS[Kind.LOOKUP](control)


FILTER_INPUTS: dict[Kind, Callable[[Control, str], SafeString]] = {
    Kind.TEXT: _text,
    Kind.LONG_TEXT: _plain,
    Kind.EMAIL: _plain,
    Kind.PHONE: _plain,
    Kind.URL: _plain,
    Kind.CHOICE: _same,
    Kind.STATE: _same,
    Kind.NUMBER: _same,
    Kind.MONEY: _same,
    Kind.DATE: _same,
    Kind.DATETIME: _moment,
    Kind.BOOLEAN: _boolean,
    Kind.LOOKUP: _link,
    Kind.OWNER: _link,
    Kind.POINTER: _link,
    Kind.ADDRESS: _plain,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One input of the dialog; `boxes` of those that offer all options at once."""

    id: str
    label: str
    html: str = ""
    boxes: tuple[tuple[str, str, bool], ...] = ()


def _inputs(
    entity: Entity, found: Field, operator: str, typed: list[str], by: Actor
) -> list[Input]:
    takes = OPERATORS[operator][1]
    if not takes:
        return []
    if takes in COUNTS:
        number = replace(found, kind=Kind.NUMBER, max_length=None)
        text = typed[0] if typed else ""
        control = Control(number, "value-0", "value", text, attrs=" autofocus")
        label = str(COUNTS[takes])
        return [Input(id="value-0", label=label, html=INPUTS[Kind.NUMBER](control))]
    if takes == "many":
        return _many(entity, found, operator, typed, by)
    labels = [_("From"), _("To")] if takes == "two" else [_("Value")]
    made = []
    for place, label in enumerate(labels):
        text = typed[place] if place < len(typed) else ""
        control = _control(entity, found, text, place, by)
        made.append(
            Input(id=control.id, label=label, html=FILTER_INPUTS[found.kind](control, operator))
        )
    return made


def _many(entity: Entity, found: Field, operator: str, typed: list[str], by: Actor) -> list[Input]:
    """All options as boxes; names of records as boxes with a look-up for one more; else a line
    for each value."""
    if found.options:
        boxes = tuple((str(o.value), str(o.label), str(o.value) in typed) for o in found.options)
        return [Input(id="value-0", label=_("Values"), boxes=boxes)]
    if found.kind in LOOKUPS:
        ids = [parse(found, text) for text in typed if text]
        titles = one.title_of([ref_of(found, id_) for id_ in ids], by)
        boxes = tuple((str(id_), titles.get(ref_of(found, id_), "…"), True) for id_ in ids)
        control = _control(entity, found, "", 0, by)
        add = FILTER_INPUTS[found.kind](control, operator)
        return [Input(id="value-0", label=_("Value"), html=add, boxes=boxes)]
    control = Control(replace(found, max_length=None), "value-0", "value", "\n".join(typed))
    return [Input(id="value-0", label=_("One value in each line"), html=_lines(control))]


def _lines(control: Control) -> SafeString:
    return INPUTS[Kind.LONG_TEXT](control)


def _control(entity: Entity, found: Field, text: str, place: int, by: Actor) -> Control:
    url, title = "", ""
    if found.kind in LOOKUPS:
        url = reverse("lookup", args=[entity.name, found.name])
        try:
            value = parse(found, text)
        except ValueError:
            text, title = "", text
        else:
            ref = ref_of(found, value) if value else None
            title = one.title_of([ref], by).get(ref, "") if ref else ""
    return Control(
        field=found,
        id=f"value-{place}",
        name="value",
        text=text,
        attrs="" if place else " autofocus",
        title=title,
        urls=(url, ""),
        options=found.options,
    )


def _typed(found: Field, operator: str, value: Any) -> list[str]:
    """The inputs' texts of a condition's value."""
    takes = OPERATORS[operator][1]
    if not takes:
        return []
    values = value if takes in {"many", "two"} else [value]
    return [_input_text(found, v) for v in values]


def _input_text(found: Field, value: Any) -> str:
    if isinstance(value, int | str) or found.kind is Kind.BOOLEAN:
        return one_text(found, value)
    return (
        str(value)
        if hasattr(value, "isoformat") and not hasattr(value, "tzinfo")
        else (input_text(found, value))
    )


def read_condition(entity: Entity, given: QueryDict, by: Actor) -> Condition:
    """The filter that the dialog sent, its values as the viewer writes them.

    Raises InvalidQuery.
    """
    name, operator = given.get("field", ""), given.get("operator", "")
    found = field_of(entity, name)
    if operator not in KIND_OPERATORS[found.kind]:
        raise InvalidQuery(_("Choose how to compare."))
    takes = OPERATORS[operator][1]
    if not takes:
        return Condition(name, operator)
    texts = [text.strip() for text in given.getlist("value")]
    if takes == "many" and not found.options and found.kind not in LOOKUPS:
        texts = [line.strip() for text in texts for line in text.splitlines()]
    if takes == "many":
        texts = [text for text in texts if text]
    if found.kind in LOOKUPS and operator != "contains":
        texts = _picked(found, texts, given.get("value_text", ""), by)
    if not texts or not all(texts):
        raise InvalidQuery(_("%(field)s: a value is missing.") % {"field": found.label})
    manner = reading()
    if takes == "many":
        return Condition(name, operator, [parse_value(found, "eq", t, manner) for t in texts])
    return Condition(name, operator, parse_value(found, operator, "|".join(texts), manner))


def _picked(found: Field, texts: list[str], typed: str, by: Actor) -> list[str]:
    """Keys that a script chose; without one the record that the typed name means."""
    texts = [text for text in texts if text]
    if texts or not typed.strip():
        return texts
    hits = lookup.named(found, typed, by)
    if len(hits) != 1:
        raise InvalidQuery(
            _("“%(text)s” may be one of several. Choose one.") % {"text": typed}
            if hits
            else _("There is no “%(text)s”.") % {"text": typed}
        )
    return [input_text(found, hits[0].value(found))]


urlpatterns = [path("<entity:entity>/filter", edit_filter, name="list-filter")]
