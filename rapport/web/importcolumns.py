"""The columns of an import: how the file is read, what each column is, and what happens to rows
that are there already."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import path, reverse
from django.utils.translation import gettext as _, gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from rapport.actions.lease import CancelAsked, Refused
from rapport.imports import bundle, flow, mapping as mappings, newoptions, owners, parts, recipes
from rapport.imports.headers import CHANGED_ON, RECORD_ID
from rapport.imports.mapping import Mapping, MappingRefused, Target
from rapport.imports.uploads import FileRefused, UploadGone
from rapport.meta.entity import Entity
from rapport.meta.folding import fold
from rapport.meta.kinds import Kind
from rapport.meta.registry import registry
from rapport.models import ImportFile

from . import importbundle, importreading, importtargets, recipes as offers, shell
from .cells import cell_context
from .importsteps import error_text, head, visible
from .signin import signed_in

# Files up to this size are planned while one waits.
AT_ONCE = 400_000
# Columns that the mapping page offers; the rest are named as ignored.
COLUMNS = 250
# Fields that no column fills and that get one value for all rows.
CONSTANTS = 20
ON_MATCH = {
    mappings.UPDATE: gettext_lazy("Update it: what stands in the file counts"),
    mappings.FILL: gettext_lazy("Fill only its blank fields"),
    mappings.SKIP: gettext_lazy("Leave it as it is"),
}
DUPLICATES = {
    mappings.SKIP: gettext_lazy("Hold them back until I decide"),
    mappings.UPDATE: gettext_lazy("Update the stored record"),
    mappings.FILL: gettext_lazy("Fill its blank fields"),
    mappings.CREATE: gettext_lazy("Create them anyway"),
}
PARTS = {
    parts.FILL: gettext_lazy("fill its blank fields"),
    parts.UPDATE: gettext_lazy("update it"),
    parts.LEAVE: gettext_lazy("leave it as it is"),
}


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def mapping_page(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """What each column is; posted: read the file otherwise, show the options of what was chosen, or
    check every row."""
    upload = visible(request, id)
    if bundle.is_bundle(upload):
        return _check_files(request, upload)
    if request.method != "POST":
        return show(request, upload)
    try:
        if "read" in request.POST:
            return _read_again(request, upload)
        if not {"plan", "save"} & set(request.POST):
            return show(request, upload)
        _require_people(request.POST)
        made = newoptions.make(chosen(upload, request.POST), by=request.user)
        flow.remap(upload, made, reading=importreading.values_of(request.POST))
        if "save" in request.POST:
            return shell.moved(request, f"{reverse('import-save', args=[upload.pk])}?next=columns")
        if upload.parent_id is not None:
            # Its siblings are checked with it.
            return shell.moved(request, reverse("import", args=[upload.parent_id]))
        return _planned(request, upload)
    except (MappingRefused, FileRefused, Refused, UploadGone) as error:
        upload.refresh_from_db()
        return show(request, upload, error=error_text(error), status=422)
    except flow.NotNow as error:
        messages.warning(request, str(error))
    return shell.moved(request, reverse("import", args=[upload.pk]))


def _check_files(request: HttpRequest, upload: ImportFile) -> HttpResponse:
    """Check every row of several files, or import only one; the columns of each are on a page of
    its own."""
    post = request.POST
    if not {"plan", "alone"} & set(post):
        return importbundle.show(request, upload)
    try:
        if "alone" not in post:
            return _planned(request, upload)
        flow.read_alone(upload, post["alone"], by=request.user)
        recipes.drop(upload)
    except (MappingRefused, FileRefused, Refused, UploadGone) as error:
        upload.refresh_from_db()
        return importbundle.show(request, upload, error=error_text(error))
    except flow.NotNow as error:
        messages.warning(request, str(error))
    return shell.moved(request, reverse("import", args=[upload.pk]))


def _planned(request: HttpRequest, upload: ImportFile) -> HttpResponse:
    """Have every row checked, at once when one waits for that."""
    try:
        if upload.size <= AT_ONCE:
            flow.plan_now(upload, by=request.user)
        else:
            flow.start_plan(upload, by=request.user)
    except flow.NotNow as error:
        messages.warning(request, str(error))
    except CancelAsked:
        messages.warning(request, _("Cancelled."))
    return shell.moved(request, reverse("import", args=[upload.pk]))


def _read_again(request: HttpRequest, upload: ImportFile) -> HttpResponse:
    """Read the file as somebody has chosen. What only says how values are written leaves the
    columns as they were chosen."""
    post = request.POST
    asked = {post["read"], post.get("sheet"), post.get("member")}
    if upload.parent_id is None and bundle.EACH_SHEET in asked:
        flow.read_each_sheet(upload, by=request.user)
        if not bundle.is_bundle(upload):
            messages.info(request, _("No other sheet is a list that can be imported."))
        recipes.drop(upload)
        return shell.moved(request, reverse("import", args=[upload.pk]))
    reading = importreading.chosen(upload, post)
    name = post.get("entity", "")
    entity = registry[name] if name in registry else registry[upload.entity]
    values = importreading.values_of(post, upload.reading)
    told = {name: value for name, value in reading.items() if name not in values}
    is_other = entity.name != upload.entity or upload.options.get("doubt")
    if not is_other and all(upload.reading.get(n) == v for n, v in told.items()):
        try:
            flow.remap(upload, chosen(upload, post), reading=values)
        except MappingRefused:
            upload.reading = {**upload.reading, **values}
    else:
        flow.read_again(upload, entity, reading, by=request.user)
        recipes.drop(upload)
    if shell.is_part(request):
        return show(request, upload, opened=True)
    return shell.moved(request, reverse("import-mapping", args=[upload.pk]))


# -- the form -------------------------------------------------------------------------------------


def chosen(upload: ImportFile, post: QueryDict) -> Mapping:
    """The mapping out of the form: 'column-3' names the field of a column, others its options.
    Raises MappingRefused."""
    entity = registry[upload.entity]
    columns, before = {}, Mapping.from_json(entity, upload.mapping).columns
    for index in _shown(upload):
        if target := _target(entity, index, post):
            columns[index] = _with_others(target, before.get(index), _asked(index, post))
    return Mapping(
        entity=entity,
        columns=columns,
        constants=_constants(entity, post),
        match=_match(entity, post),
        on_match=_one_of(ON_MATCH, post.get("on_match")) or mappings.UPDATE,
        duplicates=_one_of(DUPLICATES, post.get("duplicates")) or mappings.SKIP,
        parts={
            lookup: rule
            for lookup in parts.parts_of(entity)
            if (rule := _one_of(PARTS, post.get(f"part-{lookup}"))) and rule != parts.FILL
        },
    )


def _one_of(known: Any, value: str | None) -> str:
    return value if value in known else ""


def _target(entity: Entity, index: int, post: QueryDict) -> Target | None:
    name = post.get(f"column-{index}", "")
    if not name:
        return None
    if name not in mappings.targets(entity):
        raise MappingRefused(_("There is no field “%(name)s”.") % {"name": name})
    field = parts.field_of(entity, name)
    if field is None or post.get(f"was-{index}", name) != name:
        # The options in the form are those of another field.
        return Target(field=name)
    missing = _one_of(mappings.missing_choices(field), post.get(f"missing-{index}"))
    several = _one_of(importtargets.SEVERAL, post.get(f"several-{index}")) if field.is_link else ""
    return Target(
        field=name,
        missing=missing if missing != mappings.missing_rule(field, Target(field=name)) else "",
        several=several if several != mappings.REFUSE else "",
        default=post.get(f"default-{index}", "").strip(),
        values=_values(index, post),
        wipe=f"wipe-{index}" in post and not field.required,
    )


def _with_others(target: Target, before: Target | None, asked: Collection[str]) -> Target:
    """With what cells were found to mean other than those that the form has `asked` about: numbers,
    and whatever comes after the first ones."""
    if before is None or before.field != target.field:
        return target
    known = {fold(text) for text in asked}
    others = {text: said for text, said in before.values.items() if fold(text) not in known}
    return replace(target, values={**others, **target.values})


def _asked(index: int, post: QueryDict) -> list[str]:
    """The cells of which the form asked what they mean."""
    texts = (post.get(f"cell-{index}-{at}") for at in range(importtargets.VALUES))
    return [text for text in texts if text is not None]


def _values(index: int, post: QueryDict) -> dict[str, str]:
    """Choice values that were said one by one."""
    made = {}
    for at in range(importtargets.VALUES):
        text, option = post.get(f"cell-{index}-{at}"), post.get(f"value-{index}-{at}")
        if text is not None and option is not None and option != importtargets.AS_IT_IS:
            made[text] = option
        if text is not None and (typed := post.get(f"who-{index}-{at}", "").strip()):
            made[text] = typed
    return made


def _require_people(post: QueryDict) -> None:
    """Refuse typed names and e-mail addresses that are not those of one user or team."""
    typed = {text.strip() for name, text in post.items() if name.startswith("who-")} - {""}
    for name, found in owners.named(typed).items() if typed else ():
        if not found:
            raise MappingRefused(_("There is no user or team “%(name)s”.") % {"name": name})
        if len(found) > 1:
            text = _("Several users or teams are called “%(name)s”: type the e-mail address.")
            raise MappingRefused(text % {"name": name})


def _constants(entity: Entity, post: QueryDict) -> dict[str, str]:
    known = mappings.targets(entity) - {RECORD_ID, CHANGED_ON}
    made = {}
    for at in range(CONSTANTS):
        name, text = post.get(f"constant-{at}", ""), post.get(f"constant-text-{at}", "").strip()
        if name and text:
            if name not in known:
                raise MappingRefused(_("There is no field “%(name)s”.") % {"name": name})
            made[name] = text
    return made


def _match(entity: Entity, post: QueryDict) -> tuple[tuple[str, ...], ...]:
    """Sets of fields: those that were ticked, and one of one's own."""
    sets = [tuple(text.split("+")) for text in post.getlist("match") if text]
    if own := tuple(dict.fromkeys(post.getlist("match-own"))):
        sets.append(own)
    known = set(entity.fields)
    return tuple(dict.fromkeys(names for names in sets if known.issuperset(names)))


def _shown(upload: ImportFile) -> list[int]:
    """Columns of the mapping page: those that are mapped, and as many others as fit."""
    mapped = set(flow.mapping_of(upload).columns)
    others = [i for i in range(len(flow.columns_of(upload))) if i not in mapped]
    return sorted(mapped | set(others[: max(0, COLUMNS - len(mapped))]))


# -- the page -------------------------------------------------------------------------------------


def show(
    request: HttpRequest,
    upload: ImportFile,
    *,
    error: str = "",
    status: int = 200,
    opened: bool = False,
) -> HttpResponse:
    """The page; of htmx's question about one column only that column and what is still missing."""
    if "columns" not in upload.options or upload.operation_id is not None:
        return HttpResponseRedirect(reverse("imports"), status=303)
    mapping = flow.mapping_of(upload)
    if request.method == "POST" and "read" not in request.POST:
        mapping, refused = _posted(upload, request.POST, mapping)
        error = error or refused
    options, shown = upload.options, _shown(upload)
    asked = request.POST.get("column", "") if shell.is_part(request) else ""
    one = int(asked) if asked.isdecimal() and len(asked) < 6 and int(asked) in shown else None
    unfolded = frozenset(i for i in shown if f"open-{i}" in request.POST)
    context = {
        **head(upload, 1),
        **importreading.context(upload),
        **offers.offer_context(request, upload),
        **_needs(mapping, len(flow.columns_of(upload))),
        "error": error or upload.message,
        "doubt": options.get("doubt", ""),
        "as_before": options.get(recipes.AS_BEFORE, ""),
        "notes": _notes(upload, mapping),
        "lists": options.get("lists", 0) if upload.parent_id is None else 0,
        "opened": opened,
        "columns": importtargets.rows(
            upload, mapping, shown if one is None else [one], opened=unfolded, by=request.user
        ),
        "is_whole": one is None,
        "hidden": len(flow.columns_of(upload)) - len(shown),
        "entities": [(e.name, e.label_plural) for e in flow.importable_for(request.user)],
        "check": _check_words(upload),
        "action": reverse("import-mapping", args=[upload.pk]),
        "rules": _rules(mapping),
        "constants": _constant_rows(mapping),
    }
    part = "imports/columns_part.html" if one is not None else None
    return shell.render(request, "imports/mapping.html", context, status=status, part=part)


def _notes(upload: ImportFile, mapping: Mapping) -> list[str]:
    """What was found when the file came; not that a column is ignored, once it is mapped."""
    headers = flow.columns_of(upload)
    named = (headers[i] for i in mapping.columns if i < len(headers) and headers[i])
    mapped = tuple(f"“{header}” {_('is ignored')}" for header in named)
    return [note for note in upload.options.get("notes", ()) if not note.startswith(mapped)]


def _posted(upload: ImportFile, post: QueryDict, mapping: Mapping) -> tuple[Mapping, str]:
    """What was chosen, also when it cannot be taken: nobody likes to choose twice."""
    try:
        return chosen(upload, post), ""
    except MappingRefused as refused:
        return mapping, str(refused)


def _check_words(upload: ImportFile) -> str:
    if upload.parent_id is not None:
        return _("Save and go back")
    known, about = upload.options.get("known_rows"), upload.options.get("about_rows")
    if not about:
        return _("Check the file")
    text = ngettext("Check the file: %(n)s row", "Check the file: %(n)s rows", about)
    is_estimate = not known and about >= flow.LOOKED_AT
    number = cell_context().number(about)
    return text % {"n": f"~{number}" if is_estimate else number}


def _needs(mapping: Mapping, width: int) -> dict[str, Any]:
    """What a new record needs, and how many columns go somewhere."""
    entity = mapping.entity
    required = [
        {
            "label": found.label,
            "is_filled": mapping.column_of(found.name) is not None
            or found.name in mapping.constants,
        }
        for found in entity.editable
        if importtargets.is_required(entity, found.name)
    ]
    missing = [one["label"] for one in required if not one["is_filled"]]
    return {
        "required": required,
        "missing": [] if RECORD_ID in mapping.fields or mapping.match else missing,
        "mapped": len(mapping.columns),
        "unmapped": width - len(mapping.columns),
        "width": width,
    }


def _rules(mapping: Mapping) -> dict[str, Any]:
    """How rows find stored records and what happens then."""
    entity = mapping.entity
    suggested = _suggested(mapping)
    sets = [set(names) for names in suggested]
    own = next((names for names in mapping.match if set(names) not in sets), ())
    mapped = [n for n in dict.fromkeys(t.field for t in mapping.columns.values()) if "." not in n]
    ticked = {names for names in suggested if set(names) in [set(m) for m in mapping.match]}
    labels = [_set_label(entity, names) for names in mapping.match]
    return {
        "has_id": RECORD_ID in mapping.fields,
        "match": [
            {
                "value": "+".join(names),
                "label": _set_label(entity, names),
                "checked": names in ticked,
            }
            for names in suggested
        ],
        "own": [
            {"name": n, "label": entity.fields[n].label, "checked": n in own}
            for n in mapped
            if n != RECORD_ID and n in entity.fields
        ],
        "has_own": bool(own),
        "on_match": [(n, label, n == mapping.on_match) for n, label in ON_MATCH.items()],
        "duplicates": [(n, label, n == mapping.duplicates) for n, label in DUPLICATES.items()],
        "parts": [
            {
                "lookup": lookup,
                "label": entity.fields[lookup].label,
                "rules": [
                    (n, label, n == mapping.parts.get(lookup, parts.FILL))
                    for n, label in PARTS.items()
                ],
            }
            for lookup in mapping.filled_parts
        ],
        "summary": _rules_summary(mapping, labels),
    }


def _rules_summary(mapping: Mapping, labels: list[str]) -> str:
    found = ([_("record id")] if RECORD_ID in mapping.fields else []) + labels
    said = []
    if found:
        said.append(_("found by %(fields)s") % {"fields": ", ".join(found)})
        said.append(str(_ON_MATCH_SHORT[mapping.on_match]))
    said.append(str(_DUPLICATES_SHORT[mapping.duplicates]))
    return "; ".join(said)


_ON_MATCH_SHORT = {
    mappings.UPDATE: gettext_lazy("then updated"),
    mappings.FILL: gettext_lazy("then blank fields are filled"),
    mappings.SKIP: gettext_lazy("then left as they are"),
}
_DUPLICATES_SHORT = {
    mappings.SKIP: gettext_lazy("possible duplicates wait for you"),
    mappings.UPDATE: gettext_lazy("possible duplicates are updated"),
    mappings.FILL: gettext_lazy("possible duplicates are filled"),
    mappings.CREATE: gettext_lazy("possible duplicates are created"),
}


def _set_label(entity: Entity, names: tuple[str, ...]) -> str:
    return " + ".join(str(entity.fields[name].label) for name in names)


# Kinds that say which record is meant.
_TELLING = frozenset({Kind.EMAIL, Kind.PHONE, Kind.URL})


def _suggested(mapping: Mapping) -> list[tuple[str, ...]]:
    """Sets of mapped fields that tell records apart, the surest first."""
    entity = mapping.entity
    known = {n for n in mapping.fields if n in entity.fields}
    if entity.title in known:
        known.update(entity.title_fields)
    alone = [
        (name,)
        for name, field in entity.fields.items()
        if name in known and (field.unique or field.kind in _TELLING or "number" in name)
    ]
    alone.sort(key=lambda names: not entity.fields[names[0]].unique)
    groups = [tuple(group) for group in (*entity.duplicates, *entity.duplicates_otherwise)]
    titles = [(entity.title,)] if entity.title in entity.title_fields else []
    sets = [names for names in (*alone, *groups, *titles) if known.issuperset(names)]
    # Those in force stay in sight, whatever is mapped by now.
    return list(dict.fromkeys(sets))[:6]


def _constant_rows(mapping: Mapping) -> dict[str, Any]:
    """Fields with one value for all rows, and one blank line for another."""
    entity = mapping.entity
    filled = mapping.fields
    names = [f.name for f in entity.editable if f.columns and f.importable]
    free = [
        (name, entity.fields[name].label)
        for name in names
        if name not in filled and name in mappings.targets(entity)
    ]
    rows = [*mapping.constants.items(), ("", "")]
    kept = {n for n, _text in rows}
    return {
        "rows": [
            {
                "at": at,
                "text": text,
                "fields": [
                    (n, label, n == name) for n, label in free if n == name or n not in kept
                ],
            }
            for at, (name, text) in enumerate(rows[:CONSTANTS])
        ],
        "summary": "; ".join(
            f"{mappings.label_of(entity, name)}: {text}" for name, text in mapping.constants.items()
        ),
    }


urlpatterns = [path("imports/<uuid:id>/columns/", mapping_page, name="import-mapping")]
