"""The columns of an import as the mapping page shows them: each with its values, its target and
what can be said about that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping as MappingType, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _, gettext_lazy

from rapport.actions.options import may_add
from rapport.imports import (
    datecolumns,
    flow,
    foreign,
    mapping as mappings,
    newoptions,
    options,
    owners,
    parts,
    report,
    standing,
    uploads,
)
from rapport.imports.cells import converter, is_told
from rapport.imports.feed import reading_of
from rapport.imports.headers import (
    CHANGED_ON,
    CHANGED_ON_HEADER,
    RECORD_ID,
    id_header,
    targets,
)
from rapport.imports.mapping import Mapping, Target
from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.kinds import Kind, Reading
from rapport.meta.registry import registry
from rapport.models import ImportFile

from .cells import CellContext, cell, cell_context

# Values of a column that are shown, and that are tried for one that its field refuses.
SAMPLES = 3
SAMPLED = 8
# Different values of a choice column that can be mapped one by one.
VALUES = 60
# More users and teams than these are not listed behind each of them: they are typed.
PEOPLE = 300
UNFOLDED = 12
MISSING = {
    mappings.CREATE: gettext_lazy("create it"),
    mappings.REFUSE: gettext_lazy("refuse the row"),
    mappings.BLANK: gettext_lazy("leave it blank"),
}
# An owner is never blank.
MISSING_OWNER = {**MISSING, mappings.BLANK: gettext_lazy("take myself")}
SEVERAL = {
    mappings.REFUSE: gettext_lazy("refuse the row"),
    mappings.OLDEST: gettext_lazy("take the oldest"),
    mappings.BLANK: gettext_lazy("leave it blank"),
}
# Rows whose choice values are counted: a page does not wait for more.
COUNTED = 20_000
# A choice value that is taken as it stands.
AS_IT_IS = "="
# Kinds whose samples are shown as they would be stored: what is read wrong is seen at once.
_READ = frozenset({Kind.DATE, Kind.DATETIME, Kind.MONEY, Kind.NUMBER, Kind.BOOLEAN, Kind.CHOICE})
# Kinds whose values have a look of their own.
_CHECKED = _READ | {Kind.EMAIL, Kind.URL}


@dataclass(frozen=True)
class Sheet:
    """What the rows of the page share."""

    upload: ImportFile
    mapping: Mapping
    reading: Reading
    choices: SafeString
    cells: CellContext
    values: MappingType[int, Sequence[options.Cell]]
    days: MappingType[int, datecolumns.Day | datecolumns.End]
    by: Any


def rows(
    upload: ImportFile,
    mapping: Mapping,
    shown: Sequence[int],
    *,
    opened: frozenset[int],
    by: Any,
) -> Iterator[dict[str, Any]]:
    """The columns `shown`; of those `opened` the options are unfolded."""
    sheet = Sheet(
        upload,
        mapping,
        reading_of(upload),
        _choices(mapping.entity),
        cell_context(),
        _values_of(upload, mapping, shown),
        datecolumns.days_in(flow.columns_of(upload), mapping),
        by,
    )
    taken = Counter(target.field for target in mapping.columns.values())
    for index in shown:
        yield _row(sheet, index, taken, is_open=index in opened)


def _values_of(
    upload: ImportFile, mapping: Mapping, shown: Sequence[int]
) -> MappingType[int, Sequence[options.Cell]]:
    """The different cells of choice and owner columns among the first rows of the file."""
    own = {i: t for i, t in mapping.columns.items() if i in shown}
    if not any(is_told(parts.field_of(mapping.entity, t.field)) for t in own.values()):
        return {}
    try:
        with uploads.open_upload(upload) as table:
            batches = islice(table.iter_batches(COUNTED), 1)
            found = replace(mapping, columns=own)
            return options.cells_of(found, batches, reading_of(upload))
    except (uploads.FileRefused, uploads.UploadGone):
        return {}


def _row(sheet: Sheet, index: int, taken: Counter[str], *, is_open: bool) -> dict[str, Any]:
    target = sheet.mapping.columns.get(index)
    name = target.field if target else ""
    entity = sheet.mapping.entity
    field = parts.field_of(entity, name) if name else None
    header = report.column_name(flow.columns_of(sheet.upload), index)
    made: dict[str, Any] = {
        "index": index,
        "header": header,
        "samples": _samples(sheet, index, field, target),
        "options": _selected(sheet.choices, name),
        "target": name,
        "twice": taken[name] > 1,
    }
    if target is None or field is None:
        return made
    say = {Kind.OWNER: _owners, Kind.LOOKUP: _names}.get(field.kind, _values)
    values = say(sheet, index, field, target)
    return made | {
        "missing": _rules(
            mappings.missing_choices(field), _missing(field), mappings.missing_rule(field, target)
        ),
        "several": _rules(
            mappings.several_choices(field), SEVERAL, target.several or mappings.REFUSE
        ),
        "thing": _thing(field),
        "default": target.default,
        "takes_default": True,
        "wipe": target.wipe,
        "may_wipe": not field.required and field.kind is not Kind.STATE,
        "values": values,
        "said": _said(field, target, values),
        # What still needs an answer is in sight, unless it would fill the page.
        "is_open": is_open
        or (len(values) <= UNFOLDED and any(value["is_open"] for value in values)),
    }


def _missing(field: Field) -> MappingType[str, Any]:
    return MISSING_OWNER if field.kind is Kind.OWNER else MISSING


def _thing(field: Field) -> str:
    """What a look-up names."""
    if options.is_choice(field):
        return str(_("option"))
    if field.kind is Kind.OWNER or not field.target:
        return str(_("user or team")) if field.kind is Kind.OWNER else ""
    return str(registry[field.target].label).lower()


def _rules(names: Any, labels: MappingType[str, Any], rule: str) -> list[dict[str, Any]]:
    return [{"value": n, "label": labels[n], "selected": n == rule} for n in names]


def _said(field: Field, target: Target, values: Sequence[MappingType[str, Any]]) -> str:
    """The options in a line, so that they need not be unfolded to be known."""
    said = []
    if field.is_link:
        rule = mappings.missing_rule(field, target)
        said.append(_("not found: %(rule)s") % {"rule": _missing(field)[rule]})
        if target.several and target.several != mappings.REFUSE:
            said.append(_("several: %(rule)s") % {"rule": SEVERAL[target.several]})
    if values:
        blank = sum(value["is_blank"] for value in values)
        known = sum(not value["is_open"] for value in values) - blank
        numbers = {"known": known, "all": len(values), "count": blank}
        if field.kind is Kind.LOOKUP:
            said.append(_("%(all)s names mean others") % numbers)
        elif field.kind is Kind.OWNER:
            said.append(_("%(known)s of %(all)s owners are known") % numbers)
        else:
            said.append(_("%(known)s of %(all)s values have an option") % numbers)
            if blank:
                said.append(_("%(count)s left blank") % numbers)
    if target.default:
        said.append(_("if blank: “%(text)s”") % {"text": target.default[:40]})
    if target.wipe:
        said.append(_("empty cells empty the field"))
    return " · ".join(said)


# -- samples --------------------------------------------------------------------------------------


def _samples(
    sheet: Sheet, index: int, field: Field | None, target: Target | None
) -> list[dict[str, Any]]:
    """A few values of a column, and what its field makes of them; first those that it refuses."""
    sample = sheet.upload.options.get("sample", ())
    day = sheet.days.get(index)
    cells = ((day.text(row) if day else row[index]).strip() for row in sample if index < len(row))
    found = dict.fromkeys(text for text in cells if text)
    made = [_sample(sheet, text, field, target) for text in list(found)[:SAMPLED]]
    return sorted(made, key=lambda one: "problem" not in one)[:SAMPLES]


def _sample(sheet: Sheet, text: str, field: Field | None, target: Target | None) -> dict[str, Any]:
    if field is None or target is None or field.kind not in _CHECKED:
        return {"text": text}
    if (said := target.values.get(text)) is not None:
        return {"text": text, "shown": said if field.kind is Kind.NUMBER and said != text else ""}
    is_blank = target.missing == mappings.BLANK and options.is_choice(field)
    if is_blank or foreign.is_end(sheet.mapping.entity, field, text):
        return {"text": text}
    read = converter(field, sheet.reading)([text])
    if read.errors:
        return {"text": text, "problem": str(read.errors[0])}
    if field.kind not in _READ:
        return {"text": text}
    value = read.values[0]
    shown = cell(field, value, sheet.cells)
    return {"text": text, "shown": shown if shown and shown != text else ""}


# -- choice values one by one ---------------------------------------------------------------------


def _values(sheet: Sheet, index: int, field: Field, target: Target) -> list[dict[str, Any]]:
    """The different values of a choice column with what each means."""
    made = []
    for at, found in enumerate(sheet.values.get(index, ())[:VALUES]):
        text, count = found.text, found.count
        option = _option(sheet.mapping.entity, field, text, sheet.reading)
        said = target.values.get(text)
        is_blank = said == "" or (option is None and said is None and not _refuses(target))
        made.append(
            {
                "at": at,
                "text": text,
                "count": sheet.cells.number(count) if count else "",
                "is_known": option is not None,
                "is_open": option is None and said is None and _refuses(target),
                "is_blank": is_blank,
                "options": _value_options(sheet, field, target, text, option),
            }
        )
    return made


def _refuses(target: Target) -> bool:
    """Whether a value that is no option refuses its row."""
    return target.missing != mappings.BLANK


def _option(entity: Entity, field: Field, text: str, reading: Reading) -> Any:
    if foreign.is_end(entity, field, text):
        return text
    read = converter(field, reading)([text])
    if read.errors:
        return None
    # A word for nothing asks for no option.
    return "" if read.values[0] is None else read.values[0]


def _value_options(
    sheet: Sheet, field: Field, target: Target, text: str, option: Any
) -> list[dict[str, Any]]:
    """What a value may mean: an option, a new one, or nothing."""
    said = target.values.get(text)
    if field.kind is Kind.BOOLEAN:
        known = [("1", _("Yes"), True), ("0", _("No"), False)]
    elif field.labels:
        known = [(key, str(label), key) for key, label in field.labels.items()]
    else:
        known = [(str(o.value), str(o.label), o.value) for o in field.options]
        known += [(text, text, text) for text in standing.ends(sheet.mapping.entity, field)]
    chosen = said if said is not None else AS_IT_IS
    if said:
        # A recipe or a command may have said the label.
        chosen = next((v for v, label, _own in known if said in {v, label}), said)
    if option == "" or (option is None and target.missing == mappings.BLANK):
        as_it_is = _("— leave blank —")
    elif option is None:
        as_it_is = _("— refuse the row —")
    else:
        as_it_is = next((label for _v, label, own in known if own == option), str(option))
    first = [(AS_IT_IS, as_it_is)]
    if option != "" and (option is not None or target.missing != mappings.BLANK or said == ""):
        first.append(("", _("— leave blank —")))
    if option is None and field.grows and may_add(sheet.by):
        first.append((newoptions.NEW, _("— add “%(text)s” as an option —") % {"text": text[:60]}))
    rest = [(value, label) for value, label, own in known if own != option]
    return [
        {"value": value, "label": label, "selected": value == chosen}
        for value, label in (*first, *rest)
    ]


def _names(_sheet: Sheet, _index: int, _field: Field, target: Target) -> list[dict[str, Any]]:
    """Names of records that are said to mean others."""
    return [
        {
            "at": at,
            "text": text,
            "count": "",
            "is_known": True,
            "is_open": False,
            "is_blank": False,
            # To itself: so it can be chosen again.
            "options": [
                {"value": title, "label": label, "selected": title == said}
                for title, label in _meanings_of_name(text, said)
            ],
        }
        for at, (text, said) in enumerate([*target.values.items()][:VALUES])
    ]


def _meanings_of_name(text: str, said: str) -> list[tuple[str, str]]:
    own = (text, _("— as it is: %(name)s —") % {"name": text[:60]})
    return [own] if said == text else [(said, said), own]


# -- owners one by one ----------------------------------------------------------------------------


def _owners(sheet: Sheet, index: int, field: Field, target: Target) -> list[dict[str, Any]]:
    """The different owners of the file, who may have only an id there, with whom each means."""
    cells = sheet.values.get(index, ())[:VALUES]
    people = owners.everybody() if cells else []
    is_typed = len(people) > PEOPLE
    # A recipe or a command may have said a name or an e-mail address.
    named = owners.named({*(one.text for one in cells), *filter(None, target.values.values())})
    first = (str(sheet.by.pk), _("Myself: %(name)s") % {"name": sheet.by})
    rest = [(id_, label) for id_, label in people if id_ != first[0]]
    usual = {mappings.REFUSE: _("— refuse the row —")}.get(target.missing, _("— take myself —"))
    made = []
    for at, cell_ in enumerate(cells):
        own, said = named[cell_.text], target.values.get(cell_.text)
        told = named[said] if said else []
        chosen = str(told[0][0]) if len(told) == 1 else AS_IT_IS
        usually = own[0][1] if len(own) == 1 else usual
        typed = told[0][1] if said == chosen else said
        made.append(
            {
                "at": at,
                "text": cell_.text,
                "count": sheet.cells.number(cell_.count),
                "is_open": len(told if said else own) != 1 and said != "",
                "is_blank": False,
                "typed": {"name": typed or "", "usual": usually},
                "options": [
                    {"value": value, "label": label, "selected": value == chosen}
                    for value, label in ((AS_IT_IS, usually), first, *rest)
                    if not is_typed
                ],
            }
        )
    return made


# -- targets --------------------------------------------------------------------------------------


def _choices(entity: Entity) -> SafeString:
    """The options of every column's list: what is required, then as on the form, then the fields of
    the records that a row names."""
    names = targets(entity)
    required = [name for name in names if is_required(entity, name)]
    title = [name for name in names if name == entity.title and name not in required]
    groups = [(str(_("Required")), required + title)] if required else []
    used = {*required, *title}
    for section in entity.sections:
        own: list[str] = []
        for name in section.fields:
            each = entity.fields[name].parts or (name,)
            own += [part for part in each if part in names and part not in used]
        used.update(own)
        if own:
            groups.append((str(section.label), own))
    if title and not required:
        groups.insert(0, (str(_("Full name, to be split")), title))
    if rest := [name for name in names if name not in used]:
        groups.append((str(_("More")), rest))
    made = [format_html('<option value="">{}</option>', _("— ignore —"))]
    for label, own in groups:
        made.append(_group(label, [(n, _label(entity, n)) for n in own]))
    for lookup in parts.parts_of(entity):
        part = parts.entity_of(entity, lookup)
        label = _("Of the %(record)s") % {"record": str(part.label).lower()}
        own = [f"{lookup}.{name}" for name in parts.fields(part)]
        made.append(_group(label, [(n, parts.label(entity, n)) for n in own]))
    others = [(name, parts.label(entity, name)) for name in parts.id_targets(entity)]
    made.append(_group(str(_("Ids in another program")), others))
    known = [(RECORD_ID, id_header(entity)), (CHANGED_ON, CHANGED_ON_HEADER)]
    made.insert(1, _group(str(_("Stored record")), known))
    return SafeString("".join(made))


def _group(label: str, own: Sequence[tuple[str, str]]) -> SafeString:
    options = format_html_join("", '<option value="{}">{}</option>', own)
    return format_html('<optgroup label="{}">{}</optgroup>', label, options)


def is_required(entity: Entity, name: str) -> bool:
    """Whether a new record needs the field from the file."""
    field = entity.fields[name]
    return field.required and field.default in {None, ""} and field.kind is not Kind.OWNER


def _label(entity: Entity, name: str) -> str:
    label = str(entity.fields[name].label)
    if name == entity.title and not is_required(entity, name) and name not in entity.title_fields:
        return _("%(name)s, to be split") % {"name": label}
    return f"{label} *" if is_required(entity, name) else label


def _selected(choices: SafeString, name: str) -> SafeString:
    # Once per column, hence no template: a wide file has hundreds of these lists.
    return SafeString(choices.replace(f'value="{name}"', f'value="{name}" selected', 1))
